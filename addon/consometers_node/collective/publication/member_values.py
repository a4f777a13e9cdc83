"""What one member has in each interval, made of its series. Pure.

All is in watt-minutes, W times the minutes of an interval: 60 of them are 1 Wh, and any interval
adds up exactly. What is missing is missing, never zero.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Self

from ...series import Interval, Quantity, Series
from ..calendar import instants, places

type Values = Sequence[int | None]
"""What a block holds: W, or Wh; of the series of a collective also how many members that sums."""

WH = 60
"""Watt-minutes of 1 Wh."""
LARGEST = 2**50
"""Watt-minutes. Nobody draws 18 TWh at once, and thousands that did would fit in 8 bytes."""

MOST_MEMBERS = 2**22
"""A collective that says it sums more counts for this many: a thousand of them fit in 4 bytes."""

_SOME = -1
"""In place of a value, where some of its records are there and others are missing."""


class Unbelievable(ValueError):
    """A value is more than any member can have."""

    def __init__(self) -> None:
        super().__init__("a value is more than any member can have")


@dataclass(frozen=True, slots=True)
class Source:
    """What is known of one series of a member, by UTC day.

    `members` tells, of the series of a collective, how many of its own each value sums.
    """

    series: Series
    days: Mapping[date, Values]
    members: Mapping[date, Values] | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """What a member has in the places of a row: watt-minutes, and for how many members it counts.

    Both are 0 where it is missing.
    """

    values: tuple[int, ...]
    counts: tuple[int, ...]

    @classmethod
    def of(cls, values: Values, counts: Values | None = None) -> Self:
        """Make a part of values, each of one member if nothing else is told."""
        known = tuple([0 if value is None else value for value in values])
        if max(known, default=0) > LARGEST:
            raise Unbelievable
        if counts is None:
            return cls(known, tuple([0 if value is None else 1 for value in values]))
        pairs = zip(values, counts, strict=True)
        many = [0 if value is None else min(count or 1, MOST_MEMBERS) for value, count in pairs]
        return cls(known, tuple(many))

    @classmethod
    def nothing(cls, length: int) -> Self:
        return cls((0,) * length, (0,) * length)

    def __bool__(self) -> bool:
        return any(self.counts)


@dataclass(frozen=True, slots=True)
class CivilDay:
    """What a member has of a civil day: watt-minutes, and of how many records these are known."""

    watt_minutes: int = 0
    records: int = 0
    expected: int = 0
    count: int = 1
    """For how many members it counts."""

    @property
    def is_whole(self) -> bool:
        return 0 < self.records == self.expected


def part(sources: Iterable[Source], interval: Interval, day: date) -> Part:
    """Return what a member has in the intervals of a UTC day, of its series in one direction.

    A device counts once: by its finest series, and where that has nothing by the next one. Where
    a device has only some of its records, the member has nothing. Of the series of a collective,
    those of a group within another one count there.
    """
    length = 1440 // interval.minutes
    found = [
        lanes
        for device in _devices(sources, {day})
        if (lanes := _first([one for source in device if (one := _lanes(source, interval, day))]))
    ]
    if not found:
        return Part.nothing(length)
    values, counts = _together(found)
    return Part.of([None if value == _SOME else value for value in values], counts)


def civil_day(sources: Sequence[Source], day: date) -> CivilDay:
    """Return what a member has of a civil day, of its series in one direction.

    A device counts once: by the finest series that has all of the day, and if none has, by the one
    that has most of it.
    """
    time_zones = {source.series.time_zone for source in sources}
    utc_days = {place.day for zone in time_zones for place in places(zone, Interval.PT5M, day)}
    found = []
    for device in _devices(sources, utc_days):
        known = [one for source in device if (one := _civil_day(source, day)).records]
        if known:
            found.append(max(known, key=lambda one: Fraction(one.records, one.expected)))
    if not found:
        return CivilDay()
    return CivilDay(
        watt_minutes=sum(one.watt_minutes for one in found),
        records=sum(one.records for one in found),
        expected=sum(one.expected for one in found),
        count=sum(one.count for one in found) if _are_sums(sources) else 1,
    )


@dataclass(frozen=True, slots=True)
class _Lanes:
    """The values of one device in a row, in watt-minutes, and how many members each counts for."""

    values: Values
    counts: Values | None


def _are_sums(sources: Iterable[Source]) -> bool:
    return any(source.members is not None for source in sources)


def _devices(sources: Iterable[Source], days: Collection[date]) -> list[list[Source]]:
    """Return the series of each device that counts on these days, the finest first."""
    found: dict[str, list[Source]] = {}
    for source in sorted(sources, key=_fineness):
        if any(day in source.days for day in days):
            found.setdefault(source.series.device, []).append(source)
    if not any(map(_are_sums, found.values())):
        return list(found.values())
    return [
        device
        for name, device in found.items()
        if not any(name.startswith(f"{other}-") for other in found)
    ]


def _fineness(source: Source) -> tuple[str, int, str, str]:
    series = source.series
    return series.device, series.interval.minutes, series.quantity, series.time_zone


def _lanes(source: Source, interval: Interval, day: date) -> _Lanes | None:
    """Return the values of a series at an interval that is no finer; None where it has none."""
    series = source.series
    values = source.days.get(day)
    if values is None or series.interval.minutes > interval.minutes:
        return None
    factor = WH if series.quantity is Quantity.ENERGY else series.interval.minutes
    counts = None if source.members is None else source.members.get(day, [None] * len(values))
    many = interval.minutes // series.interval.minutes
    if many == 1:
        return _Lanes([None if value is None else value * factor for value in values], counts)
    starts = range(0, len(values), many)
    return _Lanes(
        [_sum(values[at : at + many], factor) for at in starts],
        counts and [_least(counts[at : at + many]) for at in starts],
    )


def _sum(values: Values, factor: int) -> int | None:
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return _SOME if known else None
    return sum(known) * factor


def _least(counts: Values) -> int:
    return min(count or 1 for count in counts)


def _first(lanes: Sequence[_Lanes]) -> _Lanes | None:
    """Return of each place the first value that is whole."""
    if len(lanes) < 2:
        return lanes[0] if lanes else None
    places = range(len(lanes[0].values))
    best = [max(lanes, key=lambda one: _goodness(one.values[place])) for place in places]
    pairs = list(zip(best, places, strict=True))
    return _Lanes(
        [one.values[place] for one, place in pairs],
        None
        if lanes[0].counts is None
        else [None if one.counts is None else one.counts[place] for one, place in pairs],
    )


def _goodness(value: int | None) -> int:
    return 0 if value is None else 1 if value == _SOME else 2


def _together(devices: Sequence[_Lanes]) -> tuple[Values, Values | None]:
    """Return of each place what all devices have that have anything there."""
    if len(devices) == 1:
        return devices[0].values, devices[0].counts
    values: list[int | None] = []
    counts: list[int | None] = []
    for place in range(len(devices[0].values)):
        there = [one for one in devices if one.values[place] is not None]
        known = [value for one in there if (value := one.values[place]) is not None]
        values.append((_SOME if _SOME in known else sum(known)) if known else None)
        counts.append(_many(there, place))
    return values, counts


def _many(devices: Iterable[_Lanes], place: int) -> int:
    """Return for how many members these count together: homes' devices for one."""
    return sum((one.counts[place] or 1) for one in devices if one.counts is not None) or 1


def _civil_day(source: Source, day: date) -> CivilDay:
    series = source.series
    minutes = series.interval.minutes
    if series.interval is Interval.P1D:
        whole = instants(series.time_zone, day)
        minutes = (whole.end - whole.start) // timedelta(minutes=1)
    expected, known, counts = 0, list[int](), list[int | None]()
    for at, first, end in places(series.time_zone, series.interval, day):
        expected += end - first
        known += [value for value in source.days.get(at, ())[first:end] if value is not None]
        if source.members is not None:
            counts += source.members.get(at, ())[first:end]
    factor = WH if series.quantity is Quantity.ENERGY else minutes
    return CivilDay(sum(known) * factor, len(known), expected, _least(counts) if counts else 1)
