"""A Home Assistant, a clock, and a meter on a port of the machine."""

import asyncio
from collections.abc import Generator
from unittest.mock import patch

from homeassistant.const import CONF_DEVICE
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.consometers.const import CONF_MODE, DOMAIN
from custom_components.consometers.tic import Mode

from .frames import ADDRESS
from .home import Home
from .ports import DEVICE, Clock, Line, Port, Ports


@pytest.fixture(autouse=True)
async def enable_event_loop_debug() -> None:
    """Have the loop notice what Home Assistant's own tests would."""
    asyncio.get_running_loop().set_debug(True)


@pytest.fixture
def entity_registry_enabled_by_default() -> Generator[None]:
    """Every entity is enabled."""
    enabled = "homeassistant.helpers.entity.Entity.entity_registry_enabled_default"
    with patch(enabled, return_value=True):
        yield


@pytest.fixture
def clock(hass: HomeAssistant) -> Clock:
    return Clock(hass)


@pytest.fixture
def ports() -> Generator[Ports]:
    """The machine has no port but those that are plugged."""
    ports = Ports()
    with patch("serialx.open_serial_connection", ports.open):
        yield ports


@pytest.fixture
def port(ports: Ports) -> Port:
    return ports.plug(DEVICE)


@pytest.fixture
def line(clock: Clock, port: Port) -> Line:
    return Line(clock, port)


@pytest.fixture
def entry(hass: HomeAssistant, enable_custom_integrations: None) -> MockConfigEntry:
    """An entry for a meter in standard mode, not set up yet."""
    entry = MockConfigEntry(
        domain=DOMAIN,
        title=f"Linky …{ADDRESS[-4:]}",
        unique_id=ADDRESS,
        data={CONF_DEVICE: DEVICE, CONF_MODE: Mode.STANDARD},
        entry_id="01JTIC0000000000000000000A",
    )
    entry.add_to_hass(hass)
    return entry


@pytest.fixture
def home(hass: HomeAssistant, entry: MockConfigEntry, line: Line) -> Home:
    """A home whose meter is in standard mode. Nothing is set up yet."""
    return Home(hass, entry, line)
