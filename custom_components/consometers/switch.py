"""Switches of a node: whether sharing with a collective is on."""

from typing import Any, override

from homeassistant.components.switch import SwitchEntity, SwitchEntityDescription
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .node.coordinator import NodeConfigEntry, require_administrator
from .node.entity import CollectiveEntity, add_for_each_collective

PARALLEL_UPDATES = 1

SHARING = SwitchEntityDescription(key="sharing")


async def async_setup_entry(
    hass: HomeAssistant,
    entry: NodeConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Add a switch for each collective."""
    add_for_each_collective(entry, async_add_entities, [SHARING], Sharing)


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
