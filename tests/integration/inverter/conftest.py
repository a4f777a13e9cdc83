"""A virtual inverter behind a real TCP port, and a Home Assistant that may read it."""

from collections.abc import AsyncIterator, Generator
from typing import Any
from unittest.mock import patch

from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from modbus_connection._client import BaseModbusConnection
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from demo.inverter import VirtualInverter
from testing.integration.entries import inverter_entry
from testing.integration.inverter import InverterPatience, InverterView, virtual


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> InverterPatience:
    """Return how long Home Assistant waits, at first as long as an answer may take."""
    patience = InverterPatience(monkeypatch)
    make = BaseModbusConnection.__init__

    def patient(self: BaseModbusConnection, *args: Any, **kwargs: Any) -> None:
        make(self, *args, **kwargs | {"timeout": patience.answer_within_s})
        patience.connections.append(self)

    monkeypatch.setattr(BaseModbusConnection, "__init__", patient)
    return patience


@pytest.fixture
def profile() -> str:
    return "home"


@pytest.fixture
async def inverter(socket_enabled: None, profile: str) -> AsyncIterator[VirtualInverter]:
    """Serve one at noon, for which time stands still."""
    async with virtual(profile) as inverter:
        yield inverter


@pytest.fixture
async def entry(
    hass: HomeAssistant, inverter: VirtualInverter, enable_custom_integrations: None
) -> MockConfigEntry:
    """Return an entry for the inverter, not set up yet."""
    place = {CONF_HOST: inverter.host, CONF_PORT: inverter.port}
    return await inverter_entry(hass, inverter, **place)


@pytest.fixture
def roof(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    inverter: VirtualInverter,
    patience: InverterPatience,
) -> Generator[InverterView]:
    """Return a home with panels, where it is as late as on its roof. Nothing is set up yet."""
    clock = "custom_components.consometers.inverter.coordinator.utcnow"
    with patch(clock, lambda: inverter.at):
        yield InverterView(hass, entry, inverter, patience)
