"""A home with panels, as the tests look at it."""

from datetime import UTC, datetime, timedelta

from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.consometers.const import DOMAIN
from custom_components.consometers.inverter.coordinator import InverterCoordinator
from demo.inverter import PROFILES, Inverter, VirtualInverter

ORIGIN = datetime(2026, 6, 1, tzinfo=UTC)
NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)
NIGHT = datetime(2026, 6, 10, 23, 30, tzinfo=UTC)
DAWN = datetime(2026, 6, 11, 4, 30, tzinfo=UTC)


def virtual(profile: str = "home", at: datetime = NOON) -> VirtualInverter:
    inverter = Inverter(PROFILES[profile], origin=ORIGIN)
    return VirtualInverter(inverter, start=at.timestamp(), speed=0)


class Roof:
    """What a person sees of one inverter. Time goes only as the test says."""

    def __init__(
        self, hass: HomeAssistant, entry: MockConfigEntry, inverter: VirtualInverter
    ) -> None:
        self.hass = hass
        self.entry = entry
        self.inverter = inverter

    async def start(self, at: datetime = NOON) -> bool:
        """Set the entry up, and let it be asked again if it answers: so its energies are sure."""
        self.inverter.at = at - timedelta(seconds=5)
        done = await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.hass.async_block_till_done()
        if done:
            await self.at(at)
        return done

    async def polls(self, times: int = 1, every_s: float = 10) -> None:
        """Let the inverter be asked some times."""
        for _ in range(times):
            await self.at(self.inverter.at + timedelta(seconds=every_s))

    async def at(self, at: datetime) -> None:
        """Let it be asked at a time of the day. It listens, or does not, as it does then."""
        self.inverter.at = at
        await self.inverter._follow()
        await self.coordinator.async_refresh()
        await self.hass.async_block_till_done()

    @property
    def coordinator(self) -> InverterCoordinator:
        coordinator: InverterCoordinator = self.entry.runtime_data
        return coordinator

    def entity_id(self, key: str) -> str | None:
        registry = er.async_get(self.hass)
        return registry.async_get_entity_id("sensor", DOMAIN, f"{self.entry.entry_id}_{key}")

    def state_of(self, key: str) -> State | None:
        entity_id = self.entity_id(key)
        return None if entity_id is None else self.hass.states.get(entity_id)

    def state(self, key: str) -> str | None:
        """Return what a sensor shows, by the name of its fact."""
        state = self.state_of(key)
        return None if state is None else state.state

    def number(self, key: str) -> float:
        """Return what a sensor shows, in W or kWh."""
        state = self.state(key)
        assert state is not None, key
        return float(state)

    def are_unavailable(self, *keys: str) -> bool:
        return all(self.state(key) == STATE_UNAVAILABLE for key in keys)

    def issue(self, kind: str) -> ir.IssueEntry | None:
        """Return what is asked of the person, if it is."""
        issue = ir.async_get(self.hass).async_get_issue(DOMAIN, f"{kind}_{self.entry.entry_id}")
        return issue if issue is not None and issue.active else None
