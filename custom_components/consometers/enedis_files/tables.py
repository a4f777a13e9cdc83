"""The rows of one table become readings."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import groupby, pairwise
from typing import Final

from .cells import PARIS, instants, is_missing, midnight, moment, number, plain
from .heads import Head, TimeForm
from .steps import MINUTES, steps
from .values import Kind, Problem, Reading

type Row = tuple[int, Sequence[str]]
type Report = Callable[[Problem, int], None]
"""Takes what is wrong with a line."""

_MOST_W: Final = 1_000_000.0
_HOUR: Final = timedelta(hours=1)
_NOON: Final = time(12)
_NATURES: Final = {"estimee": 0, "corrigee": 2}
"""Which value counts where a time has several; any other word is between them."""


@dataclass(frozen=True, slots=True)
class _Sample:
    line: int
    when: datetime
    value: float | None
    rank: int = 1


def read(head: Head, rows: Sequence[Row], report: Report) -> tuple[Kind, list[Reading]]:
    """Return the readings of a table, in the order of time."""
    match head.form:
        case TimeForm.REGISTER:
            return Kind.REGISTERS, _registers(head, rows, report)
        case TimeForm.SPAN:
            return Kind.CURVE, _spans(head, rows, report)
        case TimeForm.UNDER_DAY:
            return Kind.CURVE, _curve(head, _under_days(head, rows, report), report)
        case TimeForm.END:
            return Kind.CURVE, _curve(head, list(_stamped(head, rows, report)), report)
        case TimeForm.DATE:
            samples = list(_stamped(head, rows, report))
            if any(sample.when.time() != time.min for sample in samples):
                return Kind.CURVE, _curve(head, samples, report)
            if head.unit.is_power:
                report(Problem.UNIT_UNKNOWN, head.line)
                return Kind.DAYS, []
            return Kind.DAYS, _days(head, samples, report)


def _cell(cells: Sequence[str], column: int | None) -> str:
    return "" if column is None or column >= len(cells) else cells[column]


def _stamped(head: Head, rows: Sequence[Row], report: Report) -> Iterator[_Sample]:
    for line, cells in rows:
        if (when := moment(cells[0])) is None:
            report(Problem.TIME_UNREADABLE, line)
        else:
            yield _sample(head, line, when, cells, report)


def _sample(head: Head, line: int, when: datetime, cells: Sequence[str], report: Report) -> _Sample:
    nature = plain(_cell(cells, head.nature))
    return _Sample(line, when, _value(head, cells, line, report), _NATURES.get(nature, 1))


def _value(head: Head, cells: Sequence[str], line: int, report: Report) -> float | None:
    """Return the value of a row in W or Wh."""
    cell = _cell(cells, head.columns[0])
    if is_missing(cell):
        return None
    if (value := number(cell)) is None:
        report(Problem.VALUE_UNREADABLE, line)
        return None
    if value < 0:
        report(Problem.VALUE_IMPLAUSIBLE, line)
        return None
    return value * head.unit.factor


def _under_days(head: Head, rows: Sequence[Row], report: Report) -> list[_Sample]:
    """Return the times of each day with its date. Midnight may begin the day, or end it."""
    samples = []
    for day, block in groupby(_clock_times(rows, report), lambda each: each[2]):
        of_day = list(block)
        clock = [when for _, when, _, _ in of_day if when != time.min]
        for place, (line, when, _, cells) in enumerate(of_day):
            at = datetime.combine(day, when)
            if when == time.min and _midnight_ends(clock, is_first=place == 0):
                at += timedelta(days=1)
            samples.append(_sample(head, line, at, cells, report))
    return samples


def _midnight_ends(clock: Sequence[time], *, is_first: bool) -> bool:
    """Return whether midnight ends the day that has these other times, by their order."""
    if len(clock) < 2:
        return not clock or clock[0] > _NOON
    return is_first == (clock[0] > clock[-1])


def _clock_times(
    rows: Sequence[Row], report: Report
) -> Iterator[tuple[int, time, datetime, Sequence[str]]]:
    """Yield the line and the time of each row with a value, under the last day before it."""
    day: datetime | None = None
    for line, cells in rows:
        text = cells[0].strip()
        if ":" not in text:
            if (day := moment(text)) is None:
                report(Problem.TIME_UNREADABLE, line)
            continue
        try:
            when = time.fromisoformat(text)
        except ValueError:
            when = None
        if day is None or when is None or when.tzinfo is not None:
            report(Problem.TIME_UNREADABLE, line)
        else:
            yield line, when, day, cells


def _curve(head: Head, samples: list[_Sample], report: Report) -> list[Reading]:
    ends = _unique(_in_utc(_without_doubles(samples), report), report)
    on_step = []
    for each in ends:
        if each.when.minute % 5 or each.when.second:
            report(Problem.TIME_OFF_STEP, each.line)
        else:
            on_step.append(each)
    lengths = steps([each.when for each in on_step], head.minutes)
    readings: list[Reading] = []
    for each, minutes in zip(on_step, lengths, strict=True):
        if minutes is None:
            report(Problem.STEP_UNKNOWN, each.line)
        elif each.value is not None:
            length = timedelta(minutes=minutes)
            _add(readings, head, each, each.when - length, report)
    return readings


def _add(
    readings: list[Reading], head: Head, sample: _Sample, start: datetime, report: Report
) -> None:
    """Add the reading that ends at a sample, unless it overlaps the last or cannot be."""
    assert sample.value is not None
    hours = (sample.when - start) / _HOUR
    energy_wh = sample.value * hours if head.unit.is_power else sample.value
    if readings and start < readings[-1].end:
        report(Problem.TIME_OFF_STEP, sample.line)
    elif energy_wh > _MOST_W * hours:
        report(Problem.VALUE_IMPLAUSIBLE, sample.line)
    else:
        readings.append(Reading(start, sample.when, energy_wh))


def _spans(head: Head, rows: Sequence[Row], report: Report) -> list[Reading]:
    lines, starts, ends = [], [], []
    for line, cells in rows:
        start, end = moment(cells[0]), moment(_cell(cells, 1))
        if start is None or end is None:
            report(Problem.TIME_UNREADABLE, line)
        else:
            lines.append((line, cells))
            starts.append(start)
            ends.append(end)
    begins: dict[datetime, datetime] = {}
    samples = []
    for (line, cells), start, end in zip(lines, instants(starts), instants(ends), strict=True):
        if start is None or end is None:
            report(Problem.TIME_SKIPPED, line)
        elif (end - start) / timedelta(minutes=1) not in MINUTES:
            report(Problem.TIME_OFF_STEP, line)
        else:
            begins.setdefault(end, start)
            samples.append(_sample(head, line, end, cells, report))
    readings: list[Reading] = []
    for each in _unique(samples, report):
        if each.value is not None:
            _add(readings, head, each, begins[each.when], report)
    return readings


def _days(head: Head, samples: list[_Sample], report: Report) -> list[Reading]:
    readings: list[Reading] = []
    for each in _unique(_in_utc(samples, report), report):
        if each.value is not None:
            day = each.when.astimezone(PARIS).date()
            end = midnight(day + timedelta(days=1))
            _add(
                readings,
                head,
                _Sample(each.line, end, each.value),
                midnight(day),
                report,
            )
    return readings


def _registers(head: Head, rows: Sequence[Row], report: Report) -> list[Reading]:
    levels: dict[int, tuple[tuple[int, ...], float]] = {}
    samples = []
    for line, cells in rows:
        if (when := moment(cells[0])) is None:
            report(Problem.TIME_UNREADABLE, line)
        elif (level := _level(head, cells, line, report)) is not None:
            levels[line] = level
            samples.append(_Sample(line, when, level[1]))
    readings: list[Reading] = []
    ordered = _unique(_in_utc(_without_doubles(samples), report), report)
    for before, after in pairwise(ordered):
        registers, level_wh = levels[after.line]
        former, former_wh = levels[before.line]
        if registers != former or level_wh < former_wh:
            report(Problem.REGISTER_FELL, after.line)
        else:
            risen = _Sample(after.line, after.when, level_wh - former_wh)
            _add(readings, head, risen, before.when, report)
    return readings


def _level(
    head: Head, cells: Sequence[str], line: int, report: Report
) -> tuple[tuple[int, ...], float] | None:
    """Return which registers a row has, and their sum in Wh."""
    columns = [*head.columns]
    if head.total is not None and not is_missing(_cell(cells, head.total)):
        columns = [head.total]
    columns = [column for column in columns if not is_missing(_cell(cells, column))]
    values = [number(cells[column]) for column in columns]
    whole = [value for value in values if value is not None and value >= 0]
    if len(whole) < len(values):
        report(Problem.VALUE_UNREADABLE, line)
        return None
    if not whole:
        return None
    return tuple(columns), sum(whole) * head.unit.factor


def _without_doubles(samples: list[_Sample]) -> list[_Sample]:
    """Drop each row that repeats the one before it, as suppliers' files do.

    So it is not taken for the second hour of the change to winter time.
    """
    return [
        each
        for place, each in enumerate(samples)
        if place == 0
        or (each.when, each.value) != (samples[place - 1].when, samples[place - 1].value)
    ]


def _in_utc(samples: list[_Sample], report: Report) -> list[_Sample]:
    resolved = []
    for each, when in zip(samples, instants([each.when for each in samples]), strict=True):
        if when is None:
            report(Problem.TIME_SKIPPED, each.line)
        else:
            resolved.append(_Sample(each.line, when, each.value, each.rank))
    return resolved


def _unique(samples: list[_Sample], report: Report) -> list[_Sample]:
    """Return each time once, in the order of time."""
    chosen: dict[datetime, _Sample] = {}
    for each in samples:
        other = chosen.setdefault(each.when, each)
        if other is each or each.value is None:
            continue
        if other.value is None or each.rank > other.rank:
            chosen[each.when] = each
        elif each.value != other.value and each.rank == other.rank:
            report(Problem.REPEATED, each.line)
    return sorted(chosen.values(), key=lambda each: each.when)
