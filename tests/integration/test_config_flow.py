"""Adding a meter, moving it, choosing how it is published."""

import errno
from socket import gaierror

from homeassistant.config_entries import SOURCE_USB, ConfigEntryState
from homeassistant.const import CONF_DEVICE
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from homeassistant.helpers.service_info.usb import UsbServiceInfo
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import serialx
from serialx.common import UnknownUriScheme

from consometers_tic import Mode
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
from packages.tic.tests.samples import frame_bytes
from testing.integration import frames
from testing.integration.flows import Flow, suggested
from testing.integration.frames import ADDRESS, OTHER_ADDRESS, Kind
from testing.integration.ports import DEVICE, OTHER_DEVICE, LoopClock, MeterLine, Port, Ports
from testing.integration.views import MeterView

pytestmark = pytest.mark.usefixtures("enable_custom_integrations")

OLD_ADDRESS = "031428123456"
DONGLE = UsbServiceInfo(
    device=DEVICE,
    vid="0403",
    pid="6015",
    serial_number="tinfo-1234",
    manufacturer="Test",
    description="tinfo",
)
FACTS = ("mode", "phases", "contract", "power", "injection", "production")


@pytest.fixture
def other_line(clock: LoopClock, ports: Ports) -> MeterLine:
    """Return the line of a meter on another port."""
    return MeterLine(clock, ports.plug(OTHER_DEVICE))


async def heard(
    hass: HomeAssistant, line: MeterLine, kind: Kind, times: int = 12, device: str = DEVICE
) -> Flow:
    """Add what speaks on a line, up to the question whether it is the right one."""
    flow = await (await Flow.begin(hass, "meter")).listen(device)
    await line.send(kind, times)
    return await flow.hear()


@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        (frames.CONSUMER, ("standard", "1", "H PLEINE/CREUSE", "9 kVA", "✗", "✗")),
        (frames.PRODUCER, ("standard", "1", "H PLEINE/CREUSE", "9 kVA", "✓", "✗")),
        (
            frames.THREE_PHASE.of(ADDRESS),
            ("standard", "3", "H PLEINE/CREUSE", "12 kVA", "✗", "✗"),
        ),
        (frames.BASE, ("historique", "1", "BASE", "6 kVA", "✗", "✗")),
        (frames.HISTORIQUE_THREE_PHASE, ("historique", "3", "BASE", "12 kVA", "✗", "✗")),
    ],
    ids=["single phase", "producer", "three-phase", "historique", "historique, three-phase"],
)
async def test_a_meter_is_detected_and_added_after_confirmation(
    hass: HomeAssistant, line: MeterLine, kind: Kind, facts: tuple[str, ...]
) -> None:
    flow = await Flow.begin(hass, "meter")
    assert (flow.step, flow.errors) == ("meter", {})
    assert flow.placeholders == {"example": "socket://linky.local:2001"}
    assert line.port.speeds == []

    await flow.listen()
    assert flow.result["type"] is FlowResultType.SHOW_PROGRESS
    assert flow.placeholders == {"device": DEVICE}
    # Historique is tried second, after four seconds at the other speed.
    await line.send(kind, times=12)
    await flow.hear()
    assert flow.step == "confirm"
    assert flow.placeholders == {
        "maker": "Landis+Gyr 2018",
        "address": "…3456",
        **dict(zip(FACTS, facts, strict=True)),
    }
    assert hass.config_entries.async_entries(DOMAIN) == []

    entry = (await flow.submit()).entry
    assert entry.title == "Linky …3456"
    assert entry.data == {CONF_DEVICE: DEVICE, CONF_MODE: kind.mode}
    assert entry.unique_id == ADDRESS
    assert entry.state is ConfigEntryState.LOADED
    assert line.port.settings == {
        "byte_size": 7,
        "parity": serialx.Parity.EVEN,
        "stopbits": serialx.StopBits.ONE,
    }


@pytest.mark.parametrize(("holds", "device"), [(False, DEVICE), (True, f" {DEVICE} ")])
async def test_a_port_may_be_unable_to_pause_and_be_typed_with_spaces(
    hass: HomeAssistant, line: MeterLine, holds: bool, device: str
) -> None:
    line.port.holds = holds
    flow = await heard(hass, line, frames.CONSUMER, 3, device)
    assert flow.step == "confirm"


