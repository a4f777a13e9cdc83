"""Charts and their tables: a line for each interval, with an earlier one for comparison."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ...collective.publication.figures import NOTHING, FlowRow
from ...quoalise import iso8601
from ...series import Direction
from ..core.page_base import csv_text


class Step(StrEnum):
    """The length of a chart's intervals."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class ChartInterval:
    """An interval, and the same one a year before, or of an hour a day before.

    Of a month of which some days are known, `before` is of none but these days.
    """

    row: FlowRow
    before: FlowRow | None = None

    @property
    def is_to_come(self) -> bool:
        """Whether nothing can be shown of it, nor of the one before."""
        return not self.row.amounts and (self.before is None or not self.before.is_known)


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

    def has(self, direction: Direction) -> bool:
        """Return whether energy of a direction is known in it."""
        return any(row[direction].published for row in self._rows)

    def had(self, direction: Direction) -> bool:
        """Return whether energy of a direction is known of the year or the day before."""
        return any(row[direction].published for row in self._before)

    def averages(self, direction: Direction) -> bool:
        """Return whether there is an average of more than one member."""
        return any(row[direction].members > 1 for row in self._rows)

    @property
    def splits(self) -> bool:
        """Return whether self-consumption is known in it."""
        return any(row.spot_wh is not None for row in self._rows)

    @property
    def uses_some(self) -> bool:
        """Return whether there is any self-consumption in it."""
        return any(row.spot_wh for row in self._rows)

    @property
    def feeds_some(self) -> bool:
        """Return whether any production is known to be injected in it."""
        return any(row.split_wh and row.both.injection for row in self._rows)

    @property
    def leaves_open(self) -> bool:
        """Return whether the destination of some production is unknown."""
        return any((row.made.wh or 0) > (row.split_wh or 0) for row in self._rows)

    @property
    def are_homes(self) -> bool:
        return all(row.are_homes for row in (*self._rows, *self._before))

    def before(self, line: ChartInterval, direction: Direction) -> float | None:
        """Return the values of a year or a day before, scaled to the present number of members."""
        if line.before is None or (each := line.before[direction].per_member_wh) is None:
            return None
        now, then = (
            [row[direction].members for row in rows if row[direction].members]
            for rows in (self._rows, self._before)
        )
        return each * (line.row[direction].members or (now or then)[-1])

    @property
    def _rows(self) -> Iterator[FlowRow]:
        return (line.row for line in self.lines)

    @property
    def _before(self) -> Iterator[FlowRow]:
        return (line.before for line in self.lines if line.before is not None)


_COLUMNS = {
    "production": Direction.PRODUCTION,
    "injection": Direction.INJECTION,
    "consumption": Direction.CONSUMPTION,
}
_HEAD = (
    "start",
    "end",
    *(f"{name}_wh" for name in _COLUMNS),
    "self_consumption_wh",
    "total_consumption_wh",
    "shared_locally_wh",
    *(f"{name}_per_member_wh" for name in _COLUMNS),
    "members",
    "members_counting",
    "withheld",
)
_HOURS = (
    *(f"{name}_hours" for name in _COLUMNS),
    "total_consumption_hours",
    "shared_locally_hours",
    "hours_ended",
    *(f"{name}_last_year_wh" for name in _COLUMNS),
    *(f"{name}_last_year_per_member_wh" for name in _COLUMNS),
)
_DAYS = (
    *(f"{name}_days" for name in _COLUMNS),
    "self_consumption_days",
    "days_ended",
    *(f"{name}_last_year_days" for name in _COLUMNS),
)


def as_csv(chart: Chart) -> str:
    """Write the table of a chart."""
    parts = [(_HEAD, _written)]
    if chart.step is not Step.HOUR:
        parts.append((_HOURS, _hours))
    if chart.step is Step.MONTH:
        parts.append((_DAYS, _days))
    head = [name for names, _ in parts for name in names]
    rows = [[cell for _, write in parts for cell in write(line)] for line in chart.lines]
    return csv_text([head, *rows])


def _written(line: ChartInterval) -> Sequence[str]:
    row = line.row
    amounts = [row[direction] for direction in _COLUMNS.values()]
    hidden = {amount.why.spelled for amount in amounts if amount.why is not None}
    return (
        iso8601.shown(row.start),
        iso8601.shown(row.end),
        *(_written_wh(amount.wh) for amount in amounts),
        _written_wh(row.spot_wh),
        _written_wh(row.rates.used_wh),
        _written_wh(row.shared_wh),
        *(_written_wh(amount.per_member_wh) for amount in amounts),
        str(row.members),
        str(row.members_counting),
        " ".join(sorted(hidden)),
    )


def _hours(line: ChartInterval) -> Sequence[str]:
    """Return the hours behind each figure, the hours that have ended, and the year before."""
    amounts = [line.row[direction] for direction in _COLUMNS.values()]
    before = [line.before[way] if line.before else NOTHING for way in _COLUMNS.values()]
    return (
        *(f"{amount.hours:g}" for amount in amounts),
        f"{line.row.rates.minutes / 60:g}",
        f"{line.row.shared_hours:g}",
        f"{max(amount.hours_ended for amount in amounts):g}",
        *(_written_wh(amount.wh) for amount in before),
        *(_written_wh(amount.per_member_wh) for amount in before),
    )


def _days(line: ChartInterval) -> Sequence[str]:
    """Return the days behind each figure, and the days that have ended."""
    row, before = line.row, line.before
    days = (
        *(row[direction].published for direction in _COLUMNS.values()),
        row.both.published,
        max((amount.ended for amount in row.amounts.values()), default=0),
        *(before[direction].published if before else 0 for direction in _COLUMNS.values()),
    )
    return [str(count) for count in days]


def _written_wh(wh: float | None) -> str:
    return "" if wh is None else f"{wh:.0f}"
