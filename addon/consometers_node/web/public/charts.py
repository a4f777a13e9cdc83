"""A chart, which is its table drawn: a line for each interval, last year's beside this one's."""

from collections.abc import Iterator, Sequence
import csv
from dataclasses import dataclass
from enum import StrEnum
import io

from ...quoalise import iso8601
from ...series import Direction
from .amounts import Row, spelled


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


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn and tabled. Its numbers are also at `csv`, an address below the place."""

    step: Step
    lines: Sequence[Line]
    csv: str

    @property
    def is_known(self) -> bool:
        """Tell whether there is anything to draw."""
        return any(row.is_known for row in self._rows)

    @property
    def makes(self) -> bool:
        """Tell whether what panels made is known in it."""
        return any(row.made.wh is not None for row in self._rows)

    @property
    def feeds(self) -> bool:
        """Tell whether what was fed into the grid is known in it."""
        return any(row.fed.wh is not None for row in self._rows)

    @property
    def draws(self) -> bool:
        """Tell whether what was drawn from the grid is known in it."""
        return any(row.drawn.wh is not None for row in self._rows)

    @property
    def splits(self) -> bool:
        """Tell whether what is used on the spot is known in it."""
        return any(row.spot_wh is not None for row in self._rows)

    @property
    def uses_some(self) -> bool:
        """Tell whether anything is used on the spot in it."""
        return any(row.spot_wh for row in self._rows)

    @property
    def feeds_some(self) -> bool:
        """Tell whether anything of what is made is known to be fed into the grid in it."""
        return any(row.split_wh and row.both.injection for row in self._rows)

    @property
    def leaves_open(self) -> bool:
        """Tell whether of some of what is made it is not known where it went."""
        return any((row.made.wh or 0) > (row.split_wh or 0) for row in self._rows)

    @property
    def made_before(self) -> bool:
        """Tell whether what panels made the year before is known in it."""
        return any(row.made.wh is not None for row in self._before)

    @property
    def drew_before(self) -> bool:
        """Tell whether what was drawn from the grid the year before is known in it."""
        return any(row.drawn.wh is not None for row in self._before)

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
    "members",
    "withheld",
    *(f"{one}_last_year_wh" for one in _COLUMNS),
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
    is_long = chart.step is Step.MONTH
    writer.writerow((*_HEAD, *_DAYS) if is_long else _HEAD)
    for line in chart.lines:
        writer.writerow((*_written(line), *_days(line)) if is_long else _written(line))
    return out.getvalue()


def _written(line: Line) -> Sequence[str]:
    row, before = line.row, line.before
    amounts = [row[one] for one in _COLUMNS.values()]
    hidden = {spelled(one.why) for one in amounts if one.why is not None}
    return (
        iso8601.shown(row.start),
        iso8601.shown(row.end),
        *(_number(one.wh) for one in amounts),
        _number(row.spot_wh),
        str(row.members),
        " ".join(sorted(hidden)),
        *(_number(before[one].wh if before else None) for one in _COLUMNS.values()),
    )


def _days(line: Line) -> Sequence[int]:
    """Give of how many days each figure is, and how many have ended."""
    row, before = line.row, line.before
    return (
        *(row[one].out for one in _COLUMNS.values()),
        row.both.out,
        max((one.of for one in row.amounts.values()), default=0),
        *(before[one].out if before else 0 for one in _COLUMNS.values()),
    )


def _number(wh: float | None) -> str:
    return "" if wh is None else f"{wh:.0f}"
