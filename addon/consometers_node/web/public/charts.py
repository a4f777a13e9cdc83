"""A chart, which is its table drawn: a line for each interval, last year's beside this one's."""

from collections.abc import Iterable, Iterator, Sequence
import csv
from dataclasses import dataclass
from enum import StrEnum
import io

from ...quoalise import iso8601
from .amounts import Amount, Row


class Step(StrEnum):
    """How long the intervals of a chart are."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Line:
    """An interval, and the same one a year before."""

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
        return any(line.row.is_known for line in self.lines)

    @property
    def makes(self) -> bool:
        """Tell whether panels are in it."""
        return self._has("made")

    @property
    def feeds(self) -> bool:
        """Tell whether anything is fed into the grid in it."""
        return self._has("fed")

    @property
    def draws(self) -> bool:
        """Tell whether anything is drawn from the grid in it."""
        return self._has("drawn")

    @property
    def splits(self) -> bool:
        """Tell whether what is used on the spot is known in it."""
        return any(line.row.spot_wh is not None for line in self.lines)

    @property
    def compares(self) -> bool:
        """Tell whether anything of the year before is in it."""
        return any(line.before is not None and line.before.is_known for line in self.lines)

    def _has(self, what: str) -> bool:
        rows = [line.row for line in self.lines]
        rows += [line.before for line in self.lines if line.before is not None]
        return any(row.amounts and _amount(row, what).of for row in rows)


_COLUMNS = ("made", "fed", "drawn")
_HEAD = (
    "start",
    "end",
    *("production_wh", "injection_wh", "consumption_wh", "self_consumption_wh"),
    "members",
    "withheld",
    *(f"{one}_last_year_wh" for one in ("production", "injection", "consumption")),
)


def as_csv(chart: Chart) -> str:
    """Write the table of a chart."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(_HEAD)
    writer.writerows(_written(chart.lines))
    return out.getvalue()


def _written(lines: Iterable[Line]) -> Iterator[Sequence[str]]:
    for line in lines:
        row, before = line.row, line.before
        amounts = [_amount(row, one) for one in _COLUMNS]
        hidden = {one.why.reason.name.lower() for one in amounts if one.why is not None}
        yield (
            iso8601.shown(row.start),
            iso8601.shown(row.end),
            *(_number(one.wh) for one in amounts),
            _number(row.spot_wh),
            str(row.members),
            " ".join(sorted(hidden)),
            *(_number(_amount(before, one).wh if before else None) for one in _COLUMNS),
        )


def _amount(row: Row, what: str) -> Amount:
    amount = getattr(row, what)
    assert isinstance(amount, Amount)
    return amount


def _number(wh: float | None) -> str:
    return "" if wh is None else f"{wh:.0f}"
