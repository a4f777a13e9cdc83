"""Which days are there, and which are missing: the last year of each series."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import groupby

from consometers_node.series import Range, Series
from consometers_node.store import SeriesId
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.series import changes, missing

from .sync import Target

DAYS = 365
"""A year, without today."""

_DAY = timedelta(days=1)


class DayState(StrEnum):
    """The coverage of a day."""

    COMPLETE = "complete"
    PARTLY = "partly"
    MISSING = "missing"
    UNREAD = "unread"
    """The source was not asked yet."""
    OUTSIDE = "outside"
    """Nothing of it was granted."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days of a series, from the first one on."""

    first: date
    days: Sequence[DayState]

    def count(self, state: DayState) -> int:
        """Count the days with this coverage."""
        return self.days.count(state)

    @property
    def total(self) -> int:
        """How many days were granted."""
        return len(self.days) - self.count(DayState.OUTSIDE)

    @property
    def has_gaps(self) -> bool:
        """Whether anything that was read is missing."""
        return DayState.PARTLY in self.days or DayState.MISSING in self.days

    def dated(self) -> Iterator[tuple[date, DayState]]:
        """Return each day with its coverage."""
        return ((self.first + n * _DAY, state) for n, state in enumerate(self.days))

    def since(self, start: datetime) -> Calendar:
        """Return it without the days that end before an instant."""
        before = (Range.of_day(day).end <= start for day, _ in self.dated())
        days = [
            DayState.OUTSIDE if outside else state
            for outside, state in zip(before, self.days, strict=True)
        ]
        return Calendar(self.first, days)

    def holes(self) -> list[tuple[date, date, DayState]]:
        """Return the incomplete days, consecutive ones as one range."""
        holes = []
        for state, run in groupby(self.dated(), key=lambda dated_day: dated_day[1]):
            days = [day for day, _ in run]
            if state in {DayState.PARTLY, DayState.MISSING}:
                holes.append((days[0], days[-1], state))
        return holes


class Calendars:
    """The calendars of all series. Only changed ones are computed again."""

    def __init__(self) -> None:
        self._calendars: dict[SeriesId, tuple[object, Calendar]] = {}

    async def look(
        self, connection: AsyncConnection, reached: Mapping[Series, Target], now: datetime
    ) -> Mapping[SeriesId, Calendar]:
        """Return the calendar of each series to read."""
        first = now.astimezone(UTC).date() - DAYS * _DAY
        changed = await changes(connection, first)
        sought = {
            target.series_id: (
                target,
                (first, changed.get(target.series_id), target.needed, target.covered),
            )
            for target in reached.values()
        }
        calendars = {
            series_id: self._calendars[series_id]
            for series_id, (_, key) in sought.items()
            if series_id in self._calendars and self._calendars[series_id][0] == key
        }
        gaps = await missing(connection, first, sought.keys() - calendars.keys())
        for series_id, (target, key) in sought.items():
            if series_id not in calendars:
                missing_on = gaps.get(series_id, {})
                days = [_state(target, missing_on, first + n * _DAY) for n in range(DAYS)]
                calendars[series_id] = key, Calendar(first, days)
        self._calendars = calendars
        return {series_id: calendar for series_id, (_, calendar) in calendars.items()}


def _state(target: Target, gaps: Mapping[date, tuple[int, int]], day: date) -> DayState:
    if day in gaps:
        absent, total = gaps[day]
        if not absent:
            return DayState.COMPLETE
        return DayState.PARTLY if absent < total else DayState.MISSING
    span = Range.of_day(day)
    if not target.needed.covers(span):
        return DayState.OUTSIDE
    is_read = target.covered is not None and target.covered.covers(span)
    return DayState.MISSING if is_read else DayState.UNREAD
