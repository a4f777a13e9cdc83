"""Homes of a host in memory: what each stores, by its address."""

from aiohttp import web


class FewHomes:
    """Homes without a node. `fault` is raised instead of an erasure."""

    def __init__(self) -> None:
        self.stored: dict[str, bytes] = {}
        self.fault: Exception | None = None

    async def create(self, address: str) -> None:
        self.stored.setdefault(address, b"")

    async def erase(self, address: str) -> None:
        if self.fault is not None:
            raise self.fault
        self.stored.pop(address, None)

    async def size_bytes(self, address: str) -> int:
        return len(self.stored[address])

    async def answer(self, address: str, request: web.Request) -> web.StreamResponse:
        """Answer a request with what a home stores, and what was asked of it."""
        return web.Response(text=f"{request.match_info['page']} {self.stored[address]!r}")
