"""Collective self-consumption, simulated on published intervals. Pure.

Code de l'énergie, L315-2: members that inject and members that draw share the energy of each
interval: what they can share is the smaller of both sums. In a real operation the grid operator
counts it, within a perimeter, for those that signed. This says what there would be to share.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate
from operator import itemgetter

from consometers_node.collective.publication.member_values import WH

_PERCENT = 100


@dataclass(frozen=True, slots=True)
class SharedSun:
    """Energy in watt-minutes: injected, drawn, and shared among members at the same time."""

    injected: Fraction
    drawn: Fraction
    shared: Fraction

    @property
    def shared_wh(self) -> float:
        """What members shared, in Wh."""
        return float(self.shared / WH)

    @property
    def used_share(self) -> Fraction | None:
        """Which share of the injection other members used; None where nothing was injected."""
        return self.shared / self.injected if self.injected else None

    @property
    def covered_share(self) -> Fraction | None:
        """Which share of what members drew came from members; None where nothing was drawn."""
        return self.shared / self.drawn if self.drawn else None


class Exchanges:
    """What was injected and drawn in each interval of a period."""

    def __init__(self, intervals: Iterable[tuple[int, int]]) -> None:
        """Take pairs in watt-minutes: injected, drawn."""
        pairs = [(injected, drawn) for injected, drawn in intervals if injected >= 0 <= drawn]
        by_ratio = sorted(
            ((Fraction(drawn, injected), injected, drawn) for injected, drawn in pairs if injected),
            key=itemgetter(0),
        )
        self.intervals = len(pairs)
        self._injected = sum(injected for injected, _ in pairs)
        self._drawn = sum(drawn for _, drawn in pairs)
        self._ratios = [ratio for ratio, _, _ in by_ratio]
        self._injected_up_to = [0, *accumulate(injected for _, injected, _ in by_ratio)]
        self._drawn_up_to = [0, *accumulate(drawn for _, _, drawn in by_ratio)]

    def simulate(self, panels_percent: int = 100, members_percent: int = 100) -> SharedSun:
        """Return what would be shared with so many times the injection, and the consumption.

        New panels and members are taken to be like those that are there. Raises ValueError on
        members that are not more than none.
        """
        if members_percent <= 0 or panels_percent < 0:
            raise ValueError("there are members, and panels not fewer than none")
        panels = Fraction(panels_percent, _PERCENT)
        members = Fraction(members_percent, _PERCENT)
        return SharedSun(
            panels * self._injected, members * self._drawn, members * self._shared(panels / members)
        )

    def _shared(self, factor: Fraction) -> Fraction:
        """Return the sum of the smaller of `factor` times the injection and consumption."""
        # Where consumption is at most that, all of it is covered; elsewhere, all injection is used.
        covered = bisect_right(self._ratios, factor)
        left = self._injected_up_to[-1] - self._injected_up_to[covered]
        return self._drawn_up_to[covered] + factor * left
