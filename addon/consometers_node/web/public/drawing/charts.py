"""Charts and their tables: a line for each interval, with an earlier one for comparison."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import NamedTuple

from consometers_node.collective.publication.reading.values import FlowRow, Value, rounded
from consometers_node.figures import FIGURES, Unit
from consometers_node.i18n.text import Text, text
from consometers_node.series import Direction
from consometers_node.web.core.page_base import csv_text
from consometers_quoalise import iso8601


class Step(StrEnum):
    """The length of a chart's intervals."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class ChartInterval:
    """An interval, and the same one a year before, or of an hour a day before.

    `before` is for the present number of members. Of a month of which some days are known, it is of
    none but these days.
    """

    row: FlowRow
    before: FlowRow | None = None

    @property
    def is_to_come(self) -> bool:
        """Whether nothing can be shown of it, nor of the one before."""
        return not self.row.slots and (self.before is None or not self.before.is_known)

    def wh(self, key: str) -> float | None:
        """Return the energy of a figure."""
        return self.row[key].wh

    def wh_before(self, key: str) -> float | None:
        """Return the energy of a figure in the earlier interval."""
        return None if self.before is None else self.before[key].wh


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with its table; the page that has it is at `path`, below the place.

    Beside it, with .csv and .svg, are its numbers and its picture.
    """

    step: Step
    lines: Sequence[ChartInterval]
    path: str

    @property
    def tabled(self) -> Sequence[ChartInterval]:
        """The lines, without trailing ones that have nothing to show yet."""
        last = max((n for n, line in enumerate(self.lines) if not line.is_to_come), default=-1)
        return self.lines[: last + 1]

    @property
    def is_known(self) -> bool:
        """Return whether there is anything to draw."""
        return any(row.is_known for row in self._rows)

    def has(self, key: str) -> bool:
        """Return whether a figure is known in it."""
        return any(row[key].amount is not None for row in self._rows)

    def had(self, key: str) -> bool:
        """Return whether a figure is known of the year or the day before."""
        return any(line.wh_before(key) is not None for line in self.lines)

    def averages(self, key: str) -> bool:
        """Return whether there is an average of more than one home or member."""
        return any(row[key].members > 1 for row in self._rows)

    def are_homes(self, key: str) -> bool:
        """Return whether the averages of a figure are those of homes."""
        return any(row[key].homes for row in self._rows)

    @property
    def uses_some(self) -> bool:
        """Return whether there is any self-consumption in it."""
        return any(row["self-consumed"].amount for row in self._rows)

    @property
    def feeds_some(self) -> bool:
        """Return whether any production is known to be injected in it."""
        return any(row.split[1] for row in self._rows)

    @property
    def leaves_open(self) -> bool:
        """Return whether the destination of some production is unknown."""
        return any((row["production"].wh or 0) > sum(row.split) for row in self._rows)

    @property
    def _rows(self) -> Iterator[FlowRow]:
        return (line.row for line in self.lines)


_ENERGIES = [*Direction]


def column(key: str) -> str:
    """Return the column of a figure, with its unit."""
    name = key.replace("-", "_")
    return f"{name}_wh" if FIGURES[key].unit is Unit.ENERGY else name


class Column(NamedTuple):
    """A column of a table, with its unit: Wh, / (a ratio), h, or none."""

    unit: str
    meaning: Text
    read: Callable[[ChartInterval], str]


_AVERAGE = text("{figure}: the average of one home; of one member, where there are no homes.")
_BEFORE = text(
    "{figure}: the same energy a day earlier, or a year earlier in the tables of months and years,"
    " scaled to the present number of members: homes and the others, each by their own number. In"
    " the table of a year, it covers the days known of both years, or the whole month if this year"
    " has none."
)
_HOURS = text("{figure}: the number of hours that it covers.")
_LACKING = text("{figure}: the number of these hours in which homes are missing.")


def _of_figures() -> Iterator[tuple[str, Column]]:
    """Yield the columns that each figure has."""
    for key, figure in FIGURES.items():
        yield column(key), Column(figure.unit, figure.meaning, partial(_number, key))
    for key in _ENERGIES:
        meaning = _AVERAGE.fill(figure=FIGURES[key].title)
        yield f"{key}_average_wh", Column(Unit.ENERGY, meaning, partial(_average, key))
    for key in _ENERGIES:
        meaning = _BEFORE.fill(figure=FIGURES[key].title)
        yield f"{key}_before_wh", Column(Unit.ENERGY, meaning, partial(_before, key))
    for key, figure in FIGURES.items():
        name, meaning = key.replace("-", "_"), _HOURS.fill(figure=figure.title)
        yield f"{name}_hours", Column("h", meaning, partial(_hours, key))
    for key, figure in FIGURES.items():
        name, meaning = key.replace("-", "_"), _LACKING.fill(figure=figure.title)
        yield f"{name}_hours_without_homes", Column("h", meaning, partial(_hours_lacking, key))


def _number(key: str, line: ChartInterval) -> str:
    return _text(line.row[key].number)


def _average(key: str, line: ChartInterval) -> str:
    return _text(line.row[key].average_wh)


def _before(key: str, line: ChartInterval) -> str:
    return _text(rounded(line.wh_before(key)))


def _hours(key: str, line: ChartInterval) -> str:
    return f"{line.row[key].hours:g}"


def _hours_lacking(key: str, line: ChartInterval) -> str:
    return f"{line.row[key].hours_lacking:g}"


def _energies(line: ChartInterval) -> list[Value]:
    return [line.row[key] for key in _ENERGIES]


def _since(line: ChartInterval) -> str:
    moments = (value.since for value in _energies(line))
    return max((iso8601.shown(moment) for moment in moments if moment), default="")


def _withheld(line: ChartInterval) -> str:
    hidden = {value.why.reason for value in _energies(line) if value.why is not None}
    return " ".join(sorted(hidden))


COLUMNS: Mapping[str, Column] = {
    "start": Column(
        "",
        text("The start of the interval, with its offset from UTC."),
        lambda line: iso8601.shown(line.row.start),
    ),
    "end": Column(
        "", text("Its end, which is excluded."), lambda line: iso8601.shown(line.row.end)
    ),
    **dict(_of_figures()),
    "hours_ended": Column(
        "h",
        text("The number of hours that have ended, from the first closed day on."),
        lambda line: f"{max(value.hours_ended for value in _energies(line)):g}",
    ),
    "members": Column(
        "",
        text("The largest number of members that a value sums at any one time."),
        lambda line: str(max(value.members for value in _energies(line))),
    ),
    "members_counting": Column(
        "",
        text("The number of members that counted then, including those whose data was missing."),
        lambda line: str(max(value.members_counting for value in _energies(line))),
    ),
    "homes": Column(
        "",
        text("The number of homes among these members."),
        lambda line: str(max(value.homes for value in _energies(line))),
    ),
    "protected_later": Column(
        "",
        text("The number of homes in protected sums that came after the others."),
        lambda line: str(max(value.later for value in _energies(line))),
    ),
    "protected_since": Column(
        "", text("When the last of them came; empty if none came later."), _since
    ),
    "withheld": Column(
        "",
        text("Why energies have no value. If several are hidden, each reason appears once."),
        _withheld,
    ),
}
"""The columns of each table, in their order."""


def as_csv(chart: Chart) -> str:
    """Write the table of a chart."""
    return csv_text([[*COLUMNS], *(written(line, COLUMNS) for line in chart.lines)])


def written(line: ChartInterval, columns: Mapping[str, Column]) -> Sequence[str]:
    """Return a row of a table, with some of its columns."""
    return [column.read(line) for column in columns.values()]


def _text(number: float | None) -> str:
    return "" if number is None else str(number)
