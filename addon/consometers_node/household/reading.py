"""From rows of Home Assistant's recorder to the records of a series.

A row of energy tells `sum`, which a register would show at the end of the row's time if the meter
had never been replaced. The energy of an interval is the difference of two rows that follow one
another. Never `change`: over a hole it puts all into the next row, and the first row's is its sum.

**Rounding.** A register is rounded to whole Wh, and records are differences of these. So what is
left of one record is carried into the next, a sum of records is the difference of the register over
them, to less than 1 Wh however many they are, and a record is the same whatever is read with it.

**Holes.** An hour that is missing is made of its twelve 5-minute rows where all of them are there,
and the one before. Else it is missing, and so is the day that it is in.

What Home Assistant takes for a measure is no hole: when it comes back within ten days, it writes
rows for the time that it was off, in which no register moves, and the next hour has all of it. In
its rows nothing tells such an hour from one in which nothing was drawn.

**Meters that start again.** Home Assistant takes a register that fell under 90 % of itself for one
that began at zero, and goes on with its sum; so do we, and flag the record. A sum that falls, or
that rises by more than any home can draw, as it does where a meter is replaced by one that shows
more, is no energy: the record is flagged and missing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from math import floor

from ..series import Block, Interval, Quantity, Range, Record, Series

MOST_W = 70_000
"""A mean power that no home has: twice what a three-phase connection of 36 kVA gives."""

FIVE_MINUTES = timedelta(minutes=5)
HOUR = timedelta(hours=1)

_HALF_HOUR = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the recorder, stamped at its start: `sum` and `state` in Wh, `mean` in W."""

    start: datetime
    sum: float | None = None
    state: float | None = None
    mean: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What the recorder holds of one statistic, in any order."""

    hours: Sequence[Row] = ()
    five_minutes: Sequence[Row] = ()


class Flag(StrEnum):
    """What is to be known of a record. Of several, the first one here is told."""

    ABSURD = "absurd"
    """The sum rose by more than a home can draw: the record is missing."""
    BACKWARDS = "backwards"
    """The sum fell, or the mean power is below zero: the record is missing."""
    RESTARTED = "restarted"
    """The meter's register began anew."""
    FILLED = "filled"
    """The hour, or one of the day, was missing, and is made of its 5-minute rows."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A block as the recorder has it now, and flags by the start of a record."""

    block: Block
    flags: Mapping[datetime, Flag] = field(default_factory=dict)


def read(
    series: Series, days: Iterable[date], rows: Rows, *, most_w: int = MOST_W
) -> list[Reading]:
    """Give the block of each UTC day. The rows are those of `reach`, with or without holes."""
    known = _MAKERS[series.interval](series.quantity, rows, most_w)
    return [_reading(series, day, known) for day in days]


def reach(series: Series, days: Range) -> Range:
    """Give the time from which rows are needed to read whole UTC days.

    It begins one row before them, and ends where the last civil day does that starts in them.
    """
    starts = [start for day in days.days() for start in series.starts(day)]
    if not starts:
        return Range(days.start, days.start)
    before = HOUR if needs_hours(series) else FIVE_MINUTES
    return Range(starts[0] - before, series.end(starts[-1]))


def needs_hours(series: Series) -> bool:
    """Tell whether records are made of rows of an hour; else of 5-minute rows alone."""
    return series.interval not in _FINE


def wants_five_minutes(series: Series, days: Range, hours: Sequence[Row]) -> Range | None:
    """Give the time from which 5-minute rows are needed, too; None if hours are enough."""
    within = reach(series, days)
    if not needs_hours(series):
        return within
    known = _steps(series.quantity, hours, HOUR, MOST_W)
    wanted = _every(HOUR, Range(within.start + HOUR, within.end))
    missing = [hour for hour in wanted if hour not in known]
    return Range(missing[0] - FIVE_MINUTES, missing[-1] + HOUR) if missing else None


