"""What entities of every kind have in common."""

from collections.abc import Callable, Iterable
from typing import Any

from homeassistant.core import callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity, DataUpdateCoordinator


class DescribedEntity[C: DataUpdateCoordinator[Any]](CoordinatorEntity[C]):
    """An entity of an entry, by a row of its table.

    Its identity is the entry's, not the device's: a meter is replaced, and its history goes on.
    """

    _attr_has_entity_name = True

    def __init__(self, coordinator: C, description: EntityDescription, device: DeviceInfo) -> None:
        """Take what it shows."""
        super().__init__(coordinator)
        self.entity_description = description
        self._attr_translation_key = description.translation_key or description.key
        assert coordinator.config_entry is not None
        self._attr_unique_id = f"{coordinator.config_entry.entry_id}_{description.key}"
        self._attr_device_info = device


def add_as_known[C: DataUpdateCoordinator[Any], D: EntityDescription](
    coordinator: C,
    add: AddConfigEntryEntitiesCallback,
    descriptions: Iterable[D],
    make: Callable[[C, D], Entity],
    exists: Callable[[C, D], bool],
) -> None:
    """Add each entity when its fact first exists."""
    waiting = {description.key: description for description in descriptions}

    @callback
    def look() -> None:
        existing = [each for each in waiting.values() if exists(coordinator, each)]
        for description in existing:
            del waiting[description.key]
        if existing:
            add([make(coordinator, each) for each in existing])

    look()
    assert coordinator.config_entry is not None
    coordinator.config_entry.async_on_unload(coordinator.async_add_listener(look))
