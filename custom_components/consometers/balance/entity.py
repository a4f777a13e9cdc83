"""The sensors of a home: those that its sources allow."""

from typing import override

from homeassistant.components.sensor import SensorEntity
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

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


def add_sensors(tracker: BalanceTracker, add: AddConfigEntryEntitiesCallback) -> None:
    """Add the sensors, and remove those of another connection or other sources."""
    entry, registry = tracker.config_entry, er.async_get(tracker.hass)
    entities = [BalanceSensor(tracker, each) for each in existing(entry)]
    unique_ids = {each.unique_id for each in entities}
    for entity in er.async_entries_for_config_entry(registry, entry.entry_id):
        if entity.unique_id not in unique_ids:
            registry.async_remove(entity.entity_id)
    add(entities)


class BalanceSensor(DescribedEntity[BalanceTracker], SensorEntity):
    """A fact of the home."""

    entity_description: BalanceSensorDescription

    def __init__(self, tracker: BalanceTracker, description: BalanceSensorDescription) -> None:
        """Take what it shows."""
        device = DeviceInfo(
            identifiers={(DOMAIN, tracker.config_entry.entry_id)},
            translation_key="home",
            entry_type=DeviceEntryType.SERVICE,
        )
        super().__init__(tracker, description, device)

    @property
    @override
    def native_value(self) -> float | None:
        """The sum of its sources."""
        return self.entity_description.value(self.coordinator.data)

    @override
    async def async_update(self) -> None:
        """Do not wait: the person has asked for the new state."""
        self.coordinator.show()
