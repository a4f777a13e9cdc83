"""The sensors of a home: those that its sources allow."""

from typing import override

from homeassistant.components.sensor import SensorEntity
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo

from ..const import (
    CONF_DRAWN_POWER,
    CONF_HOME,
    CONF_INJECTED_ENERGY,
    CONF_INJECTED_POWER,
    CONF_PRODUCTION_POWER,
    DOMAIN,
)
from ..entity import DescribedEntity
from .sensors import BALANCE_SENSORS, BalanceSensorDescription, Needs
from .state import Home
from .tracker import BalanceConfigEntry, BalanceTracker


def existing(entry: BalanceConfigEntry) -> list[BalanceSensorDescription]:
    """Return what this home's sources allow to know, and what means anything in it."""
    data = entry.data
    powers = data.get(CONF_PRODUCTION_POWER) and data.get(CONF_DRAWN_POWER)
    sells_all = data[CONF_HOME] == Home.TOTAL_SALE

    def exists(sensor: BalanceSensorDescription) -> bool:
        if sensor.of_powers and not powers:
            return False
        injection = data.get(CONF_INJECTED_POWER if sensor.of_powers else CONF_INJECTED_ENERGY)
        match sensor.needs:
            case Needs.METERS:
                return True
            case Needs.INJECTION:
                return bool(injection or sells_all)
            case Needs.SELF_CONSUMPTION:
                return bool(injection and not sells_all)

    return list(filter(exists, BALANCE_SENSORS))


def device_info(tracker: BalanceTracker) -> DeviceInfo:
    """Return the home as a device."""
    return DeviceInfo(
        identifiers={(DOMAIN, tracker.config_entry.entry_id)},
        translation_key="home",
        entry_type=DeviceEntryType.SERVICE,
    )


class BalanceSensor(DescribedEntity[BalanceTracker], SensorEntity):
    """A fact of the home."""

    entity_description: BalanceSensorDescription

    def __init__(self, tracker: BalanceTracker, description: BalanceSensorDescription) -> None:
        """Take what it shows."""
        super().__init__(tracker, description, device_info(tracker))

    @property
    @override
    def native_value(self) -> float | None:
        """The sum of its sources."""
        return self.entity_description.value(self.coordinator.data)

    @override
    async def async_update(self) -> None:
        """Do not wait: the person has asked for the new state."""
        self.coordinator.show()
