"""Binary sensors of a meter."""

from typing import override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .entity import LinkyEntity, add_as_known
from .linky.binary_sensors import LinkyBinarySensorDescription, binary_sensors
from .linky.coordinator import ConsometersConfigEntry, LinkyCoordinator, Pace

PARALLEL_UPDATES = 0

LINK_LAMP = BinarySensorEntityDescription(
    key="link",
    translation_key="link",
    device_class=BinarySensorDeviceClass.CONNECTIVITY,
    entity_category=EntityCategory.DIAGNOSTIC,
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ConsometersConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the lamp of the link, and the binary sensors that the meter turns out to have."""
    async_add_entities([LinkLamp(entry.runtime_data)])
    add_as_known(hass, entry, async_add_entities, binary_sensors(), LinkyBinarySensor)


class LinkyBinarySensor(LinkyEntity, BinarySensorEntity):
    """A fact of the meter that is so or not."""

    entity_description: LinkyBinarySensorDescription

    def __init__(
        self, coordinator: LinkyCoordinator, description: LinkyBinarySensorDescription
    ) -> None:
        """Take what it shows."""
        super().__init__(coordinator, description, Pace.CHANGE)
        self._attr_translation_placeholders = dict(description.placeholders)

    @override
    def _read(self) -> None:
        self._attr_is_on = self.entity_description.value_fn(self.coordinator.state)


class LinkLamp(LinkyEntity, BinarySensorEntity):
    """The lamp of the link: the one thing that is known when nothing comes."""

    def __init__(self, coordinator: LinkyCoordinator) -> None:
        """Take what it shows."""
        super().__init__(coordinator, LINK_LAMP, Pace.CHANGE)

    @property
    @override
    def available(self) -> bool:
        """Always."""
        return True

    @override
    def _read(self) -> None:
        self._attr_is_on = self.coordinator.link_good
