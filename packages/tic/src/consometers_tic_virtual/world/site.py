"""Buildings and the people in them: how much power they use through day, week and year."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from math import cos, exp, pi

from .civil import is_public_holiday, is_school_day
from .noise import smooth, unit

SLOTS = 144
"""Ten-minute slots of a civil day."""

_MILD, _TEMPERATURE, _HABIT, _APPETITE, _HOT_WATER, _HOT_WATER_START = 201, 202, 203, 204, 205, 206
# Before this hour hot water would not be off-peak in every contract that has off-peak hours.
_HOT_WATER_SLOT = 23 * 6 + 3
_HOT_WATER_STARTS = 6
"""Half-hours: the network operator lets the water heaters of a street start one after the other."""


@dataclass(frozen=True, slots=True)
class Site:
    """A building: the name of its kind, its use of power, its panels' peak power (kWp).

    `use` gives W from (seed, civil day, slot of that day); None where there are panels alone.
    """

    name: str
    use: Callable[[int, date, int], float] | None
    kwp: float


def outdoor_temperature_c(seed: int, day: date, slot: int) -> float:
    """Return the temperature outside: an ocean's winters are mild, its summers cool."""
    ordinal = day.toordinal()
    season = 12.3 + 5.8 * cos(2 * pi * (day.timetuple().tm_yday - 208) / 365.25)
    spell = 7 * (smooth(seed + _TEMPERATURE, (ordinal + slot / SLOTS) / 4) - 0.5)
    return season + spell - 2.5 * cos(2 * pi * (slot - 24) / SLOTS)


def _table(shape: Callable[[float], float]) -> tuple[float, ...]:
    return tuple(shape(slot / 6) for slot in range(SLOTS))


def _bump(hour: float, centre: float, width: float) -> float:
    return exp(-(((hour - centre) / width) ** 2))


_AT_HOME = {
    True: _table(
        lambda h: (
            300 * _bump(h, 9.5, 1.3)
            + 750 * _bump(h, 12.5, 1.0)
            + 650 * _bump(h, 19.6, 1.6)
            + (120 if 9 <= h < 23 else 0)
        )
    ),
    False: _table(
        lambda h: (
            320 * _bump(h, 7.2, 0.8)
            + 180 * _bump(h, 12.5, 0.9)
            + 750 * _bump(h, 19.6, 1.6)
            + (130 if 17 <= h < 23 else 0)
        )
    ),
}
_AT_SCHOOL = _table(
    lambda h: (4200 if 8 <= h < 17 else 1500 if 7 <= h < 18.5 else 0) + 5500 * _bump(h, 11.2, 1.1)
)


def _hot_water_slots(seed: int, day: date, hours: float) -> float:
    return 6 * hours * (0.7 + 0.6 * unit(seed + _HOT_WATER, day.toordinal()))


def _hot_water(
    seed: int, day: date, slot: int, hours: float, start: int = _HOT_WATER_SLOT
) -> float:
    """Return how much of a slot water is heated, from one of the evening on; 144 is midnight."""
    since = (slot - start) % SLOTS
    if since > 3 * 6:
        return 0.0
    if slot < start:
        day = date.fromordinal(day.toordinal() - 1)
    return min(1.0, max(0.0, _hot_water_slots(seed, day, hours) - since))


def _household_w(seed: int, day: date, slot: int) -> float:
    free = day.weekday() >= 5 or is_public_holiday(day)
    n = day.toordinal() * SLOTS + slot
    fridge = 160 + 60 * unit(seed + _MILD, n)
    people = _AT_HOME[free][slot] * (
        0.35 + 0.5 * smooth(seed + _HABIT, n / 30) + 1.1 * unit(seed + _APPETITE, n) ** 2
    )
    asleep = slot < 33 or slot >= 138
    cold = max(0.0, 16 - outdoor_temperature_c(seed, day, slot))
    winter = 1 + 0.3 * cos(2 * pi * (day.timetuple().tm_yday - 20) / 365.25)
    start = _HOT_WATER_SLOT + 3 * int(_HOT_WATER_STARTS * unit(seed + _HOT_WATER_START, 0))
    return (
        fridge
        + people
        + cold * (38 if asleep else 55)
        + 2200 * _hot_water(seed, day, slot, 1.7 * winter, start)
    )


def _school_w(seed: int, day: date, slot: int) -> float:
    n = day.toordinal() * SLOTS + slot
    used = 650 + 200 * unit(seed + _MILD, n)
    cold = max(0.0, 16 - outdoor_temperature_c(seed, day, slot))
    if not is_school_day(day):
        return used + 60 * cold
    wednesday = day.weekday() == 2
    if not (wednesday and slot >= 72):
        used += _AT_SCHOOL[slot] * (0.7 + 0.5 * smooth(seed + _HABIT, n / 9))
    used += cold * (260 if 30 <= slot < 102 else 90)
    return used + 3000 * _hot_water(seed, day, slot, 1.3)


HOUSEHOLD = Site("household", _household_w, 3.0)
SCHOOL = Site("school", _school_w, 36.0)
PANELS = Site("panels", None, SCHOOL.kwp)
"""The school's roof, when its panels have a connection to the grid of their own."""
