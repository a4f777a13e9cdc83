"""Sensors of a meter, of an inverter, of a home, and of the collectives of a node."""

from datetime import datetime
from functools import partial
from typing import override

from homeassistant.components.sensor import SensorEntity, SensorEntityDescription
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.typing import StateType

from .balance.entity import BalanceEntity, existing
from .balance.sensors import BalanceSensorDescription
from .const import CONF_ESTIMATE_INJECTION, CONF_RAW_LABELS, DOMAIN
from .entity import LinkyEntity, add_as_known
from .inverter.entity import InverterEntity, add_as_known as add_of_inverter
from .inverter.sensors import InverterSensorDescription, sensors as of_inverter
from .kinds import ConsometersConfigEntry, is_balance, is_inverter, is_node
from .linky.coordinator import LinkyCoordinator
from .linky.sensors import LinkySensorDescription, estimates, price, raw_labels, sensors
from .node.answers import Collective, Plant, words_in
from .node.coordinator import NodeConfigEntry
from .node.entity import (
    REASON,
    CollectiveEntity,
    PlantEntity,
    SimulationEntity,
    SurplusEntity,
    add_for_each,
    add_for_each_collective,
    unique_id,
)
from .node.sensors import (
    ATTRIBUTES,
    COLLECTIVE_SENSORS,
    PLANT_SENSORS,
    SIMULATION_NOTE,
    SIMULATION_SENSORS,
    SURPLUS_SENSORS,
    Attributes,
    CollectiveSensorDescription,
    Fact,
    PlantSensorDescription,
    SimulationSensorDescription,
    SurplusSensorDescription,
)
from .node.surplus_coordinator import statistics_of

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ConsometersConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of the meter, the inverter, the home, or the node's collectives."""
    if is_node(entry):
        add_for_each_collective(
            entry,
            async_add_entities,
            COLLECTIVE_SENSORS,
            CollectiveSensor,
            partial(_is_or_was_told, hass, entry),
        )
        add_for_each_collective(
            entry,
            async_add_entities,
            SURPLUS_SENSORS,
            SurplusSensor,
            lambda collective, _: statistics_of(collective) is not None,
        )
        add_for_each_collective(
            entry,
            async_add_entities,
            SIMULATION_SENSORS,
            SimulationSensor,
            lambda collective, described: (
                statistics_of(collective) is not None and described.is_told(collective)
            ),
        )
        add_for_each(
            entry,
            async_add_entities,
            lambda node: node.plants,
            PLANT_SENSORS,
            PlantSensor,
            is_told=partial(_is_or_was_known, hass, entry),
        )
        return
    if is_inverter(entry):
        add_of_inverter(entry, async_add_entities, of_inverter(), InverterSensor)
        return
    if is_balance(entry):
        tracker = entry.runtime_data
        async_add_entities(BalanceSensor(tracker, each) for each in existing(entry))
        return
    descriptions = list(sensors())
    if entry.options.get(CONF_ESTIMATE_INJECTION):
        descriptions.extend(estimates())
    if entry.options.get(CONF_RAW_LABELS):
        descriptions.extend(raw_labels())
    if entry.runtime_data.state.prices:
        descriptions.append(price(hass.config.currency))
    add_as_known(hass, entry, async_add_entities, descriptions, LinkySensor)


class LinkySensor(LinkyEntity, SensorEntity):
    """A fact of the meter."""

    entity_description: LinkySensorDescription

    def __init__(self, coordinator: LinkyCoordinator, description: LinkySensorDescription) -> None:
        """Take its name from the tariff, where it has one."""
        super().__init__(coordinator, description, description.pace)
        self._attr_translation_placeholders = dict(description.placeholders)
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


class InverterSensor(InverterEntity, SensorEntity):
    """A fact of the inverter."""

    entity_description: InverterSensorDescription

    @property
    @override
    def native_value(self) -> StateType:
        """The inverter's value, or the total derived from it."""
        return self.entity_description.value(self.coordinator.state)


class BalanceSensor(BalanceEntity, SensorEntity):
    """A fact of the home."""

    entity_description: BalanceSensorDescription

    @property
    @override
    def native_value(self) -> float | None:
        """The sum of its sources."""
        return self.entity_description.value(self.coordinator.data)


