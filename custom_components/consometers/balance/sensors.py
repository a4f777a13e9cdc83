"""The sensors of a home, one line of the table per fact. `sensor.py` makes entities of them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import PERCENTAGE, UnitOfEnergy, UnitOfPower

from .state import Home
from .tracker import Shown


@dataclass(frozen=True, kw_only=True)
class BalanceSensorDescription(SensorEntityDescription):
    """Describes a sensor of a home. `of_own` is what needs to know what is injected.

    It shows no more digits than a person would read.
    """

    value_fn: Callable[[Shown], float | None]
    digits: int = 0
    of_own: bool = False
    of_powers: bool = False

    def exists(self, home: Home, *, injection: bool, powers: bool) -> bool:
        """Return whether such a home has this fact."""
        is_measured = injection or home is Home.TOTAL_SALE or not self.of_own
        return is_measured and (powers or not self.of_powers)

    def value(self, shown: Shown) -> float | None:
        """Return what it shows."""
        shown_value = self.value_fn(shown)
        return None if shown_value is None else round(shown_value, self.digits or None)


_energy = partial(
    BalanceSensorDescription,
    device_class=SensorDeviceClass.ENERGY,
    state_class=SensorStateClass.TOTAL_INCREASING,
    native_unit_of_measurement=UnitOfEnergy.WATT_HOUR,
    suggested_unit_of_measurement=UnitOfEnergy.KILO_WATT_HOUR,
    suggested_display_precision=2,
)
_power = partial(
    BalanceSensorDescription,
    device_class=SensorDeviceClass.POWER,
    state_class=SensorStateClass.MEASUREMENT,
    native_unit_of_measurement=UnitOfPower.WATT,
    suggested_display_precision=0,
    of_powers=True,
)
_rate = partial(
    BalanceSensorDescription,
    native_unit_of_measurement=PERCENTAGE,
    state_class=SensorStateClass.MEASUREMENT,
    suggested_display_precision=1,
    digits=1,
    of_own=True,
)

BALANCE_SENSORS: Final = (
    _power(
        key="production_power",
        translation_key="home_production_power",
        value_fn=lambda shown: shown.powers.production_w,
    ),
    _power(
        key="self_consumed_power",
        translation_key="home_self_consumed_power",
        of_own=True,
        value_fn=lambda shown: shown.powers.self_consumed_w,
    ),
    _power(
        key="injected_power",
        translation_key="home_injected_power",
        of_own=True,
        value_fn=lambda shown: shown.powers.injected_w,
    ),
    _power(
        key="drawn_power",
        translation_key="home_drawn_power",
        value_fn=lambda shown: shown.powers.drawn_w,
    ),
    _power(
        key="consumed_power",
        translation_key="home_consumed_power",
        of_own=True,
        value_fn=lambda shown: shown.powers.consumed_w,
    ),
    _energy(
        key="production",
        translation_key="home_production",
        value_fn=lambda shown: shown.sums.production_wh,
    ),
    _energy(
        key="self_consumed",
        translation_key="home_self_consumed",
        of_own=True,
        value_fn=lambda shown: shown.sums.self_consumed_wh,
    ),
    _energy(
        key="injected",
        translation_key="home_injected",
        of_own=True,
        value_fn=lambda shown: shown.sums.injected_wh,
    ),
    _energy(
        key="drawn",
        translation_key="home_drawn",
        value_fn=lambda shown: shown.sums.drawn_wh,
    ),
    _energy(
        key="consumed",
        translation_key="home_consumed",
        of_own=True,
        value_fn=lambda shown: shown.sums.consumed_wh,
    ),
    _rate(
        key="self_consumption_today",
        value_fn=lambda shown: shown.today.self_consumption_percent,
    ),
    _rate(
        key="self_sufficiency_today",
        value_fn=lambda shown: shown.today.self_sufficiency_percent,
    ),
)
