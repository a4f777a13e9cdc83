"""A row of statistics as plain values. Pure. Times are seconds, Unix; energies are Wh."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

HOUR_S: Final = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The recorder's row of some minutes or an hour: sum and state at its end."""

    start: float
    end: float
    sum_wh: float
    state_wh: float | None

    @property
    def hour(self) -> float:
        """The beginning of its hour."""
        return self.start - self.start % HOUR_S


type Rows = Sequence[Row]


def energies(rows: Rows, *, from_zero: bool = False) -> dict[float, float]:
    """Return the energy of each hour with both sums, by its start.

    A series that begins `from_zero` has all of its first sum in its first hour.
    """
    sums = {row.start: row.sum_wh for row in rows}
    if from_zero and rows:
        sums.setdefault(rows[0].start - HOUR_S, 0.0)
    return {at: wh - sums[at - HOUR_S] for at, wh in sums.items() if at - HOUR_S in sums}
