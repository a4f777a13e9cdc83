"""The values of one member in each interval, from its series. Pure.

All is in watt-minutes, W times the minutes of an interval: 60 of them are 1 Wh, and any interval
adds up exactly. What is missing is missing, never zero.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Self

from consometers_node.collective.calendar import instants, places
from consometers_node.series import Interval, Series
from consometers_node.store.series import MemberCount

type Values = Sequence[int | None]
"""What a block holds: W or Wh."""
type Counts = Sequence[MemberCount | None]
"""How many members each value of a collective's series sums."""

WH = 60
"""Watt-minutes of 1 Wh."""
LARGEST = 2**50
"""Watt-minutes. Nobody draws 18 TWh at once, and thousands of such values fit in 8 bytes."""

MOST_COUNTED = 2**22
"""A collective that says it sums more counts for this many: a thousand of them fit in 4 bytes."""

_SOME = -1
"""Stands for a value with some of its records, and not all."""
_ONE = MemberCount(1)

type _Lane = Sequence[tuple[int | None, MemberCount | None]]
"""In each place a value, and how many members it counts for: None for a home's, which is one."""


@dataclass(frozen=True, slots=True)
class SeriesValues:
    """The known values of one member's series, by UTC day.

    `members` has, of the series of a collective, how many of its own each value sums.
    """

    series: Series
    days: Mapping[date, Values]
    members: Mapping[date, Counts] | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A member's values in a row: watt-minutes, and for how many members it counts.

    Both are 0 where it is missing. A collective's value may be `lacking` homes that count.
    """

    values: tuple[int, ...]
    counts: tuple[int, ...]
    lacking: tuple[bool, ...]

    @classmethod
    def of(cls, values: Values, counts: Counts | None = None) -> Self:
        """Make a part of values, each of one member without `counts`; ValueError above LARGEST."""
        energies = tuple([value or 0 for value in values])
        if max(energies, default=0) > LARGEST:
            raise ValueError("a value is more than any member can have")
        if counts is None:
            ones = tuple([0 if value is None else 1 for value in values])
            return cls(energies, ones, (False,) * len(ones))
        weights = [
            MemberCount(0) if value is None else count or _ONE
            for value, count in zip(values, counts, strict=True)
        ]
        many = [min(count.members, MOST_COUNTED) for count in weights]
        return cls(energies, tuple(many), tuple([count.lacks_homes for count in weights]))


@dataclass(frozen=True, slots=True)
class CivilDay:
    """A member's energy in a civil day: watt-minutes, and the number of known records."""

    watt_minutes: int = 0
    records: int = 0
    expected: int = 0
    count: int = 1
    """For how many members it counts."""
    lacks_homes: bool = False
    """Homes that count are missing from a part of it."""

    @property
    def is_whole(self) -> bool:
        return 0 < self.records == self.expected