class CollectiveSensor(CollectiveEntity, SensorEntity):
    """A fact of data to a collective, or from it."""

    entity_description: CollectiveSensorDescription
    _unrecorded_attributes = frozenset({REASON, *ATTRIBUTES})

    @property
    @override
    def available(self) -> bool:
        """Whether the node is there, and has such facts of the collective."""
        described = self.entity_description
        return super().available and not (described.of_sums and self.collective.sums is None)

    @property
    @override
    def native_value(self) -> Fact:
        """The node's value."""
        return self.entity_description.value_fn(self.collective)

    @property
    @override
    def last_reset(self) -> datetime | None:
        """The start of its period."""
        return self.entity_description.reset_fn(self.collective)

    @property
    @override
    def extra_state_attributes(self) -> dict[str, object]:
        """The time of the value, and the reason where it is suppressed."""
        attributes = dict[str, object](self.entity_description.attributes_fn(self.collective))
        sums = self.collective.sums
        if sums is not None and sums.problem is not None and self.native_value is None:
            attributes |= self._reason(sums.problem)
        return attributes


class SurplusSensor(SurplusEntity, SensorEntity):
    """The next expected surplus of a collective."""

    entity_description: SurplusSensorDescription

    @property
    @override
    def native_value(self) -> datetime | None:
        """Its start."""
        return self.entity_description.value_fn(self.surplus.to_come(self.collective_id))


class SimulationSensor(SimulationEntity, SensorEntity):
    """What this home would have received of a collective's injection."""

    entity_description: SimulationSensorDescription
    _unrecorded_attributes = ATTRIBUTES

    @property
    @override
    def native_value(self) -> Fact:
        """The simulated value."""
        return self.entity_description.value_fn(self.simulation)

    @property
    @override
    def last_reset(self) -> datetime | None:
        """The start of its period."""
        return self.entity_description.reset_fn(self.simulation)

    @property
    @override
    def extra_state_attributes(self) -> Attributes:
        """The key, the end of the data, and what a simulation is."""
        attributes = self.entity_description.attributes_fn(self.simulation)
        return {**attributes, "note": words_in(self.hass.config.language, SIMULATION_NOTE)}


class PlantSensor(PlantEntity, SensorEntity):
    """A fact of this home's part of a plant."""

    entity_description: PlantSensorDescription
    _unrecorded_attributes = frozenset({REASON, *ATTRIBUTES})

    @property
    @override
    def native_value(self) -> Fact:
        """The node's value."""
        return self.entity_description.value_fn(self.plant)

    @property
    @override
    def last_reset(self) -> datetime | None:
        """The start of its period."""
        return self.entity_description.reset_fn(self.plant)

    @property
    @override
    def extra_state_attributes(self) -> dict[str, object]:
        """The time of the value, and the reason where it is unknown."""
        attributes = dict[str, object](self.entity_description.attributes_fn(self.plant))
        if self.plant.problem is not None and self.native_value is None:
            attributes |= self._reason(self.plant.problem)
        return attributes


def _is_or_was_told(
    hass: HomeAssistant,
    entry: NodeConfigEntry,
    collective: Collective,
    description: CollectiveSensorDescription,
) -> bool:
    """Return whether the node has a fact, or had it before Home Assistant was restarted."""
    return description.is_told(collective) or _was_told(hass, entry, collective.id, description)


def _is_or_was_known(
    hass: HomeAssistant,
    entry: NodeConfigEntry,
    known_as: str,
    plant: Plant,
    description: PlantSensorDescription,
) -> bool:
    """Return whether a fact of a plant is known, or was before Home Assistant was restarted."""
    is_known = description.value_fn(plant) is not None
    return is_known or _was_told(hass, entry, known_as, description)


def _was_told(
    hass: HomeAssistant,
    entry: NodeConfigEntry,
    known_as: str,
    description: SensorEntityDescription,
) -> bool:
    name = unique_id(entry, known_as, description)
    return er.async_get(hass).async_get_entity_id(Platform.SENSOR, DOMAIN, name) is not None
