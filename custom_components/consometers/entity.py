"""What all entities of a meter have in common."""

from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import override

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .linky.binary_sensors import LinkyBinarySensorDescription
from .linky.coordinator import LinkyConfigEntry, LinkyCoordinator, Pace
from .linky.sensors import LinkySensorDescription

type Description = LinkySensorDescription | LinkyBinarySensorDescription


def add_as_known[D: Description](
    hass: HomeAssistant,
    entry: LinkyConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
    descriptions: Iterable[D],
    make: Callable[[LinkyCoordinator, D], Entity],
) -> None:
    """Add each entity when the meter first has its fact."""
    coordinator = entry.runtime_data
    waiting = {description.key: description for description in descriptions}

    @callback
    def add() -> None:
        existing = [d for d in waiting.values() if d.exists(coordinator.state)]
        for description in existing:
            del waiting[description.key]
        if existing:
            async_add_entities(make(coordinator, description) for description in existing)

    if coordinator.available:
        add()
    entry.async_on_unload(async_dispatcher_connect(hass, coordinator.signal_known, add))


class LinkyEntity(Entity):
    """An entity of a meter, written when its pace says so.

    Its identity is the entry's, not the meter's: a meter is replaced, and its history goes on.
    """

    _attr_has_entity_name = True
    _attr_should_poll = False

    def __init__(
        self,
        coordinator: LinkyCoordinator,
        description: EntityDescription,
        pace: Pace = Pace.CHANGE,
    ) -> None:
        """Take what it shows."""
        self.coordinator = coordinator
        self.entity_description = description
        self._attr_translation_key = description.translation_key or description.key
        self._pace = pace
        entry = coordinator.entry
        self._attr_unique_id = f"{entry.entry_id}_{description.key}"
        self._attr_device_info = coordinator.device_info

    @property
    @override
    def available(self) -> bool:
        """Whether the meter is heard."""
        return self.coordinator.available

    @override
    async def async_added_to_hass(self) -> None:
        self._read()
        self.async_on_remove(
            async_dispatcher_connect(self.hass, self.coordinator.signal(self._pace), self._write)
        )

    @callback
    def _write(self) -> None:
        self._read()
        self.async_write_ha_state()

    @abstractmethod
    def _read(self) -> None:
        """Take the value from the state of the meter."""
