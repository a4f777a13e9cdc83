"""A Home Assistant, a clock, and a meter on a port of the machine."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from unittest.mock import patch

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from testing.integration.entries import meter_entry
from testing.integration.ports import DEVICE, LoopClock, MeterLine, Port, Ports
from testing.integration.views import MeterView


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
def clock(hass: HomeAssistant) -> LoopClock:
    return LoopClock(hass)


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
def line(clock: LoopClock, port: Port) -> MeterLine:
    return MeterLine(clock, port)


@pytest.fixture
def entry(hass: HomeAssistant, enable_custom_integrations: None) -> MockConfigEntry:
    """Return an entry for a meter in standard mode, not set up yet."""
    return meter_entry(hass)


@pytest.fixture
def home(hass: HomeAssistant, entry: MockConfigEntry, line: MeterLine) -> MeterView:
    """Return a home whose meter is in standard mode. Nothing is set up yet."""
    return MeterView(hass, entry, line)
