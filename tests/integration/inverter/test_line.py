"""An inverter on a serial line: a real port, opened when a person chose it."""

import asyncio
from collections.abc import AsyncIterator
import logging
import os
from pathlib import Path
from typing import Any

from homeassistant.config_entries import ConfigEntry, ConfigEntryState, ConfigFlowResult
from homeassistant.const import CONF_DEVICE, CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from modbus_connection import ModbusSerialParams
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import serialx

from custom_components.consometers.const import (
    CONF_BASE,
    CONF_BAUDRATE,
    CONF_FRAMING,
    CONF_KIND,
    CONF_MODE,
    CONF_UNIT_ID,
    DOMAIN,
    KIND_INVERTER,
)
from custom_components.consometers.diagnostics import async_get_config_entry_diagnostics
from custom_components.consometers.inverter.link import parameters
from custom_components.consometers.tic import Mode
from demo.inverter import PROFILES, Inverter, VirtualInverter

from .roof import NIGHT, NOON, ORIGIN, Roof
from .test_flow import confirm, move, submit as submit_network

pytestmark = pytest.mark.usefixtures("enable_custom_integrations")


def on_a_line(line: Path, *, baud: int = 9_600, **units: int) -> VirtualInverter:
    seeds = units or {"unit_1": 1}
    inverters = {
        int(unit.removeprefix("unit_")): Inverter(PROFILES["home"], seed=seed, origin=ORIGIN)
        for unit, seed in seeds.items()
    }
    return VirtualInverter(inverters, line=line, baud=baud, start=NOON.timestamp(), speed=0)


@pytest.fixture
def patience_s() -> float:
    """A line takes its time, on a busy machine above all."""
    return 1.0


@pytest.fixture
async def inverter(tmp_path: Path) -> AsyncIterator[VirtualInverter]:
    """One at noon, on a line."""
    async with on_a_line(tmp_path / "line") as inverter:
        yield inverter


@pytest.fixture
async def entry(hass: HomeAssistant, inverter: VirtualInverter) -> MockConfigEntry:
    """An entry for the inverter, not set up yet."""
    await hass.config.async_update(latitude=47.75, longitude=-3.37, time_zone="Europe/Paris")
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Roof",
        unique_id=f"sunspec:Kersabiec Solaire:{inverter.inverters[0].serial}",
        data={CONF_KIND: KIND_INVERTER, **typed(inverter), CONF_BAUDRATE: 9_600, CONF_BASE: 40_000},
        entry_id="01JSUN0000000000000000000B",
    )
    entry.add_to_hass(hass)
    return entry


def typed(inverter: VirtualInverter, **more: Any) -> dict[str, Any]:
    """Return what a person types to add it."""
    said = {CONF_BAUDRATE: "9600", CONF_FRAMING: "8N1", CONF_UNIT_ID: 1}
    return {CONF_DEVICE: inverter.device, **said, **more}


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
    async with asyncio.timeout(5):
        while readers(inverter):
            await asyncio.sleep(0.01)


async def start(hass: HomeAssistant) -> ConfigFlowResult:
    flows = hass.config_entries.flow
    flow = await flows.async_init(DOMAIN, context={"source": "user"})
    return await flows.async_configure(flow["flow_id"], {"next_step_id": "inverter_line"})


async def submit(
    hass: HomeAssistant, flow: ConfigFlowResult, inverter: VirtualInverter, **more: Any
) -> ConfigFlowResult:
    flows = hass.config_entries.flow
    return await flows.async_configure(flow["flow_id"], typed(inverter, **more))


async def add(hass: HomeAssistant, inverter: VirtualInverter, **more: Any) -> ConfigEntry:
    result = await confirm(hass, await submit(hass, await start(hass), inverter, **more))
    entry: ConfigEntry = result["result"]
    return entry


async def test_a_port_is_opened_once_it_was_chosen_and_closed_in_the_end(
    hass: HomeAssistant, inverter: VirtualInverter
) -> None:
    flow = await start(hass)
    assert (flow["step_id"], flow["errors"]) == ("inverter_line", {})
    assert (readers(inverter), inverter.requests) == (0, 0)

    flow = await submit(hass, flow, inverter)
    assert flow["step_id"] == "inverter_found"
    placeholders = flow["description_placeholders"]
    assert placeholders is not None
    assert placeholders["power"] == "2260 W"
    await closed(inverter)
    result = await confirm(hass, flow)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"] == {
        CONF_KIND: KIND_INVERTER,
        CONF_DEVICE: inverter.device,
        CONF_BAUDRATE: 9_600,
        CONF_FRAMING: "8N1",
        CONF_UNIT_ID: 1,
        CONF_BASE: 40_000,
    }
    assert result["result"].state is ConfigEntryState.LOADED
    assert readers(inverter) == 1
    assert await hass.config_entries.async_unload(result["result"].entry_id)
    await closed(inverter)


