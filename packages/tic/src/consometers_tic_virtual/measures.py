"""The meter's measures of each second, and its memory: maxima, means, load curve."""

from dataclasses import dataclass

from .load import Load
from .registers import cos_phi
from .world import SEGMENT_S
from .world.noise import smooth, unit

CURVE_S = 1800
"""Period of the load curve."""
_CURVE_PUBLISHED_S = 5
_VOLTAGE, _JITTER = 701, 702


@dataclass(frozen=True, slots=True)
class Maximum:
    """The highest apparent power, VA, and the second at which it was first reached."""

    power_va: int
    at: int

    def or_later(self, other: Maximum) -> Maximum:
        return other if other.power_va > self.power_va else self


@dataclass(frozen=True, slots=True)
class Maxima:
    """Those of a day: drawn, drawn by phase, injected."""

    drawn: Maximum
    phases: tuple[Maximum, ...]
    injected: Maximum

    @classmethod
    def of(cls, apparent_va: tuple[int, ...], second: int) -> Maxima:
        """Return those of one second, from apparent power by phase."""
        total = sum(apparent_va)
        return cls(
            Maximum(max(0, total), second),
            tuple(Maximum(max(0, va), second) for va in apparent_va),
            Maximum(max(0, -total), second),
        )

    def or_later(self, other: Maxima) -> Maxima:
        return Maxima(
            self.drawn.or_later(other.drawn),
            tuple(a.or_later(b) for a, b in zip(self.phases, other.phases, strict=True)),
            self.injected.or_later(other.injected),
        )


class Measures:
    """Currents, voltages and apparent powers from the load, at Unix seconds."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._seed = load.world.seed
        self._whole: dict[tuple[int, int], Maxima] = {}
        self._running: tuple[int, int, Maxima] | None = None

    def apparent_va(self, second: int) -> tuple[int, ...]:
        """Return apparent power by phase: positive drawn, negative injected."""
        factor = cos_phi(self._seed, second // SEGMENT_S)
        return tuple(round(power / factor) for power in self._load.by_phase_w(second))

    def mean_voltage_v(self, phase: int, n: int) -> float:
        """Return the mean voltage of a phase, 1 to 3, in the n-th segment."""
        return 231 + 9 * (smooth(self._seed + _VOLTAGE + 10 * phase, n / 20) - 0.5)

    def voltage_v(self, phase: int, second: int) -> int:
        jitter = 2.4 * (unit(self._seed + _JITTER + 10 * phase, second) - 0.5)
        return round(self.mean_voltage_v(phase, second // SEGMENT_S) + jitter)

    def current_a(self, phase: int, second: int) -> int:
        """Return the RMS current, which has no direction."""
        return round(abs(self.apparent_va(second)[phase - 1]) / self.voltage_v(phase, second))

    def curve_end(self, second: int) -> int:
        """Return the end of the last period of the load curve that is published."""
        return (second - _CURVE_PUBLISHED_S) // CURVE_S * CURVE_S

    def curve_w(self, end: int) -> tuple[int, int]:
        """Return the mean power (drawn, injected) of the period that ends there."""
        drawn = injected = 0
        for n in range((end - CURVE_S) // SEGMENT_S, end // SEGMENT_S):
            energy = self._load.energy_wh(n)
            drawn, injected = drawn + energy[0], injected + energy[1]
        return drawn * 3600 // CURVE_S, injected * 3600 // CURVE_S

    def maxima(self, start: int, second: int) -> Maxima:
        """Return the highest powers from `start` to `second`, both included."""
        n, within = divmod(second, SEGMENT_S)
        running = self._running
        if running is None or running[0] != start or running[1] > n:
            running = (start, start // SEGMENT_S, Maxima.of(self.apparent_va(start), start))
        _, k, maxima = running
        for done in range(k, n):
            maxima = maxima.or_later(self._of_segment(done, start, SEGMENT_S - 1))
        self._running = (start, n, maxima)
        return maxima.or_later(self._of_segment(n, start, within))

    def maxima_of_day(self, start: int, end: int) -> Maxima:
        """Return the highest powers of a whole day, `end` not included."""
        if (start, end) not in self._whole:
            running = self._running
            self._whole = {(start, end): self.maxima(start, end - 1)}
            self._running = running
        return self._whole[start, end]

    def _of_segment(self, n: int, start: int, last: int) -> Maxima:
        first = n * SEGMENT_S
        seconds = [first + s for s in self._load.peaks(n) if s <= last and first + s >= start]
        seconds.append(max(start, first + last))
        maxima = Maxima.of(self.apparent_va(seconds[0]), seconds[0])
        for second in seconds[1:]:
            maxima = maxima.or_later(Maxima.of(self.apparent_va(second), second))
        return maxima
