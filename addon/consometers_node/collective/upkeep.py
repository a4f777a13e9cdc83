"""What time does to what members gave: it runs out, and what it brought is erased."""

import asyncio
from datetime import UTC, datetime, timedelta
import logging
import time
from typing import NoReturn
from zoneinfo import ZoneInfo

from ..sharing.changes import Changes
from ..store import Store, logs
from ..store.sums import alone
from . import given
from .given import Given
from .members import Members
from .rights import erase, forget_told, is_wiped, wipe

EVERY_S = 300.0
GUESTS_FOR = timedelta(days=90)
"""How long whoever was let in, and gave nothing, is remembered."""

_STEP_S = 60.0

_LOGGER = logging.getLogger(__name__)


class Upkeep:
    """Ends what ran out, erases what is due."""

    def __init__(
        self, store: Store, zone: ZoneInfo, changes: Changes, *, every_s: float = EVERY_S
    ) -> None:
        self._store = store
        self._zone = zone
        self._changes = changes
        self._every_s = every_s

    async def run(self) -> NoReturn:
        """Look again and again, each time after there was time to see the clock go on.

        A clock that was set wrong, and is set right again, must erase nothing.
        """
        while True:
            wall, steady = time.time(), time.monotonic()
            await asyncio.sleep(self._every_s)
            if abs((time.time() - wall) - (time.monotonic() - steady)) <= _STEP_S:
                await self.look(datetime.now(UTC))

    async def look(self, now: datetime) -> None:
        """Do what is due by now."""
        async with self._store.writing() as connection:
            await alone(connection)
            ended = await given.expire(Members(connection, self._zone), now)
        erased = 0
        while due := await self._due(now):
            await erase(self._store, self._zone, due[0], now)
            erased += 1
        async with self._store.writing() as connection:
            await alone(connection)
            members = Members(connection, self._zone)
            await members.forget_guests(now - GUESTS_FOR)
            await forget_told(members, now)
            await logs.forget(connection, now - logs.KEPT_FOR)
            wiped = await is_wiped(connection)
        if not wiped:
            await wipe(self._store)
        if ended:
            _LOGGER.info("%d permissions ran out", len(ended))
        if ended or erased:
            self._changes.tell()

    async def _due(self, now: datetime) -> list[Given]:
        async with self._store.reading() as connection:
            return await given.due(connection, now)