async def test_inverters_on_one_line_share_it_and_are_told_apart(
    hass: HomeAssistant, tmp_path: Path
) -> None:
    async with on_a_line(tmp_path / "line", unit_1=1, unit_2=2) as served:
        first = await add(hass, served)
        second = await add(hass, served, **{CONF_UNIT_ID: 2})
        assert readers(served) == 1
        assert first.title != second.title
        flow = await submit(hass, await start(hass), served, **{CONF_BAUDRATE: "19200"})
        assert flow["errors"] == {"base": "link_in_use"}
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
async def test_what_is_wrong_is_said_and_may_be_tried_again(
    hass: HomeAssistant, inverter: VirtualInverter, wrong: dict[str, Any], error: str
) -> None:
    flow = await submit(hass, await start(hass), inverter, **wrong)
    assert (flow["step_id"], flow["errors"]) == ("inverter_line", {"base": error})
    flow = await submit(hass, flow, inverter)
    assert flow["step_id"] == "inverter_found"


async def test_a_port_that_something_else_has_open_is_left_alone(
    hass: HomeAssistant, inverter: VirtualInverter
) -> None:
    assert inverter.device is not None
    with serialx.serial_for_url(inverter.device, baudrate=9_600):
        flow = await submit(hass, await start(hass), inverter)
    assert flow["errors"] == {"base": "port_busy"}


async def test_a_port_that_is_let_go_a_moment_later_is_opened_then(
    hass: HomeAssistant, inverter: VirtualInverter
) -> None:
    assert inverter.device is not None
    before = serialx.serial_for_url(inverter.device, baudrate=9_600)
    before.open()
    hass.loop.call_later(0.2, before.close)
    flow = await submit(hass, await start(hass), inverter)
    assert flow["step_id"] == "inverter_found"


async def test_the_port_of_a_meter_is_not_opened(
    hass: HomeAssistant, inverter: VirtualInverter
) -> None:
    data = {CONF_DEVICE: inverter.device, CONF_MODE: Mode.STANDARD}
    MockConfigEntry(domain=DOMAIN, data=data).add_to_hass(hass)
    flow = await submit(hass, await start(hass), inverter)
    assert flow["errors"] == {"base": "port_taken"}
    assert inverter.requests == 0


async def test_a_meter_is_not_looked_for_on_the_port_of_an_inverter(
    hass: HomeAssistant, entry: MockConfigEntry, inverter: VirtualInverter
) -> None:
    flows = hass.config_entries.flow
    flow = await flows.async_init(DOMAIN, context={"source": "user"})
    flow = await flows.async_configure(flow["flow_id"], {"next_step_id": "meter"})
    flow = await flows.async_configure(flow["flow_id"], {CONF_DEVICE: inverter.device})
    assert (flow["step_id"], flow["errors"]) == ("meter", {"base": "port_taken"})
    assert readers(inverter) == 0


@pytest.mark.parametrize("unit_id", [0, 248])
async def test_a_line_has_no_unit_but_these(
    hass: HomeAssistant, inverter: VirtualInverter, unit_id: int
) -> None:
    with pytest.raises(InvalidData):
        await submit(hass, await start(hass), inverter, **{CONF_UNIT_ID: unit_id})


