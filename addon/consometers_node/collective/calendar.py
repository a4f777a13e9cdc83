"""Civil days and months, and where their records are: a block holds a UTC day. Pure.

A record is of the civil day in which its interval starts, and of that day's month.
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from consometers_node.series import Device, Direction, Interval, Quantity, Range, Series

_DAY = timedelta(days=1)
_WEEKS = timedelta(days=35)


@dataclass(frozen=True, slots=True)
class Span:
    """Civil days, the first and the last one included."""

    first: date
    last: date

    @classmethod
    def before(cls, today: date, days: int) -> Span:
        """Return the last complete days."""
        return cls(today - days * _DAY, today - _DAY)

    def __len__(self) -> int:
        return max(0, (self.last - self.first).days + 1)

    def __iter__(self) -> Iterator[date]:
        return (self.first + n * _DAY for n in range(len(self)))


class Places(NamedTuple):
    """Some of the records of a UTC day: those from `first` on and before `end`."""

    day: date
    first: int
    end: int


class Stretch(NamedTuple):
    """The records of a UTC day that belong to one month, which its first day names."""

    month: date
    first: int
    end: int


@lru_cache(maxsize=64)
def days_of(month: date) -> tuple[date, ...]:
    """Return the days of a month."""
    return tuple(month + n * _DAY for n in range(monthrange(month.year, month.month)[1]))


def recent_months(day: date) -> date:
    """Return the first of the month of five weeks before a day.

    From it on, a new collective fetches and publishes first: by whole months, as sums are decided.
    """
    return month_of(day - _WEEKS)


def month_of(day: date) -> date:
    """Return the first day of the month that a day is in."""
    return day.replace(day=1)


def instants(time_zone: str, civil: date) -> Range:
    """Return a civil day: from its midnight to the next one."""
    zone = ZoneInfo(time_zone)
    start, end = (datetime.combine(day, time(), zone) for day in (civil, civil + _DAY))
    return Range(start.astimezone(UTC), end.astimezone(UTC))


@lru_cache(maxsize=512)
def civil_days(time_zone: str, day: date) -> tuple[date, ...]:
    """Return the civil days of which a UTC day holds an instant."""
    zone, within = ZoneInfo(time_zone), Range.of_day(day)
    first = within.start.astimezone(zone).date()
    last = (within.end - timedelta(microseconds=1)).astimezone(zone).date()
    return tuple(Span(first, last))


@lru_cache(maxsize=8192)
def places(time_zone: str, interval: Interval, civil: date) -> tuple[Places, ...]:
    """Return the places of a civil day's records."""
    series = Series(Device(""), Direction.CONSUMPTION, Quantity.ENERGY, interval, time_zone)
    within = instants(time_zone, civil)
    days = []
    for day in within.days():
        inside = [place for place, start in enumerate(series.starts(day)) if start in within]
        if inside:
            days.append(Places(day, inside[0], inside[-1] + 1))
    return tuple(days)


@lru_cache(maxsize=512)
def stretches(time_zone: str, interval: Interval, day: date) -> tuple[Stretch, ...]:
    """Return the months that the records of a UTC day are of: one, or two where a month turns."""
    months: dict[date, Stretch] = {}
    for civil in civil_days(time_zone, day):
        for at, first, end in places(time_zone, interval, civil):
            if at == day:
                month = month_of(civil)
                since = months[month].first if month in months else first
                months[month] = Stretch(month, since, end)
    return tuple(months.values())
