"""The load on the meter: the world's flows, and an overload when one is wanted."""

from dataclasses import dataclass

from .world import SEGMENT_S, Energy, World


@dataclass(slots=True)
class Overload:
    """Appliances switched on until a given power is drawn. `end` is None while it lasts."""

    start: int
    power_w: int
    end: int | None = None

    def covers(self, second: int) -> bool:
        return self.start <= second and (self.end is None or second < self.end)


class Load:
    """Power and energy at the meter's terminals, by Unix second."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.overloads: list[Overload] = []

    def by_phase_w(self, second: int) -> tuple[int, ...]:
        """Return active power by phase: positive drawn, negative injected."""
        n, within = divmod(second, SEGMENT_S)
        segment = self.world.segment(n)
        for overload in self.overloads:
            if overload.covers(second):
                return segment.by_phase(overload.power_w)
        net, _ = segment.powers(within)
        return segment.by_phase(net)

    def energy_wh(self, n: int, seconds: int = SEGMENT_S) -> tuple[int, int]:
        """Return (drawn, injected) in the first seconds of the n-th segment."""
        overloads = self._in(n)
        if not overloads:
            used, made = (values[n % 144] for values in self.world.day(n // 144))
            if seconds == SEGMENT_S:
                return max(0, used - made), max(0, made - used)
            energy = self.world.segment(n).energy(seconds)
            return energy.drawn_wh, energy.injected_wh
        segment = self.world.segment(n)
        usual, overload_wh, done = Energy(), 0, 0
        for overload in overloads:
            start = min(seconds, max(done, overload.start - n * SEGMENT_S))
            end = seconds if overload.end is None else overload.end - n * SEGMENT_S
            end = min(seconds, max(start, end))
            usual += segment.energy(start) - segment.energy(done)
            overload_wh += overload.power_w * (end - start) // 3600
            done = end
        usual += segment.energy(seconds) - segment.energy(done)
        return usual.drawn_wh + overload_wh, usual.injected_wh

    def peaks(self, n: int) -> list[int]:
        """Return the seconds of the n-th segment among which its highest power is."""
        if self._in(n):
            return list(range(SEGMENT_S))
        segment = self.world.segment(n)
        peaks = {0, SEGMENT_S - 1, *segment.grid.peaks(SEGMENT_S), *segment.sun.peaks(SEGMENT_S)}
        return sorted(second for second in peaks if 0 <= second < SEGMENT_S)

    def _in(self, n: int) -> list[Overload]:
        start, end = n * SEGMENT_S, (n + 1) * SEGMENT_S
        return [
            overload
            for overload in self.overloads
            if overload.start < end and (overload.end is None or overload.end > start)
        ]
