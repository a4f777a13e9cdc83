"""What is there of each day, and what is missing: the last year of each series."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import groupby

from sqlalchemy.ext.asyncio import AsyncConnection

from ..series import Range, Series
from ..store import SeriesId
from ..store.series import changes, missing
from .sync import Target

DAYS = 371
"""Fifty-three weeks, today not among them."""

_DAY = timedelta(days=1)


class Kept(StrEnum):
    """What is there of a day."""

    COMPLETE = "complete"
    PARTLY = "partly"
    MISSING = "missing"
    UNREAD = "unread"
    """Home Assistant was not asked yet."""
    OUTSIDE = "outside"
    """Nothing of it was granted."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days of a series, from the first one on."""

    first: date
    days: Sequence[Kept]

    def count(self, kept: Kept) -> int:
        """Count the days that are so."""
        return self.days.count(kept)

    @property
    def read(self) -> int:
        """How many days were read."""
        return sum(self.count(one) for one in (Kept.COMPLETE, Kept.PARTLY, Kept.MISSING))

    def dated(self) -> Iterator[tuple[date, Kept]]:
        """Return each day with what is there of it."""
        return ((self.first + n * _DAY, kept) for n, kept in enumerate(self.days))

    def holes(self) -> list[tuple[date, date, Kept]]:
        """Return the days of which something is missing, those that follow each other as one."""
        found = []
        for kept, run in groupby(self.dated(), key=lambda one: one[1]):
            days = [day for day, _ in run]
            if kept in {Kept.PARTLY, Kept.MISSING}:
                found.append((days[0], days[-1], kept))
        return found


class Calendars:
    """The calendars of all series, of which only those are made anew that changed."""

    def __init__(self) -> None:
        self._known: dict[SeriesId, tuple[object, Calendar]] = {}

    async def look(
        self, connection: AsyncConnection, reached: Mapping[Series, Target], now: datetime
    ) -> Mapping[SeriesId, Calendar]:
        """Return the calendar of each series that is to be read."""
        first = now.astimezone(UTC).date() - DAYS * _DAY
        changed = await changes(connection, first)
        sought = {
            one.series_id: (one, (first, changed.get(one.series_id), one.wanted, one.covered))
            for one in reached.values()
        }
        known = {
            number: self._known[number]
            for number, (_, key) in sought.items()
            if number in self._known and self._known[number][0] == key
        }
        found = await missing(connection, first, sought.keys() - known.keys())
        for number, (target, key) in sought.items():
            if number not in known:
                days = _days(target, found.get(number, {}), first)
                known[number] = key, Calendar(first, days)
        self._known = known
        return {number: calendar for number, (_, calendar) in known.items()}


def _days(target: Target, known: Mapping[date, tuple[int, int]], first: date) -> tuple[Kept, ...]:
    return tuple(_kept(target, known, first + n * _DAY) for n in range(DAYS))


def _kept(target: Target, known: Mapping[date, tuple[int, int]], day: date) -> Kept:
    if day in known:
        absent, of = known[day]
        if not absent:
            return Kept.COMPLETE
        return Kept.PARTLY if absent < of else Kept.MISSING
    span = Range.of_day(day)
    if not target.wanted.covers(span):
        return Kept.OUTSIDE
    is_read = target.covered is not None and target.covered.covers(span)
    return Kept.MISSING if is_read else Kept.UNREAD
