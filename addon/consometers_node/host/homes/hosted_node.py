"""A home of a host while it is awake: a household's node whose data come from files."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time, timedelta
from hashlib import sha256
from typing import Final, NoReturn

from consometers_node.household.files.source import FileSource
from consometers_node.household.node import LANGUAGE, HomeNode, HouseholdPace
from consometers_node.household.sharing.sync import targets
from consometers_node.permission import Permissions
from consometers_node.sharing import account, status
from consometers_node.sharing.names import load_naming
from consometers_node.store import Store
from consometers_node.store.clock import Clock
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.engine.file import Reserve
from consometers_node.store.peers import all_peers
from consometers_node.store.settings import set_setting, setting
from consometers_quoalise_network import Account, Identity, Server, Transport

from .register import HostedHome

CONNECTS_WITHIN_S: Final = 20.0
"""A home whose server is away falls asleep again."""
AWAITS_PEERS_S: Final = 120.0
"""A home whose peers do not confirm what they were sent falls asleep again, and tries later."""
AGAIN: Final = timedelta(hours=1)
"""A home for which something waits is awake again then."""
LOOKS_EVERY_S: Final = 2.0
"""At what waits, where no change is announced."""

_DAY_S: Final = 86_400
_NO_PASSWORD: Final = "none"  # noqa: S105  # a component speaks for all its addresses

type Connect = Callable[[Identity], Transport]
"""Returns the transport of an account, not entered yet."""


async def furnish(home: HostedHome, language: str) -> None:
    """Make the database of a new home, with its address and its language (a tag)."""
    async with _opened_store(home) as store:
        await account.save(store, Identity(Account(home.address, _NO_PASSWORD), Server()))
        async with store.writing() as connection:
            await set_setting(connection, LANGUAGE, language)


@asynccontextmanager
async def running(
    home: HostedHome, connect: Connect, language: str, *, pace: HouseholdPace | None = None
) -> AsyncIterator[HostedNode]:
    """Run a home's node within. What fails in it ends the block.

    `language` (a tag) is that of a home that has none of its own.
    """
    async with _opened_store(home) as store:
        async with store.reading() as connection:
            language = await setting(connection, LANGUAGE) or language
        node = HomeNode(
            store,
            await load_naming(store),
            FileSource(store, language),
            connect,
            clock=Clock(),
            pace=pace,
        )
        hosted = HostedNode(home.address, node)
        async with asyncio.TaskGroup() as tasks:
            works = [tasks.create_task(work) for work in (node.run(), hosted.watch())]
            try:
                yield hosted
            finally:
                for work in works:
                    work.cancel()


class HostedNode:
    """A household's node at a host, which says when it may fall asleep."""

    def __init__(self, address: str, node: HomeNode) -> None:
        self.address = address
        self.node = node
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._peers: frozenset[str] | None = None
        self._waits = True

    @property
    def is_busy(self) -> bool:
        """Whether something waits to be read or sent, for as long as that may take."""
        awake_s = self._loop.time() - self._began
        if self._is_connecting:
            return awake_s < CONNECTS_WITHIN_S
        return self._waits and awake_s < AWAITS_PEERS_S

    def knows(self, peer: str) -> bool:
        """Return whether a peer (bare address) may ask it anything; anybody until it has looked."""
        return self._peers is None or peer in self._peers

    async def peers(self) -> Iterable[str]:
        async with self.node.store.reading() as connection:
            return [peer.jid for peer in await all_peers(connection)]

    async def next_due(self) -> datetime:
        """Return when it is awake again: soon while something waits, else at its time of a day."""
        now = datetime.now(UTC)
        if await self.waits():
            return now + AGAIN
        moment = int.from_bytes(sha256(self.address.encode()).digest()[:4]) % _DAY_S
        today = datetime.combine(now.date(), time(), UTC) + timedelta(seconds=moment)
        return today if today > now else today + timedelta(days=1)

    async def waits(self) -> bool:
        """Return whether something is still to be read, or to be confirmed by a peer."""
        if await self.node.source.stale() is not None:
            return True
        async with self.node.store.reading() as connection:
            return (
                await self._reads(connection)
                or bool(await untold(connection))
                or any(
                    each.waiting and not each.paused
                    for each in await status.collectives(connection, datetime.now(UTC))
                )
            )

    async def watch(self) -> NoReturn:
        """Look after each change at whom it knows and what waits, until cancelled."""
        changes = self.node.changes
        while True:
            seen = changes.count
            self._peers = frozenset(await self.peers())
            self._waits = await self.waits()
            await changes.after(seen, LOOKS_EVERY_S)

    @property
    def _is_connecting(self) -> bool:
        network = self.node.network
        return network is None or not (network.connection.is_online or network.connection.problem)

    async def _reads(self, connection: AsyncConnection) -> bool:
        if await self.node.clock.unless_wrong(connection) is None:
            return False
        reached = await targets(connection, self.node.source.memory, datetime.now(UTC))
        return any(target.left for target in reached.values())


async def untold(connection: AsyncConnection) -> list[str]:
    """Return the names of peers that have not confirmed a change of their permissions."""
    permissions = Permissions(connection)
    return [peer.name for peer in await all_peers(connection) if await permissions.notices(peer.id)]


@asynccontextmanager
async def _opened_store(home: HostedHome) -> AsyncIterator[Store]:
    # Homes share what is set aside on the disk.
    reserve = Reserve(home.folder.parent / "homes.db")
    store = await Store.open(home.folder / "node.db", connections=1, reserve=reserve)
    try:
        yield store
    finally:
        await store.close()
