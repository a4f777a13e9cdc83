"""A chart, which is its table drawn: a line for each interval, last year's beside this one's."""

from collections.abc import Iterator, Sequence
import csv
from dataclasses import dataclass
from enum import StrEnum
import io

from ...quoalise import iso8601
from ...series import Direction
from .energy_rows import NOTHING, Row, spelled


class Step(StrEnum):
    """How long the intervals of a chart are."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Line:
    """An interval, and the same one a year before.

    Of a month of which some days are known, `before` is of none but these days.
    """

    row: Row
    before: Row | None = None

    def before_alike(self, direction: Direction, members: int) -> float | None:
        """Return what the year before was for as many members as now, or else for so many."""
        if self.before is None or (each := self.before[direction].per_member_wh) is None:
            return None
        return each * (self.row[direction].members or members)


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn and tabled. Its numbers are also at `csv`, an address below the place."""

    step: Step
    lines: Sequence[Line]
    csv: str

    @property
    def is_known(self) -> bool:
        """Return whether there is anything to draw."""
        return any(row.is_known for row in self._rows)

    @property
    def makes(self) -> bool:
        """Return whether what panels made is known in it."""
        return any(row.made.wh is not None for row in self._rows)

    @property
    def feeds(self) -> bool:
        """Return whether what was fed into the grid is known in it."""
        return any(row.fed.wh is not None for row in self._rows)

    @property
    def draws(self) -> bool:
        """Return whether what was drawn from the grid is known in it."""
        return any(row.drawn.wh is not None for row in self._rows)

    @property
    def splits(self) -> bool:
        """Return whether what is used on the spot is known in it."""
        return any(row.spot_wh is not None for row in self._rows)

    @property
    def uses_some(self) -> bool:
        """Return whether anything is used on the spot in it."""
        return any(row.spot_wh for row in self._rows)

    @property
    def feeds_some(self) -> bool:
        """Return whether anything of what is made is known to be fed into the grid in it."""
        return any(row.split_wh and row.both.injection for row in self._rows)

    @property
    def leaves_open(self) -> bool:
        """Return whether of some of what is made it is not known where it went."""
        return any((row.made.wh or 0) > (row.split_wh or 0) for row in self._rows)

    @property
    def made_before(self) -> bool:
        """Return whether what panels made the year before is known in it."""
        return any(row.made.wh is not None for row in self._before)

    @property
    def drew_before(self) -> bool:
        """Return whether what was drawn from the grid the year before is known in it."""
        return any(row.drawn.wh is not None for row in self._before)

    @property
    def are_homes(self) -> bool:
        """Whether all that is in it are homes."""
        return all(row.are_homes for row in (*self._rows, *self._before))

    @property
    def draws_each(self) -> bool:
        """Whether there is an average of more than one member."""
        return any(row.drawn.members > 1 for row in self._rows)

    @property
    def makes_each(self) -> bool:
        """Whether there is an average of what more than one member made."""
        return any(row.made.members > 1 for row in self._rows)

    def before(self, line: Line, direction: Direction) -> float | None:
        """Return what the year before was, for as many members as now: so bars compare."""
        known = [row[direction].members for row in self._rows if row[direction].members]
        then = [row[direction].members for row in self._before if row[direction].members]
        return line.before_alike(direction, next(iter([*known[-1:], *then[-1:]]), 0))

    @property
    def _rows(self) -> Iterator[Row]:
        return (line.row for line in self.lines)

    @property
    def _before(self) -> Iterator[Row]:
        return (line.before for line in self.lines if line.before is not None)


_COLUMNS = {
    "production": Direction.PRODUCTION,
    "injection": Direction.INJECTION,
    "consumption": Direction.CONSUMPTION,
}
_HEAD = (
    "start",
    "end",
    *(f"{one}_wh" for one in _COLUMNS),
    "self_consumption_wh",
    *(f"{one}_per_member_wh" for one in _COLUMNS),
    "members",
    "members_counting",
    "withheld",
)
_HOURS = (
    *(f"{one}_hours" for one in _COLUMNS),
    "hours_ended",
    *(f"{one}_last_year_wh" for one in _COLUMNS),
    *(f"{one}_last_year_per_member_wh" for one in _COLUMNS),
)
_DAYS = (
    *(f"{one}_days" for one in _COLUMNS),
    "self_consumption_days",
    "days_ended",
    *(f"{one}_last_year_days" for one in _COLUMNS),
)


def as_csv(chart: Chart) -> str:
    """Write the table of a chart."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    parts = [(_HEAD, _written)]
    if chart.step is not Step.HOUR:
        parts.append((_HOURS, _hours))
    if chart.step is Step.MONTH:
        parts.append((_DAYS, _days))
    writer.writerow([name for names, _ in parts for name in names])
    for line in chart.lines:
        writer.writerow([cell for _, write in parts for cell in write(line)])
    return out.getvalue()


def _written(line: Line) -> Sequence[str]:
    row = line.row
    amounts = [row[one] for one in _COLUMNS.values()]
    hidden = {spelled(one.why) for one in amounts if one.why is not None}
    return (
        iso8601.shown(row.start),
        iso8601.shown(row.end),
        *(_number(one.wh) for one in amounts),
        _number(row.spot_wh),
        *(_number(one.per_member_wh) for one in amounts),
        str(row.members),
        str(row.members_counting),
        " ".join(sorted(hidden)),
    )


def _hours(line: Line) -> Sequence[str]:
    """Return of how many hours each figure is, how many have ended, and the year before."""
    amounts = [line.row[one] for one in _COLUMNS.values()]
    before = [line.before[one] if line.before else NOTHING for one in _COLUMNS.values()]
    return (
        *(f"{one.hours:g}" for one in amounts),
        f"{max((one.hours_of for one in amounts), default=0):g}",
        *(_number(one.wh) for one in before),
        *(_number(one.per_member_wh) for one in before),
    )


def _days(line: Line) -> Sequence[str]:
    """Return of how many days each figure is, and how many have ended."""
    row, before = line.row, line.before
    days = (
        *(row[one].out for one in _COLUMNS.values()),
        row.both.out,
        max((one.of for one in row.amounts.values()), default=0),
        *(before[one].out if before else 0 for one in _COLUMNS.values()),
    )
    return [str(one) for one in days]


def _number(wh: float | None) -> str:
    return "" if wh is None else f"{wh:.0f}"
