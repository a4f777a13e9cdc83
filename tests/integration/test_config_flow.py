"""Adding a meter, moving it, choosing how it is published."""

import errno
from socket import gaierror
from typing import Any

from homeassistant.config_entries import (
    SOURCE_USB,
    SOURCE_USER,
    ConfigEntryState,
    ConfigFlowResult,
)
from homeassistant.const import CONF_DEVICE
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.service_info.usb import UsbServiceInfo
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import serialx
from serialx.common import UnknownUriScheme

from custom_components.consometers.const import (
    CONF_ESTIMATE_INJECTION,
    CONF_MODE,
    CONF_POWER_INTERVAL,
    CONF_RAW_LABELS,
    CONF_REGISTER_INTERVAL,
    CONF_SILENCE,
    DEFAULT_POWER_INTERVAL,
    DEFAULT_REGISTER_INTERVAL,
    DEFAULT_SILENCE,
    DOMAIN,
)
from custom_components.consometers.tic import Mode

from . import frames
from .frames import ADDRESS, OTHER_ADDRESS, Kind
from .ports import DEVICE, OTHER_DEVICE, Clock, Line, Port, Ports

pytestmark = pytest.mark.usefixtures("enable_custom_integrations")

DONGLE = UsbServiceInfo(
    device=DEVICE,
    vid="0403",
    pid="6015",
    serial_number="tinfo-1234",
    manufacturer="Test",
    description="tinfo",
)


async def start(hass: HomeAssistant, source: str = SOURCE_USER, **more: Any) -> ConfigFlowResult:
    flows = hass.config_entries.flow
    flow = await flows.async_init(DOMAIN, context={"source": source}, **more)
    if flow["type"] is FlowResultType.MENU:
        return await flows.async_configure(flow["flow_id"], {"next_step_id": "meter"})
    return flow


async def choose(
    hass: HomeAssistant, flow: ConfigFlowResult, device: str = DEVICE
) -> ConfigFlowResult:
    return await hass.config_entries.flow.async_configure(flow["flow_id"], {CONF_DEVICE: device})


async def result_of(hass: HomeAssistant, flow: ConfigFlowResult) -> ConfigFlowResult:
    """Return what comes after the listening."""
    await hass.async_block_till_done()
    return await hass.config_entries.flow.async_configure(flow["flow_id"])


async def confirm(hass: HomeAssistant, flow: ConfigFlowResult) -> ConfigFlowResult:
    result = await hass.config_entries.flow.async_configure(flow["flow_id"], {})
    await hass.async_block_till_done()
    return result


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        pytest.param(
            frames.CONSUMER,
            {
                "mode": "standard",
                "phases": "1",
                "contract": "H PLEINE/CREUSE",
                "power": "9 kVA",
                "injection": "✗",
                "production": "✗",
            },
            id="single phase",
        ),
        pytest.param(
            frames.PRODUCER,
            {
                "mode": "standard",
                "phases": "1",
                "contract": "H PLEINE/CREUSE",
                "power": "9 kVA",
                "injection": "✓",
                "production": "✗",
            },
            id="producer",
        ),
        pytest.param(
            frames.THREE_PHASE.of(ADDRESS),
            {
                "mode": "standard",
                "phases": "3",
                "contract": "H PLEINE/CREUSE",
                "power": "12 kVA",
                "injection": "✗",
                "production": "✗",
            },
            id="three-phase",
        ),
        pytest.param(
            frames.BASE,
            {
                "mode": "historique",
                "phases": "1",
                "contract": "BASE",
                "power": "6 kVA",
                "injection": "✗",
                "production": "✗",
            },
            id="historique",
        ),
        pytest.param(
            frames.HISTORIQUE_THREE_PHASE,
            {
                "mode": "historique",
                "phases": "3",
                "contract": "BASE",
                "power": "12 kVA",
                "injection": "✗",
                "production": "✗",
            },
            id="historique, three-phase",
        ),
    ],
)
async def test_a_meter_is_found_by_listening_and_added_when_the_person_agrees(
    hass: HomeAssistant, line: Line, kind: Kind, found: dict[str, str]
) -> None:
    flow = await start(hass)
    assert flow["type"] is FlowResultType.FORM
    assert flow["step_id"] == "meter"
    assert flow["errors"] == {}
    assert flow["description_placeholders"] == {"example": "socket://linky.local:2001"}
    assert line.port.speeds == []

    flow = await choose(hass, flow)
    assert flow["type"] is FlowResultType.SHOW_PROGRESS
    assert flow["description_placeholders"] == {"device": DEVICE}
    # Historique is tried second, after four seconds at the other speed.
    await line.send(kind, times=12)
    flow = await result_of(hass, flow)
    assert flow["type"] is FlowResultType.FORM
    assert flow["step_id"] == "confirm"
    assert flow["description_placeholders"] == {
        "maker": "Landis+Gyr 2018",
        "address": "…3456",
        **found,
    }
    assert hass.config_entries.async_entries(DOMAIN) == []

    result = await confirm(hass, flow)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Linky …3456"
    assert result["data"] == {CONF_DEVICE: DEVICE, CONF_MODE: kind.mode}
    assert result["result"].unique_id == ADDRESS
    assert result["result"].state is ConfigEntryState.LOADED
    assert line.port.settings == {
        "byte_size": 7,
        "parity": serialx.Parity.EVEN,
        "stopbits": serialx.StopBits.ONE,
    }


