"""A building with a battery behind its panels' inverter.

To the grid and to the house such an inverter is the panels: `production` is what it gives, which
is less than the panels make while the battery is charged, and more while it is emptied.
"""

from array import array
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from consometers_tic_virtual.world.flows import ORIGIN, SEGMENT_S, World
from consometers_tic_virtual.world.site import Site

_PER_DAY = 144
_PERCENT_BACK: Final = 92
"""Of what was stored, so much comes back."""


@dataclass(frozen=True, slots=True)
class Battery:
    capacity_wh: int
    power_w: int


@dataclass(frozen=True, slots=True)
class Storage:
    """The panels and the battery at one moment. Power is positive when the battery gives."""

    panels_w: int
    panels_wh: int
    battery_w: int
    stored_wh: int


class HybridWorld(World):
    """The battery takes what the house does not use, and gives it back when the house needs it."""

    def __init__(
        self,
        site: Site,
        battery: Battery,
        *,
        kwp: float | None = None,
        phases: int = 1,
        seed: int = 1,
        origin: datetime = ORIGIN,
    ) -> None:
        super().__init__(site, kwp=kwp, phases=phases, seed=seed, origin=origin)
        self.battery = battery
        # By day since the origin: what the panels make in each segment and what is stored at its
        # start, and the panels' energy before the day.
        self._panels: list[array[int]] = []
        self._stored: list[array[int]] = []
        self._panels_before: list[int] = [0]

    def storage_at(self, second: int) -> Storage:
        """Return the panels and the battery at a second that is not before the origin."""
        n, within = divmod(second, SEGMENT_S)
        day, slot = divmod(n, _PER_DAY)
        self.day(day)
        index = day - self.origin_day
        made, stored = self._panels[index], self._stored[index]
        sun = self.segment(n).sun
        weight, progress = sun.weight(within / SEGMENT_S), sun.progress(within / SEGMENT_S)
        given = self.segment(n).production_wh - made[slot]
        return Storage(
            panels_w=round(3600 / SEGMENT_S * made[slot] * weight),
            panels_wh=self._panels_before[index] + sum(made[:slot]) + int(made[slot] * progress),
            battery_w=round(3600 / SEGMENT_S * given * weight),
            stored_wh=stored[slot] + int((stored[slot + 1] - stored[slot]) * progress),
        )

    def _compute(self, day: int) -> tuple[array[int], array[int]]:
        use, panels = super()._compute(day)
        if day < self.origin_day:
            return use, panels
        most = self.battery.power_w * SEGMENT_S // 3600
        level = self._stored[-1][-1] if self._stored else 0
        stored, given = array("i", [level]), array("i")
        for used, made in zip(use, panels, strict=True):
            if made >= used:
                taken = min(made - used, most, self.battery.capacity_wh - level)
                level += taken
                given.append(made - taken)
            else:
                back = min(used - made, most, level * _PERCENT_BACK // 100)
                level -= -(-back * 100 // _PERCENT_BACK)
                given.append(made + back)
            stored.append(level)
        self._panels.append(panels)
        self._stored.append(stored)
        self._panels_before.append(self._panels_before[-1] + sum(panels))
        return use, given
