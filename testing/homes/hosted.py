"""Homes of a host that do next to nothing: each has a database of its own, and remembers."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from consometers_node.host.homes.register import HostedHome
from consometers_node.store import Store
from consometers_node.store.engine.file import Reserve
from consometers_node.store.settings import set_setting, setting

NOTE = "a.note"


@dataclass
class SmallHome:
    """A home that is open."""

    home: HostedHome
    store: Store
    acquainted: set[str] = field(default_factory=set)
    due: datetime | None = None
    is_busy: bool = False

    def knows(self, peer: str) -> bool:
        return peer in self.acquainted

    async def peers(self) -> Iterable[str]:
        return self.acquainted

    async def next_due(self) -> datetime | None:
        return self.due

    async def write(self, note: str) -> None:
        async with self.store.writing() as connection:
            await set_setting(connection, NOTE, note)

    async def read(self) -> str | None:
        async with self.store.reading() as connection:
            return await setting(connection, NOTE)


@dataclass
class SmallHomes:
    """Opens such homes, and knows what each was like."""

    opened: list[str] = field(default_factory=list)
    now_open: dict[str, SmallHome] = field(default_factory=dict)
    most_open: int = 0
    acquainted: dict[str, set[str]] = field(default_factory=dict)
    due: dict[str, datetime] = field(default_factory=dict)

    @asynccontextmanager
    async def open(self, home: HostedHome) -> AsyncIterator[SmallHome]:
        self.opened.append(home.address)
        reserve = Reserve(home.folder.parent / "homes.db")
        store = await Store.open(home.folder / "node.db", connections=1, reserve=reserve)
        try:
            node = SmallHome(
                home,
                store,
                self.acquainted.setdefault(home.address, set()),
                self.due.pop(home.address, None),
            )
            self.now_open[home.address] = node
            self.most_open = max(self.most_open, len(self.now_open))
            yield node
        finally:
            self.now_open.pop(home.address, None)
            await store.close()
