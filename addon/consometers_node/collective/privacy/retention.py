"""What time does to what members gave: it runs out, and what it brought is erased."""

import asyncio
import logging
from typing import NoReturn
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from ...sharing.changes import Changes
from ...store import Store, logs
from ...store.clock import Clock, Confirmed
from ...store.exclusive import alone
from ...store.outbox import take_turns
from ..members.members import Members
from ..members.subscribers import Readers
from ..permissions import member_permissions
from ..permissions.member_permissions import Given
from ..publication.policy import InForce
from .erasure import erase, erase_old_names, forget_told, is_wiped, wipe

EVERY_S = 300.0
READERS_AT_ONCE = 25
"""Members in one transaction, while others wait."""
_REST_S = 0.1

_LOGGER = logging.getLogger(__name__)


class Upkeep:
    """Ends what ran out, and erases what is due, by a clock that is confirmed."""

    def __init__(
        self,
        store: Store,
        zone: ZoneInfo,
        changes: Changes,
        clock: Clock,
        *,
        every_s: float = EVERY_S,
    ) -> None:
        self._store = store
        self._zone = zone
        self._changes = changes
        self._clock = clock
        self._every_s = every_s

    async def run(self) -> NoReturn:
        while True:
            await asyncio.sleep(self._every_s)
            await self.look()

    async def look(self) -> None:
        """Do what is due by now: without a confirmed clock, only what somebody asked for."""
        async with self._store.writing() as connection:
            now = await self._clock.confirmed(connection)
            ended = 0 if now is None else await self._end(connection, now)
        erased = 0
        while due := await self._due(now):
            await erase(self._store, self._zone, due[0], self._clock.now())
            erased += 1
        async with self._store.writing() as connection:
            # In the order of the intake.
            await take_turns(connection)
            await alone(connection)
            await erase_old_names(connection)
            if now is not None:
                members = Members(connection, self._zone)
                await members.forget_guests(now)
                await forget_told(members, now)
                await logs.forget(connection, now)
            wiped = await is_wiped(connection)
        if not wiped:
            await wipe(self._store)
        if ended:
            _LOGGER.info("%d permissions ran out", ended)
        if ended or erased:
            self._changes.tell()

    async def _end(self, connection: AsyncConnection, now: Confirmed) -> int:
        """End what ran out, and announce what goes next; return how many permissions ended."""
        await alone(connection)
        ended = await member_permissions.expire(Members(connection, self._zone), now)
        await member_permissions.announce(connection, now)
        return len(ended)

    async def _due(self, now: Confirmed | None) -> list[Given]:
        async with self._store.reading() as connection:
            return await member_permissions.due(connection, now)


async def keep_readers(
    store: Store,
    readers: Readers,
    rules: InForce,
    changes: Changes,
    *,
    clock: Clock,
    every_s: float,
) -> NoReturn:
    """Grant read access to exactly the current members, again and again."""
    while True:
        while await _mend(store, readers, rules, clock):
            changes.tell()
            await asyncio.sleep(_REST_S)
        await asyncio.sleep(every_s)


async def _mend(store: Store, readers: Readers, rules: InForce, clock: Clock) -> bool:
    """Update who may read; return whether more may follow.

    A clock that is wrong lets nobody: the permission would be of another year.
    """
    async with store.reading() as connection:
        if await clock.is_wrong(connection):
            return False
        interval = (await rules.read(connection)).publication.interval
        if await readers.are_right(connection, interval):
            return False
    async with store.writing() as connection:
        return await readers.mend(connection, interval, clock.now(), READERS_AT_ONCE) > 0
