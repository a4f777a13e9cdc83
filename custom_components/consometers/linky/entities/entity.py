"""The entities of a meter: each is added when the meter first has its fact."""

from datetime import datetime
from typing import Final, override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.components.sensor import SensorEntity
from homeassistant.const import EntityCategory
from homeassistant.core import callback
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.typing import StateType

from ...const import CONF_ESTIMATE_INJECTION, CONF_RAW_LABELS
from ...entity import DescribedEntity, add_as_known
from ..coordinator import LinkyCoordinator
from ..pacing import Pace
from .binary_sensors import LinkyBinarySensorDescription, binary_sensors
from .sensors import LinkySensorDescription, estimates, price, raw_labels, sensors

type Description = LinkySensorDescription | LinkyBinarySensorDescription

CONNECTIVITY: Final = BinarySensorEntityDescription(
    key="link",
    device_class=BinarySensorDeviceClass.CONNECTIVITY,
    entity_category=EntityCategory.DIAGNOSTIC,
)


def add_sensors(coordinator: LinkyCoordinator, add: AddConfigEntryEntitiesCallback) -> None:
    """Add the sensors that the meter has, and those that a person chose."""
    options, descriptions = coordinator.config_entry.options, list(sensors())
    if options.get(CONF_ESTIMATE_INJECTION):
        descriptions.extend(estimates())
    if options.get(CONF_RAW_LABELS):
        descriptions.extend(raw_labels())
    if coordinator.state.prices:
        descriptions.append(price(coordinator.hass.config.currency))
    add_as_known(coordinator, add, descriptions, LinkySensor, _exists)


def add_binary_sensors(coordinator: LinkyCoordinator, add: AddConfigEntryEntitiesCallback) -> None:
    """Add the connectivity, and the binary sensors that the meter has."""
    add([Connectivity(coordinator, CONNECTIVITY)])
    add_as_known(coordinator, add, binary_sensors(), LinkyBinarySensor, _exists)


def _exists(coordinator: LinkyCoordinator, description: Description) -> bool:
    return coordinator.last_update_success and description.exists(coordinator.state)


class LinkyEntity(DescribedEntity[LinkyCoordinator]):
    """An entity of a meter, written when its pace says so."""

    def __init__(
        self,
        coordinator: LinkyCoordinator,
        description: EntityDescription,
        pace: Pace = Pace.CHANGE,
    ) -> None:
        """Take what it shows."""
        super().__init__(coordinator, description, coordinator.device_info)
        self._pace = pace

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        if self._pace in self.coordinator.due:
            super()._handle_coordinator_update()

    @override
    async def async_update(self) -> None:
        """Do not ask: a meter speaks by itself."""


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
        if (tariff := coordinator.state.tariff_names.get(description.register or "")) is not None:
            self._attr_translation_key = "energy_tariff"
            self._attr_translation_placeholders = {"tariff": tariff}

    @property
    @override
    def native_value(self) -> StateType | datetime:
        """The meter's value, or the one derived from it."""
        return self.entity_description.value_fn(self.coordinator.state)

    @property
    @override
    def extra_state_attributes(self) -> dict[str, StateType | datetime]:
        """What else is known of the value."""
        state = self.coordinator.state
        attributes = self.entity_description.attributes.items()
        return {name: value for name, fn in attributes if (value := fn(state)) is not None}


class LinkyBinarySensor(LinkyEntity, BinarySensorEntity):
    """A binary fact of the meter."""

    entity_description: LinkyBinarySensorDescription

    def __init__(
        self, coordinator: LinkyCoordinator, description: LinkyBinarySensorDescription
    ) -> None:
        """Take what it shows, at its pace."""
        super().__init__(coordinator, description, description.pace)

    @property
    @override
    def is_on(self) -> bool | None:
        """The meter's fact."""
        return self.entity_description.value_fn(self.coordinator.state)


class Connectivity(LinkyEntity, BinarySensorEntity):
    """Whether the meter is heard: the one fact that is known when nothing comes."""

    @property
    @override
    def available(self) -> bool:
        """Return True: that nothing comes is known, too."""
        return True

    @property
    @override
    def is_on(self) -> bool:
        """Whether the link is good."""
        return self.coordinator.link_good