@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        # Its type does not show the phases; its frames do.
        (frames.BASE.of(OLD_ADDRESS), ("historique", "1", "BASE", "6 kVA", "✗", "✗")),
        (Kind(Mode.HISTORIQUE, [("ADCO", OLD_ADDRESS)]), ("historique", *"???", *"✗✗")),
    ],
    ids=["of a type of both", "its address alone"],
)
async def test_an_old_meter_is_detected(
    hass: HomeAssistant, line: MeterLine, kind: Kind, facts: tuple[str, ...]
) -> None:
    flow = await heard(hass, line, kind, times=30)
    assert flow.step == "confirm"
    names = {"maker": "Itron 2014", "address": "…3456"}
    assert flow.placeholders == names | dict(zip(FACTS, facts, strict=True))


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
async def test_an_error_of_the_port_is_shown_and_can_be_retried(
    hass: HomeAssistant, line: MeterLine, refusal: Exception, error: str
) -> None:
    line.port.refusal = refusal
    flow = await (await (await Flow.begin(hass, "meter")).listen()).hear()
    assert (flow.step, flow.errors) == ("meter", {"base": error})
    assert flow.suggested == {CONF_DEVICE: DEVICE}

    line.port.refusal = None
    await flow.listen()
    await line.send(frames.CONSUMER)
    assert (await flow.hear()).step == "confirm"
    assert (await flow.submit()).entry.unique_id == ADDRESS


NO_ADDRESS = frame_bytes(Mode.STANDARD, [("PREF", "09"), ("PCOUP", "09")])


@pytest.mark.parametrize(
    ("data", "times", "error"),
    [
        pytest.param(b"", 14, "no_data", id="silence"),
        pytest.param(bytes(range(0, 256, 7)), 14, "noise", id="noise"),
        pytest.param(b"$GPGGA,123519,4807.038,N*47\r\n", 14, "not_tic", id="a GPS"),
        pytest.param(b"\x02\nADCO 041861123456 X\r\x03", 14, "noise", id="bad checksums"),
        pytest.param(NO_ADDRESS, 20, "noise", id="no address"),
        pytest.param(NO_ADDRESS, 1, "noise", id="two groups of chance"),
    ],
)
async def test_the_flow_names_the_fault_of_the_line(
    hass: HomeAssistant, line: MeterLine, data: bytes, times: int, error: str
) -> None:
    flow = await (await Flow.begin(hass, "meter")).listen()
    await line.send_bytes(data, times, 9600 if data is NO_ADDRESS else None)
    if times == 1:
        await line.clock.forward(12)
    await flow.hear()
    assert (flow.step, flow.errors) == ("meter", {"base": error})
    assert not line.port.is_open
    if data is not NO_ADDRESS:
        assert line.port.speeds == [9600, 9600, 1200]


GONE = [OSError(errno.EIO, "I/O error"), serialx.SerialException()]


@pytest.mark.parametrize("error", [None, *GONE])
async def test_unplugging_while_listening_is_an_error(
    hass: HomeAssistant, line: MeterLine, clock: LoopClock, error: Exception | None
) -> None:
    flow = await (await Flow.begin(hass, "meter")).listen()
    for _ in range(2):
        await line.send_bytes(b"x")
        line.port.unplug(error)
        await clock.forward(2)
    assert (await flow.hear()).errors == {"base": "link_lost"}
    assert not line.port.is_open


@pytest.mark.parametrize("error", GONE)
async def test_losing_the_port_when_its_speed_changes_is_an_error(
    hass: HomeAssistant, line: MeterLine, clock: LoopClock, error: Exception
) -> None:
    flow = await (await Flow.begin(hass, "meter")).listen()
    await clock.settle()
    line.port.lost = error
    await clock.forward(7)
    assert (await flow.hear()).errors == {"base": "cannot_open"}
    assert not line.port.is_open


async def test_aborting_the_flow_closes_the_port(hass: HomeAssistant, line: MeterLine) -> None:
    flow = await (await Flow.begin(hass, "meter")).listen()
    await line.send_bytes(b"x")
    assert line.port.is_open
    hass.config_entries.flow.async_abort(flow.result["flow_id"])
    await hass.async_block_till_done()
    assert not line.port.is_open


async def test_a_used_port_is_not_opened(
    hass: HomeAssistant, entry: MockConfigEntry, port: Port
) -> None:
    flow = await (await Flow.begin(hass, "meter")).listen()
    assert flow.reason == "already_configured"
    assert port.speeds == []


async def test_a_known_meter_on_another_port_is_refused(
    hass: HomeAssistant, entry: MockConfigEntry, other_line: MeterLine
) -> None:
    flow = await heard(hass, other_line, frames.CONSUMER, 3, OTHER_DEVICE)
    assert flow.reason == "already_configured"
    flow = await heard(hass, other_line, frames.THREE_PHASE, 3, OTHER_DEVICE)
    assert (await flow.submit()).entry.unique_id == OTHER_ADDRESS


