"""What all entities of an inverter have in common."""

from collections.abc import Callable, Iterable
from typing import override

from homeassistant.core import callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .coordinator import InverterConfigEntry, InverterCoordinator
from .devices import identifier
from .sensors import InverterSensorDescription


def add_as_known(
    entry: InverterConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    descriptions: Iterable[InverterSensorDescription],
    make: Callable[[InverterCoordinator, InverterSensorDescription], Entity],
) -> None:
    """Add each entity when its value is first known, or was known before a restart."""
    coordinator = entry.runtime_data
    waiting = {description.key: description for description in descriptions}

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
            async_add_entities(make(coordinator, description) for description in existing)

    add()
    entry.async_on_unload(coordinator.async_add_listener(add))


class InverterEntity(CoordinatorEntity[InverterCoordinator]):
    """An entity of an inverter.

    Its identity is the entry's, not the inverter's: one is replaced, and its history goes on.
    """

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
