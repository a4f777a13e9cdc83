"""A home with a node, as the tests look at it."""

from datetime import timedelta

from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.consometers.const import DOMAIN

from .toy import ToyNode, until


class House:
    """What a person sees of the node."""

    def __init__(self, hass: HomeAssistant, entry: MockConfigEntry, toy: ToyNode) -> None:
        self.hass = hass
        self.entry = entry
        self.toy = toy

    async def start(self) -> None:
        """Set the entry up, and wait until the node is listened to."""
        await self.set_up()
        await until(lambda: self.toy.listeners)
        # Once it listens it asks anew.
        await until(lambda: self.toy.times_asked() >= 2)
        await self.hass.async_block_till_done()

    async def set_up(self) -> None:
        await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.hass.async_block_till_done()

    async def a_minute_passes(self) -> None:
        """Let the time come when the node is asked again."""
        # Nothing is due while the answer to a former question is awaited.
        await until(lambda: self.entry.runtime_data._unsub_refresh)
        asked = self.toy.times_asked()
        async_fire_time_changed(self.hass, dt_util.utcnow() + timedelta(seconds=62))
        await until(lambda: self.toy.times_asked() > asked)

    @property
    def entry_state(self) -> str:
        return str(self.entry.state.value)

    def entity_id(self, platform: str, key: str, collective_id: str | None = None) -> str | None:
        of = (
            self.entry.entry_id
            if collective_id is None
            else f"{self.entry.entry_id}_{collective_id}"
        )
        return er.async_get(self.hass).async_get_entity_id(platform, DOMAIN, f"{of}_{key}")

    def state_of(self, platform: str, key: str, collective_id: str | None = None) -> State | None:
        entity_id = self.entity_id(platform, key, collective_id)
        return None if entity_id is None else self.hass.states.get(entity_id)

    def state(self, platform: str, key: str, collective_id: str | None = None) -> str | None:
        state = self.state_of(platform, key, collective_id)
        return None if state is None else state.state

    @property
    def waiting(self) -> str | None:
        return self.state("sensor", "waiting", "1")

    @property
    def connected(self) -> str | None:
        return self.state("binary_sensor", "connected")

    def device(self, collective_id: str | None = None) -> dr.DeviceEntry | None:
        of = (
            self.entry.entry_id
            if collective_id is None
            else f"{self.entry.entry_id}_{collective_id}"
        )
        registry = dr.async_get(self.hass)
        return registry.async_get_device_by_identifier((DOMAIN, of), self.entry.entry_id)

    def issues(self) -> dict[str, ir.IssueEntry]:
        """Return what is asked of the person, by kind."""
        return {
            str(issue.translation_key): issue
            for issue in ir.async_get(self.hass).issues.values()
            if issue.domain == DOMAIN and issue.active
        }