def changed(reading: Reading, known: Block | None) -> Reading | None:
    """Give what is to be kept instead of the block that is known; None if that says the same.

    5-minute rows go after some days, and that their records are missing then is no news: the known
    ones stay. Hours are for ever; one that is gone was taken back.
    """
    block = reading.block
    if known is None:
        return reading if any(True for _ in block.records()) else None
    if not needs_hours(block.series):
        block = known.replace(block.records())
    return None if block == known else Reading(block, reading.flags)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of one interval. No value: it is known that there is no good one."""

    value: float | None
    flag: Flag | None = None


type _Values = dict[datetime, _Known]

_FINE = (Interval.PT5M, Interval.PT30M)


def _five_minutes(quantity: Quantity, rows: Rows, most_w: int) -> _Values:
    return _steps(quantity, rows.five_minutes, FIVE_MINUTES, most_w)


def _half_hours(quantity: Quantity, rows: Rows, most_w: int) -> _Values:
    return _whole(quantity, _five_minutes(quantity, rows, most_w), FIVE_MINUTES, _HALF_HOUR)


def _hours(quantity: Quantity, rows: Rows, most_w: int) -> _Values:
    fine = _five_minutes(quantity, rows, most_w)
    filled = {
        hour: _Known(known.value, known.flag or Flag.FILLED)
        for hour, known in _whole(quantity, fine, FIVE_MINUTES, HOUR).items()
        if known.value is not None
    }
    return filled | _steps(quantity, rows.hours, HOUR, most_w)


_MAKERS: Mapping[Interval, Callable[[Quantity, Rows, int], _Values]] = {
    Interval.PT5M: _five_minutes,
    Interval.PT30M: _half_hours,
    Interval.PT1H: _hours,
    Interval.P1D: _hours,
}


def _steps(quantity: Quantity, rows: Iterable[Row], step: timedelta, most_w: int) -> _Values:
    """Give what each row says of its own time; nothing of a row after a hole."""
    if quantity is Quantity.POWER:
        return {row.start: _power(row.mean, most_w) for row in rows if row.mean is not None}
    most_wh = most_w * (step / HOUR)
    return {
        row.start: _energy(before, row, most_wh)
        for before, row in pairwise(sorted(rows, key=lambda row: row.start))
        if row.start - before.start == step and row.sum is not None and before.sum is not None
    }


def _energy(before: Row, row: Row, most_wh: float) -> _Known:
    assert before.sum is not None
    assert row.sum is not None
    value = _rounded(row.sum) - _rounded(before.sum)
    if value < 0:
        return _Known(None, Flag.BACKWARDS)
    if value > most_wh:
        return _Known(None, Flag.ABSURD)
    if before.state is not None and row.state is not None and row.state < before.state:
        return _Known(value, Flag.RESTARTED)
    return _Known(value)


def _power(mean_w: float, most_w: float) -> _Known:
    if mean_w < -0.5:
        return _Known(None, Flag.BACKWARDS)
    return _Known(None, Flag.ABSURD) if mean_w > most_w else _Known(max(mean_w, 0.0))


def _whole(quantity: Quantity, fine: _Values, part: timedelta, whole: timedelta) -> _Values:
    """Put intervals together, those of which something is known."""
    starts = {_floor(start, whole) for start in fine}
    parts = {start: _every(part, Range(start, start + whole)) for start in starts}
    return {start: _together(quantity, map(fine.get, within)) for start, within in parts.items()}


def _together(quantity: Quantity, within: Iterable[_Known | None]) -> _Known:
    """Add energies up, or take the mean of powers; without one of them there is no value."""
    parts = list(within)
    flags = {part.flag for part in parts if part is not None}
    flag = next((flag for flag in Flag if flag in flags), None)
    values = [part.value for part in parts if part is not None and part.value is not None]
    if len(values) < len(parts) or not parts:
        return _Known(None, flag)
    return _Known(sum(values) if quantity is Quantity.ENERGY else sum(values) / len(values), flag)


def _reading(series: Series, day: date, known: _Values) -> Reading:
    records: list[Record] = []
    flags: dict[datetime, Flag] = {}
    for start in series.starts(day):
        if series.interval is Interval.P1D:
            # As Home Assistant does, where midnight is no whole hour of UTC: the hours that start
            # in the day.
            hours = _every(HOUR, Range(start, series.end(start)))
            one: _Known | None = _together(series.quantity, map(known.get, hours))
        else:
            one = known.get(start)
        if one is None:
            continue
        if one.value is not None:
            records.append(Record(start, _rounded(one.value)))
        if one.flag is not None and (one.value is not None or one.flag in _WITHOUT_VALUE):
            flags[start] = one.flag
    return Reading(Block.of(series, day, records), flags)


_WITHOUT_VALUE = (Flag.ABSURD, Flag.BACKWARDS)


def _every(step: timedelta, within: Range) -> Iterator[datetime]:
    """Give the starts of steps that are in a range."""
    start = _floor(within.start, step)
    while start < within.end:
        if start >= within.start:
            yield start
        start += step


def _floor(instant: datetime, step: timedelta) -> datetime:
    return instant - (instant - _EPOCH) % step


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _rounded(value: float) -> int:
    # Halves go up everywhere: what a register rounds to does not depend on its neighbours.
    return floor(value + 0.5)
