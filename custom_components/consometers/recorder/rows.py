"""A row of statistics as plain values. Pure. Times are seconds, Unix; energies are Wh."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

HOUR_S: Final = 3_600


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What the recorder has of some minutes or an hour: sum and state at its end."""

    start: float
    end: float
    sum_wh: float
    state_wh: float | None

    @property
    def hour(self) -> float:
        """The beginning of its hour."""
        return self.start - self.start % HOUR_S


type Rows = Sequence[Row]
