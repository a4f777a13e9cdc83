"""The confidential parameter of the p % rule. Pure.

A member that lies about itself finds by which record its cell stops to pass, and could compute the
others from that with a known parameter, or with one that it finds on records of its own. So most of
the spread differs by the pair of homes that it protects from each other, for a month: what is found
on one pair says nothing of another. It differs by the magnitude of the largest part too: otherwise
two thresholds of the same pair, with a known amount between them, would give it away. The rest
differs by the day, and blurs what is left between two values of one magnitude. docs/disclosure.md
has what attackers reach.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from consometers_node.series import Direction
from consometers_protected_sums.keyed_draw import keyed_draw

from .sdc_rules import P_PERCENT, Cell

_OF_PAIR = 75 * (P_PERCENT[-1] - P_PERCENT[0])
"""Three quarters of the spread, in hundredths of a percent."""
_OF_DAY = 25 * (P_PERCENT[-1] - P_PERCENT[0])
_MAGNITUDE_BITS = 3
"""The leading bits of a value that are its magnitude."""


@dataclass(frozen=True, slots=True)
class ConfidentialParameter:
    """The parameter of the cells of a direction on a civil day, by a collective's secret."""

    secret: bytes = field(repr=False)
    direction: Direction
    day: date

    def __call__(self, groups: Iterable[int], cell: Cell) -> int:
        """Return the parameter for the cell of groups, in hundredths of a percent."""
        alike = self.direction.value, sorted(groups), magnitude(cell.largest)
        of_pair = keyed_draw(self.secret, _OF_PAIR, "pair", f"{self.day:%Y-%m}", cell.pair, *alike)
        of_day = keyed_draw(self.secret, _OF_DAY, "day", f"{self.day:%Y-%m-%d}", *alike)
        return 100 * P_PERCENT[0] + of_pair + of_day


def magnitude(value: int) -> int:
    """Return a value without what follows its leading bits."""
    dropped = max(0, value.bit_length() - _MAGNITUDE_BITS)
    return value >> dropped << dropped