async def test_a_meter_is_found_on_a_port_that_cannot_keep_what_comes(
    hass: HomeAssistant, line: Line
) -> None:
    line.port.holds = False
    flow = await choose(hass, await start(hass))
    await line.send(frames.CONSUMER)
    assert (await result_of(hass, flow))["step_id"] == "confirm"


async def test_a_meter_of_a_type_that_tells_no_phases_is_known_by_what_it_sends(
    hass: HomeAssistant, line: Line
) -> None:
    flow = await choose(hass, await start(hass))
    await line.send(frames.BASE.of("031428123456"), times=12)
    flow = await result_of(hass, flow)
    placeholders = flow["description_placeholders"]
    assert placeholders is not None
    assert placeholders["phases"] == "1"
    assert placeholders["power"] == "6 kVA"


async def test_an_old_meter_that_sends_its_address_only_is_found_all_the_same(
    hass: HomeAssistant, line: Line
) -> None:
    only_address = Kind(Mode.HISTORIQUE, [("ADCO", "031428123456")])
    flow = await choose(hass, await start(hass))
    await line.send(only_address, times=30)
    flow = await result_of(hass, flow)
    assert flow["step_id"] == "confirm"
    assert flow["description_placeholders"] == {
        "maker": "Itron 2014",
        "address": "…3456",
        "mode": "historique",
        "phases": "?",
        "contract": "?",
        "power": "?",
        "injection": "✗",
        "production": "✗",
    }


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        pytest.param(FileNotFoundError(errno.ENOENT, "No such file"), "no_such_port", id="none"),
        pytest.param(gaierror(-2, "Name or service not known"), "no_such_port", id="no host"),
        pytest.param(ValueError("Port out of range"), "no_such_port", id="no address"),
        pytest.param(UnknownUriScheme("linky://"), "no_such_port", id="no scheme"),
        pytest.param(OSError(errno.EBUSY, "Resource busy"), "port_busy", id="busy"),
        pytest.param(PermissionError(errno.EACCES, "Denied"), "cannot_open", id="not allowed"),
        pytest.param(ConnectionRefusedError(), "cannot_open", id="nobody listens"),
        pytest.param(serialx.SerialException("odd"), "cannot_open", id="odd"),
        pytest.param(TimeoutError(), "cannot_open", id="no answer"),
    ],
)
async def test_a_port_that_cannot_be_opened_is_said_and_may_be_tried_again(
    hass: HomeAssistant, line: Line, refusal: Exception, error: str
) -> None:
    line.port.refusal = refusal
    flow = await result_of(hass, await choose(hass, await start(hass)))
    assert flow["type"] is FlowResultType.FORM
    assert flow["step_id"] == "meter"
    assert flow["errors"] == {"base": error}

    # The port chosen is proposed again, and the error is gone once it works.
    assert flow["data_schema"] is not None
    (field,) = flow["data_schema"].schema
    assert field.description == {"suggested_value": DEVICE}
    line.port.refusal = None
    flow = await choose(hass, flow)
    await line.send(frames.CONSUMER)
    flow = await result_of(hass, flow)
    assert flow["step_id"] == "confirm"
    result = await confirm(hass, flow)
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("data", "error"),
    [
        pytest.param(b"", "no_data", id="silence"),
        pytest.param(bytes(range(0, 256, 7)), "noise", id="noise"),
        pytest.param(b"$GPGGA,123519,4807.038,N*47\r\n", "not_tic", id="a GPS"),
        pytest.param(b"\x02\nADCO 041861123456 X\r\x03", "noise", id="bad checksums"),
    ],
)
async def test_what_comes_instead_of_a_meter_is_said(
    hass: HomeAssistant, clock: Clock, line: Line, data: bytes, error: str
) -> None:
    flow = await choose(hass, await start(hass))
    await line.send_bytes(data, times=14)
    flow = await result_of(hass, flow)
    assert flow["step_id"] == "meter"
    assert flow["errors"] == {"base": error}
    assert line.port.speeds == [9600, 9600, 1200]
    assert not line.port.is_open


