"""The node's nouns: series, their records, and the blocks of one UTC day that store them.

Energy is an integer number of Wh per interval, power a mean in W over it. A record is stamped at
the start of its interval, in UTC. A value that is missing is missing, never zero.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
import struct
from typing import NamedTuple, NewType, Self
from zoneinfo import ZoneInfo

from consometers_quoalise import Direction, Quantity

__all__ = [
    "Block",
    "Device",
    "Direction",
    "Interval",
    "OffTheGrid",
    "Quantity",
    "Range",
    "Record",
    "Series",
]

Device = NewType("Device", str)
"""The key of a device of this node: its name of RFC 9039, or its source's for it."""

_DAY = timedelta(days=1)


class Interval(StrEnum):
    """The length of a record's time, as ISO 8601 writes it."""

    PT5M = "PT5M"
    PT30M = "PT30M"
    PT1H = "PT1H"
    P1D = "P1D"
    """A civil day of the series' time zone: 23, 24 or 25 hours, or what the law made of it."""

    @property
    def minutes(self) -> int:
        """The nominal length, which orders intervals from fine to coarse: 1440 for a civil day."""
        return _MINUTES[self]

    def no_finer_than(self, other: Interval) -> bool:
        """Return whether records at this interval disclose at most as much as at the other one."""
        return self.minutes >= other.minutes


_MINUTES = {Interval.PT5M: 5, Interval.PT30M: 30, Interval.PT1H: 60, Interval.P1D: 1440}


class OffTheGrid(ValueError):
    """A record does not start where an interval of its series does."""

    def __init__(self, series: Series, start: datetime) -> None:
        super().__init__(f"no {series.interval} of {series.time_zone} starts at {start}")
        self.start = start


@dataclass(frozen=True, slots=True)
class Series:
    """One quantity of one device, in one direction, at one interval. All five are its identity.

    `time_zone` is a name of the IANA database; Raises ValueError where it has no such name.
    """

    device: Device
    direction: Direction
    quantity: Quantity
    interval: Interval
    time_zone: str

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.time_zone)
        except (KeyError, OSError, ValueError) as fault:
            raise ValueError(f"{self.time_zone!r} is no time zone that is known here") from fault

    def starts(self, day: date) -> tuple[datetime, ...]:
        """Return when the intervals start that start on this UTC day, in order.

        A UTC day holds 288, 48 or 24 of them, whatever the time zone. Of civil days mostly one
        starts on it; none or two where midnight passes midnight UTC (London in October, in March).
        """
        civil = self.interval is Interval.P1D
        return _starts(self.interval, self.time_zone if civil else "UTC", day)

    def end(self, start: datetime) -> datetime:
        """Return when the interval ends that starts then; ValueError where none does."""
        day = start.astimezone(UTC).date()
        starts = (*self.starts(day), *self.starts(day + _DAY), *self.starts(day + 2 * _DAY))
        for current, following in pairwise(starts):
            if current == start:
                return following
        raise OffTheGrid(self, start)


