"""From rows of Home Assistant's recorder to the records of a series.

A row of energy has a `sum`, which a register would show at the end of the row's time if the meter
had never been replaced. The energy of an interval is the difference of two rows that follow one
another. Never `change`: over a hole it puts all into the next row, and the first row's is its sum.

**Rounding.** A register is rounded to whole Wh, and records are differences of these. So what is
left of one record is carried into the next, a sum of records is the difference of the register over
them, to less than 1 Wh however many they are, and a record is the same whatever is read with it.

**Holes.** An hour that is missing is made of its twelve 5-minute rows where all of them are there,
and the one before. Else it is missing, and so is the day that it is in.

**Absences.** When Home Assistant comes back within ten days it writes rows for the time that it was
off. In them no register moves, powers stay what they last were, and the next row has all of the
energy: nothing in them sets such an hour apart from one without consumption. So who reads says
when it was off, or may have been. What a register showed is then known before and after alone. An
instant between two rows that lies in an absence is blind: the records that end or begin there are
missing and flagged, and a longer one, such as a day, that holds all blind instants is as exact as
ever. A power is a mean over all of its time: it is missing wherever a blind instant touches it.

Mostly it is not known when an absence began, only that Home Assistant was off at its end: the node
may have been off for longer. So an instant is blind only if nothing moved from there to the end. An
absence that lies between two rows' ends makes no instant blind, and its energy is where it belongs.

**Meters that start again.** Home Assistant takes a register that fell under 90 % of itself for one
that began at zero, and goes on with its sum; so do we, and flag the record. A sum that falls, or
that rises by more than any home can draw, as it does where a meter is replaced by one that shows
more, is no energy: the record is flagged and missing.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from math import floor

from consometers_node.household.days import needs_hours
from consometers_node.household.readings import HOUR, MOST_W, Flag, Reading
from consometers_node.household.statistics import StatisticsRow
from consometers_node.series import Block, Interval, Quantity, Range, Record, Series

FIVE_MINUTES = timedelta(minutes=5)

_HALF_HOUR = timedelta(minutes=30)

UNWRITTEN = timedelta(minutes=1)
"""Home Assistant's last states may be lost at a power cut."""
STARTS = timedelta(minutes=1)
"""How much older it may be than its oldest state."""
SETTLES = timedelta(minutes=5)
"""How long after its start entities may still have the values of before, or none."""

_LOOKS_ON = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The recorder's rows of one statistic, in any order."""

    hours: Sequence[StatisticsRow] = ()
    five_minutes: Sequence[StatisticsRow] = ()


def absence(last_seen: datetime | None, started: datetime | None, now: datetime) -> Range | None:
    """Return when Home Assistant was off, or may have been; None if it was not, or nobody knows.

    `last_seen` is when it was last known to run, None before the first time; `started` since when
    it runs, as `Recorder.started` has it, None while that is unknown: then it has only begun.

    An absence begins when it was last seen, because a node that was off cannot know how long it
    ran. Where clocks were put back, and it seems to run since before it was last seen, or to have
    been seen later than now, nothing is made of that.
    """
    if last_seen is None:
        return None
    until = now if started is None else started
    return Range(last_seen, until) if until > last_seen else None


def read(
    series: Series, days: Iterable[date], rows: Rows, *, absences: Sequence[Range] = ()
) -> list[Reading]:
    """Return the block of each UTC day. The rows are those of `reach`, with or without holes.

    An absence ends when Home Assistant started. It begins when it was last known to run.
    """
    values = _MAKERS[series.interval](_Facts(series.quantity, absences), rows)
    return [_reading(series, day, values) for day in days]


def reach(series: Series, days: Range, absences: Sequence[Range] = ()) -> Range:
    """Return the time from which rows are needed to read whole UTC days.

    It begins one row before them, and ends where the last civil day does that starts in them; or
    after it, with the absence that goes on there, up to a day.
    """
    starts = [start for day in days.days() for start in series.starts(day)]
    if not starts:
        return Range(days.start, days.start)
    before = HOUR if needs_hours(series) else FIVE_MINUTES
    end = series.end(starts[-1])
    ends = [min(absence.end, end + _LOOKS_ON) for absence in absences if end in absence]
    return Range(starts[0] - before, max([end, *ends]))


