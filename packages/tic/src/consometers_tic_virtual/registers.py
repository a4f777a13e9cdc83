"""The meter's registers at any second: whole Wh by supplier's and distributor's index."""

from dataclasses import dataclass

from .calendar import Calendar
from .load import Load
from .world import SEGMENT_S
from .world.noise import unit

_SUPPLIER, _DISTRIBUTOR, _REACTIVE = 10, 4, 4
_INJECTED = _SUPPLIER + _DISTRIBUTOR
_PER_DAY = 144
_COS_PHI, _CAPACITIVE = 601, 602
_SMALL_WH = 70


@dataclass(frozen=True, slots=True)
class Registers:
    """Energy since the meter was put in, Wh and VArh. Every sum of them is exact."""

    supplier_wh: tuple[int, ...]
    distributor_wh: tuple[int, ...]
    injected_wh: int
    reactive_varh: tuple[int, ...]

    @property
    def drawn_wh(self) -> int:
        return sum(self.supplier_wh)


def cos_phi(seed: int, n: int) -> float:
    """Return the power factor of the n-th segment."""
    return 0.92 + 0.07 * unit(seed + _COS_PHI, n)


class Counter:
    """Adds up what flows. It starts at zero at the world's origin.

    What was asked of it stays: a change of load or calendar is to be later than the latest
    second that was asked for.
    """

    def __init__(self, load: Load, calendar: Calendar) -> None:
        self._load = load
        self._calendar = calendar
        self._seed = load.world.seed
        self._first_day = load.world.origin_day
        nothing = (0,) * (_INJECTED + 1 + _REACTIVE)
        self._days: list[tuple[int, ...]] = [nothing]
        self._day = -1
        self._slots: list[tuple[int, ...]] = []
        self._zero = nothing

    def restart(self, second: int) -> None:
        """Count from zero at that second: it is another meter."""
        self._zero = self._count(second)

    def at(self, second: int) -> Registers:
        """Return the registers at a Unix time."""
        now = [count - zero for count, zero in zip(self._count(second), self._zero, strict=True)]
        return Registers(
            tuple(now[:_SUPPLIER]),
            tuple(now[_SUPPLIER:_INJECTED]),
            now[_INJECTED],
            tuple(now[_INJECTED + 1 :]),
        )

    def _count(self, second: int) -> tuple[int, ...]:
        n, within = divmod(second, SEGMENT_S)
        day, slot = divmod(n, _PER_DAY)
        if day < self._first_day:
            return self._days[0]
        while len(self._days) <= day - self._first_day:
            former = self._first_day + len(self._days) - 1
            counts = list(self._days[-1])
            for k in range(former * _PER_DAY, (former + 1) * _PER_DAY):
                self._add(counts, k)
            self._days.append(tuple(counts))
        if self._day != day:
            self._day, self._slots = day, [self._days[day - self._first_day]]
        while len(self._slots) <= slot:
            counts = list(self._slots[-1])
            self._add(counts, day * _PER_DAY + len(self._slots) - 1)
            self._slots.append(tuple(counts))
        counts = list(self._slots[slot])
        if within:
            self._add(counts, n, within)
        return tuple(counts)

    def _add(self, counts: list[int], n: int, seconds: int = SEGMENT_S) -> None:
        supplier, distributor = self._calendar.indexes_at(n * SEGMENT_S)
        drawn, injected = self._load.energy_wh(n, seconds)
        counts[supplier - 1] += drawn
        counts[_SUPPLIER + distributor - 1] += drawn
        counts[_INJECTED] += injected
        factor = cos_phi(self._seed, n)
        tangent = (1 - factor * factor) ** 0.5 / factor
        # At rest a house is capacitive: chargers, lamps. Quadrants 1 and 4 draw, 2 and 3 inject.
        used, made = (values[n % _PER_DAY] for values in self._load.world.day(n // _PER_DAY))
        capacitive = abs(used - made) < _SMALL_WH and unit(self._seed + _CAPACITIVE, n) < 0.6
        counts[_INJECTED + (4 if capacitive else 1)] += int(drawn * tangent)
        counts[_INJECTED + (3 if capacitive else 2)] += int(injected * tangent)
