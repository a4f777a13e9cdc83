"""The sensors of a collective. `sensor.py` makes entities of them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from homeassistant.components.sensor import (
    SensorDeviceClass,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory

from .answers import Collective


@dataclass(frozen=True, kw_only=True)
class CollectiveSensorDescription(SensorEntityDescription):
    """Describes a sensor of what goes to a collective."""

    value_fn: Callable[[Collective], int | datetime | None]


COLLECTIVE_SENSORS: Final = (
    CollectiveSensorDescription(
        key="last_acknowledged",
        translation_key="last_acknowledged",
        device_class=SensorDeviceClass.TIMESTAMP,
        value_fn=lambda collective: collective.acknowledged_until,
    ),
    CollectiveSensorDescription(
        key="waiting",
        translation_key="waiting",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        value_fn=lambda collective: collective.waiting,
    ),
)
