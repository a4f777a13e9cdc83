"""From the readings of files to the records of a series.

Steps of minutes make half-hours and hours, where they fill them exactly. A civil day is a daily
energy or the difference of two registers; else its steps make it up. Of several files that know a
time, the last one counts.

**Rounding.** Energies are added up from the first step of a UTC day on, and the sums are rounded to
whole Wh: what is left of one record is carried into the next, and an hour is exactly its two
half-hours.
"""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
import json
from math import floor, fsum
from typing import Self

from consometers_enedis_files import (
    Contents,
    Direction as FileDirection,
    Kind,
    Reading as Energy,
    Series as FileSeries,
)
from consometers_node.household.readings import HOUR, MOST_W, Flag, Reading
from consometers_node.series import Block, Direction, Interval, Range, Record, Series
from consometers_node.store.household.files import FileMonth

_DAY = timedelta(days=1)

DIRECTIONS = {
    FileDirection.CONSUMPTION: Direction.CONSUMPTION,
    # Enedis calls production what is fed into its grid.
    FileDirection.PRODUCTION: Direction.INJECTION,
}


def months_of(contents: Contents) -> list[FileMonth]:
    """Return what a file says, month by month."""
    return [
        _month(series, month, list(readings))
        for series in contents.series
        for month, readings in groupby(series.readings, key=_month_of)
    ]


def readings_of(months: Sequence[FileMonth], series: Series, days: Range) -> list[Reading]:
    """Return the block of each UTC day. The months of the last file come first."""
    # Civil days that start on the last of them go beyond it.
    within = Range(days.start, days.end + 2 * _DAY)
    steps = _Steps.of(months, {Kind.CURVE}, within)
    civil = _Steps.of(months, {Kind.DAYS, Kind.REGISTERS}, within)
    return [_reading(series, day, steps, civil) for day in days.days()]


@dataclass(frozen=True, slots=True)
class _Steps:
    """Energies that do not overlap, in order; and the implausible ones that were left out."""

    energies: Sequence[Energy]
    starts: Sequence[datetime]
    sums: Sequence[float]
    """In Wh, before each, from the first one that starts on its UTC day."""
    absurd: Sequence[datetime]
    """When these start."""

    @classmethod
    def of(cls, months: Iterable[FileMonth], kinds: Collection[str], within: Range) -> Self:
        """Return those of some kinds that start in a time."""
        energies: list[Energy] = []
        for month in months:
            if month.kind in kinds:
                energies = _merged(energies, _unpacked(month, within))
        absurd = [each.start for each in energies if each.energy_wh > MOST_W * (each.length / HOUR)]
        left_out = set(absurd)
        energies = [each for each in energies if each.start not in left_out]
        sums: list[float] = []
        for each, before in zip(energies, [None, *energies], strict=False):
            is_first = before is None or before.start.date() != each.start.date()
            sums.append(0.0 if is_first or before is None else sums[-1] + before.energy_wh)
        return cls(energies, [each.start for each in energies], sums, absurd)

    def filling(self, start: datetime, end: datetime) -> range:
        """Return the positions of those that fill a time exactly; none where they do not."""
        first = position = bisect_left(self.starts, start)
        while start < end and position < len(self.starts) and self.starts[position] == start:
            start = self.energies[position].end
            position += 1
        return range(first, position if start == end else first)

    def part(self, start: datetime, end: datetime) -> int | None:
        """Return the energy of a part of a UTC day, so that parts add up."""
        if not (filling := self.filling(start, end)):
            return None
        last = filling[-1]
        whole = self.sums[last] + self.energies[last].energy_wh
        return _rounded(whole) - _rounded(self.sums[filling[0]])

    def whole(self, start: datetime, end: datetime) -> int | None:
        """Return the energy of a civil day."""
        filling = self.filling(start, end)
        return _rounded(fsum(self.energies[n].energy_wh for n in filling)) if filling else None


def _reading(series: Series, day: date, steps: _Steps, civil: _Steps) -> Reading:
    records: list[Record] = []
    flags: dict[datetime, Flag] = {}
    for start in series.starts(day):
        end = series.end(start)
        if series.interval is Interval.P1D:
            value = civil.whole(start, end)
            value = steps.whole(start, end) if value is None else value
        else:
            value = steps.part(start, end)
        if value is not None:
            records.append(Record(start, value))
        elif any(start <= each < end for each in (*steps.absurd, *civil.absurd)):
            flags[start] = Flag.ABSURD
    return Reading(Block.of(series, day, records), flags)


def _merged(energies: list[Energy], others: Iterable[Energy]) -> list[Energy]:
    """Add the energies of other times."""
    starts = [each.start for each in energies]
    new = []
    for each in others:
        position = bisect_left(starts, each.end)
        if not position or energies[position - 1].end <= each.start:
            new.append(each)
    return sorted([*energies, *new], key=lambda each: each.start)


def _month(series: FileSeries, month: date, readings: Sequence[Energy]) -> FileMonth:
    missing = {gap.end: gap.steps for gap in series.gaps}
    packed = [
        (int(each.start.timestamp()), int(each.length.total_seconds()), each.energy_wh)
        for each in readings
    ]
    return FileMonth(
        direction=DIRECTIONS[series.direction],
        kind=series.kind.value,
        month=month,
        begins=readings[0].start,
        ends=readings[-1].end,
        count=len(readings),
        missing=sum(missing.get(each.start, 0) for each in readings),
        readings=json.dumps(packed, separators=(",", ":")),
    )


def _unpacked(month: FileMonth, within: Range) -> Iterator[Energy]:
    first_s, end_s = within.start.timestamp(), within.end.timestamp()
    for start_s, length_s, energy_wh in json.loads(month.readings):
        if not first_s <= start_s < end_s:
            continue
        start = datetime.fromtimestamp(start_s, UTC)
        yield Energy(start, start + timedelta(seconds=length_s), energy_wh)


def _month_of(energy: Energy) -> date:
    return energy.start.date().replace(day=1)


def _rounded(energy_wh: float) -> int:
    return floor(energy_wh + 0.5)
