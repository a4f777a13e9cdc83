"""Homes of a host in memory: what each stores, by its address."""


class FewHomes:
    """Homes without a node. `fault` is raised instead of an erasure."""

    def __init__(self) -> None:
        self.stored: dict[str, bytes] = {}
        self.fault: Exception | None = None

    async def create(self, address: str, language: str) -> None:
        self.stored.setdefault(address, language.encode())

    async def erase(self, address: str, *, untold: bool = False) -> None:
        if self.fault is not None:
            raise self.fault
        self.stored.pop(address, None)

    async def size_bytes(self, address: str) -> int:
        return len(self.stored[address])
