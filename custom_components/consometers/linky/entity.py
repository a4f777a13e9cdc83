"""The entities of a meter: each is added when the meter first has its fact."""

from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Final, override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.components.sensor import SensorEntity
from homeassistant.const import EntityCategory
from homeassistant.core import callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ..const import CONF_ESTIMATE_INJECTION, CONF_RAW_LABELS
from .binary_sensors import LinkyBinarySensorDescription, binary_sensors
from .coordinator import LinkyCoordinator, Pace
from .sensors import LinkySensorDescription, estimates, price, raw_labels, sensors

type Description = LinkySensorDescription | LinkyBinarySensorDescription

LINK_LAMP: Final = BinarySensorEntityDescription(
    key="link",
    device_class=BinarySensorDeviceClass.CONNECTIVITY,
    entity_category=EntityCategory.DIAGNOSTIC,
)


def add_sensors(
    coordinator: LinkyCoordinator, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensors that the meter has, and those that a person chose."""
    options, descriptions = coordinator.entry.options, list(sensors())
    if options.get(CONF_ESTIMATE_INJECTION):
        descriptions.extend(estimates())
    if options.get(CONF_RAW_LABELS):
        descriptions.extend(raw_labels())
    if coordinator.state.prices:
        descriptions.append(price(coordinator.hass.config.currency))
    _add_as_known(coordinator, async_add_entities, descriptions, LinkySensor)


def add_binary_sensors(
    coordinator: LinkyCoordinator, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the lamp of the link, and the binary sensors that the meter has."""
    async_add_entities([LinkLamp(coordinator, LINK_LAMP)])
    _add_as_known(coordinator, async_add_entities, binary_sensors(), LinkyBinarySensor)


def _add_as_known[D: Description](
    coordinator: LinkyCoordinator,
    async_add_entities: AddConfigEntryEntitiesCallback,
    descriptions: Iterable[D],
    make: Callable[[LinkyCoordinator, D], Entity],
) -> None:
    """Add each entity when the meter first has its fact."""
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
    coordinator.entry.async_on_unload(
        async_dispatcher_connect(coordinator.hass, coordinator.signal_known, add)
    )


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


class LinkySensor(LinkyEntity, SensorEntity):
    """A fact of the meter."""

    entity_description: LinkySensorDescription

    def __init__(self, coordinator: LinkyCoordinator, description: LinkySensorDescription) -> None:
        """Take its name from the tariff, where it has one."""
        super().__init__(coordinator, description, description.pace)
        if description.on_production and coordinator.of_production:
            self._attr_translation_key = description.on_production
        if description.register and coordinator.of_production:
            # INDEX NON CONSO: nobody has a tariff for what an inverter takes at night.
            self._attr_entity_registry_enabled_default = False
        if (tariff := coordinator.tariffs.get(description.register or "")) is not None:
            self._attr_translation_key = "energy_tariff"
            self._attr_translation_placeholders = {"tariff": tariff}

    @override
    def _read(self) -> None:
        state = self.coordinator.state
        self._attr_native_value = self.entity_description.value_fn(state)
        if (time_fn := self.entity_description.time_fn) is not None:
            self._attr_extra_state_attributes = {"time": time_fn(state)}


class LinkyBinarySensor(LinkyEntity, BinarySensorEntity):
    """A binary fact of the meter."""

    entity_description: LinkyBinarySensorDescription

    @override
    def _read(self) -> None:
        self._attr_is_on = self.entity_description.value_fn(self.coordinator.state)


class LinkLamp(LinkyEntity, BinarySensorEntity):
    """The lamp of the link: the one fact that is known when nothing comes."""

    @property
    @override
    def available(self) -> bool:
        """Always."""
        return True

    @override
    def _read(self) -> None:
        self._attr_is_on = self.coordinator.link_good
