"""Common inverters: their phases and strings, and their models."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from consometers_tic_virtual.world import HOUSEHOLD, SCHOOL, Site, World
from consometers_tic_virtual.world.flows import ORIGIN
from demo.world.battery import Battery, HybridWorld

LEGS: Final = {
    1: (101, 111, 201, 211),
    2: (102, 112, 202, 212),
    3: (103, 113, 203, 204, 213, 214, 701),
}
"""The models of meters, by number of phases."""


@dataclass(frozen=True, slots=True)
class String:
    """Panels in a row: a name, and their part of all panels."""

    name: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A kind of inverter, and where it hangs.

    A `meter_model` is that of a meter at the grid connection, which the inverter reads: power is
    positive when drawn, unless `meter_sign` is -1, as some makers have it.
    """

    name: str
    site: Site
    kwp: float
    phases: int
    inverter_model: int
    meter_model: int | None
    rating_va: int
    strings: tuple[String, ...]
    battery: Battery | None = None
    meter_sign: int = 1

    def world(self, *, seed: int = 1, origin: datetime = ORIGIN) -> World:
        """Return a building that fits."""
        if self.battery is None:
            return World(self.site, kwp=self.kwp, phases=self.phases, seed=seed, origin=origin)
        return HybridWorld(
            self.site,
            self.battery,
            kwp=self.kwp,
            phases=self.phases,
            seed=seed,
            origin=origin,
        )

    @property
    def power_exponent(self) -> int:
        """Power has sixteen bits: above 32 kW it is in tens of W."""
        return 0 if self.rating_va < 32_000 else 1


_ROOF = (String("South", 1.0),)
_TWO_ROOFS = (String("South", 0.6), String("Lean-to", 0.4))
_SCHOOL_ROOF = (
    String("Hall", 0.3),
    String("Classes 1-4", 0.3),
    String("Classes 5-8", 0.25),
    String("Canteen", 0.15),
)

_HOME = Profile(
    name="home",
    site=HOUSEHOLD,
    kwp=HOUSEHOLD.kwp,
    phases=1,
    inverter_model=101,
    meter_model=201,
    rating_va=3_000,
    strings=_TWO_ROOFS,
)
_SCHOOL = Profile(
    name="school",
    site=SCHOOL,
    kwp=SCHOOL.kwp,
    phases=3,
    inverter_model=103,
    meter_model=203,
    rating_va=36_000,
    strings=_SCHOOL_ROOF,
)
_PROFILES: Final = (
    _HOME,
    replace(_HOME, name="bare", meter_model=None, strings=_ROOF),
    replace(_HOME, name="split", inverter_model=102, meter_model=202),
    _SCHOOL,
    replace(_SCHOOL, name="delta", meter_model=204, meter_sign=-1),
    replace(_HOME, name="float", inverter_model=111, meter_model=211),
    replace(_SCHOOL, name="school-float", inverter_model=113, meter_model=213),
    replace(_SCHOOL, name="der2018", inverter_model=701, meter_model=213),
    replace(_HOME, name="hybrid", kwp=6.0, rating_va=6_000, battery=Battery(7_000, 3_000)),
)
PROFILES: Final[Mapping[str, Profile]] = {profile.name: profile for profile in _PROFILES}
