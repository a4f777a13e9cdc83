"""The measures of an inverter at a second: its terminals, its strings, the grid connection."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import Final

from consometers_tic_virtual.load import Load
from consometers_tic_virtual.measures import Measures as GridMeasures
from consometers_tic_virtual.world import SEGMENT_S, World
from consometers_tic_virtual.world.civil import local
from consometers_tic_virtual.world.noise import smooth, unit
from consometers_tic_virtual.world.site import outdoor_temperature_c
from demo.world.battery import HybridWorld

from .faults import Limit, State
from .profiles import LEGS, Profile

COS_PHI: Final = 0.995
_EFFICIENCY: Final = 0.97
_PER_DAY = 144
_HZ, _HUM, _DC_VOLTAGE = 901, 902, 903


@dataclass(frozen=True, slots=True)
class Alternating:
    """Power by leg, W, with the voltage of each leg and what follows from both.

    Currents have the direction of the power.
    """

    legs_w: tuple[int, ...]
    legs_va: tuple[int, ...]
    legs_v: tuple[float, ...]

    @property
    def power_w(self) -> int:
        return sum(self.legs_w)

    @property
    def apparent_va(self) -> int:
        return sum(self.legs_va)

    @property
    def reactive_var(self) -> float:
        return _reactive(self.power_w, self.apparent_va)

    @property
    def legs_var(self) -> tuple[float, ...]:
        return tuple(_reactive(w, va) for w, va in zip(self.legs_w, self.legs_va, strict=True))

    @property
    def cos_phi(self) -> float:
        return self.power_w / self.apparent_va if self.apparent_va else 1.0

    @property
    def legs_a(self) -> tuple[float, ...]:
        return tuple(va / v for va, v in zip(self.legs_va, self.legs_v, strict=True))

    @property
    def line_v(self) -> tuple[float, ...]:
        """Voltages between legs: the first and the second, and so on round."""
        v = self.legs_v
        if len(v) == 2:
            return (v[0] + v[1],)
        return tuple(
            sqrt(v[n] ** 2 + v[m] ** 2 + v[n] * v[m]) for n, m in ((0, 1), (1, 2), (2, 0))[: len(v)]
        )


@dataclass(frozen=True, slots=True)
class Direct:
    """One string: power, voltage, current, energy."""

    name: str
    power_w: int
    voltage_v: float
    energy_wh: int

    @property
    def current_a(self) -> float:
        return self.power_w / self.voltage_v if self.voltage_v else 0.0


@dataclass(frozen=True, slots=True)
class Cells:
    """The battery. Power is positive when it gives."""

    capacity_wh: int
    stored_wh: int
    power_w: int
    rating_w: int


@dataclass(frozen=True, slots=True)
class AtGrid:
    """The meter at the grid connection: positive is drawn."""

    power: Alternating
    drawn_wh: int
    injected_wh: int


@dataclass(frozen=True, slots=True)
class Readings:
    """All of it at one second."""

    second: int
    state: State
    power: Alternating
    energy_wh: int
    hz: float
    strings: tuple[Direct, ...]
    dc_w: int
    cabinet_c: float
    awake_since: int | None
    cells: Cells | None
    grid: AtGrid | None


class Measures:
    """The measures of one inverter, at Unix seconds."""

    def __init__(self, profile: Profile, load: Load, seed: int) -> None:
        self.limits: list[Limit] = []
        self.jumps: list[tuple[int, int]] = []
        """Wh added to the register of energy, each from a second on."""
        self._profile = profile
        self._load = load
        self._seed = seed
        self._volts = GridMeasures(load)

    @property
    def world(self) -> World:
        return self._load.world

    def at(self, second: int) -> Readings:
        """Return everything; the first time, years are added up."""
        panels_w, panels_wh = self._panels(second)
        power_w = self.power_w(second)
        strings = self._strings(second, self._limited(panels_w, second), panels_wh)
        hybrid = self._profile.battery is not None
        return Readings(
            second=second,
            state=self.state(second),
            power=self._alternating(power_w, second),
            energy_wh=self.energy_wh(second),
            hz=self.hz(second),
            strings=strings,
            dc_w=_direct_w(power_w) if hybrid else sum(string.power_w for string in strings),
            cabinet_c=self._cabinet_c(second, power_w),
            awake_since=self._awake_since(second),
            cells=self._cells(second),
            grid=None if self._profile.meter_model is None else self._at_grid(second),
        )

    def power_w(self, second: int) -> int:
        return self._limited(self.world.powers_at(second)[1], second)

    def energy_wh(self, second: int) -> int:
        """Return the register of all that was ever made, with its jumps."""
        return self._made_wh(second) + sum(wh for at, wh in self.jumps if at <= second)

    def state(self, second: int) -> State:
        for limit in self.limits:
            if limit.covers(second) and (limit.part == 0 or self._makes(second // SEGMENT_S)):
                return limit.state
        n = second // SEGMENT_S
        if self._makes(n):
            return State.MPPT
        if self._makes(n + 1):
            return State.STARTING
        return State.SHUTTING_DOWN if self._makes(n - 1) else State.SLEEPING

    def hz(self, second: int) -> float:
        return 50 + 0.08 * (smooth(self._seed + _HZ, second / 60) - 0.5)

    def _made_wh(self, second: int) -> int:
        return self._less_limits(second, lambda at: self.world.energy_at(at).production_wh)

    def _less_limits(self, second: int, energy_wh: Callable[[int], int]) -> int:
        made = energy_wh(second)
        for limit in self.limits:
            if limit.start < second:
                end = second if limit.end is None else min(second, limit.end)
                could = energy_wh(end) - energy_wh(limit.start)
                made -= could - int(could * limit.part)
        return made

    def _limited(self, power_w: int, second: int) -> int:
        for limit in self.limits:
            if limit.covers(second):
                return round(power_w * limit.part)
        return power_w

    def _panels(self, second: int) -> tuple[int, int]:
        world = self.world
        if isinstance(world, HybridWorld):
            power_w = world.storage_at(second).panels_w
            return power_w, self._less_limits(second, lambda at: world.storage_at(at).panels_wh)
        return world.powers_at(second)[1], self._made_wh(second)

    def _makes(self, n: int) -> bool:
        return self.world.day(n // _PER_DAY)[1][n % _PER_DAY] > 0

    def _awake_since(self, second: int) -> int | None:
        n = second // SEGMENT_S
        if not self._makes(n):
            return None
        # A hybrid may be awake for days: its dawn is then too long ago to matter.
        while n > second // SEGMENT_S - _PER_DAY and self._makes(n - 1):
            n -= 1
        return n * SEGMENT_S

    def _alternating(self, power_w: int, second: int) -> Alternating:
        legs = _legs(self._profile.inverter_model)
        # Legs are whole watts that add up: borders between them are rounded.
        borders = (round(power_w * leg / legs) for leg in range(legs + 1))
        legs_w = tuple(end - start for start, end in pairwise(borders))
        return Alternating(
            legs_w, tuple(round(w / COS_PHI) for w in legs_w), self._legs_v(legs, second)
        )

    def _legs_v(self, legs: int, second: int) -> tuple[float, ...]:
        if self.world.phases < legs:
            return (self._volts.voltage_v(1, second) / legs,) * legs
        return tuple(float(self._volts.voltage_v(leg, second)) for leg in range(1, legs + 1))

    def _strings(self, second: int, panels_w: int, panels_wh: int) -> tuple[Direct, ...]:
        return tuple(
            Direct(
                string.name,
                _direct_w(panels_w * string.share),
                self._dc_voltage_v(number, second) if panels_w else 0.0,
                int(panels_wh * string.share / _EFFICIENCY),
            )
            for number, string in enumerate(self._profile.strings)
        )

    def _dc_voltage_v(self, number: int, second: int) -> float:
        drift = smooth(self._seed + _DC_VOLTAGE + 10 * number, second / 900)
        hum = unit(self._seed + _HUM + 10 * number, second)
        return round(360 + 45 * (drift - 0.5) + 2 * (hum - 0.5), 1)

    def _cabinet_c(self, second: int, power_w: int) -> float:
        civil = local(second)
        outside = outdoor_temperature_c(
            self.world.seed, civil.date(), civil.hour * 6 + civil.minute // 10
        )
        return round(outside + 6 + 26 * power_w / self._profile.rating_va, 1)

    def _cells(self, second: int) -> Cells | None:
        world = self.world
        if not isinstance(world, HybridWorld):
            return None
        storage = world.storage_at(second)
        battery = world.battery
        return Cells(
            battery.capacity_wh,
            storage.stored_wh,
            self._limited(storage.battery_w, second),
            battery.power_w,
        )

    def _at_grid(self, second: int) -> AtGrid:
        assert self._profile.meter_model is not None
        legs = _legs(self._profile.meter_model)
        legs_w, legs_va = self._load.by_phase_w(second), self._volts.apparent_va(second)
        if len(legs_w) < legs:
            legs_w, legs_va = _halves(legs_w[0]), _halves(legs_va[0])
        drawn_wh, injected_wh = self._grid_wh(second)
        return AtGrid(
            Alternating(legs_w, legs_va, self._legs_v(legs, second)), drawn_wh, injected_wh
        )

    def _grid_wh(self, second: int) -> tuple[int, int]:
        """Return (drawn, injected) since the world's origin: the Linky's registers."""
        energy = self.world.energy_at(second)
        drawn, injected = energy.drawn_wh, energy.injected_wh
        for n in self._overloaded(second):
            seconds = min(SEGMENT_S, second - n * SEGMENT_S)
            usual = self.world.segment(n).energy(seconds)
            flown = self._load.energy_wh(n, seconds)
            drawn += flown[0] - usual.drawn_wh
            injected += flown[1] - usual.injected_wh
        return drawn, injected

    def _overloaded(self, second: int) -> set[int]:
        return {
            n
            for overload in self._load.overloads
            if overload.start < second
            for n in range(
                overload.start // SEGMENT_S,
                -(-min(second, overload.end or second) // SEGMENT_S),
            )
        }


def _legs(model_id: int) -> int:
    return next(legs for legs, models in LEGS.items() if model_id in models)


def _halves(power: int) -> tuple[int, int]:
    return power // 2, power - power // 2


def _direct_w(power_w: float) -> int:
    return round(power_w / _EFFICIENCY)


def _reactive(power_w: float, apparent_va: float) -> float:
    return sqrt(max(0.0, apparent_va**2 - power_w**2))
