"""A virtual inverter behind a real TCP port, and a Home Assistant that may read it."""

from collections.abc import AsyncIterator, Generator
from typing import Any
from unittest.mock import patch

from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from modbus_connection._client import BaseModbusConnection
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.consometers.const import (
    CONF_BASE,
    CONF_KIND,
    CONF_UNIT_ID,
    DOMAIN,
    KIND_INVERTER,
)
from demo.inverter import VirtualInverter

from .roof import Roof, virtual


@pytest.fixture
def patience_s() -> float:
    return 0.2


@pytest.fixture(autouse=True)
def impatient(patience_s: float) -> Generator[None]:
    """Nobody waits ten seconds for an answer."""
    make = BaseModbusConnection.__init__

    def hurried(self: BaseModbusConnection, *args: Any, **kwargs: Any) -> None:
        make(self, *args, **kwargs | {"timeout": patience_s})

    with patch.object(BaseModbusConnection, "__init__", hurried):
        yield


@pytest.fixture
def profile() -> str:
    return "home"


@pytest.fixture
async def inverter(socket_enabled: None, profile: str) -> AsyncIterator[VirtualInverter]:
    """One at noon, for which time stands still."""
    async with virtual(profile) as inverter:
        yield inverter


@pytest.fixture
async def entry(
    hass: HomeAssistant, inverter: VirtualInverter, enable_custom_integrations: None
) -> MockConfigEntry:
    """An entry for the inverter, not set up yet. It is in Lorient, as the sun is."""
    await hass.config.async_update(latitude=47.75, longitude=-3.37, time_zone="Europe/Paris")
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Kersabiec Solaire K1",
        unique_id=f"sunspec:Kersabiec Solaire:{inverter.inverters[0].serial}",
        data={
            CONF_KIND: KIND_INVERTER,
            CONF_HOST: inverter.host,
            CONF_PORT: inverter.port,
            CONF_UNIT_ID: 1,
            CONF_BASE: 40_000,
        },
        entry_id="01JSUN0000000000000000000A",
    )
    entry.add_to_hass(hass)
    return entry


@pytest.fixture
def roof(hass: HomeAssistant, entry: MockConfigEntry, inverter: VirtualInverter) -> Generator[Roof]:
    """A home with panels, where it is as late as on its roof. Nothing is set up yet."""
    clock = "custom_components.consometers.inverter.coordinator.utcnow"
    with patch(clock, lambda: inverter.at):
        yield Roof(hass, entry, inverter)