def part(sources: Iterable[SeriesValues], interval: Interval, day: date) -> Part:
    """Return a member's values in the intervals of a UTC day, from its series in one direction.

    A device counts once: by its finest series, and where that has nothing by the next one. Where
    a device has only some of its records, the member has nothing. Of the series of a collective,
    those of a group within another one count there.
    """
    devices = [
        _best(lanes)
        for device in _devices(sources, {day})
        if (lanes := [lane for source in device if (lane := _lane(source, interval, day))])
    ]
    if not devices:
        return Part.of([None] * (1440 // interval.minutes))
    first, *others = devices
    whole = [_sum(place) for place in zip(first, *others, strict=True)] if others else first
    values, counts = zip(*whole, strict=True)
    return Part.of(
        [None if value == _SOME else value for value in values], counts if any(counts) else None
    )


def civil_day(sources: Sequence[SeriesValues], day: date) -> CivilDay:
    """Return a member's energy in a civil day, from its series in one direction.

    A device counts once: by the finest series that has all of the day, and if none has, by the one
    that has most of it.
    """
    time_zones = {source.series.time_zone for source in sources}
    utc_days = {place.day for zone in time_zones for place in places(zone, Interval.PT5M, day)}
    devices = []
    for device in _devices(sources, utc_days):
        days = [own for source in device if (own := _civil_day(source, day)).records]
        if days:
            devices.append(max(days, key=lambda own: Fraction(own.records, own.expected)))
    if not devices:
        return CivilDay()
    return CivilDay(
        watt_minutes=sum(own.watt_minutes for own in devices),
        records=sum(own.records for own in devices),
        expected=sum(own.expected for own in devices),
        count=sum(own.count for own in devices) if _are_sums(sources) else 1,
        lacks_homes=any(own.lacks_homes for own in devices),
    )


def _are_sums(sources: Iterable[SeriesValues]) -> bool:
    return any(source.members is not None for source in sources)


def _devices(sources: Iterable[SeriesValues], days: Collection[date]) -> list[list[SeriesValues]]:
    """Return the series of each device that counts on these days, the finest first."""
    devices: dict[str, list[SeriesValues]] = {}
    for source in sorted(sources, key=_fineness):
        if any(day in source.days for day in days):
            devices.setdefault(source.series.device, []).append(source)
    if not any(map(_are_sums, devices.values())):
        return list(devices.values())
    return [
        device
        for name, device in devices.items()
        if not any(name.startswith(f"{other}-") for other in devices)
    ]


def _fineness(source: SeriesValues) -> tuple[str, int, str, str]:
    series = source.series
    return series.device, series.interval.minutes, series.quantity, series.time_zone


def _lane(source: SeriesValues, interval: Interval, day: date) -> _Lane | None:
    """Return the values of a series at an interval that is no finer; None where it has none."""
    series = source.series
    values = source.days.get(day)
    if values is None or series.interval.minutes > interval.minutes:
        return None
    factor = series.interval.minutes if series.quantity.is_mean else WH
    many = interval.minutes // series.interval.minutes
    starts = range(0, len(values), many)
    if many == 1:
        energies = [None if value is None else value * factor for value in values]
    else:
        energies = [_energy(values[at : at + many], factor) for at in starts]
    if source.members is None:
        return [(energy, None) for energy in energies]
    counts = source.members.get(day, [None] * len(values))
    return [
        (energy, _least(counts[at : at + many]))
        for energy, at in zip(energies, starts, strict=True)
    ]


def _energy(values: Values, factor: int) -> int | None:
    present = [value for value in values if value is not None]
    if len(present) < len(values):
        return _SOME if present else None
    return sum(present) * factor


def _least(counts: Counts) -> MemberCount:
    """Return the count of several values together."""
    weights = [count or _ONE for count in counts]
    return MemberCount(
        min(count.members for count in weights), any(count.lacks_homes for count in weights)
    )


def _best(lanes: Sequence[_Lane]) -> _Lane:
    """Return the first complete value of each place."""
    if len(lanes) == 1:
        return lanes[0]
    best = [max(place, key=_goodness) for place in zip(*lanes, strict=True)]
    _, first = lanes[0][0]
    return [(value, None if first is None else count or _ONE) for value, count in best]


def _goodness(place: tuple[int | None, MemberCount | None]) -> int:
    value, _ = place
    return 0 if value is None else 1 if value == _SOME else 2


def _sum(
    devices: Iterable[tuple[int | None, MemberCount | None]],
) -> tuple[int | None, MemberCount | None]:
    """Return the sum over the devices that have a value."""
    present = [(value, count) for value, count in devices if value is not None]
    values = [value for value, _ in present]
    # Homes' devices count for one.
    counts = [count for _, count in present if count is not None]
    count = (
        MemberCount(
            sum(count.members for count in counts), any(count.lacks_homes for count in counts)
        )
        if counts
        else None
    )
    return (_SOME if _SOME in values else sum(values)) if values else None, count


def _civil_day(source: SeriesValues, day: date) -> CivilDay:
    series = source.series
    minutes = series.interval.minutes
    if series.interval is Interval.P1D:
        whole = instants(series.time_zone, day)
        minutes = (whole.end - whole.start) // timedelta(minutes=1)
    expected, values, counts = 0, list[int](), list[MemberCount | None]()
    for utc_day, first, end in places(series.time_zone, series.interval, day):
        expected += end - first
        values += [value for value in source.days.get(utc_day, ())[first:end] if value is not None]
        if source.members is not None:
            counts += source.members.get(utc_day, ())[first:end]
    factor = minutes if series.quantity.is_mean else WH
    least = _least(counts) if counts else _ONE
    return CivilDay(sum(values) * factor, len(values), expected, *least)
