"""The values that records may have, by the kind of their series: at a home as at a collective."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from .identifier import Identifier, SeriesPath
from .senml import Number


@dataclass(frozen=True, slots=True)
class Allowed:
    """Finite values of zero to `most`; of counts, whole ones."""

    most: int
    is_count: bool = False

    def __contains__(self, value: Number) -> bool:
        # A comparison with NaN is false.
        return 0 <= value <= self.most and not (self.is_count and value != int(value))

    def of(self, values: Mapping[Number, Number], factor: int = 1) -> dict[Number, Number]:
        """Return the allowed ones, times a factor."""
        scaled = {at: value * factor for at, value in values.items()}
        return {at: value for at, value in scaled.items() if value in self}


MOST_W: Final = 10**10
"""Of a sum: sums of sums stay in their columns."""
MOST_MEMBERS: Final = 10**8
"""Members of a sum: more than a country has meters."""

_MONTH_OF_A_HOME: Final = Allowed(31 * 25 * 36_000)
"""Of 36 kVA."""
ALLOWED: Final[Mapping[str, Allowed]] = {
    SeriesPath.POWER: Allowed(MOST_W),
    SeriesPath.ENERGY_DAILY: Allowed(25 * MOST_W),
    SeriesPath.ENERGY_INDEX: Allowed(10**15),
    SeriesPath.LOWER_QUARTILE: _MONTH_OF_A_HOME,
    SeriesPath.MEDIAN: _MONTH_OF_A_HOME,
    SeriesPath.UPPER_QUARTILE: _MONTH_OF_A_HOME,
    SeriesPath.MEMBERS: Allowed(MOST_MEMBERS, is_count=True),
    SeriesPath.WITHOUT_HOMES: Allowed(1, is_count=True),
}
"""In W, Wh or one, by the path after the direction; of a count, by its last segment."""


def allowed(series: Identifier) -> Allowed | None:
    """Return what a series may hold; None if it is of no kind in use."""
    path = series.quantity if series.summed is None else str(series).rpartition("/")[2]
    return ALLOWED.get(path or "")
