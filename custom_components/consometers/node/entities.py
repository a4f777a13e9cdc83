"""The entities of a node and of its collectives, by their platforms."""

from abc import abstractmethod
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final, override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.components.calendar import (
    CalendarEntity,
    CalendarEntityDescription,
    CalendarEvent,
)
from homeassistant.components.sensor import SensorEntity, SensorEntityDescription
from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ..entries import sensor_id
from .api.answers import Collective, Plant, Words, words_in
from .computed.simulation_coordinator import Simulation
from .computed.surplus import Forecast, Stretch, stretches
from .coordinator import NodeCoordinator, require_administrator
from .devices import plant_identifier
from .entity import (
    REASON,
    CollectiveEntity,
    NodeEntity,
    SurplusEntity,
    add_for_each,
    add_for_each_collective,
    publishes_hours,
    unique_id,
)
from .sensors import (
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

_description = partial(BinarySensorEntityDescription, entity_category=EntityCategory.DIAGNOSTIC)
CONNECTED: Final = _description(key="connected", device_class=BinarySensorDeviceClass.CONNECTIVITY)
PROBLEM: Final = _description(key="problem", device_class=BinarySensorDeviceClass.PROBLEM)
SURPLUS_LIKELY: Final = BinarySensorEntityDescription(key="surplus_likely")
SURPLUS: Final = CalendarEntityDescription(key="surplus")
SHARING: Final = SwitchEntityDescription(key="sharing")
_SUMMARIES: Final = {"en": "Surplus likely: {name}", "fr": "Surplus probable : {name}"}


def add_sensors(coordinator: NodeCoordinator, add: AddConfigEntryEntitiesCallback) -> None:
    """Add the sensors of each collective, and of each plant in which the home has a part."""
    had_facts = partial(_had_facts, coordinator)
    for_each_collective = partial(add_for_each_collective, coordinator, add)
    for_each_collective(
        COLLECTIVE_SENSORS,
        CollectiveSensor,
        lambda collective, described: (
            described.has_facts(collective) or had_facts(collective.id, described)
        ),
    )
    for_each_collective(SURPLUS_SENSORS, SurplusSensor, publishes_hours)
    for_each_collective(
        SIMULATION_SENSORS,
        SimulationSensor,
        lambda collective, described: (
            publishes_hours(collective, described) and described.has_facts(collective)
        ),
    )
    add_for_each(
        coordinator,
        add,
        lambda node: node.plants,
        PLANT_SENSORS,
        PlantSensor,
        has_facts=lambda identifier, plant, described: (
            described.value_fn(plant) is not None or had_facts(identifier, described)
        ),
    )


def add_binary_sensors(coordinator: NodeCoordinator, add: AddConfigEntryEntitiesCallback) -> None:
    """Add that of the node, and those of each collective."""
    add([Connected(coordinator, CONNECTED)])
    add_for_each_collective(coordinator, add, [PROBLEM], Problem)
    add_for_each_collective(coordinator, add, [SURPLUS_LIKELY], SurplusLikely, publishes_hours)


def add_calendars(coordinator: NodeCoordinator, add: AddConfigEntryEntitiesCallback) -> None:
    """Add a calendar for each collective of which injection and consumption are known."""
    add_for_each_collective(coordinator, add, [SURPLUS], SurplusCalendar, publishes_hours)


def add_switches(coordinator: NodeCoordinator, add: AddConfigEntryEntitiesCallback) -> None:
    """Add a switch for each collective."""
    add_for_each_collective(coordinator, add, [SHARING], Sharing)


def _had_facts(
    coordinator: NodeCoordinator, identifier: str, description: SensorEntityDescription
) -> bool:
    """Return whether the node had a fact before Home Assistant was restarted."""
    key = f"{identifier}_{description.key}"
    return sensor_id(coordinator.hass, coordinator.config_entry, key) is not None


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


class SimulationSensor(CollectiveEntity, FactSensor[Simulation]):
    """What this home would have received of a collective's injection."""

    @property
    @override
    def source(self) -> Simulation:
        """The simulation, while there is one."""
        return self.coordinator.simulation.data[self.collective_id]

    @property
    @override
    def available(self) -> bool:
        """Whether the home's own consumption is known, and the collective's hours."""
        return super().available and self.collective_id in self.coordinator.simulation.data

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        simulations = self.coordinator.simulation
        self.async_on_remove(simulations.async_add_listener(self._handle_coordinator_update))

    @property
    @override
    def extra_state_attributes(self) -> dict[str, object]:
        """The key, the end of the data, its hours, and what a simulation is."""
        attributes, language = super().extra_state_attributes, self.hass.config.language
        if attributes.get("hours") != attributes.get("of_hours"):
            attributes[COUNTED] = words_in(language, HOURS_COUNTED).format(**attributes)
        return {**attributes, "note": words_in(language, SIMULATION_NOTE)}


class PlantSensor(FactSensor[Plant]):
    """A fact of this home's part of a plant."""

    def __init__(
        self, coordinator: NodeCoordinator, identifier: str, description: EntityDescription
    ) -> None:
        """Take what it shows, and of which plant."""
        super().__init__(coordinator, description)
        self.identifier = identifier
        entry = coordinator.config_entry
        self._attr_unique_id = unique_id(entry, identifier, description)
        self._attr_device_info = DeviceInfo(identifiers={plant_identifier(entry, identifier)})

    @property
    @override
    def source(self) -> Plant:
        """The node's data on it, while there are some."""
        return self.coordinator.data.plants[self.identifier]

    @property
    @override
    def problem(self) -> Words | None:
        return self.source.problem

    @property
    @override
    def available(self) -> bool:
        """Whether the node is there, and has the plant."""
        return super().available and self.identifier in self.coordinator.data.plants


class Connected(NodeEntity, BinarySensorEntity):
    """Whether the node is on the network, and if not, why."""

    @property
    @override
    def is_on(self) -> bool:
        return self.coordinator.data.online

    @property
    @override
    def extra_state_attributes(self) -> dict[str, str | None]:
        return self._reason(self.coordinator.data.problem)


class Problem(CollectiveEntity, BinarySensorEntity):
    """Whether something holds records back from a collective, and what."""

    @property
    @override
    def is_on(self) -> bool:
        return self.collective.problem is not None

    @property
    @override
    def extra_state_attributes(self) -> dict[str, str | None]:
        return self._reason(self.collective.problem)


class SurplusLikely(SurplusEntity, BinarySensorEntity):
    """Whether members are likely to inject more than others draw, in this hour."""

    @property
    @override
    def is_on(self) -> bool | None:
        """Whether they are."""
        now = self.surplus.now(self.collective_id)
        return None if now is None else now.is_surplus


class SurplusCalendar(SurplusEntity, CalendarEntity):
    """The surplus of today and tomorrow, as events."""

    @property
    @override
    def event(self) -> CalendarEvent | None:
        """The surplus that is now, or the next one."""
        to_come = stretches(self.surplus.to_come(self.collective_id))
        return self._event(to_come[0]) if to_come else None

    @override
    async def async_get_events(
        self, hass: HomeAssistant, start_date: datetime, end_date: datetime
    ) -> list[CalendarEvent]:
        """Return the events within a period, at least in part."""
        return [
            self._event(stretch)
            for stretch in stretches(self.surplus.data.get(self.collective_id, ()))
            if stretch.start < end_date and start_date < stretch.end
        ]

    def _event(self, stretch: Stretch) -> CalendarEvent:
        language = self.hass.config.language.partition("-")[0]
        summary = _SUMMARIES.get(language, _SUMMARIES["en"])
        return CalendarEvent(stretch.start, stretch.end, summary.format(name=self.collective.name))


class Sharing(CollectiveEntity, SwitchEntity):
    """Whether sharing with a collective is on. It grants nothing."""

    @property
    @override
    def available(self) -> bool:
        """Whether there is anything to pause."""
        return super().available and bool(self.collective.granted)

    @property
    @override
    def is_on(self) -> bool:
        """Whether sharing is on."""
        return not self.collective.paused

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        await self._pause(paused=False)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        await self._pause(paused=True)

    async def _pause(self, *, paused: bool) -> None:
        await require_administrator(self.hass, self._context)
        await self.coordinator.async_pause(self.collective_id, paused=paused)
