"""The confidential parameter of the p % rule. Pure.

A member that lies about itself finds by which record its cell stops to pass, and could compute the
others from that with a known parameter, or with one that it finds on records of its own. So half of
its spread differs by the pair of homes that it protects from each other, for a month: what is found
on one pair says nothing of another. The other half differs by the day, so that a month has no more
than some thirty values to take a mean of. docs/disclosure.md says what attackers reach.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from ...keyed_draw import keyed_draw
from ...series import Direction
from .sdc_rules import P_PERCENT, Cell

_HALF = 50 * (P_PERCENT[-1] - P_PERCENT[0])
"""Half of the spread, in hundredths of a percent."""


@dataclass(frozen=True, slots=True)
class ConfidentialParameter:
    """The parameter of the cells of a direction on a civil day, by a collective's secret."""

    secret: bytes = field(repr=False)
    direction: Direction
    day: date

    def __call__(self, groups: Iterable[int], cell: Cell) -> int:
        """Return the parameter for the cell of groups, in hundredths of a percent."""
        where = self.direction.value, sorted(groups)
        of_pair = keyed_draw(self.secret, _HALF, "pair", f"{self.day:%Y-%m}", *where, cell.pair)
        of_day = keyed_draw(self.secret, _HALF, "day", f"{self.day:%Y-%m-%d}", *where)
        return 100 * P_PERCENT[0] + of_pair + of_day
