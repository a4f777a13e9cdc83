"""Charts and their tables: a line for each interval, with an earlier one for comparison."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from consometers_node.collective.publication.reading.values import FlowRow, rounded
from consometers_node.figures import FIGURES, Unit
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


_NAMES = [key.replace("-", "_") for key in FIGURES]
COLUMNS = (
    "start",
    "end",
    *map(column, FIGURES),
    *(f"{key}_average_wh" for key in _ENERGIES),
    *(f"{key}_before_wh" for key in _ENERGIES),
    *(f"{name}_hours" for name in _NAMES),
    *(f"{name}_hours_without_homes" for name in _NAMES),
    "hours_ended",
    "members",
    "members_counting",
    "homes",
    "protected_later",
    "protected_since",
    "withheld",
)


def as_csv(chart: Chart) -> str:
    """Write the table of a chart."""
    return csv_text([COLUMNS, *map(_written, chart.lines)])


def _written(line: ChartInterval) -> Sequence[str]:
    row = line.row
    values = {key: row[key] for key in FIGURES}
    energies = [values[key] for key in _ENERGIES]
    hidden = {value.why.reason for value in energies if value.why is not None}
    return (
        iso8601.shown(row.start),
        iso8601.shown(row.end),
        *(_text(value.number) for value in values.values()),
        *(_text(value.average_wh) for value in energies),
        *(_text(rounded(line.wh_before(key))) for key in _ENERGIES),
        *(f"{value.hours:g}" for value in values.values()),
        *(f"{value.hours_lacking:g}" for value in values.values()),
        f"{max(value.hours_ended for value in energies):g}",
        str(max(value.members for value in energies)),
        str(max(value.members_counting for value in energies)),
        str(max(value.homes for value in energies)),
        str(max(value.later for value in energies)),
        max((iso8601.shown(value.since) for value in energies if value.since), default=""),
        " ".join(sorted(hidden)),
    )


def _text(number: float | None) -> str:
    return "" if number is None else str(number)