def wants_five_minutes(
    series: Series, days: Range, hours: Sequence[StatisticsRow], absences: Sequence[Range] = ()
) -> Range | None:
    """Return the time for which 5-minute rows are needed, too; None if hours are enough."""
    if not needs_hours(series):
        return reach(series, days, absences)
    within = reach(series, days)
    measured = _steps(_Facts(series.quantity), hours, HOUR)
    expected = _every(HOUR, Range(within.start + HOUR, within.end))
    missing = [hour for hour in expected if hour not in measured]
    return Range(missing[0] - FIVE_MINUTES, missing[-1] + HOUR) if missing else None


def changed(reading: Reading, stored: Block | None) -> Reading | None:
    """Return the block to store instead of the known one; None if both have the same values.

    5-minute rows go after some days, and that their records are missing then is no news: the known
    ones stay, but for those of an absence that nobody knew of. Hours are for ever; one that is gone
    was taken back.
    """
    block = reading.block
    if stored is None:
        return reading if any(True for _ in block.records()) else None
    if not needs_hours(block.series):
        merged = stored.replace(block.records())
        stay = [
            record
            for record in merged.records()
            if reading.flags.get(record.start) is not Flag.AWAY
        ]
        block = Block.of(block.series, block.day, stay)
    return None if block == stored else Reading(block, reading.flags)


@dataclass(frozen=True, slots=True)
class _Facts:
    """The inputs of a reading."""

    quantity: Quantity
    absences: Sequence[Range] = ()


@dataclass(frozen=True, slots=True)
class _Value:
    """A known interval. No value: it is known that there is no good one."""

    value: float | None
    flag: Flag | None = None
    blind_start: bool = False
    blind_end: bool = False


type _Values = dict[datetime, _Value]


def _five_minutes(facts: _Facts, rows: Rows) -> _Values:
    return _steps(facts, rows.five_minutes, FIVE_MINUTES)


def _half_hours(facts: _Facts, rows: Rows) -> _Values:
    return _whole(facts.quantity, _five_minutes(facts, rows), FIVE_MINUTES, _HALF_HOUR)


def _hours(facts: _Facts, rows: Rows) -> _Values:
    fine = _five_minutes(facts, rows)
    filled = {
        hour: replace(value, flag=value.flag or Flag.FILLED)
        for hour, value in _whole(facts.quantity, fine, FIVE_MINUTES, HOUR).items()
        if value.value is not None
    }
    return filled | _steps(facts, rows.hours, HOUR)


_MAKERS: Mapping[Interval, Callable[[_Facts, Rows], _Values]] = {
    Interval.PT5M: _five_minutes,
    Interval.PT30M: _half_hours,
    Interval.PT1H: _hours,
    Interval.P1D: _hours,
}


def _steps(facts: _Facts, rows: Iterable[StatisticsRow], step: timedelta) -> _Values:
    """Return the value of each row's own time; none for a row after a hole."""
    ordered = sorted(rows, key=lambda row: row.start)
    blind = _blind(facts, ordered, step)
    values = _powers(ordered) if facts.quantity.is_mean else _energies(ordered, step, blind)
    return {
        start: replace(value, blind_start=start in blind, blind_end=start + step in blind)
        for start, value in values
    }


def _blind(facts: _Facts, rows: Sequence[StatisticsRow], step: timedelta) -> set[datetime]:
    """Return the instants between rows at which the meter's value is unknown."""
    blind: set[datetime] = set()
    if not rows:
        return blind
    if facts.quantity.is_mean:
        shown = {row.start: row.mean for row in rows}
    else:
        shown = {row.start + step: row.sum for row in rows}
    held = Range(rows[0].start - step, rows[-1].start + step)
    for absence in facts.absences:
        start = absence.start - UNWRITTEN
        back = max(start, absence.end - STARTS)
        instants = list(_ends(step, Range(start, back).clip(held)))
        # The power after the last of them is one of after the absence, too.
        last = instants[-1:] if facts.quantity.is_mean else []
        blind.update(last, _unmoved(instants[: len(instants) - len(last)], shown))
        blind.update(_ends(step, Range(back, absence.end + SETTLES)))
    return blind


def _unmoved(
    instants: Sequence[datetime], shown: Mapping[datetime, float | None]
) -> Iterator[datetime]:
    """Yield the last instants, after which all values are equal."""
    last: int | None = None
    for instant in reversed(instants):
        if (value := shown.get(instant)) is not None:
            if last not in (None, _rounded(value)):
                return
            last = _rounded(value)
        yield instant


type _Steps = Iterator[tuple[datetime, _Value]]


