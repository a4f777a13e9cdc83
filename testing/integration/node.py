"""A home with a node, as the tests look at it."""

from datetime import timedelta
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.consometers.const import DOMAIN
from testing.integration.toy_node import ToyNode
from testing.integration.views import EntryView
from testing.waiting import until


class NodeView(EntryView):
    """A home with a node. Keys of a collective begin with its id."""

    def __init__(self, hass: HomeAssistant, entry: MockConfigEntry, toy: ToyNode) -> None:
        super().__init__(hass, entry)
        self.toy = toy

    async def start(self, *collectives: dict[str, Any]) -> None:
        """Set the entry up, and wait until the node is listened to."""
        if collectives:
            self.toy.answer["collectives"] = list(collectives)
        await self.set_up()
        await until(lambda: self.toy.listeners)
        # Once it listens it asks again.
        await until(lambda: self.toy.times_asked() >= 2)
        await self.hass.async_block_till_done()

    async def set_up(self) -> None:
        await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.hass.async_block_till_done()

    async def a_minute_passes(self) -> None:
        """Advance until the node is asked again."""
        # Nothing is due while the answer to a former question is awaited.
        await until(lambda: self.entry.runtime_data._unsub_refresh)
        asked = self.toy.times_asked()
        async_fire_time_changed(self.hass, dt_util.utcnow() + timedelta(seconds=62))
        await until(lambda: self.toy.times_asked() > asked)

    @property
    def waiting(self) -> str | None:
        return self.state("1_waiting")

    @property
    def connected(self) -> str | None:
        return self.state("connected", "binary_sensor")

    def device(self, known_as: str | None = None, separator: str = "_") -> dr.DeviceEntry | None:
        """Return the device of the node, of a collective, or of a plant after a colon."""
        entry_id = self.entry.entry_id
        identifier = entry_id if known_as is None else f"{entry_id}{separator}{known_as}"
        registry = dr.async_get(self.hass)
        return registry.async_get_device_by_identifier((DOMAIN, identifier), entry_id)

    def issues(self) -> dict[str, ir.IssueEntry]:
        """Return what is asked of the person, by kind."""
        return {
            str(issue.translation_key): issue
            for issue in ir.async_get(self.hass).issues.values()
            if issue.domain == DOMAIN and issue.active
        }
