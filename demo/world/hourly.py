"""The energy of whole hours alone, looked at twice in each: of many buildings, years of it soon.

What a `World` counts to the second takes five times as long, and is about as much.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from consometers_tic_virtual.world.civil import local
from consometers_tic_virtual.world.site import SLOTS, Site
from consometers_tic_virtual.world.sun import SunDay, clouds, production_w

_HOUR_S = 3600
_DAY_HOURS = 24
_LOOKED_AT = (1, 4)
"""The ten-minute slots of an hour that stand for all six."""
_SLOT_S = 600


@dataclass(frozen=True, slots=True)
class Hour:
    """What was from the grid, fed into it and made in an hour, Wh; `n` counts from 1970."""

    n: int
    drawn_wh: int
    injected_wh: int
    made_wh: int


def hours(site: Site, kwp: float, seed: int, first: int, end: int) -> Iterator[Hour]:
    """Yield the hours from the first on and before `end`, counted from 1970."""
    for n in range(first, end):
        civil = local(n * _HOUR_S)
        today, slot = civil.date(), civil.hour * 6 % SLOTS
        day, hour = divmod(n, _DAY_HOURS)
        sun = SunDay.of(day)
        drawn = injected = made = 0.0
        for part in _LOOKED_AT:
            used_w = site.use(seed, today, slot + part) if site.use else 0.0
            second = hour * _HOUR_S + part * _SLOT_S + _SLOT_S // 2
            sun_w = _sun_w(sun, day, second, kwp, seed) if kwp else 0.0
            drawn += max(0.0, used_w - sun_w)
            injected += max(0.0, sun_w - used_w)
            made += sun_w
        yield Hour(n, *(round(watts / len(_LOOKED_AT)) for watts in (drawn, injected, made)))


def _sun_w(sun: SunDay, day: int, second: int, kwp: float, seed: int) -> float:
    if sun.sin_elevation(second) <= 0:
        return 0.0
    cover = clouds(seed, day * _DAY_HOURS * _HOUR_S + second)
    return production_w(sun, second, cover, kwp)
