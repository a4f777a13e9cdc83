"""A meter behind a real TCP port, as behind a dongle on the network: nothing stands in between."""

import asyncio
from collections.abc import AsyncIterator
import logging

from homeassistant.core import HomeAssistant
import pytest

from consometers_tic_virtual import Contract, Linky, Option, VirtualLinky
from custom_components.consometers.const import CONF_POWER_INTERVAL, CONF_SILENCE
from testing.integration.entries import meter_entry
from testing.integration.flows import Flow
from testing.waiting import until

pytestmark = pytest.mark.usefixtures("enable_custom_integrations", "socket_enabled")

SPEED = 8
"""The meter speaks so much faster than a real one."""


@pytest.fixture
async def meter() -> AsyncIterator[VirtualLinky]:
    linky = Linky(contract=Contract(Option.HC))
    async with VirtualLinky(linky, tcp=0, speed=SPEED) as meter:
        yield meter


def faults(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR]


async def test_a_meter_is_found_added_lost_and_found_again(
    hass: HomeAssistant, meter: VirtualLinky, caplog: pytest.LogCaptureFixture
) -> None:
    flow = await (await (await Flow.begin(hass, "meter")).listen(meter.port)).hear()
    assert flow.step == "confirm"
    assert flow.placeholders["address"] == f"…{meter.linky.identity.address[-4:]}"
    assert flow.placeholders["contract"] == "H PLEINE/CREUSE"
    entry = (await flow.submit()).entry
    assert entry.unique_id == meter.linky.identity.address
    hass.config_entries.async_update_entry(entry, options={CONF_SILENCE: 1, CONF_POWER_INTERVAL: 0})
    await hass.config_entries.async_reload(entry.entry_id)

    def power() -> str:
        return state.state if (state := hass.states.get("sensor.linky_apparent_power")) else ""

    await until(lambda: power().isdigit())
    await meter.unplug()
    await until(lambda: power() == "unavailable")
    await meter.plug()
    await until(lambda: power().isdigit())
    assert faults(caplog) == []

    await hass.config_entries.async_unload(entry.entry_id)
    assert power() == "unavailable"


async def test_a_connection_that_is_closed_after_some_bytes_is_retried(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    """Bytes and the end of the connection come together."""
    calls = 0

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        calls += 1
        writer.write(b"busy\r\n")
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    entry = meter_entry(hass, device=f"socket://{host}:{port}")
    await hass.config_entries.async_setup(entry.entry_id)
    await until(lambda: calls >= 2)
    assert faults(caplog) == []
    await hass.config_entries.async_unload(entry.entry_id)
    server.close()
    await server.wait_closed()
