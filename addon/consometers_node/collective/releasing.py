"""Looks again and again at what may be released, and tells those to whom sums are granted."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import NoReturn

from sqlalchemy.ext.asyncio import AsyncConnection

from ..sharing.changes import Changes
from ..store import Store
from ..store.clock import Clock
from .counting import Counts
from .release import Release
from .rules import InForce, take_up
from .settings import Settings

EVERY_S = 2.0
_LEFT_TO_OTHERS = 3
"""How many times as long as a look took the database is left to members that wait."""


class Releasing:
    """Releases what is due, a part at a time, so that members are kept waiting by none of it."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        rules: InForce,
        changes: Changes,
        clock: Clock,
        *,
        every_s: float = EVERY_S,
        counts: Counts | None = None,
        is_waited_for: Callable[[], bool] = bool,
    ) -> None:
        self._store = store
        self._settings = settings
        self._rules = rules
        self._changes = changes
        self._clock = clock
        self._every_s = every_s
        self._counts = counts or Counts()
        self._is_waited_for = is_waited_for

    async def run(self) -> NoReturn:
        """Look on. Ends when it is cancelled.

        Nothing is published by a clock that is wrong: it would close hours that have yet to end.
        """
        clock = asyncio.get_running_loop().time
        while True:
            with self._counts.looks.once():
                async with self._store.writing() as connection:
                    began = clock()
                    is_new = not await self._clock.is_wrong(connection) and await self.look(
                        connection, self._clock.now()
                    )
            if not is_new:
                await asyncio.sleep(self._every_s)
                continue
            self._counts.released_at = self._clock.now()
            self._changes.tell()
            if self._is_waited_for():
                await asyncio.sleep(_LEFT_TO_OTHERS * (clock() - began))

    async def look(self, connection: AsyncConnection, at: datetime) -> bool:
        """Release what is due by the rules of now. Tells whether there may be more."""
        settings = self._settings
        rules = await self._rules.read(connection)
        await take_up(connection, rules.publication, at)
        if not rules.are_open(at, settings.time_zone):
            return False
        release = Release(rules.publication, settings.time_zone.key, settings.identifier)
        return await release.look(connection, at)