@lru_cache(maxsize=64)
def _starts(interval: Interval, time_zone: str, day: date) -> tuple[datetime, ...]:
    if interval is not Interval.P1D:
        midnight = datetime.combine(day, time(), UTC)
        step = timedelta(minutes=interval.minutes)
        return tuple(midnight + n * step for n in range(_DAY // step))
    # Where clocks are put forward over midnight, the offset of before gives the first instant of
    # the day; where they are put back over it, the first of the two midnights does. A day that a
    # country left out (Samoa, 2011) starts when the next one does.
    civil_days = (day - _DAY, day, day + _DAY)
    zone = ZoneInfo(time_zone)
    starts = (datetime.combine(civil, time(), zone).astimezone(UTC) for civil in civil_days)
    return tuple(dict.fromkeys(start for start in starts if start.date() == day))


class Record(NamedTuple):
    """One value of a series, stamped at the start of its interval, UTC."""

    start: datetime
    value: int


@dataclass(frozen=True, slots=True)
class Range:
    """The instants from `start` on and before `end`, both with a time zone. It may be empty."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a range wants instants: datetimes with a time zone")
        if self.end < self.start:
            raise ValueError(f"a range does not end ({self.end}) before it starts ({self.start})")

    @classmethod
    def of_day(cls, day: date) -> Self:
        """Return the range of one UTC day."""
        midnight = datetime.combine(day, time(), UTC)
        return cls(midnight, midnight + _DAY)

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end

    def __bool__(self) -> bool:
        return self.start < self.end

    def covers(self, other: Range) -> bool:
        """Return whether the other range lies in this one."""
        return not other or (self.start <= other.start and other.end <= self.end)

    def clip(self, other: Range) -> Range:
        """Return the intersection; an empty range where there is none."""
        start = max(self.start, other.start)
        return Range(start, max(start, min(self.end, other.end)))

    def parts(self, length: timedelta) -> Iterator[Range]:
        """Yield its parts of a length, of which the last may be shorter, in order."""
        start = self.start
        while start < self.end:
            yield Range(start, min(start + length, self.end))
            start += length

    def days(self) -> Iterator[date]:
        """Yield each UTC day of which the range holds an instant, in order."""
        day = self.start.astimezone(UTC).date()
        while datetime.combine(day, time(), UTC) < self.end and self:
            yield day
            day += _DAY


@dataclass(frozen=True, slots=True)
class Block:
    """The records of one series for one UTC day: one value, or None, for each of `starts`.

    A value is at least 0, for the direction is in the series; ValueError says what is wrong.
    """

    series: Series
    day: date
    values: tuple[int | None, ...]

    def __post_init__(self) -> None:
        expected = len(self.series.starts(self.day))
        if len(self.values) != expected:
            raise ValueError(f"{self.day} has {expected} records, not {len(self.values)}")
        for value in self.values:
            if value is not None and not 0 <= value < _MISSING[8]:
                raise ValueError(f"{value} is no {self.series.quantity}")

    @classmethod
    def of(cls, series: Series, day: date, records: Iterable[Record]) -> Self:
        """Put records of this day into a block; of two with one start, the later one counts."""
        return cls(series, day, _placed(series, day, [None] * len(series.starts(day)), records))

    def replace(self, records: Iterable[Record]) -> Block:
        """Return a block with these records over the stored ones."""
        values = _placed(self.series, self.day, list(self.values), records)
        return Block(self.series, self.day, values)

    def records(self, within: Range | None = None) -> Iterator[Record]:
        """Yield the records that are there, in order: of a range, those that start in it."""
        for start, value in zip(self.series.starts(self.day), self.values, strict=True):
            if value is not None and (within is None or start in within):
                yield Record(start, value)

    def pack(self) -> bytes:
        """Return the values in few bytes: how wide one is, then each; all bits set is missing."""
        largest = max((value for value in self.values if value is not None), default=0)
        width = next(width for width, missing in _MISSING.items() if largest < missing)
        numbers = (_MISSING[width] if value is None else value for value in self.values)
        return struct.pack(f"<B{len(self.values)}{_FORMATS[width]}", width, *numbers)

    @staticmethod
    def missing(packed: bytes) -> tuple[int, int]:
        """Return how many values are missing, and of how many, without unpacking them."""
        width = packed[0]
        values = array(_FORMATS[width], packed[1:])
        return values.count(_MISSING[width]), len(values)

    @classmethod
    def unpack(cls, series: Series, day: date, packed: bytes) -> Self:
        """Return the block that `pack` made these bytes of, or ValueError."""
        return cls(series, day, cls.values_of(packed))

    @staticmethod
    def values_of(packed: bytes) -> tuple[int | None, ...]:
        """Return the values alone that `pack` made these bytes of, or ValueError."""
        width = packed[0] if packed else 0
        if width not in _FORMATS or (len(packed) - 1) % width:
            raise ValueError("these bytes are no block")
        count = (len(packed) - 1) // width
        numbers: tuple[int, ...] = struct.unpack_from(f"<{count}{_FORMATS[width]}", packed, 1)
        missing = _MISSING[width]
        if missing not in numbers:
            return numbers
        return tuple([None if n == missing else n for n in numbers])

    @staticmethod
    def small_sizes(count: int) -> frozenset[int]:
        """Return how many bytes a packed block of so many values has, of at most 4 bytes each."""
        return frozenset(1 + count * width for width in _MISSING if width <= 4)

    @staticmethod
    def columns(
        packed: Sequence[bytes], first: int, end: int
    ) -> Iterator[tuple[tuple[int, ...], int]]:
        """Return the values of many blocks at each place of a range.

        With them comes the number that stands for a missing one. The blocks are of one length.
        """
        width = packed[0][0]
        skipped, left = 1 + first * width, len(packed[0]) - 1 - end * width
        places = struct.Struct(f"<{skipped}x{end - first}{_FORMATS[width]}{left}x")
        rows = places.iter_unpack(b"".join(packed))
        return ((column, _MISSING[width]) for column in zip(*rows, strict=True))


_FORMATS = {1: "B", 2: "H", 4: "I", 8: "Q"}
_MISSING = {width: (1 << 8 * width) - 1 for width in _FORMATS}


def _placed(
    series: Series, day: date, values: list[int | None], records: Iterable[Record]
) -> tuple[int | None, ...]:
    places = {start: place for place, start in enumerate(series.starts(day))}
    for record in records:
        if record.start not in places:
            raise OffTheGrid(series, record.start)
        values[places[record.start]] = record.value
    return tuple(values)
