"""The sensors of an inverter: each is added when its value is first known."""

from typing import override

from homeassistant.components.sensor import SensorEntity
from homeassistant.core import callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.typing import StateType
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .coordinator import InverterCoordinator
from .devices import identifier
from .sensors import InverterSensorDescription, sensors


def add_sensors(
    coordinator: InverterCoordinator, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add each sensor when its value is first known, or was known before a restart."""
    waiting = {description.key: description for description in sensors()}

    @callback
    def add() -> None:
        existing = [
            description
            for description in waiting.values()
            if description.key in coordinator.known_keys
            or description.value_fn(coordinator.state) is not None
        ]
        for description in existing:
            del waiting[description.key]
            coordinator.known_keys.add(description.key)
        if existing:
            async_add_entities(InverterSensor(coordinator, description) for description in existing)

    add()
    coordinator.config_entry.async_on_unload(coordinator.async_add_listener(add))


class InverterSensor(CoordinatorEntity[InverterCoordinator], SensorEntity):
    """A fact of an inverter.

    Its identity is the entry's, not the inverter's: one is replaced, and its history goes on.
    """

    entity_description: InverterSensorDescription
    _attr_has_entity_name = True

    def __init__(
        self, coordinator: InverterCoordinator, description: InverterSensorDescription
    ) -> None:
        """Take what it shows."""
        super().__init__(coordinator)
        self.entity_description = description
        self._attr_translation_key = description.translation_key or description.key
        self._lasting = description.lasting or description.made
        entry = coordinator.config_entry
        self._attr_unique_id = f"{entry.entry_id}_{description.key}"
        self._attr_device_info = DeviceInfo(identifiers={identifier(entry, description.part)})

    @property
    @override
    def available(self) -> bool:
        """Whether the inverter answers; at night, whether it holds all the same."""
        return super().available and (self._lasting or self.coordinator.state.awake)

    @property
    @override
    def native_value(self) -> StateType:
        """The inverter's value, or the total derived from it."""
        return self.entity_description.value(self.coordinator.state)
