"""A Home Assistant, a clock, and a meter on a port of the machine."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from unittest.mock import patch

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from .factories import meter_entry
from .home import Home
from .ports import DEVICE, Clock, Line, Port, Ports


@pytest.fixture(autouse=True)
async def enable_event_loop_debug() -> AsyncGenerator[None]:
    """Have the loop notice what Home Assistant's own tests would, and remember one frame of it."""
    with patch("asyncio.constants.DEBUG_STACK_DEPTH", 1):
        asyncio.get_running_loop().set_debug(True)
        yield


@pytest.fixture
def entity_registry_enabled_by_default() -> Generator[None]:
    enabled = "homeassistant.helpers.entity.Entity.entity_registry_enabled_default"
    with patch(enabled, return_value=True):
        yield


@pytest.fixture
def clock(hass: HomeAssistant) -> Clock:
    return Clock(hass)


@pytest.fixture
def ports() -> Generator[Ports]:
    """Hide the machine's own ports: only plugged ones exist."""
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
    """Return an entry for a meter in standard mode, not set up yet."""
    return meter_entry(hass)


@pytest.fixture
def home(hass: HomeAssistant, entry: MockConfigEntry, line: Line) -> Home:
    """Return a home whose meter is in standard mode. Nothing is set up yet."""
    return Home(hass, entry, line)
