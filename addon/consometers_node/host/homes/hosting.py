"""The homes of a host as its accounts and pages need them: made, opened, measured, erased."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Final, NoReturn, Self

from consometers_node.host.accounts.homes import Untold
from consometers_node.household.node import HomeNode, HouseholdPace
from consometers_node.sharing.export import erase_all

from . import hosted_node
from .due import DueHomes
from .hosted_node import Connect, HostedNode, running
from .register import AddressTaken, HomeRegister, HostedHome
from .waking import HomeBroken, Homes, NoHome

TELLS_WITHIN_S: Final = 20.0
"""How long an erasure waits until all who received data have confirmed the withdrawal."""


class HostedHomes:
    """The homes of a host, while it is entered; `run` wakes those that are due."""

    def __init__(
        self,
        register: HomeRegister,
        connect: Connect,
        language: str,
        *,
        pace: HouseholdPace | None = None,
        tells_within_s: float = TELLS_WITHIN_S,
    ) -> None:
        """Prepare; `connect` returns the transport of an account, not entered yet.

        `language` (a tag) is that of homes that have none of their own.
        """
        self._connect = connect
        self._language = language
        self._pace = pace
        self._tells_within_s = tells_within_s
        self._register = register
        self._homes = Homes(register, self._opened)
        self._due = DueHomes(self._homes)

    async def __aenter__(self) -> Self:
        await self._homes.__aenter__()
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self._homes.__aexit__(*raised)

    async def run(self) -> NoReturn:
        """Wake the homes that are due, until cancelled."""
        await self._due.run()

    def unclaimed(self, address: str, peer: str) -> bool:
        """Wake a home for a stanza of a peer that it knows; return whether it comes."""
        return self._homes.unclaimed(address, peer)

    def knows(self, address: str, peer: str) -> bool:
        """Return whether a home knows a peer."""
        return self._homes.knows(address, peer)

    @asynccontextmanager
    async def open(self, address: str) -> AsyncIterator[HomeNode]:
        """Yield the node of a home, which stays open meanwhile.

        Raises `HomeFault`.
        """
        async with self._homes.awake(address) as home:
            yield home.node

    async def create(self, address: str, language: str) -> None:
        """Make an empty home, or complete one whose making was cut off. `language` is a tag."""
        try:
            home = self._register.add(address, datetime.now(UTC))
        except AddressTaken:
            home = self._register.of(address)
        await hosted_node.furnish(home, language)

    async def erase(self, address: str, *, untold: bool = False) -> None:
        """Withdraw all permissions of a home with erasure, and delete all that it stores.

        Without `untold`, all who received data have confirmed the withdrawal before; raises
        `Untold` where some have not in time, and may be repeated. Raises `HomeFault` where
        nothing could be withdrawn, and OSError.
        """
        try:
            async with self._homes.awake(address) as home:
                left = await self._withdraw(home)
        except NoHome:
            # It was erased by an earlier attempt.
            return
        except HomeBroken:
            if not untold:
                raise
            left = []
        if left and not untold:
            raise Untold(left)
        await self._homes.remove(address)

    async def size_bytes(self, address: str) -> int:
        """Return how much a home stores; nothing where there is none."""
        try:
            home = self._register.of(address)
        except KeyError:
            return 0
        return await asyncio.to_thread(_size_bytes, home)

    async def _withdraw(self, home: HostedNode) -> list[str]:
        """Withdraw all; return the names of those who have not confirmed it in time."""
        node = home.node
        language = await node.source.language()
        await erase_all(node.store, home.address.partition("@")[0], language)
        node.look_again()
        left = await self._untold(node)
        try:
            async with asyncio.timeout(self._tells_within_s):
                while left:
                    seen = node.changes.count
                    await node.changes.after(seen, hosted_node.LOOKS_EVERY_S)
                    left = await self._untold(node)
        except TimeoutError:
            return left
        return []

    async def _untold(self, node: HomeNode) -> list[str]:
        async with node.store.reading() as connection:
            return await hosted_node.untold(connection)

    def _opened(self, home: HostedHome) -> AbstractAsyncContextManager[HostedNode]:
        return running(home, self._connect, self._language, pace=self._pace)


def _size_bytes(home: HostedHome) -> int:
    return sum(file.stat().st_size for file in home.folder.glob("*") if file.is_file())