async def test_groups_without_an_address_are_no_meter(
    hass: HomeAssistant, clock: Clock, line: Line
) -> None:
    flow = await choose(hass, await start(hass))
    await line.send(Kind(Mode.STANDARD, [("PREF", "09"), ("PCOUP", "09")]), times=20)
    flow = await result_of(hass, flow)
    assert flow["step_id"] == "meter"
    assert flow["errors"] == {"base": "noise"}


async def test_two_groups_of_chance_are_no_meter(
    hass: HomeAssistant, clock: Clock, line: Line
) -> None:
    flow = await choose(hass, await start(hass))
    await line.send(Kind(Mode.STANDARD, [("PREF", "09"), ("PCOUP", "09")]), times=1)
    await clock.forward(12)
    flow = await result_of(hass, flow)
    assert flow["step_id"] == "meter"
    assert flow["errors"] == {"base": "noise"}


@pytest.mark.parametrize(
    "error", [None, OSError(errno.EIO, "I/O error"), serialx.SerialException()]
)
async def test_a_dongle_pulled_out_while_listening_is_said(
    hass: HomeAssistant, line: Line, clock: Clock, error: Exception | None
) -> None:
    flow = await choose(hass, await start(hass))
    for _ in range(2):
        await line.send_bytes(b"x")
        line.port.unplug(error)
        await clock.forward(2)
    flow = await result_of(hass, flow)
    assert flow["errors"] == {"base": "link_lost"}
    assert not line.port.is_open


@pytest.mark.parametrize("error", [OSError(errno.EIO, "I/O error"), serialx.SerialException()])
async def test_a_port_that_is_lost_when_its_speed_changes_is_said(
    hass: HomeAssistant, line: Line, clock: Clock, error: Exception
) -> None:
    flow = await choose(hass, await start(hass))
    await clock.settle()
    line.port.lost = error
    await clock.forward(7)
    flow = await result_of(hass, flow)
    assert flow["errors"] == {"base": "cannot_open"}
    assert not line.port.is_open


async def test_a_person_who_leaves_stops_the_listening_and_frees_the_port(
    hass: HomeAssistant, line: Line
) -> None:
    flow = await choose(hass, await start(hass))
    await line.send_bytes(b"x")
    assert line.port.is_open
    hass.config_entries.flow.async_abort(flow["flow_id"])
    await hass.async_block_till_done()
    assert not line.port.is_open


async def test_spaces_around_a_typed_port_do_not_matter(hass: HomeAssistant, line: Line) -> None:
    flow = await choose(hass, await start(hass), f" {DEVICE} ")
    assert flow["description_placeholders"] == {"device": DEVICE}
    await line.send(frames.CONSUMER)
    assert (await result_of(hass, flow))["step_id"] == "confirm"


async def test_a_port_that_is_used_already_is_not_opened(
    hass: HomeAssistant, entry: MockConfigEntry, port: Port
) -> None:
    result = await choose(hass, await start(hass))
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"
    assert port.speeds == []


async def test_the_same_meter_on_another_port_is_refused(
    hass: HomeAssistant, entry: MockConfigEntry, clock: Clock, ports: Ports
) -> None:
    line = Line(clock, ports.plug(OTHER_DEVICE))
    flow = await choose(hass, await start(hass), OTHER_DEVICE)
    await line.send(frames.CONSUMER)
    result = await result_of(hass, flow)
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