async def test_the_same_meter_in_two_windows_is_added_once(
    hass: HomeAssistant, clock: LoopClock, ports: Ports, line: MeterLine
) -> None:
    """A meter may be wired to two dongles, and a person may have two windows open."""
    first = await heard(hass, line, frames.CONSUMER, 3)
    second = await (await (await Flow.begin(hass, "meter")).listen(OTHER_DEVICE)).hear()
    assert second.errors == {"base": "no_such_port"}
    other_line = MeterLine(clock, ports.plug(OTHER_DEVICE))
    await second.listen(OTHER_DEVICE)
    await other_line.send(frames.CONSUMER)
    assert (await second.hear()).reason == "already_in_progress"
    assert (await first.submit()).entry.unique_id == ADDRESS


class TestDiscovery:
    async def test_a_dongle_for_meters_is_opened_after_confirmation(
        self, hass: HomeAssistant, line: MeterLine
    ) -> None:
        flow = await Flow.begin(hass, source=SOURCE_USB, data=DONGLE)
        assert flow.step == "usb_confirm"
        assert flow.placeholders == {"device": DEVICE}
        (progress,) = hass.config_entries.flow.async_progress()
        assert progress["context"]["title_placeholders"] == {"name": "tinfo"}
        assert line.port.speeds == []

        await flow.configure({})
        assert flow.result["type"] is FlowResultType.SHOW_PROGRESS
        await line.send(frames.CONSUMER)
        assert (await flow.hear()).step == "confirm"
        entry = (await flow.submit()).entry
        assert entry.unique_id == ADDRESS
        assert entry.data == {CONF_DEVICE: DEVICE, CONF_MODE: Mode.STANDARD}

    async def test_an_error_leads_back_to_the_question(
        self, hass: HomeAssistant, port: Port, clock: LoopClock
    ) -> None:
        flow = await Flow.begin(hass, source=SOURCE_USB, data=DONGLE)
        await flow.configure({})
        await clock.forward(12)
        await flow.hear()
        assert (flow.step, flow.errors) == ("usb_confirm", {"base": "no_data"})

    async def test_a_dongle_in_use_is_not_proposed(
        self, hass: HomeAssistant, entry: MockConfigEntry, port: Port
    ) -> None:
        flow = await Flow.begin(hass, source=SOURCE_USB, data=DONGLE)
        assert flow.reason == "already_configured"
        assert port.speeds == []

    async def test_a_dongle_is_proposed_once(self, hass: HomeAssistant, line: MeterLine) -> None:
        first = await Flow.begin(hass, source=SOURCE_USB, data=DONGLE)
        second = await Flow.begin(hass, source=SOURCE_USB, data=DONGLE)
        assert second.reason == "already_in_progress"
        # It is added by hand meanwhile.
        await (await heard(hass, line, frames.CONSUMER, 3)).submit()
        assert (await first.submit()).reason == "already_configured"


class TestReconfigure:
    async def test_a_moved_meter_is_read_from_its_new_port(
        self, hass: HomeAssistant, entry: MockConfigEntry, other_line: MeterLine
    ) -> None:
        flow = await Flow.move(hass, entry)
        assert flow.step == "reconfigure_meter"
        assert flow.suggested == {CONF_DEVICE: DEVICE}

        await flow.listen(OTHER_DEVICE)
        await other_line.send(frames.BASE, times=12)
        assert (await flow.hear()).reason == "reconfigure_successful"
        await hass.async_block_till_done()
        assert entry.data == {CONF_DEVICE: OTHER_DEVICE, CONF_MODE: Mode.HISTORIQUE}
        assert entry.state is ConfigEntryState.LOADED
        assert other_line.port.is_open

    async def test_the_same_port_only_reloads(
        self, hass: HomeAssistant, entry: MockConfigEntry, port: Port
    ) -> None:
        await hass.config_entries.async_setup(entry.entry_id)
        flow = await (await Flow.move(hass, entry)).submit({CONF_DEVICE: DEVICE})
        assert flow.reason == "reconfigure_successful"
        assert entry.data == {CONF_DEVICE: DEVICE, CONF_MODE: Mode.STANDARD}
        assert port.speeds == [9600, 9600]

    async def test_a_replaced_meter_continues_after_confirmation(
        self, hass: HomeAssistant, entry: MockConfigEntry, other_line: MeterLine
    ) -> None:
        flow = await (await Flow.move(hass, entry)).listen(OTHER_DEVICE)
        await other_line.send(frames.CONSUMER.of(OTHER_ADDRESS))
        assert (await flow.hear()).step == "replaced"
        assert entry.unique_id == ADDRESS
        assert (await flow.submit()).reason == "reconfigure_successful"
        assert entry.unique_id == OTHER_ADDRESS
        assert entry.title == f"Linky …{OTHER_ADDRESS[-4:]}"
        assert entry.data[CONF_DEVICE] == OTHER_DEVICE

    async def test_another_meter_of_the_home_is_refused(
        self, hass: HomeAssistant, entry: MockConfigEntry, other_line: MeterLine
    ) -> None:
        MockConfigEntry(domain=DOMAIN, unique_id=OTHER_ADDRESS).add_to_hass(hass)
        flow = await (await Flow.move(hass, entry)).listen(OTHER_DEVICE)
        await other_line.send(frames.CONSUMER.of(OTHER_ADDRESS))
        await flow.hear()
        assert (flow.step, flow.errors) == ("reconfigure_meter", {"base": "other_meter"})
        assert entry.data[CONF_DEVICE] == DEVICE

        # The wires are put right, and the same port is tried again.
        await flow.listen(OTHER_DEVICE)
        await other_line.send(frames.CONSUMER)
        assert (await flow.hear()).reason == "reconfigure_successful"
        await hass.async_block_till_done()
        assert entry.data[CONF_DEVICE] == OTHER_DEVICE

    async def test_an_error_leads_back_to_the_port(
        self, hass: HomeAssistant, entry: MockConfigEntry, ports: Ports
    ) -> None:
        flow = await (await (await Flow.move(hass, entry)).listen(OTHER_DEVICE)).hear()
        assert (flow.step, flow.errors) == ("reconfigure_meter", {"base": "no_such_port"})


