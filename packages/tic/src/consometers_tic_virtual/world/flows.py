"""The flows of energy in a building with panels: power at any moment, and its exact integral.

Time is cut into segments of ten minutes. In each of them use and production have a whole number of
Wh, and the grid one direction; inside, power follows a `Shape` of which the integral is known. So
a register can be read at any second of years without adding up more than the segments of days,
and it always agrees with the power.
"""

from array import array
from dataclasses import dataclass
from datetime import UTC, date, datetime

from .civil import local
from .noise import unit
from .shape import Shape
from .site import HOUSEHOLD, SLOTS, Site
from .sun import SunDay, clouds, production_w

SEGMENT_S = 600
ORIGIN = datetime(2025, 1, 1, tzinfo=UTC)
"""The day on which registers start at zero, unless another is given."""

_PER_DAY = 144
_DAY_S = 86_400
_W_PER_WH = 3600 // SEGMENT_S
_PHASE_1 = 301
_KEPT_SEGMENTS = 512


@dataclass(frozen=True, slots=True)
class Energy:
    """Registers: energy since the origin, Wh. consumption = production + drawn - injected."""

    consumption_wh: int = 0
    production_wh: int = 0
    drawn_wh: int = 0
    injected_wh: int = 0

    def __add__(self, other: Energy) -> Energy:
        return Energy(
            self.consumption_wh + other.consumption_wh,
            self.production_wh + other.production_wh,
            self.drawn_wh + other.drawn_wh,
            self.injected_wh + other.injected_wh,
        )

    def __sub__(self, other: Energy) -> Energy:
        return Energy(
            self.consumption_wh - other.consumption_wh,
            self.production_wh - other.production_wh,
            self.drawn_wh - other.drawn_wh,
            self.injected_wh - other.injected_wh,
        )


@dataclass(frozen=True, slots=True)
class Segment:
    """Ten minutes: the energy used and made in them, and how power is spread over them.

    `shares` are those of the phases in what the grid gives or gets.
    """

    consumption_wh: int
    production_wh: int
    grid: Shape
    sun: Shape
    shares: tuple[float, ...]

    @property
    def net_wh(self) -> int:
        return self.consumption_wh - self.production_wh

    def energy(self, seconds: int) -> Energy:
        """Return what flowed in the first seconds of the segment."""
        u = seconds / SEGMENT_S
        grid = self.grid.progress(u)
        sun = self.sun.progress(u)
        net = self.net_wh
        if net <= 0:
            return Energy(
                int(self.consumption_wh * sun), int(self.production_wh * sun), 0, int(-net * sun)
            )
        return Energy(
            int(net * grid + self.production_wh * sun),
            int(self.production_wh * sun),
            int(net * grid),
            0,
        )

    def powers(self, second: int) -> tuple[int, int]:
        """Return (from the grid, from the panels), W, at a second of the segment."""
        u = second / SEGMENT_S
        sun = self.sun.weight(u)
        grid = sun if self.net_wh <= 0 else self.grid.weight(u)
        return (
            round(_W_PER_WH * self.net_wh * grid),
            round(_W_PER_WH * self.production_wh * sun),
        )

    def by_phase(self, net_w: int) -> tuple[int, ...]:
        """Split a power over the phases."""
        # Each is rounded by itself, so that all of them are highest when the whole is.
        return tuple(round(net_w * share) for share in self.shares)