async def test_two_meters_are_fine(
    hass: HomeAssistant, entry: MockConfigEntry, clock: Clock, ports: Ports
) -> None:
    line = Line(clock, ports.plug(OTHER_DEVICE))
    flow = await choose(hass, await start(hass), OTHER_DEVICE)
    await line.send(frames.THREE_PHASE)
    result = await confirm(hass, await result_of(hass, flow))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["result"].unique_id == OTHER_ADDRESS


async def test_the_same_meter_in_two_windows_is_added_once(
    hass: HomeAssistant, clock: Clock, ports: Ports, line: Line
) -> None:
    """A meter may be wired to two dongles, and a person may have two windows open."""
    first = await choose(hass, await start(hass))
    await line.send(frames.CONSUMER)
    first = await result_of(hass, first)
    second = await choose(hass, await start(hass), OTHER_DEVICE)
    second = await result_of(hass, second)
    assert second["errors"] == {"base": "no_such_port"}
    other_line = Line(clock, ports.plug(OTHER_DEVICE))
    second = await choose(hass, second, OTHER_DEVICE)
    await other_line.send(frames.CONSUMER)
    second = await result_of(hass, second)
    assert second["type"] is FlowResultType.ABORT
    assert second["reason"] == "already_in_progress"
    assert (await confirm(hass, first))["type"] is FlowResultType.CREATE_ENTRY


class TestDiscovery:
    async def test_a_dongle_made_for_meters_is_proposed_and_opened_when_the_person_agrees(
        self, hass: HomeAssistant, line: Line
    ) -> None:
        flow = await start(hass, SOURCE_USB, data=DONGLE)
        assert flow["type"] is FlowResultType.FORM
        assert flow["step_id"] == "usb_confirm"
        assert flow["description_placeholders"] == {"device": DEVICE}
        (progress,) = hass.config_entries.flow.async_progress()
        assert progress["context"]["title_placeholders"] == {"name": "tinfo"}
        assert line.port.speeds == []

        flow = await hass.config_entries.flow.async_configure(flow["flow_id"], {})
        assert flow["type"] is FlowResultType.SHOW_PROGRESS
        await line.send(frames.CONSUMER)
        flow = await result_of(hass, flow)
        assert flow["step_id"] == "confirm"
        result = await confirm(hass, flow)
        assert result["type"] is FlowResultType.CREATE_ENTRY
        assert result["result"].unique_id == ADDRESS
        assert result["data"] == {CONF_DEVICE: DEVICE, CONF_MODE: Mode.STANDARD}

    async def test_an_error_leads_back_to_the_question(
        self, hass: HomeAssistant, port: Port, clock: Clock
    ) -> None:
        flow = await start(hass, SOURCE_USB, data=DONGLE)
        flow = await hass.config_entries.flow.async_configure(flow["flow_id"], {})
        await clock.forward(12)
        flow = await result_of(hass, flow)
        assert flow["step_id"] == "usb_confirm"
        assert flow["errors"] == {"base": "no_data"}

    async def test_a_dongle_in_use_is_not_proposed(
        self, hass: HomeAssistant, entry: MockConfigEntry, port: Port
    ) -> None:
        result = await start(hass, SOURCE_USB, data=DONGLE)
        assert result["type"] is FlowResultType.ABORT
        assert result["reason"] == "already_configured"
        assert port.speeds == []

    async def test_a_dongle_is_proposed_once(self, hass: HomeAssistant, port: Port) -> None:
        await start(hass, SOURCE_USB, data=DONGLE)
        result = await start(hass, SOURCE_USB, data=DONGLE)
        assert result["type"] is FlowResultType.ABORT
        assert result["reason"] == "already_in_progress"

    async def test_a_dongle_that_was_added_by_hand_meanwhile_is_there_already(
        self, hass: HomeAssistant, line: Line
    ) -> None:
        proposed = await start(hass, SOURCE_USB, data=DONGLE)
        flow = await choose(hass, await start(hass))
        await line.send(frames.CONSUMER)
        await confirm(hass, await result_of(hass, flow))

        result = await hass.config_entries.flow.async_configure(proposed["flow_id"], {})
        assert result["type"] is FlowResultType.ABORT
        assert result["reason"] == "already_configured"


