"""The sensors of an inverter: each is added when its value is first known."""

from typing import override

from homeassistant.components.sensor import SensorEntity
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.typing import StateType

from ..entity import DescribedEntity, add_as_known
from .coordinator import InverterCoordinator
from .devices import identifier
from .sensors import InverterSensorDescription, sensors


def add_sensors(coordinator: InverterCoordinator, add: AddConfigEntryEntitiesCallback) -> None:
    """Add each sensor when its value is first known, or was known before a restart."""
    add_as_known(coordinator, add, sensors(), InverterSensor, _exists)


def _exists(coordinator: InverterCoordinator, description: InverterSensorDescription) -> bool:
    is_known = description.key in coordinator.known_keys
    return is_known or description.value_fn(coordinator.state) is not None


class InverterSensor(DescribedEntity[InverterCoordinator], SensorEntity):
    """A fact of an inverter."""

    entity_description: InverterSensorDescription

    def __init__(
        self, coordinator: InverterCoordinator, description: InverterSensorDescription
    ) -> None:
        """Take what it shows."""
        device = identifier(coordinator.config_entry, description.part)
        super().__init__(coordinator, description, DeviceInfo(identifiers={device}))
        coordinator.known_keys.add(description.key)
        self._lasting = description.lasting or description.made

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
