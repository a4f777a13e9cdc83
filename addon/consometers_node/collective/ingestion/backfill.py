"""Requests the past of granted series from members, and the gaps of the last weeks.

    subscribe ─ the last weeks ─ the past, answer by answer ─ each day: the gaps of the last weeks

A few members are asked at a time: for the last weeks of all their series, then for their past. The
position is stored after each answer, so that a restart goes on there. A member that is offline is
asked again later, and at once when it sends anything.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
import logging
from typing import NoReturn

from consometers_node.collective.calendar import recent_months
from consometers_node.collective.counters import HistoryOutcome
from consometers_node.collective.members.members import MemberKind
from consometers_node.i18n.protocol import sentence
from consometers_node.series import Interval, Range
from consometers_node.sharing.changes import Changes, KnownPeers
from consometers_node.sharing.permissions.decision_delivery import is_away
from consometers_node.sharing.records.due_records import at_once
from consometers_node.store import Store
from consometers_node.store.clock import Clock
from consometers_node.store.collective.member_series import (
    MemberSeries,
    granting_members,
    members_without_subscription,
    of_member,
    update_series,
)
from consometers_node.store.collective.set_aside import places
from consometers_node.store.series import blocks
from consometers_quoalise import MAX_RECORDS, QuoaliseError, ResourceConstraint
from consometers_quoalise.records.identifier import identifier
from consometers_quoalise_network import Asking, NetworkError, NotStored
from consometers_quoalise_network.backoff import Backoff

from .write_queue import WriteQueue

MOST_AT_ONCE = 50
"""Members asked at a time. Answers of many about the same days share transactions and sums."""
REMEMBERED = timedelta(days=35)
"""Older gaps were requested often enough."""

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)

_LOGGER = logging.getLogger(__name__)

type _Left = tuple[MemberSeries, Sequence[Range], datetime]
"""What is left to ask for of a series, and when it was begun: what ended since is pushed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillPace:
    """Pauses between requests to a member."""

    again_s: float = 24 * 3600.0
    """Once all of its records are there."""
    busy_s: float = 5.0
    """When it answers that it is asked too often, or still reads; then twice as long each time."""
    longest_busy_s: float = 60.0
    first_delay_s: float = 30.0
    """When it is offline; then twice as long each time."""
    longest_delay_s: float = 6 * 3600.0
    pause_s: float = 1.0
    """Between two looks at the permissions."""

    def shortened(self, haste: float) -> BackfillPace:
        """Return waits that are so many times shorter."""
        return BackfillPace(**{name: wait / haste for name, wait in asdict(self).items()})


@dataclass(slots=True)
class _Member:
    """The time of the next request to a member, by the loop's clock."""

    due: float = 0
    asked: asyncio.Task[None] | None = None
    failures: int = 0
    refusals: int = 0
    """In a row, because it is busy."""
    away: bool = False
    """It fails because it is offline."""


