"""A home with panels, as the tests look at it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from modbus_connection._client import BaseModbusConnection
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.consometers.const import CONF_UNIT_ID
from custom_components.consometers.inverter import flow
from custom_components.consometers.inverter.coordinator import InverterCoordinator
from demo.inverter import PROFILES, Inverter, VirtualInverter
from testing.integration.flows import Flow
from testing.integration.views import EntryView
from testing.run import DEADLINE_S

ORIGIN = datetime(2026, 6, 1, tzinfo=UTC)
NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)
NIGHT = datetime(2026, 6, 10, 23, 30, tzinfo=UTC)
IMPATIENT_S = 0.2
DAWN = datetime(2026, 6, 11, 4, 30, tzinfo=UTC)


def virtual(inverter: Inverter | str = "home") -> VirtualInverter:
    """Return one at noon, by its profile perhaps, for which time stands still."""
    if isinstance(inverter, str):
        inverter = Inverter(PROFILES[inverter], origin=ORIGIN)
    return VirtualInverter(inverter, start=NOON.timestamp(), speed=0)


class InverterPatience:
    """How long Home Assistant waits for an inverter.

    Where an answer will come, as long as a busy machine needs; where none will, hardly at all.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Be patient. A flow waits by itself, for all of its answers together."""
        self.answer_within_s = DEADLINE_S
        self.connections: list[BaseModbusConnection] = []
        self._monkeypatch = monkeypatch
        monkeypatch.setattr(flow, "PATIENCE_S", DEADLINE_S)

    async def expect_answers(self) -> None:
        await self._wait_for(DEADLINE_S)

    async def expect_silence(self) -> None:
        await self._wait_for(IMPATIENT_S)

    async def _wait_for(self, seconds: float) -> None:
        self.answer_within_s = seconds
        self._monkeypatch.setattr(flow, "PATIENCE_S", seconds)
        for connection in self.connections:
            # The next request connects again, with this time-out.
            connection._timeout = seconds
            await connection.disconnect()


class InverterView(EntryView):
    """A home with panels. Time goes only as the test says."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: MockConfigEntry,
        inverter: VirtualInverter,
        patience: InverterPatience,
    ) -> None:
        super().__init__(hass, entry)
        self.inverter = inverter
        self.patience = patience

    async def start(self, at: datetime = NOON) -> bool:
        """Set the entry up, and let it be asked again if it answers: so its energies are sure."""
        self.inverter.at = at - timedelta(seconds=5)
        done = await self.hass.config_entries.async_setup(self.entry.entry_id)
        await self.hass.async_block_till_done()
        if done:
            await self.at(at)
        return done

    async def polls(self, times: int = 1, every_s: float = 10) -> None:
        """Poll the inverter some times."""
        for _ in range(times):
            await self.at(self.inverter.at + timedelta(seconds=every_s))

    async def at(self, at: datetime) -> None:
        """Poll it at a time of the day. It listens, or does not, as it does then."""
        self.inverter.at = at
        await self.inverter._follow()
        await self.coordinator.async_refresh()
        await self.hass.async_block_till_done()

    @property
    def coordinator(self) -> InverterCoordinator:
        coordinator: InverterCoordinator = self.entry.runtime_data
        return coordinator

    def amount(self, key: str) -> float:
        """Return what a sensor shows, in W or kWh."""
        state = self.state(key)
        assert state is not None, key
        return float(state)


def typed(inverter: VirtualInverter, unit_id: int = 1) -> dict[str, Any]:
    """Return what a person types to add an inverter on the network."""
    return {CONF_HOST: inverter.host, CONF_PORT: inverter.port, CONF_UNIT_ID: unit_id}


async def move(hass: HomeAssistant, entry: ConfigEntry, inverter: VirtualInverter) -> Flow:
    """Say where on the network an inverter is now."""
    flow = await Flow.move(hass, entry, "reconfigure_inverter_network")
    assert flow.step == "reconfigure_inverter_network"
    return await flow.submit(typed(inverter))
