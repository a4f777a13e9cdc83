"""An inverter on a serial line: a real port, opened when a person chose it."""

from collections.abc import AsyncIterator
import logging
import os
from pathlib import Path
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.const import CONF_DEVICE, CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import InvalidData
from modbus_connection import ModbusSerialParams
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import serialx

from custom_components.consometers.const import (
    CONF_BASE,
    CONF_BAUDRATE,
    CONF_FRAMING,
    CONF_KIND,
    CONF_UNIT_ID,
    KIND_INVERTER,
)
from custom_components.consometers.inverter import flow as inverter_flow
from custom_components.consometers.inverter.link import parameters
from demo.inverter import PROFILES, Inverter, VirtualInverter
from testing.integration.entries import inverter_entry, meter_entry
from testing.integration.flows import Flow
from testing.integration.inverter import (
    NOON,
    ORIGIN,
    InverterPatience,
    InverterView,
    move,
    typed as on_the_network,
    virtual,
)
from testing.waiting import until

pytestmark = pytest.mark.usefixtures("enable_custom_integrations")


def on_a_line(line: Path, *, baud: int = 9_600, units: int = 1) -> VirtualInverter:
    inverters = {
        unit: Inverter(PROFILES["home"], seed=unit, origin=ORIGIN) for unit in range(1, units + 1)
    }
    return VirtualInverter(inverters, line=line, baud=baud, start=NOON.timestamp(), speed=0)


@pytest.fixture
async def inverter(tmp_path: Path) -> AsyncIterator[VirtualInverter]:
    """Serve one at noon, on a line."""
    async with on_a_line(tmp_path / "line") as inverter:
        yield inverter


@pytest.fixture
async def entry(hass: HomeAssistant, inverter: VirtualInverter) -> MockConfigEntry:
    """Return an entry for the inverter, not set up yet."""
    return await inverter_entry(hass, inverter, **typed(inverter, **{CONF_BAUDRATE: 9_600}))


def typed(inverter: VirtualInverter, **more: Any) -> dict[str, Any]:
    """Return what a person types to add it."""
    line = {CONF_BAUDRATE: "9600", CONF_FRAMING: "8N1", CONF_UNIT_ID: 1}
    return {CONF_DEVICE: inverter.device, **line, **more}


def readers(inverter: VirtualInverter) -> int:
    """Count who has the port open, in this process, besides the inverter itself."""
    return holders(port_of(inverter)) - 1


def port_of(inverter: VirtualInverter) -> str:
    assert inverter.device is not None
    return os.path.realpath(inverter.device)


def holders(port: str) -> int:
    return sum(os.path.realpath(fd) == port for fd in Path("/proc/self/fd").iterdir())


async def closed(inverter: VirtualInverter) -> None:
    """Wait until nobody else has the port open."""
    await until(lambda: not readers(inverter))


async def submitted(hass: HomeAssistant, inverter: VirtualInverter, **more: Any) -> Flow:
    return await (await Flow.begin(hass, "inverter_line")).submit(typed(inverter, **more))


async def moved_line(hass: HomeAssistant, entry: ConfigEntry) -> Flow:
    """Begin to say on which line an inverter is now."""
    return await Flow.move(hass, entry, "reconfigure_inverter_line")


async def add(hass: HomeAssistant, inverter: VirtualInverter, **more: Any) -> ConfigEntry:
    return (await (await submitted(hass, inverter, **more)).submit()).entry


async def test_a_port_is_opened_once_chosen_and_closed_on_unload(
    hass: HomeAssistant, inverter: VirtualInverter
) -> None:
    flow = await Flow.begin(hass, "inverter_line")
    assert (flow.step, flow.errors) == ("inverter_line", {})
    assert (readers(inverter), inverter.requests) == (0, 0)

    assert (await flow.submit(typed(inverter))).step == "inverter_found"
    assert flow.placeholders["power"] == "2260 W"
    await closed(inverter)
    entry = (await flow.submit()).entry
    data = typed(inverter, **{CONF_BAUDRATE: 9_600})
    assert entry.data == {CONF_KIND: KIND_INVERTER, **data, CONF_BASE: 40_000}
    assert entry.state is ConfigEntryState.LOADED
    assert readers(inverter) == 1
    assert await hass.config_entries.async_unload(entry.entry_id)
    await closed(inverter)