class World:
    """One building under the sun of Lorient. Times are Unix seconds; doors take datetimes."""

    def __init__(
        self,
        site: Site = HOUSEHOLD,
        *,
        kwp: float | None = None,
        phases: int = 1,
        seed: int = 1,
        origin: datetime = ORIGIN,
    ) -> None:
        """Build it. `kwp` is the panels' peak power, by default the site's; 0 for none."""
        self.site = site
        self.kwp = site.kwp if kwp is None else kwp
        self.phases = phases
        self.seed = seed
        self.origin_day = int(origin.timestamp()) // _DAY_S
        # By day since the origin: use and production of its segments, and the energy before it.
        self._days: list[tuple[array[int], array[int]]] = []
        self._before: list[Energy] = [Energy()]
        self._segments: dict[int, Segment] = {}

    @property
    def origin_s(self) -> int:
        return self.origin_day * _DAY_S

    def energy(self, at: datetime) -> Energy:
        """Return the registers at that moment. The first call takes about a second per year."""
        return self.energy_at(int(at.timestamp()))

    def powers_at(self, second: int) -> tuple[int, int]:
        """Return (from the grid, from the panels), W; what the grid gets is negative."""
        n, within = divmod(second, SEGMENT_S)
        return self.segment(n).powers(within)

    def energy_at(self, second: int) -> Energy:
        n, within = divmod(second, SEGMENT_S)
        day, slot = divmod(n, _PER_DAY)
        if day < self.origin_day:
            return Energy()
        index = day - self.origin_day
        self._reach(index)
        use, sun = self._days[index]
        before = self._before[index] + _sum(use[:slot], sun[:slot])
        return before + self.segment(n).energy(within) if within else before

    def segment(self, n: int) -> Segment:
        """Return the n-th segment since 1970."""
        segment = self._segments.get(n)
        if segment is None:
            if len(self._segments) >= _KEPT_SEGMENTS:
                self._segments.clear()
            segment = self._segments[n] = self._segment(n)
        return segment

    def day(self, day: int) -> tuple[array[int], array[int]]:
        """Return the Wh (used, made) of each segment of a UTC day, counted from 1970."""
        index = day - self.origin_day
        if index < 0:
            return self._compute(day)
        self._reach(index)
        return self._days[index]

    def _segment(self, n: int) -> Segment:
        day, slot = divmod(n, _PER_DAY)
        consumption, production = self.day(day)
        used, made = consumption[slot], production[slot]
        grid, sun = Shape.of_people(self.seed, n, used - made), Shape.of_sky(self.seed, n)
        return Segment(used, made, grid, sun, self._shares(n // 6))

    def _shares(self, hour: int) -> tuple[float, ...]:
        if self.phases == 1 or self.site.use is None:
            return (1 / self.phases,) * self.phases
        shares = [0.5 + unit(self.seed + _PHASE_1 + phase, hour) for phase in range(3)]
        return tuple(share / sum(shares) for share in shares)

    def _reach(self, index: int) -> None:
        while len(self._days) <= index:
            use, sun = self._compute(self.origin_day + len(self._days))
            self._days.append((use, sun))
            self._before.append(self._before[-1] + _sum(use, sun))

    def _compute(self, day: int) -> tuple[array[int], array[int]]:
        sun_day = SunDay.of(day)
        midnight = day * _DAY_S
        consumption, production = array("i"), array("i")
        civil = [_civil_slot(midnight + hour * 3600) for hour in range(24)]
        for slot in range(_PER_DAY):
            middle = slot * SEGMENT_S + SEGMENT_S // 2
            consumption.append(self._used_wh(*civil[slot // 6], slot % 6))
            cover = clouds(self.seed, midnight + middle) if self.kwp else 0.0
            production.append(round(production_w(sun_day, middle, cover, self.kwp) / _W_PER_WH))
        return consumption, production

    def _used_wh(self, today: date, first: int, slot: int) -> int:
        if self.site.use is None:
            return 0
        return max(1, round(self.site.use(self.seed, today, first + slot) / _W_PER_WH))


def _civil_slot(second: int) -> tuple[date, int]:
    civil = local(second)
    return civil.date(), civil.hour * 6 % SLOTS


def _sum(use: array[int], sun: array[int]) -> Energy:
    net = [used - made for used, made in zip(use, sun, strict=True)]
    return Energy(
        sum(use), sum(sun), sum(wh for wh in net if wh > 0), -sum(wh for wh in net if wh < 0)
    )
