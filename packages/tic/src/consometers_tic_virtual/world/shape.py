"""How power is spread inside a segment: a slow ripple, and an appliance that runs for a while."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, cos, floor, pi, sin

from .noise import unit

_RIPPLE, _WAVES, _PHASE, _APPLIANCE, _START, _LASTS = 401, 402, 403, 404, 405, 406


@dataclass(frozen=True, slots=True)
class Shape:
    """A spread over [0, 1) whose mean is 1: `weight` is never negative, `progress` its integral.

    A cosine of `waves` periods with `ripple` as amplitude, and a `part` of the whole that falls
    evenly between `start` and `end`.
    """

    ripple: float
    waves: int
    phase: float
    part: float = 0.0
    start: float = 0.0
    end: float = 1.0

    @classmethod
    def of_sky(cls, seed: int, n: int) -> Shape:
        """Return how the sun comes and goes in segment n."""
        return cls(
            0.12 * unit(seed + _RIPPLE, n),
            1 + int(3 * unit(seed + _WAVES, n)),
            2 * pi * unit(seed + _PHASE, n),
        )

    @classmethod
    def of_people(cls, seed: int, n: int, net_wh: int) -> Shape:
        """Return how appliances go on and off in segment n: most of the time one does."""
        ripple, phase = 0.08 * unit(seed + _RIPPLE, ~n), 2 * pi * unit(seed + _PHASE, ~n)
        waves = 1 + int(4 * unit(seed + _WAVES, ~n))
        chance = unit(seed + _APPLIANCE, n)
        if chance < 0.4 or net_wh <= 0:
            return cls(ripple, waves, phase)
        start = 0.7 * unit(seed + _START, n)
        lasts = 0.1 + 0.2 * unit(seed + _LASTS, n)
        # Small appliances may double the power of the house, large ones do not.
        part = min(0.4 * (chance - 0.4), 60 * lasts / net_wh)
        return cls(ripple, waves, phase, part, start, start + lasts)

    def weight(self, u: float) -> float:
        """Return power at `u`, as a multiple of its mean."""
        weight = (1 - self.part) * (1 + self.ripple * cos(2 * pi * self.waves * u + self.phase))
        if self.start <= u < self.end:
            weight += self.part / (self.end - self.start)
        return weight

    def progress(self, u: float) -> float:
        """Return the part of the energy that has flowed at `u`."""
        turn = 2 * pi * self.waves
        rippled = u + self.ripple * (sin(turn * u + self.phase) - sin(self.phase)) / turn
        on = min(max(u, self.start), self.end) - self.start
        return (1 - self.part) * rippled + self.part * on / (self.end - self.start)

    def peaks(self, seconds: int) -> Iterator[int]:
        """Yield seconds of a segment of that length, one of which has the highest weight.

        Between the borders of the appliance power follows the cosine: its highest whole second
        is at a border or beside a crest.
        """
        for border in (0.0, self.start, self.end, 1.0):
            second = ceil(border * seconds)
            yield from (second - 1, second)
        for wave in range(self.waves + 1):
            crest = (wave - self.phase / (2 * pi)) / self.waves * seconds
            yield from (floor(crest), ceil(crest))