async def test_inverters_on_one_line_share_it_under_different_names(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    async with on_a_line(tmp_path / "line", units=2) as served:
        first = await add(hass, served)
        second = await add(hass, served, **{CONF_UNIT_ID: 2})
        assert readers(served) == 1
        assert first.title != second.title
        flow = await submitted(hass, served, **{CONF_BAUDRATE: "19200"})
        assert flow.errors == {"base": "link_in_use"}
        for entry in (first, second):
            assert await hass.config_entries.async_unload(entry.entry_id)


WRONG = [
    pytest.param({CONF_UNIT_ID: 7}, "no_answer_on_line", id="wrong unit"),
    pytest.param({CONF_BAUDRATE: "19200"}, "no_answer_on_line", id="wrong speed"),
    pytest.param({CONF_DEVICE: "/dev/ttyNone"}, "no_such_port", id="no port"),
    pytest.param({CONF_DEVICE: "none://line"}, "no_such_port", id="no such kind of port"),
    pytest.param({CONF_DEVICE: "/dev/null"}, "cannot_open", id="no serial port"),
]


@pytest.mark.parametrize(("wrong", "error"), WRONG)
async def test_an_error_is_shown_and_can_be_retried(
    hass: HomeAssistant,
    inverter: VirtualInverter,
    patience: InverterPatience,
    wrong: dict[str, Any],
    error: str,
) -> None:
    if error == "no_answer_on_line":
        await patience.expect_silence()
    flow = await submitted(hass, inverter, **wrong)
    await patience.expect_answers()
    assert (flow.step, flow.errors) == ("inverter_line", {"base": error})
    assert (await flow.submit(typed(inverter))).step == "inverter_found"


async def test_a_busy_port_is_an_error(hass: HomeAssistant, inverter: VirtualInverter) -> None:
    assert inverter.device is not None
    with serialx.serial_for_url(inverter.device, baudrate=9_600):
        flow = await submitted(hass, inverter)
    assert flow.errors == {"base": "port_busy"}


async def test_a_port_freed_a_moment_later_is_opened(
    hass: HomeAssistant, inverter: VirtualInverter
) -> None:
    assert inverter.device is not None
    before = serialx.serial_for_url(inverter.device, baudrate=9_600)
    before.open()
    hass.loop.call_later(0.2, before.close)
    flow = await submitted(hass, inverter)
    assert flow.step == "inverter_found"


async def test_the_port_of_a_meter_is_not_opened(
    hass: HomeAssistant, inverter: VirtualInverter
) -> None:
    meter_entry(hass, device=str(inverter.device))
    flow = await submitted(hass, inverter)
    assert flow.errors == {"base": "port_taken"}
    assert inverter.requests == 0


async def test_the_port_of_an_inverter_is_not_opened_for_a_meter(
    hass: HomeAssistant, entry: MockConfigEntry, inverter: VirtualInverter
) -> None:
    flow = await (await Flow.begin(hass, "meter")).listen(str(inverter.device))
    assert (flow.step, flow.errors) == ("meter", {"base": "port_taken"})
    assert readers(inverter) == 0


@pytest.mark.parametrize("unit_id", [0, 248])
async def test_invalid_unit_ids_are_refused(
    hass: HomeAssistant, inverter: VirtualInverter, unit_id: int
) -> None:
    with pytest.raises(InvalidData):
        await submitted(hass, inverter, **{CONF_UNIT_ID: unit_id})


class TestReconfigure:
    async def test_a_line_may_go_at_another_speed(
        self, hass: HomeAssistant, roof: InverterView, tmp_path: Path
    ) -> None:
        await roof.start()
        total = roof.amount("energy")
        await roof.inverter.stop()
        async with on_a_line(tmp_path / "line", baud=19_200) as faster:
            flow = await moved_line(hass, roof.entry)
            await flow.submit(typed(faster, **{CONF_BAUDRATE: "19200"}))
            assert flow.reason == "inverter_reconfigure_successful"
            assert roof.entry.data[CONF_BAUDRATE] == 19_200
            assert roof.amount("energy") == total
            await roof.unload()

    async def test_a_wrong_speed_changes_nothing(
        self, hass: HomeAssistant, roof: InverterView, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await roof.start()
        flow = await moved_line(hass, roof.entry)
        assert flow.suggested == typed(roof.inverter)
        monkeypatch.setattr(inverter_flow, "PATIENCE_S", 1)
        await flow.submit(typed(roof.inverter, **{CONF_BAUDRATE: "1200"}))
        assert flow.errors == {"base": "no_answer_on_line"}
        assert roof.entry.state is ConfigEntryState.LOADED
        assert roof.amount("power") > 0

    async def test_an_inverter_may_move_to_the_network_and_back(
        self, hass: HomeAssistant, roof: InverterView, socket_enabled: None
    ) -> None:
        await roof.start()
        total, data = roof.amount("energy"), dict(roof.entry.data)
        async with virtual(roof.inverter.inverters[0]) as moved:
            flow = await move(hass, roof.entry, moved)
            assert flow.reason == "inverter_reconfigure_successful"
            assert roof.entry.data[CONF_PORT] == moved.port
            assert not roof.entry.data.keys() & {CONF_DEVICE, CONF_BAUDRATE, CONF_FRAMING}
            await closed(roof.inverter)
            assert roof.amount("energy") == total
            await (await moved_line(hass, roof.entry)).submit(typed(roof.inverter))
            assert dict(roof.entry.data) == data
            assert (readers(roof.inverter), roof.amount("energy")) == (1, total)
            await roof.unload()

    async def test_an_inverter_added_again_elsewhere_is_read_there(
        self, hass: HomeAssistant, roof: InverterView, socket_enabled: None
    ) -> None:
        await roof.start()
        async with virtual(roof.inverter.inverters[0]) as moved:
            flow = await (await Flow.begin(hass, "inverter")).submit(on_the_network(moved))
            assert flow.reason == "inverter_already_configured"
            assert roof.entry.data[CONF_HOST] == moved.host
            assert CONF_DEVICE not in roof.entry.data
            await roof.unload()


async def test_an_inverter_without_a_serial_number_is_named_by_its_port(
    hass: HomeAssistant, inverter: VirtualInverter
) -> None:
    inverter.inverters[0].serial = ""
    entry = await add(hass, inverter)
    assert entry.unique_id == f"sunspec:{inverter.device}:1"
    assert entry.title == "Kersabiec Solaire K1 #1"
    await hass.config_entries.async_unload(entry.entry_id)


async def test_a_replugged_port_is_read_again(
    roof: InverterView, caplog: pytest.LogCaptureFixture
) -> None:
    await roof.start()
    unit = roof.coordinator.link._unit
    await roof.inverter.unplug()
    # tmodbus 1.1 forgets a request that it is about to write when the port hangs up.
    await until(lambda: not unit.connected)
    await roof.polls(3)
    assert roof.are_unavailable("power", "energy")
    await roof.inverter.plug()
    await roof.polls()
    assert roof.amount("power") > 0
    ours = [each for each in caplog.records if each.name.startswith("custom_components")]
    assert [each for each in ours if each.exc_info and each.levelno >= logging.ERROR] == []
    assert "no such port" in caplog.text


async def test_diagnostics_hide_the_device_and_serial_number(roof: InverterView) -> None:
    await roof.start()
    written = await roof.diagnostics()
    assert written["entry"]["data"][CONF_BAUDRATE] == 9_600
    assert str(roof.inverter.device) not in str(written)
    assert roof.inverter.inverters[0].serial not in str(written)


@pytest.mark.parametrize(
    ("framing", "parity", "stopbits"),
    [("8N1", "N", 1), ("8E1", "E", 1), ("8O1", "O", 1), ("8N2", "N", 2)],
)
def test_the_framing_sets_parity_and_stop_bits(framing: str, parity: str, stopbits: int) -> None:
    opened = parameters({CONF_DEVICE: "/dev/x", CONF_BAUDRATE: 1_200, CONF_FRAMING: framing})
    assert isinstance(opened, ModbusSerialParams)
    assert (opened.device, opened.baudrate, opened.bytesize) == ("/dev/x", 1_200, 8)
    assert (opened.parity, opened.stopbits) == (parity, stopbits)