class TestReconfigure:
    async def test_a_line_may_go_at_another_speed(
        self, hass: HomeAssistant, roof: Roof, tmp_path: Path
    ) -> None:
        await roof.start()
        total = roof.number("energy")
        await roof.inverter.stop()
        faster = on_a_line(tmp_path / "line", baud=19_200)
        async with faster:
            flow = await move(hass, roof.entry, "line")
            flow = await submit(hass, flow, faster, **{CONF_BAUDRATE: "19200"})
            assert flow["reason"] == "inverter_reconfigure_successful"
            await hass.async_block_till_done()
            assert roof.entry.data[CONF_BAUDRATE] == 19_200
            assert roof.number("energy") == total
            await hass.config_entries.async_unload(roof.entry.entry_id)

    async def test_a_speed_that_is_not_the_lines_leaves_it_as_it_was(
        self, hass: HomeAssistant, roof: Roof
    ) -> None:
        await roof.start()
        flow = await move(hass, roof.entry, "line")
        assert flow["data_schema"] is not None
        proposed = {
            str(field): field.description["suggested_value"]
            for field in flow["data_schema"].schema
            if field.description
        }
        assert proposed == typed(roof.inverter)
        flow = await submit(hass, flow, roof.inverter, **{CONF_BAUDRATE: "1200"})
        assert flow["errors"] == {"base": "no_answer_on_line"}
        await hass.async_block_till_done()
        assert roof.entry.state is ConfigEntryState.LOADED
        assert roof.number("power") > 0

    async def test_an_inverter_may_move_to_the_network_and_back(
        self, hass: HomeAssistant, roof: Roof, socket_enabled: None
    ) -> None:
        await roof.start()
        total, data = roof.number("energy"), dict(roof.entry.data)
        moved = VirtualInverter(roof.inverter.inverters[0], start=NOON.timestamp(), speed=0)
        async with moved:
            flow = await submit_network(hass, await move(hass, roof.entry), moved)
            assert flow["reason"] == "inverter_reconfigure_successful"
            await hass.async_block_till_done()
            assert roof.entry.data[CONF_PORT] == moved.port
            assert not roof.entry.data.keys() & {CONF_DEVICE, CONF_BAUDRATE, CONF_FRAMING}
            await closed(roof.inverter)
            assert roof.number("energy") == total
            flow = await submit(hass, await move(hass, roof.entry, "line"), roof.inverter)
            await hass.async_block_till_done()
            assert dict(roof.entry.data) == data
            assert (readers(roof.inverter), roof.number("energy")) == (1, total)
            await hass.config_entries.async_unload(roof.entry.entry_id)

    async def test_one_that_is_added_again_elsewhere_is_read_there(
        self, hass: HomeAssistant, roof: Roof, socket_enabled: None
    ) -> None:
        await roof.start()
        moved = VirtualInverter(roof.inverter.inverters[0], start=NOON.timestamp(), speed=0)
        async with moved:
            flows = hass.config_entries.flow
            flow = await flows.async_init(DOMAIN, context={"source": "user"})
            flow = await flows.async_configure(flow["flow_id"], {"next_step_id": "inverter"})
            flow = await submit_network(hass, flow, moved)
            assert flow["reason"] == "inverter_already_configured"
            await hass.async_block_till_done()
            assert roof.entry.data[CONF_HOST] == moved.host
            assert CONF_DEVICE not in roof.entry.data
            await hass.config_entries.async_unload(roof.entry.entry_id)


async def test_one_without_a_serial_number_is_named_by_its_place(
    hass: HomeAssistant, inverter: VirtualInverter
) -> None:
    inverter.inverters[0].serial = ""
    entry = await add(hass, inverter)
    assert entry.unique_id == f"sunspec:{inverter.device}:1"
    assert entry.title == "Kersabiec Solaire K1 #1"
    await hass.config_entries.async_unload(entry.entry_id)


async def test_a_port_that_goes_away_and_comes_back_is_read_again(
    roof: Roof, caplog: pytest.LogCaptureFixture
) -> None:
    await roof.start()
    port = port_of(roof.inverter)
    await roof.inverter.unplug()
    await roof.polls(3)
    assert roof.are_unavailable("power", "energy")
    # What is polled before the port is let go fails.
    async with asyncio.timeout(5):
        while holders(port):
            await asyncio.sleep(0.01)
    await roof.polls()
    await roof.inverter.plug()
    await roof.polls()
    assert roof.number("power") > 0
    ours = [each for each in caplog.records if each.name.startswith("custom_components")]
    assert [each for each in ours if each.exc_info and each.levelno >= logging.ERROR] == []
    assert "no such port" in caplog.text


async def test_an_inverter_sleeps_on_a_line_too(roof: Roof) -> None:
    roof.inverter.night()
    await roof.start()
    total = roof.number("energy")
    await roof.at(NIGHT)
    await roof.polls(3)
    assert roof.state("operating") == "sleeping"
    assert roof.number("energy") >= total
    assert roof.are_unavailable("power")


async def test_diagnostics_do_not_tell_where_it_is(hass: HomeAssistant, roof: Roof) -> None:
    await roof.start()
    told = await async_get_config_entry_diagnostics(hass, roof.entry)
    assert told["entry"]["data"][CONF_BAUDRATE] == 9_600
    assert str(roof.inverter.device) not in str(told)
    assert roof.inverter.inverters[0].serial not in str(told)


@pytest.mark.parametrize(
    ("framing", "parity", "stopbits"),
    [("8N1", "N", 1), ("8E1", "E", 1), ("8O1", "O", 1), ("8N2", "N", 2)],
)
def test_a_line_is_opened_as_it_was_described(framing: str, parity: str, stopbits: int) -> None:
    opened = parameters({CONF_DEVICE: "/dev/x", CONF_BAUDRATE: 1_200, CONF_FRAMING: framing})
    assert isinstance(opened, ModbusSerialParams)
    assert (opened.device, opened.baudrate, opened.bytesize) == ("/dev/x", 1_200, 8)
    assert (opened.parity, opened.stopbits) == (parity, stopbits)
