"""What all entities of a node have in common."""

from collections.abc import Callable, Iterable, Mapping
from typing import override

from homeassistant.core import callback
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity, EntityDescription
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from ..entity import DescribedEntity
from .api.answers import Collective, Node, Words, words_in
from .computed.surplus_coordinator import SurplusCoordinator, statistics_of
from .coordinator import NodeConfigEntry, NodeCoordinator
from .devices import collective_identifier, node_identifier

REASON = "reason"
"""The attribute with the reason of a problem."""


def unique_id(entry: NodeConfigEntry, device_id: str, description: EntityDescription) -> str:
    """Name an entity of a collective, or of a plant."""
    return f"{entry.entry_id}_{device_id}_{description.key}"


def publishes_hours(collective: Collective, _description: EntityDescription) -> bool:
    """Return whether injection and consumption of a collective are known, by hours."""
    return statistics_of(collective) is not None


def add_for_each_collective[D: EntityDescription](
    coordinator: NodeCoordinator,
    add: AddConfigEntryEntitiesCallback,
    descriptions: Iterable[D],
    make: Callable[[NodeCoordinator, str, D], Entity],
    has_facts: Callable[[Collective, D], bool] = lambda collective, description: True,
) -> None:
    """Add the entities of each collective once the node has their facts."""
    add_for_each(
        coordinator,
        add,
        lambda node: {collective.id: collective for collective in node.collectives},
        descriptions,
        make,
        has_facts=lambda _, collective, description: has_facts(collective, description),
    )


def add_for_each[T, D: EntityDescription](
    coordinator: NodeCoordinator,
    add: AddConfigEntryEntitiesCallback,
    things: Callable[[Node], Mapping[str, T]],
    descriptions: Iterable[D],
    make: Callable[[NodeCoordinator, str, D], Entity],
    *,
    has_facts: Callable[[str, T, D], bool],
) -> None:
    """Add the entities of each thing once the node has their facts."""
    described = {description.key: description for description in descriptions}
    added: set[tuple[str, str]] = set()

    @callback
    def look() -> None:
        present = things(coordinator.data)
        added.difference_update([each for each in added if each[0] not in present])
        new = [
            (each, key)
            for each, thing in sorted(present.items())
            for key, description in described.items()
            if (each, key) not in added and has_facts(each, thing, description)
        ]
        added.update(new)
        if new:
            add(make(coordinator, each, described[key]) for each, key in new)

    look()
    coordinator.config_entry.async_on_unload(coordinator.async_add_listener(look))


class NodeEntity(DescribedEntity[NodeCoordinator]):
    """An entity of the node itself."""

    _unrecorded_attributes = frozenset({REASON})

    def __init__(self, coordinator: NodeCoordinator, description: EntityDescription) -> None:
        """Take what it shows."""
        device = DeviceInfo(identifiers={node_identifier(coordinator.config_entry)})
        super().__init__(coordinator, description, device)

    def _reason(self, words: Words | None) -> dict[str, str | None]:
        """Return the attribute with the reason, in the language of the home."""
        language = self.coordinator.hass.config.language
        return {REASON: None if words is None else words_in(language, words)}


class CollectiveEntity(NodeEntity):
    """An entity of one collective."""

    def __init__(
        self, coordinator: NodeCoordinator, collective_id: str, description: EntityDescription
    ) -> None:
        """Take what it shows, and of whom."""
        super().__init__(coordinator, description)
        self.collective_id = collective_id
        entry = coordinator.config_entry
        self._attr_unique_id = unique_id(entry, collective_id, description)
        identifier = collective_identifier(entry, collective_id)
        self._attr_device_info = DeviceInfo(identifiers={identifier})

    @property
    def collective(self) -> Collective:
        """The node's data on it, while there are some."""
        collective = self.coordinator.data.collective(self.collective_id)
        assert collective is not None
        return collective

    @property
    @override
    def available(self) -> bool:
        """Whether the node is there, and has the collective."""
        has_facts = self.coordinator.data.collective(self.collective_id) is not None
        return super().available and has_facts


class SurplusEntity(CollectiveEntity):
    """An entity of a collective's expected surplus."""

    @property
    def surplus(self) -> SurplusCoordinator:
        """The forecasts."""
        return self.coordinator.surplus

    @override
    async def async_added_to_hass(self) -> None:
        await super().async_added_to_hass()
        self.async_on_remove(self.surplus.async_add_listener(self._handle_coordinator_update))

    @property
    @override
    def available(self) -> bool:
        """Whether there is a forecast of this hour."""
        return super().available and self.surplus.now(self.collective_id) is not None
