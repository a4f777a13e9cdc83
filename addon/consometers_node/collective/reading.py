"""Sees to it that each member may read what is known of all, and nobody that is none."""

import asyncio
from datetime import datetime
from typing import NoReturn

from ..sharing.changes import Changes
from ..store import Store
from ..store.clock import Clock
from .readers import Readers
from .rules import InForce

MOST_AT_ONCE = 25
"""Members in one transaction, while others wait."""

_REST_S = 0.1


class Reading:
    """Lets those read that joined before, or when something else was published."""

    def __init__(
        self,
        store: Store,
        readers: Readers,
        rules: InForce,
        changes: Changes,
        *,
        clock: Clock,
        every_s: float,
    ) -> None:
        self._store = store
        self._readers = readers
        self._rules = rules
        self._changes = changes
        self._clock = clock
        self._every_s = every_s

    async def run(self) -> NoReturn:
        """Look again and again. Ends when it is cancelled."""
        while True:
            while await self.look(self._clock.now()):
                self._changes.tell()
                await asyncio.sleep(_REST_S)
            await asyncio.sleep(self._every_s)

    async def look(self, now: datetime) -> bool:
        """Update who may read; return whether more may follow.

        A clock that is wrong lets nobody: the permission would be of another year.
        """
        async with self._store.reading() as connection:
            if await self._clock.is_wrong(connection):
                return False
            interval = (await self._rules.read(connection)).publication.interval
            if await self._readers.are_right(connection, interval):
                return False
        async with self._store.writing() as connection:
            return await self._readers.mend(connection, interval, now, MOST_AT_ONCE) > 0