DEFAULTS = {
    CONF_POWER_INTERVAL: DEFAULT_POWER_INTERVAL,
    CONF_REGISTER_INTERVAL: DEFAULT_REGISTER_INTERVAL,
    CONF_SILENCE: DEFAULT_SILENCE,
    CONF_RAW_LABELS: False,
}


class TestOptions:
    async def proposed(self, home: MeterView) -> bool:
        """Return whether the estimate of injection is proposed."""
        flow = await home.hass.config_entries.options.async_init(home.entry.entry_id)
        assert flow["data_schema"] is not None
        return CONF_ESTIMATE_INJECTION in map(str, flow["data_schema"].schema)

    async def test_options_have_defaults_and_are_saved(
        self, hass: HomeAssistant, home: MeterView
    ) -> None:
        await home.start(frames.PRODUCER)
        options = hass.config_entries.options
        flow = await options.async_init(home.entry.entry_id)
        assert flow["type"] is FlowResultType.FORM
        assert flow["data_schema"] is not None
        assert flow["data_schema"]({}) == DEFAULTS
        chosen = {**DEFAULTS, CONF_POWER_INTERVAL: 0, CONF_SILENCE: 120}
        result = await options.async_configure(flow["flow_id"], chosen)
        await hass.async_block_till_done()
        assert result["type"] is FlowResultType.CREATE_ENTRY
        assert home.entry.options == chosen
        assert home.entry_state == "loaded"
        assert home.line.port.speeds == [9600, 9600]
        flow = await options.async_init(home.entry.entry_id)
        assert suggested(flow["data_schema"]) == chosen

    @pytest.mark.parametrize(
        ("kind", "proposed"),
        [
            (None, False),
            (frames.CONSUMER, True),
            (frames.PRODUCER, False),
            (frames.THREE_PHASE.of(ADDRESS), False),
            (frames.BASE, False),
        ],
    )
    async def test_the_estimate_of_injection_is_proposed_where_currents_allow_it(
        self, home: MeterView, kind: Kind | None, proposed: bool
    ) -> None:
        if kind is not None:
            home.change(**{CONF_MODE: kind.mode})
            await home.start(kind)
        assert await self.proposed(home) is proposed

    async def test_the_estimate_adds_its_entity_and_can_be_given_up_without_a_meter(
        self, hass: HomeAssistant, home: MeterView
    ) -> None:
        await home.start(frames.CONSUMER)
        options = hass.config_entries.options
        flow = await options.async_init(home.entry.entry_id)
        chosen = {**DEFAULTS, CONF_ESTIMATE_INJECTION: True}
        await options.async_configure(flow["flow_id"], chosen)
        await hass.async_block_till_done()
        await home.hear(frames.CONSUMER, 4)
        assert home.entity_id("injected_power_estimated") is not None
        await home.unload()
        assert await self.proposed(home)

    @pytest.mark.parametrize(
        "nonsense", [{CONF_SILENCE: 5}, {CONF_POWER_INTERVAL: -1}, {CONF_REGISTER_INTERVAL: 10_000}]
    )
    async def test_invalid_options_are_refused(
        self, hass: HomeAssistant, entry: MockConfigEntry, nonsense: dict[str, int]
    ) -> None:
        flow = await hass.config_entries.options.async_init(entry.entry_id)
        with pytest.raises(InvalidData):
            await hass.config_entries.options.async_configure(
                flow["flow_id"], {**DEFAULTS, **nonsense}
            )
