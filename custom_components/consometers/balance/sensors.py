"""The sensors of a home, one line of the table per fact. `entity.py` makes entities of them."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from functools import partial
from operator import attrgetter
from typing import Final

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import PERCENTAGE, UnitOfEnergy, UnitOfPower

from .tracker import Shown


class Needs(Enum):
    """What must be known or possible of a home for a fact to mean anything."""

    METERS = auto()
    INJECTION = auto()
    SELF_CONSUMPTION = auto()


@dataclass(frozen=True, kw_only=True)
class BalanceSensorDescription(SensorEntityDescription):
    """Describes a sensor of a home.

    It shows no more digits than a person would read.
    """

    value_fn: Callable[[Shown], float | None]
    digits: int = 0
    needs: Needs = Needs.METERS
    of_powers: bool = False

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
    needs=Needs.SELF_CONSUMPTION,
)

_FLOWS: Final = {
    "production": Needs.METERS,
    "self_consumed": Needs.SELF_CONSUMPTION,
    "injected": Needs.INJECTION,
    "drawn": Needs.METERS,
    "consumed": Needs.SELF_CONSUMPTION,
}

BALANCE_SENSORS: Final = (
    *(
        _power(
            key=f"{flow}_power",
            translation_key=f"home_{flow}_power",
            needs=needs,
            value_fn=attrgetter(f"powers.{flow}_w"),
        )
        for flow, needs in _FLOWS.items()
    ),
    *(
        _energy(
            key=flow,
            translation_key=f"home_{flow}",
            needs=needs,
            value_fn=attrgetter(f"sums.{flow}_wh"),
        )
        for flow, needs in _FLOWS.items()
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
