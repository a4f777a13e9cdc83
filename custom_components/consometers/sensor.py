"""Sensors of a meter, of an inverter, of a home, and of the collectives of a node."""

from abc import abstractmethod
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import override

from homeassistant.components.sensor import SensorEntity, SensorEntityDescription
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.typing import StateType

from .balance.entity import BalanceEntity, existing, forget_others
from .balance.sensors import BalanceSensorDescription
from .const import CONF_ESTIMATE_INJECTION, CONF_RAW_LABELS
from .entity import LinkyEntity, add_as_known
from .entries import sensor_id
from .inverter.entity import InverterEntity, add_as_known as add_of_inverter
from .inverter.sensors import InverterSensorDescription, sensors as of_inverter
from .kinds import ConsometersConfigEntry, is_balance, is_inverter, is_node
from .linky.coordinator import LinkyCoordinator
from .linky.sensors import LinkySensorDescription, estimates, price, raw_labels, sensors
from .node.answers import Collective, Plant, Words, words_in
from .node.coordinator import NodeConfigEntry
from .node.entity import (
    REASON,
    CollectiveEntity,
    NodeEntity,
    PlantEntity,
    SimulationEntity,
    SurplusEntity,
    add_for_each,
    add_for_each_collective,
    publishes_hours,
)
from .node.sensors import (
    ATTRIBUTES,
    COLLECTIVE_SENSORS,
    COUNTED,
    HOURS_COUNTED,
    PLANT_SENSORS,
    SIGNED,
    SIMULATION_NOTE,
    SIMULATION_SENSORS,
    SURPLUS_SENSORS,
    CollectiveSensorDescription,
    Fact,
    FactDescription,
    signed,
)
from .node.simulation_coordinator import Simulation
from .node.surplus import Forecast

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ConsometersConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add the sensors of the meter, the inverter, the home, or the node's collectives."""
    if is_node(entry):
        was_told = partial(_was_told, hass, entry)
        add_for_each_collective(
            entry,
            async_add_entities,
            COLLECTIVE_SENSORS,
            CollectiveSensor,
            lambda collective, described: (
                described.is_told(collective) or was_told(collective.id, described)
            ),
        )
        add_for_each_collective(
            entry, async_add_entities, SURPLUS_SENSORS, SurplusSensor, publishes_hours
        )
        add_for_each_collective(
            entry,
            async_add_entities,
            SIMULATION_SENSORS,
            SimulationSensor,
            lambda collective, described: (
                publishes_hours(collective, described) and described.is_told(collective)
            ),
        )
        add_for_each(
            entry,
            async_add_entities,
            lambda node: node.plants,
            PLANT_SENSORS,
            PlantSensor,
            is_told=lambda known_as, plant, described: (
                described.value_fn(plant) is not None or was_told(known_as, described)
            ),
        )
        return
    if is_inverter(entry):
        add_of_inverter(entry, async_add_entities, of_inverter(), InverterSensor)
        return
    if is_balance(entry):
        forget_others(hass, entry)
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


class FactSensor[T](NodeEntity, SensorEntity):
    """A fact that the node reports, or that is computed of its reports."""

    entity_description: FactDescription[T]
    _unrecorded_attributes = frozenset({REASON, *ATTRIBUTES})

    @property
    @abstractmethod
    def source(self) -> T:
        """What the fact is read from."""

    @property
    def problem(self) -> Words | None:
        """Why facts of the source may be unknown."""
        return None

    @property
    @override
    def native_value(self) -> Fact:
        """The present value."""
        return self.entity_description.value_fn(self.source)

    @property
    @override
    def last_reset(self) -> datetime | None:
        """The start of its period."""
        return self.entity_description.reset_fn(self.source)

    @property
    @override
    def extra_state_attributes(self) -> dict[str, object]:
        """The time of the value, its sign, and the reason where it is unknown."""
        described, value = self.entity_description, self.native_value
        attributes = dict[str, object](described.attributes_fn(self.source))
        if described.is_change and isinstance(value, int | float):
            attributes[SIGNED] = signed(value, self.hass.config.language)
        if self.problem is not None and value is None:
            attributes |= self._reason(self.problem)
        return attributes


class CollectiveSensor(CollectiveEntity, FactSensor[Collective]):
    """A fact of data to a collective, or from it."""

    entity_description: CollectiveSensorDescription

    @property
    @override
    def available(self) -> bool:
        """Whether the node is there, and has such facts of the collective."""
        described = self.entity_description
        return super().available and not (described.of_sums and self.source.sums is None)

    @property
    @override
    def source(self) -> Collective:
        return self.collective

    @property
    @override
    def problem(self) -> Words | None:
        return None if self.source.sums is None else self.source.sums.problem


class SurplusSensor(SurplusEntity, FactSensor[Sequence[Forecast]]):
    """The next expected surplus of a collective."""

    @property
    @override
    def source(self) -> Sequence[Forecast]:
        return self.surplus.to_come(self.collective_id)


class SimulationSensor(SimulationEntity, FactSensor[Simulation]):
    """What this home would have received of a collective's injection."""

    @property
    @override
    def source(self) -> Simulation:
        return self.simulation

    @property
    @override
    def extra_state_attributes(self) -> dict[str, object]:
        """The key, the end of the data, its hours, and what a simulation is."""
        attributes, language = super().extra_state_attributes, self.hass.config.language
        if attributes.get("hours") != attributes.get("of_hours"):
            attributes[COUNTED] = words_in(language, HOURS_COUNTED).format(**attributes)
        return {**attributes, "note": words_in(language, SIMULATION_NOTE)}


class PlantSensor(PlantEntity, FactSensor[Plant]):
    """A fact of this home's part of a plant."""

    @property
    @override
    def source(self) -> Plant:
        return self.plant

    @property
    @override
    def problem(self) -> Words | None:
        return self.plant.problem


def _was_told(
    hass: HomeAssistant,
    entry: NodeConfigEntry,
    known_as: str,
    description: SensorEntityDescription,
) -> bool:
    """Return whether the node had a fact before Home Assistant was restarted."""
    return sensor_id(hass, entry, f"{known_as}_{description.key}") is not None