def _powers(rows: Sequence[StatisticsRow]) -> _Steps:
    for row in rows:
        if row.mean is not None:
            yield row.start, _power(row.mean)


def _energies(rows: Sequence[StatisticsRow], step: timedelta, blind: Container[datetime]) -> _Steps:
    seeing: StatisticsRow | None = None
    for before, row in pairwise(rows):
        if row.start - before.start != step or row.sum is None or before.sum is None:
            seeing = None
            continue
        # After blind instants a row may have the energy of all of that time.
        if seeing is None or row.start not in blind:
            seeing = before
        most_wh = MOST_W * ((row.start - seeing.start) / HOUR)
        yield row.start, _energy(seeing, before, row, most_wh)


def _energy(
    seeing: StatisticsRow, before: StatisticsRow, row: StatisticsRow, most_wh: float
) -> _Value:
    assert seeing.sum is not None
    assert before.sum is not None
    assert row.sum is not None
    value = _rounded(row.sum) - _rounded(before.sum)
    if value < 0:
        return _Value(None, Flag.BACKWARDS)
    if _rounded(row.sum) - _rounded(seeing.sum) > most_wh:
        return _Value(None, Flag.ABSURD)
    if before.state is not None and row.state is not None and row.state < before.state:
        return _Value(value, Flag.RESTARTED)
    return _Value(value)


def _power(mean_w: float) -> _Value:
    if mean_w < -0.5:
        return _Value(None, Flag.BACKWARDS)
    return _Value(None, Flag.ABSURD) if mean_w > MOST_W else _Value(max(mean_w, 0.0))


def _whole(quantity: Quantity, fine: _Values, part: timedelta, whole: timedelta) -> _Values:
    """Combine the known intervals."""
    starts = {_floor(start, whole) for start in fine}
    parts = {start: _every(part, Range(start, start + whole)) for start in starts}
    return {start: _together(quantity, map(fine.get, within)) for start, within in parts.items()}


def _together(quantity: Quantity, within: Iterable[_Value | None]) -> _Value:
    """Add energies up, or take the mean of powers; without one of them there is no value."""
    parts = list(within)
    filled = [part for part in parts if part is not None]
    flags = {part.flag for part in filled}
    flag = next((flag for flag in Flag if flag in flags), None)
    values = [part.value for part in filled if part.value is not None]
    blind_start = any(part.blind_start for part in parts[:1] if part is not None)
    blind_end = any(part.blind_end for part in parts[-1:] if part is not None)
    if quantity.is_mean:
        blind_start = any(part.blind_start or part.blind_end for part in filled)
    value = None
    if parts and len(values) == len(parts):
        value = sum(values) / len(values) if quantity.is_mean else sum(values)
    return _Value(value, flag, blind_start, blind_end)


def _reading(series: Series, day: date, values: _Values) -> Reading:
    records: list[Record] = []
    flags: dict[datetime, Flag] = {}
    for start in series.starts(day):
        if series.interval is Interval.P1D:
            # As Home Assistant does, where midnight is no whole hour of UTC: the hours that start
            # in the day.
            hours = _every(HOUR, Range(start, series.end(start)))
            value: _Value | None = _together(series.quantity, map(values.get, hours))
        else:
            value = values.get(start)
        if value is None:
            continue
        if value.blind_start or value.blind_end:
            flags[start] = Flag.AWAY
            continue
        if value.value is not None:
            records.append(Record(start, _rounded(value.value)))
        if value.flag is not None and (value.value is not None or value.flag in _WITHOUT_VALUE):
            flags[start] = value.flag
    return Reading(Block.of(series, day, records), flags)


_WITHOUT_VALUE = (Flag.ABSURD, Flag.BACKWARDS)


def _every(step: timedelta, within: Range) -> Iterator[datetime]:
    """Yield the starts of steps that are in a range."""
    start = _floor(within.start, step)
    while start < within.end:
        if start >= within.start:
            yield start
        start += step


def _ends(step: timedelta, within: Range) -> Iterator[datetime]:
    """Yield the ends of steps that are after the start of a range, and not after its end."""
    end = _floor(within.start, step) + step
    while end <= within.end:
        yield end
        end += step


def _floor(instant: datetime, step: timedelta) -> datetime:
    return instant - (instant - _EPOCH) % step


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _rounded(value: float) -> int:
    # Round halves up: the rounding of a register must not depend on its neighbours.
    return floor(value + 0.5)
