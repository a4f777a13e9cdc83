"""Keeps the blocks of granted series in step with the source.

Two tasks ask the source. One reads the last days again at each round, for what is new and what
was corrected. The other reads the granted past month by month, the newest one first; after a long
absence it first reads what was missed. A clock that is wrong keeps both waiting: what it took for
read would not be.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
import logging
from typing import NoReturn

from consometers_node.household.days import Memory, needs_hours, still_to_read
from consometers_node.household.errors import SourceFault
from consometers_node.household.readings import Chunk
from consometers_node.household.source import SeriesReader
from consometers_node.household.waiting import Rest
from consometers_node.permission import Permissions
from consometers_node.series import Block, Range, Series
from consometers_node.sharing.changes import Changes
from consometers_node.sharing.records.due_records import keep
from consometers_node.store import SeriesId, Store
from consometers_node.store.clock import Clock
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.household.coverage import all_coverage, coverage, set_coverage
from consometers_node.store.peers import all_peers
from consometers_node.store.series import blocks

from .poll_schedule import Rounds

_DAY = timedelta(days=1)
_ROUNDS, _PAST = "rounds", "past"
_LOOK_AGAIN_S = 600.0
_AFTER_A_FAULT_S = 60.0

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Target:
    """A granted series, the days to read of it, and the days read."""

    series_id: SeriesId
    needed: Range
    covered: Range | None

    @property
    def left(self) -> list[Range]:
        """The days still to read, the newest first."""
        return still_to_read(self.needed, self.covered)

    @property
    def progress(self) -> float:
        """The share of the needed days that was read, from 0 to 1."""
        whole = self.needed.end - self.needed.start
        left = sum((days.end - days.start for days in self.left), timedelta())
        return 1 - left / whole if whole else 1


async def targets(
    connection: AsyncConnection, memory: Memory, now: datetime
) -> dict[Series, Target]:
    """Return the series to read from a source: each that a valid permission names."""
    covered = await all_coverage(connection)
    by_series: dict[Series, Target] = {}
    for peer in await all_peers(connection):
        for grant in await Permissions(connection).permitted(peer.id):
            days = memory.days_to_read(grant.series, grant.records, now)
            if (before := by_series.get(grant.series)) is not None:
                start, end = before.needed.start, before.needed.end
                days = Range(min(start, days.start), max(end, days.end))
            series_id = grant.series_id
            by_series[grant.series] = Target(series_id, days, covered.get(series_id))
    return by_series


async def progress(
    connection: AsyncConnection, memory: Memory, now: datetime
) -> dict[Series, float]:
    """Return the share that was read of each series, from 0 to 1."""
    reached = await targets(connection, memory, now)
    return {series: target.progress for series, target in reached.items()}


class Sync:
    """Reads a source."""

    def __init__(
        self,
        store: Store,
        source: SeriesReader,
        changes: Changes,
        rounds: Rounds,
        clock: Clock,
        *,
        rest: Rest = asyncio.sleep,
    ) -> None:
        """Prepare; nothing is read yet."""
        self._problems: dict[str, SourceFault] = {}
        self._overdue: set[Series] = set()
        self._store = store
        self._source = source
        self._changes = changes
        self._rounds = rounds
        self._clock = clock
        self._rest = rest

    @property
    def problem(self) -> SourceFault | None:
        """What the source refuses; None if nothing."""
        return next(iter(self._problems.values()), None)

    async def run(self) -> NoReturn:
        """Read until cancelled. A refused request is tried again after a while."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read_last_days())
            tasks.create_task(self._read_past())
        raise AssertionError

    async def _read_last_days(self) -> NoReturn:
        while True:
            await self._rounds.next()
            now = await self._now()
            if now is None:
                continue
            try:
                by_series, stored = await self._stored(now)
                chunks = self._source.read_again(by_series, now, stored, self._rest)
                async for chunk in chunks:
                    await self._keep(by_series, chunk)
                self._problems.pop(_ROUNDS, None)
            except SourceFault as fault:
                await self._note(_ROUNDS, fault)

    async def _read_past(self) -> NoReturn:
        while True:
            seen = self._changes.count
            now = await self._now()
            if now is None:
                await self._changes.after(seen, _LOOK_AGAIN_S)
                continue
            by_series = await self._targets(now)
            await self._read_stale(by_series)
            month, several = _next_month(by_series)
            if month is None:
                await self._changes.after(seen, _LOOK_AGAIN_S)
                continue
            try:
                chunks = self._source.catch_up(several, month, self._rest)
                async for chunk in chunks:
                    await self._keep(several, chunk)
                self._problems.pop(_PAST, None)
            except SourceFault as fault:
                await self._note(_PAST, fault)

    async def _read_stale(self, by_series: Mapping[Series, Target]) -> None:
        """Read again the days read that have changed since, such as those of a file that came."""
        stale = await self._source.stale()
        if stale is None:
            return
        for series, target in by_series.items():
            if target.covered is not None:
                days = stale.days.clip(target.covered).clip(target.needed)
                async for chunk in self._source.catch_up([series], days, self._rest):
                    await self._keep(by_series, chunk)
        await self._source.note_read(stale)

    async def _now(self) -> datetime | None:
        """Return the time, None while the clock is wrong."""
        async with self._store.reading() as connection:
            return await self._clock.unless_wrong(connection)

    async def _targets(self, now: datetime) -> dict[Series, Target]:
        """Return what to read.

        They read the last days until these change no more. After a longer absence, the last days
        before it had not come to that.
        """
        async with self._store.reading() as connection:
            by_series = await targets(connection, self._source.memory, now)
        overdue = {
            series for series, target in by_series.items() if self._is_overdue(series, target, now)
        }
        new = overdue - self._overdue
        self._overdue = overdue
        if not new:
            return by_series
        async with self._store.writing() as connection:
            for series in new:
                sure = self._sure(series, by_series[series], now)
                await set_coverage(connection, by_series[series].series_id, sure)
            return await targets(connection, self._source.memory, now)

    async def _stored(self, now: datetime) -> tuple[dict[Series, Target], list[Block]]:
        async with self._store.reading() as connection:
            by_series = await targets(connection, self._source.memory, now)
            stored = [
                block
                for series, target in by_series.items()
                for block in await blocks(
                    connection, target.series_id, series, self._source.memory.window(series, now)
                )
            ]
        return by_series, stored

    async def _keep(self, by_series: Mapping[Series, Target], chunk: Chunk) -> None:
        async with self._store.writing() as connection:
            now = await self._clock.unless_wrong(connection)
            if now is None:
                return
            # A permission that ended meanwhile stores nothing: its records may have been erased.
            still = await targets(connection, self._source.memory, now)
            series_ids = {
                series: by_series[series].series_id for series in chunk.series if series in still
            }
            read_blocks = [
                reading.block for reading in chunk.readings if reading.block.series in series_ids
            ]
            news = await keep(connection, series_ids, read_blocks, now)
            for series_id in series_ids.values():
                covered = await coverage(connection, series_id)
                if (grown := _grown(covered, chunk.days)) != covered:
                    await set_coverage(connection, series_id, grown)
                    news = True
        if news:
            self._changes.notify()

    def _is_overdue(self, series: Series, target: Target, now: datetime) -> bool:
        """Return whether rounds do not reach back to the days read."""
        covered = target.covered
        return covered is not None and covered.end < self._source.memory.window(series, now).start

    def _sure(self, series: Series, target: Target, now: datetime) -> Range:
        """Return the days that were read when they could no longer change."""
        covered = target.covered
        assert covered is not None
        changing = self._source.memory.window(series, now)
        end = covered.end - (changing.end - changing.start)
        if not needs_hours(series):
            # Of the rows of that day, some may be gone by now.
            end = max(end, target.needed.start + _DAY)
        return Range(covered.start, min(covered.end, max(covered.start, end)))

    async def _note(self, task: str, fault: SourceFault) -> None:
        if str(fault) not in map(str, self._problems.values()):
            _LOGGER.warning(fault.text)
        self._problems[task] = fault
        await self._rest(_AFTER_A_FAULT_S)


def _next_month(by_series: Mapping[Series, Target]) -> tuple[Range | None, dict[Series, Target]]:
    """Return the next days to read, of one month, and the series to read them for."""
    months: dict[Range, dict[Series, Target]] = {}
    for series, target in by_series.items():
        for left in target.left[:1]:
            months.setdefault(_month(left, target.covered), {})[series] = target
    if not months:
        return None, {}
    newest = max(months, key=lambda month: month.end)
    return newest, months[newest]


def _month(left: Range, covered: Range | None) -> Range:
    """Return the part of a range next to the days read, up to the turn of a month."""
    if covered is not None and left.start == covered.end:
        following = (left.start.replace(day=1) + timedelta(days=32)).replace(day=1)
        return Range(left.start, min(left.end, following))
    first = (left.end - timedelta(days=1)).replace(day=1)
    return Range(max(left.start, first), left.end)


def _grown(covered: Range | None, days: Range) -> Range:
    """Return the days read by now: one range, which separate days do not change."""
    if covered is None:
        return days
    if days.start > covered.end or days.end < covered.start:
        return covered
    return Range(min(covered.start, days.start), max(covered.end, days.end))
