"""Has intervals closed as long as the collective runs, a few days at a time.

A collective that was just opened closes its last weeks first. Their history follows, the last month
first, once all members have sent theirs: an interval is closed once, with all that it is to have.
"""

import asyncio
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import partial
from typing import NoReturn

from consometers_node.collective.calendar import month_of
from consometers_node.collective.counters import Counts
from consometers_node.collective.ingestion.arrivals import RECENT, Arrivals
from consometers_node.collective.members.members import Members
from consometers_node.collective.publication.policy import (
    InForce,
    leave_past,
    opened,
    past_left,
)
from consometers_node.collective.settings import Settings
from consometers_node.sharing.changes import Changes
from consometers_node.store import Store
from consometers_node.store.clock import Clock
from consometers_node.store.collective.member_status import count_members
from consometers_node.store.collective.memberships import first_blocks
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.engine.exclusive import alone
from consometers_node.store.outbox import take_turns

from .closer import Closer, WaitRule
from .monthly_groups import Together

EVERY_S = 2.0
PAST_WITHIN = timedelta(days=3)
"""How long the history of a new collective waits for members that do not send theirs."""
_DAY = timedelta(days=1)
_REST = 9
"""Times the length of a look that the worker rests, where it found nothing to close."""
_LEFT_TO_OTHERS = 3
"""Times the length of a closing that the database is left to waiting members."""


class Publishing:
    """Closes what is due, some days at a time, so that no member waits long."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        rules: InForce,
        changes: Changes,
        *,
        arrivals: Arrivals,
        clock: Clock,
        is_online: Callable[[], bool],
        every_s: float = EVERY_S,
        counts: Counts | None = None,
        is_waited_for: Callable[[], bool] = bool,
    ) -> None:
        self._store = store
        self._settings = settings
        self._rules = rules
        self._changes = changes
        self._arrivals = arrivals
        self._clock = clock
        self._is_online = is_online
        self._online_since: datetime | None = None
        self._every_s = every_s
        self._counts = counts or Counts()
        self._is_waited_for = is_waited_for
        self._together: Together = {}

    async def run(self) -> NoReturn:
        """Close on. Ends when it is cancelled.

        Nothing is closed by a clock that is wrong: it would be hours that have yet to end.
        """
        steady = asyncio.get_running_loop().time
        while True:
            began = steady()
            at = await self._now() if self._is_online() else None
            self._online_since = at and (self._online_since or at)
            if (
                at is None
                or self._online_since is None
                or not await self.look(self._online_since, at)
            ):
                # While an interval waits for homes, each look reads their day.
                await asyncio.sleep(max(self._every_s, _REST * (steady() - began)))
                continue
            self._counts.closed_at = self._clock.now()
            self._changes.notify()
            if self._is_waited_for():
                await asyncio.sleep(_LEFT_TO_OTHERS * (steady() - began))

    async def _now(self) -> datetime | None:
        """Return the time, None while the clock is wrong."""
        async with self._store.writing() as connection:
            return await self._clock.unless_wrong(connection)

    async def look(self, online_since: datetime, at: datetime) -> bool:
        """Close what is due by the rules of now. Return whether there may be more."""
        settings = self._settings
        async with self._store.reading() as connection:
            rules = await self._rules.read(connection, at)
            opening = await opened(connection)
            past = await past_left(connection)
        if opening is None or not rules.are_open(at, settings.time_zone):
            return False
        waiting = WaitRule(
            online_since=online_since,
            opened_at=opening.since(settings.time_zone),
            arrivals=self._arrivals,
        )
        with self._counts.closings.once():
            async with self._store.writing() as connection:
                await take_turns(connection)
                await alone(connection)
                if rules.lacks_plan:
                    rules = await self._rules.plan(connection, at, settings.time_zone)
                close = partial(
                    Closer,
                    Members(connection, settings.time_zone),
                    settings.identifier,
                    rules.publication,
                    waiting,
                    at,
                    steps=rules.change,
                    asks_witnesses=True,
                )
                closer = close(together=self._together, since=past or date.min)
                is_new = await closer.close()
                if not is_new and past is not None and await _is_there(connection, waiting, at):
                    month = month_of(past - _DAY)
                    closer = close(together=closer.groups.together, since=month, before=past)
                    is_new = await closer.close() or await _leave_month(connection, month)
        # After the commit: a failed transaction stores no decision.
        self._together = closer.groups.together
        self._arrivals.forget(at - RECENT)
        return is_new


async def _is_there(connection: AsyncConnection, waiting: WaitRule, at: datetime) -> bool:
    """Return whether the history of all members is there, or was waited for."""
    if at - waiting.opened_at >= PAST_WITHIN:
        return True
    kinds = (await count_members(connection, at)).granting.values()
    return not any(kind.catching_up for kind in kinds)


async def _leave_month(connection: AsyncConnection, month: date) -> bool:
    """Go on to the month before one of which all is closed. Return whether there is any."""
    first = min((await first_blocks(connection)).values(), default=month)
    await leave_past(connection, month if first < month else None)
    return first < month