class TestReconfigure:
    async def test_a_meter_that_was_moved_is_read_from_its_new_port(
        self, hass: HomeAssistant, entry: MockConfigEntry, clock: Clock, ports: Ports
    ) -> None:
        line = Line(clock, ports.plug(OTHER_DEVICE))
        flow = await entry.start_reconfigure_flow(hass)
        assert flow["step_id"] == "reconfigure_meter"
        assert flow["data_schema"] is not None
        (field,) = flow["data_schema"].schema
        assert field.description == {"suggested_value": DEVICE}

        flow = await choose(hass, flow, OTHER_DEVICE)
        await line.send(frames.BASE, times=12)
        result = await result_of(hass, flow)
        await hass.async_block_till_done()
        assert result["type"] is FlowResultType.ABORT
        assert result["reason"] == "reconfigure_successful"
        assert entry.data == {CONF_DEVICE: OTHER_DEVICE, CONF_MODE: Mode.HISTORIQUE}
        assert entry.state is ConfigEntryState.LOADED
        assert line.port.is_open

    async def test_the_same_port_only_starts_anew(
        self, hass: HomeAssistant, entry: MockConfigEntry, port: Port
    ) -> None:
        await hass.config_entries.async_setup(entry.entry_id)
        result = await choose(hass, await entry.start_reconfigure_flow(hass))
        await hass.async_block_till_done()
        assert result["type"] is FlowResultType.ABORT
        assert result["reason"] == "reconfigure_successful"
        assert entry.data == {CONF_DEVICE: DEVICE, CONF_MODE: Mode.STANDARD}
        assert port.speeds == [9600, 9600]

    async def test_a_meter_that_was_replaced_and_moved_goes_on_when_the_person_agrees(
        self, hass: HomeAssistant, entry: MockConfigEntry, clock: Clock, ports: Ports
    ) -> None:
        line = Line(clock, ports.plug(OTHER_DEVICE))
        flow = await choose(hass, await entry.start_reconfigure_flow(hass), OTHER_DEVICE)
        await line.send(frames.CONSUMER.of(OTHER_ADDRESS))
        flow = await result_of(hass, flow)
        assert flow["step_id"] == "replaced"
        assert entry.unique_id == ADDRESS
        result = await hass.config_entries.flow.async_configure(flow["flow_id"], {})
        await hass.async_block_till_done()
        assert result["reason"] == "reconfigure_successful"
        assert entry.unique_id == OTHER_ADDRESS
        assert entry.title == f"Linky …{OTHER_ADDRESS[-4:]}"
        assert entry.data[CONF_DEVICE] == OTHER_DEVICE

    async def test_another_meter_of_the_home_is_refused(
        self, hass: HomeAssistant, entry: MockConfigEntry, clock: Clock, ports: Ports
    ) -> None:
        MockConfigEntry(domain=DOMAIN, unique_id=OTHER_ADDRESS).add_to_hass(hass)
        line = Line(clock, ports.plug(OTHER_DEVICE))
        flow = await choose(hass, await entry.start_reconfigure_flow(hass), OTHER_DEVICE)
        await line.send(frames.CONSUMER.of(OTHER_ADDRESS))
        flow = await result_of(hass, flow)
        assert flow["step_id"] == "reconfigure_meter"
        assert flow["errors"] == {"base": "other_meter"}
        assert entry.data[CONF_DEVICE] == DEVICE

        # The wires are put right, and the same port is tried again.
        flow = await choose(hass, flow, OTHER_DEVICE)
        await line.send(frames.CONSUMER)
        result = await result_of(hass, flow)
        await hass.async_block_till_done()
        assert result["reason"] == "reconfigure_successful"
        assert entry.data[CONF_DEVICE] == OTHER_DEVICE

    async def test_an_error_leads_back_to_the_port(
        self, hass: HomeAssistant, entry: MockConfigEntry, ports: Ports
    ) -> None:
        flow = await choose(hass, await entry.start_reconfigure_flow(hass), OTHER_DEVICE)
        flow = await result_of(hass, flow)
        assert flow["step_id"] == "reconfigure_meter"
        assert flow["errors"] == {"base": "no_such_port"}


DEFAULTS = {
    CONF_POWER_INTERVAL: DEFAULT_POWER_INTERVAL,
    CONF_REGISTER_INTERVAL: DEFAULT_REGISTER_INTERVAL,
    CONF_SILENCE: DEFAULT_SILENCE,
    CONF_RAW_LABELS: False,
}