class Backfill:
    """Asks all members for the series they granted, also later ones."""

    def __init__(
        self,
        store: Store,
        asking: Asking,
        queue: WriteQueue,
        changes: Changes,
        pace: BackfillPace | None = None,
        *,
        clock: Clock,
        visits: Counter[HistoryOutcome] | None = None,
    ) -> None:
        """Prepare; nothing is sent yet. `visits` are counted."""
        self._store = store
        self._asking = asking
        self._queue = queue
        self._changes = changes
        self._clock = clock
        self._pace = pace or BackfillPace()
        self._retry = Backoff(self._pace.first_delay_s, self._pace.longest_delay_s)
        self._retry_busy = Backoff(self._pace.busy_s, self._pace.longest_busy_s)
        self._visits = Counter() if visits is None else visits
        self.granting = KnownPeers(changes)
        """The members with a valid permission."""
        self._members: dict[str, _Member] = {}
        self._wake = asyncio.Event()
        self._room = asyncio.Semaphore(MOST_AT_ONCE)

    @property
    def away(self) -> set[str]:
        """The members (bare JID) that were offline at the last request."""
        return {peer for peer, member in self._members.items() if member.away}

    def note_online(self, peer: str) -> None:
        """Ask a member (bare JID) at once that was offline, for it is online again."""
        member = self._members.get(peer)
        if member is not None and member.away:
            self._ask_at_once(member)

    def came_back(self) -> None:
        """Ask all members at once that were offline, for the network is up again."""
        for member in self._members.values():
            if member.away:
                self._ask_at_once(member)

    async def run(self) -> NoReturn:
        """Ask until cancelled."""
        clock = asyncio.get_running_loop().time
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch())
            while True:
                self._wake.clear()
                soon = clock() + self._pace.again_s
                for peer, member in self._members.items():
                    if member.asked is None and member.due <= clock():
                        member.asked = tasks.create_task(self._visit(peer, member))
                    elif member.asked is None:
                        soon = min(soon, member.due)
                with suppress(TimeoutError):
                    async with asyncio.timeout(soon - clock()):
                        await self._wake.wait()

    async def _watch(self) -> NoReturn:
        """Follow which members have a valid permission."""
        while True:
            seen = self._changes.count
            async with self._store.reading() as connection:
                granting = await granting_members(connection)
                unsubscribed = await members_without_subscription(connection)
            self.granting.are(granting, seen)
            for gone in self._members.keys() - granting:
                if (asked := self._members.pop(gone).asked) is not None:
                    asked.cancel()
            for peer in granting:
                member = self._members.setdefault(peer, _Member())
                if peer in unsubscribed and not member.failures:
                    self._ask_at_once(member)
            self._wake.set()
            await asyncio.sleep(self._pace.pause_s)
            await self._changes.after(seen)

    def _ask_at_once(self, member: _Member) -> None:
        member.away = False
        member.due = 0
        self._wake.set()

    async def _visit(self, peer: str, member: _Member) -> None:
        """Request all missing records of a member, and schedule the next request."""
        clock = asyncio.get_running_loop().time
        # Unless it is to be asked at once meanwhile.
        member.due = clock() + self._pace.again_s
        wait_s = None
        try:
            await self._gather(peer)
            member.failures, member.refusals, member.away = 0, 0, False
            self._visits[HistoryOutcome.DONE] += 1
        except ResourceConstraint, NotStored:
            wait_s = self._retry_busy.seconds(member.refusals)
            member.refusals += 1
            self._visits[HistoryOutcome.BUSY] += 1
        except (NetworkError, QuoaliseError) as fault:
            wait_s = self._retry.seconds(member.failures)
            _LOGGER.debug("a member is asked again in %.0f s: %s", wait_s, fault)
            member.failures, member.away = member.failures + 1, is_away(fault)
            self._visits[HistoryOutcome.AWAY if member.away else HistoryOutcome.REFUSED] += 1
        finally:
            member.asked = None
        if wait_s is not None and member.due:
            member.due = clock() + wait_s
        self._wake.set()

    async def _gather(self, peer: str) -> None:
        """Ask for each series, also when the member refuses another one. Raises NotStored."""
        refusals: list[QuoaliseError] = []
        async with self._room:
            left = await self._ask_first(peer, refusals)
        if left:
            # The last weeks of other members come before the past of this one.
            async with self._room:
                for series, ranges, now in left:
                    async with self._noting(series, refusals):
                        await self._ask(peer, series, ranges, now)
        if refusals:
            raise refusals[-1]

    async def _ask_first(self, peer: str, refusals: list[QuoaliseError]) -> list[_Left]:
        """Subscribe to each series, and ask for what comes first; return what is left of the past.

        Raises NotStored.
        """
        now = await self._now()
        left: list[_Left] = []
        async with self._store.reading() as connection:
            granted = await of_member(connection, peer)
        asked: dict[str, MemberSeries] = {}
        for series in granted:
            if now >= series.records.end:
                continue
            if series.is_masked and series.subscribed_at is not None:
                continue
            # Of permissions that name a series the first one reaches furthest back.
            wider = asked.get(series.identifier)
            if wider is not None and series.interval.no_finer_than(wider.interval):
                await self._note_subscribed(series, now)
                await self._note_backfilled(series, now)
                continue
            async with self._noting(series, refusals):
                await self._asking.subscribe(peer, identifier(series.identifier))
                # What ends from here on is pushed.
                now = await self._now()
                await self._note_subscribed(series, now)
                if series.is_masked:
                    # Masked reports are pushed, never asked for.
                    await self._note_backfilled(series, now)
                    continue
                first, past = await self._to_ask(series, now)
                if past:
                    await self._ask(peer, series, first)
                    await self._note_backfilled(series, past[0].start)
                    left.append((series, past, now))
                else:
                    await self._ask(peer, series, first, now)
                asked[series.identifier] = series
        return left

    @asynccontextmanager
    async def _noting(
        self, series: MemberSeries, refusals: list[QuoaliseError]
    ) -> AsyncIterator[None]:
        """Note that a member refuses a series; others are asked for."""
        try:
            yield
        except ResourceConstraint:
            raise
        except QuoaliseError as fault:
            if is_away(fault):
                raise
            refusals.append(fault)
            async with self._store.writing() as connection:
                await update_series(connection, series.key, problem=sentence(fault).say())

    async def _now(self) -> datetime:
        """Return the time. Raises NotStored while the clock is wrong.

        By a wrong one, the past would pass for asked up to then.
        """
        async with self._store.reading() as connection:
            now = await self._clock.unless_wrong(connection)
        if now is None:
            raise NotStored
        return now

    async def _note_subscribed(self, series: MemberSeries, at: datetime) -> None:
        async with self._store.writing() as connection:
            await update_series(connection, series.key, subscribed_at=at)

    async def _note_backfilled(self, series: MemberSeries, until: datetime) -> None:
        async with self._store.writing() as connection:
            await update_series(connection, series.key, backfilled_until=until, problem=None)

    async def _to_ask(
        self, series: MemberSeries, now: datetime
    ) -> tuple[Sequence[Range], Sequence[Range]]:
        """Return what to ask for at first, and then: what is before the last weeks."""
        recent = now - REMEMBERED
        since = series.backfilled_until or series.records.start
        if series.backfilled_until is not None and since >= recent:
            since = max(recent, series.records.start)
            return await self._gaps(series, Range(since, max(since, now))), ()
        whole = Range(since, max(since, min(now, series.records.end)))
        # The month begins earlier, where clocks are ahead of UTC.
        months = Range.of_day(recent_months(now.date()) - _DAY).start
        if series.backfilled_until is not None:
            # A member may take long to read its past: the last weeks of its other series go first.
            return (), _ranges(whole, series)
        if not since < months < whole.end:
            return _ranges(whole, series), ()
        return _ranges(Range(months, whole.end), series), _ranges(Range(since, months), series)

    async def _ask(
        self,
        peer: str,
        series: MemberSeries,
        ranges: Iterable[Range],
        until: datetime | None = None,
    ) -> None:
        """Ask for the records of some ranges.

        With `until`, these reach up to there, and each is noted. Otherwise earlier ones follow.
        """
        name = identifier(series.identifier)
        for within in ranges:
            with self._queue.requesting(peer) as request:
                async for page in self._asking.history(peer, name, within.start, within.end):
                    await request.take(page)
            backfilled = series.backfilled_until
            if until is not None and (backfilled is None or backfilled < within.end):
                await self._note_backfilled(series, within.end)
        if until is not None:
            await self._note_backfilled(series, until)

    async def _gaps(self, granted: MemberSeries, within: Range) -> list[Range]:
        """Return the days with a missing record that is over, joined where they follow."""
        series, series_id = granted.series, granted.series_id
        if series is None or series_id is None:
            return [within]
        async with self._store.reading() as connection:
            stored = {
                block.day: block for block in await blocks(connection, series_id, series, within)
            }
            apart = {start for _, start in await places(connection, [series_id])}
        # Homes read their last hour a bit later.
        late = _DAY if series.interval is Interval.P1D else _HOUR
        gaps: list[Range] = []
        for day in within.days():
            starts = series.starts(day)
            values = stored[day].values if day in stored else (None,) * len(starts)
            is_missing = any(
                value is None
                and start not in apart
                and start in within
                and series.end(start) + late <= within.end
                for start, value in zip(starts, values, strict=True)
            )
            if is_missing:
                gap = Range.of_day(day).clip(within)
                follows = bool(gaps) and gaps[-1].end == gap.start
                gaps.append(Range(gaps.pop().start, gap.end) if follows else gap)
        return gaps


def _ranges(within: Range, series: MemberSeries) -> list[Range]:
    """Return what to request at once: an account may ask 60 times a minute."""
    records = at_once(MAX_RECORDS, sums=series.kind == MemberKind.COLLECTIVE)
    length = records * timedelta(minutes=series.interval.minutes)
    return list(within.parts(length))
