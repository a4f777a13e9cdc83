"""What all entities of a home have in common."""

from typing import override

from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from ..const import (
    CONF_DRAWN_POWER,
    CONF_INJECTED_ENERGY,
    CONF_INJECTED_POWER,
    CONF_PRODUCTION_POWER,
    DOMAIN,
)
from .sensors import BALANCE_SENSORS, BalanceSensorDescription
from .state import Home
from .tracker import BalanceConfigEntry, BalanceTracker


def existing(entry: BalanceConfigEntry) -> list[BalanceSensorDescription]:
    """Return what this home's sources allow to know."""
    data = entry.data
    powers = data.get(CONF_PRODUCTION_POWER) and data.get(CONF_DRAWN_POWER)
    sold = entry.runtime_data.balance.home is Home.TOTAL_SALE

    def exists(sensor: BalanceSensorDescription) -> bool:
        injection = data.get(CONF_INJECTED_POWER if sensor.of_powers else CONF_INJECTED_ENERGY)
        is_measured = injection or sold or not sensor.of_own
        return bool(is_measured and (powers or not sensor.of_powers))

    return list(filter(exists, BALANCE_SENSORS))


class BalanceEntity(CoordinatorEntity[BalanceTracker]):
    """An entity of a home."""

    _attr_has_entity_name = True

    def __init__(self, tracker: BalanceTracker, description: BalanceSensorDescription) -> None:
        """Take what it shows."""
        super().__init__(tracker)
        self.entity_description = description
        self._attr_translation_key = description.translation_key or description.key
        entry = tracker.config_entry
        self._attr_unique_id = f"{entry.entry_id}_{description.key}"
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, entry.entry_id)},
            translation_key="home",
            entry_type=DeviceEntryType.SERVICE,
        )

    @override
    async def async_update(self) -> None:
        """Do not wait: the person has asked for the new state."""
        self.coordinator.show()