class TestOptions:
    async def set_up(
        self, hass: HomeAssistant, entry: MockConfigEntry, line: Line, kind: Kind
    ) -> None:
        await hass.config_entries.async_setup(entry.entry_id)
        await line.send(kind, times=4)
        await hass.async_block_till_done()

    async def test_options_have_defaults_and_are_kept(
        self, hass: HomeAssistant, entry: MockConfigEntry, line: Line
    ) -> None:
        await self.set_up(hass, entry, line, frames.PRODUCER)
        flow = await hass.config_entries.options.async_init(entry.entry_id)
        assert flow["type"] is FlowResultType.FORM
        assert flow["data_schema"] is not None
        assert flow["data_schema"]({}) == DEFAULTS
        chosen = {**DEFAULTS, CONF_POWER_INTERVAL: 0, CONF_SILENCE: 120}
        result = await hass.config_entries.options.async_configure(flow["flow_id"], chosen)
        await hass.async_block_till_done()
        assert result["type"] is FlowResultType.CREATE_ENTRY
        assert entry.options == chosen
        assert entry.state is ConfigEntryState.LOADED
        assert line.port.speeds == [9600, 9600]

        flow = await hass.config_entries.options.async_init(entry.entry_id)
        assert flow["data_schema"] is not None
        suggested = {
            str(field): field.description["suggested_value"] for field in flow["data_schema"].schema
        }
        assert suggested == chosen

    @pytest.mark.parametrize(
        ("kind", "proposed"),
        [
            (frames.CONSUMER, True),
            (frames.PRODUCER, False),
            (frames.THREE_PHASE.of(ADDRESS), False),
            (frames.BASE, False),
        ],
    )
    async def test_the_estimate_of_injection_is_proposed_where_currents_tell_it(
        self, hass: HomeAssistant, entry: MockConfigEntry, line: Line, kind: Kind, proposed: bool
    ) -> None:
        if kind.mode is Mode.HISTORIQUE:
            hass.config_entries.async_update_entry(
                entry, data={**entry.data, CONF_MODE: Mode.HISTORIQUE}
            )
        await self.set_up(hass, entry, line, kind)
        flow = await hass.config_entries.options.async_init(entry.entry_id)
        assert flow["data_schema"] is not None
        fields = {str(field) for field in flow["data_schema"].schema}
        assert (CONF_ESTIMATE_INJECTION in fields) is proposed

    async def test_the_estimate_adds_its_entity_and_can_be_given_up_without_a_meter(
        self,
        hass: HomeAssistant,
        entry: MockConfigEntry,
        line: Line,
        entity_registry: er.EntityRegistry,
    ) -> None:
        await self.set_up(hass, entry, line, frames.CONSUMER)
        flow = await hass.config_entries.options.async_init(entry.entry_id)
        await hass.config_entries.options.async_configure(
            flow["flow_id"], {**DEFAULTS, CONF_ESTIMATE_INJECTION: True}
        )
        await hass.async_block_till_done()
        await line.send(frames.CONSUMER, times=4)
        await hass.async_block_till_done()
        unique_id = f"{entry.entry_id}_injected_power_estimated"
        entity_id = entity_registry.async_get_entity_id("sensor", DOMAIN, unique_id)
        assert entity_id is not None

        await hass.config_entries.async_unload(entry.entry_id)
        flow = await hass.config_entries.options.async_init(entry.entry_id)
        assert flow["data_schema"] is not None
        assert CONF_ESTIMATE_INJECTION in {str(field) for field in flow["data_schema"].schema}

    async def test_the_estimate_is_not_proposed_while_nothing_is_known(
        self, hass: HomeAssistant, entry: MockConfigEntry
    ) -> None:
        flow = await hass.config_entries.options.async_init(entry.entry_id)
        assert flow["data_schema"] is not None
        assert CONF_ESTIMATE_INJECTION not in {str(field) for field in flow["data_schema"].schema}

    @pytest.mark.parametrize(
        "nonsense", [{CONF_SILENCE: 5}, {CONF_POWER_INTERVAL: -1}, {CONF_REGISTER_INTERVAL: 10_000}]
    )
    async def test_what_makes_no_sense_is_refused(
        self, hass: HomeAssistant, entry: MockConfigEntry, nonsense: dict[str, int]
    ) -> None:
        flow = await hass.config_entries.options.async_init(entry.entry_id)
        with pytest.raises(InvalidData):
            await hass.config_entries.options.async_configure(
                flow["flow_id"], {**DEFAULTS, **nonsense}
            )
