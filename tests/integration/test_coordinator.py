"""One meter over time: set up, lost, found again, changed, replaced, taken away."""

from dataclasses import replace
from datetime import UTC, datetime
import errno
from itertools import pairwise

from homeassistant.components.repairs import ConfirmRepairFlow, repairs_flow_manager
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import serialx

from consometers_tic import PARIS, Mode
from custom_components.consometers.const import (
    CONF_MODE,
    CONF_OFFSET,
    CONF_POWER_INTERVAL,
    CONF_REGISTER_INTERVAL,
    CONF_SCHEDULES,
    CONF_SILENCE,
    CONF_TARIFFS,
    DOMAIN,
)
from custom_components.consometers.repairs import async_create_fix_flow
from testing.integration import frames
from testing.integration.entries import meter_entry
from testing.integration.frames import ADDRESS, OTHER_ADDRESS
from testing.integration.ports import OTHER_DEVICE, MeterLine, Ports
from testing.integration.views import MeterView, logged


async def confirm(home: MeterView, kind: str) -> None:
    """Press the button of an issue."""
    assert await async_setup_component(home.hass, "repairs", {})
    manager = repairs_flow_manager(home.hass)
    issue = home.issue(kind)
    assert manager is not None
    assert issue is not None
    flow = await manager.async_init(DOMAIN, data={"issue_id": issue.issue_id})
    assert (flow["type"], flow["step_id"]) == (FlowResultType.FORM, "confirm")
    assert flow["description_placeholders"] == issue.translation_placeholders
    result = await manager.async_configure(flow["flow_id"], {})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await home.hass.async_block_till_done()


class TestLifetime:
    @pytest.mark.parametrize(
        ("refusal", "key"),
        [
            (FileNotFoundError(errno.ENOENT, "No such file"), "no_such_port"),
            (OSError(errno.EBUSY, "Busy"), "port_busy"),
            (PermissionError(errno.EACCES, "Denied"), "cannot_open"),
        ],
    )
    async def test_setup_is_retried_while_the_port_cannot_be_opened(
        self, home: MeterView, refusal: Exception, key: str
    ) -> None:
        home.line.port.refusal = refusal
        await home.start()
        assert home.entry_state == "setup_retry"
        assert home.entry.error_reason_translation_key == key
        assert home.entry.error_reason_translation_placeholders == {"device": "/dev/ttyTIC"}

        home.line.port.refusal = None
        await home.reload()
        assert home.entry_state == "loaded"

    async def test_entities_come_with_the_first_frames(self, home: MeterView) -> None:
        await home.start()
        assert home.entity_id("energy_drawn") is None
        assert home.is_on("link") is False
        await home.hear(frames.CONSUMER, 4)
        assert home.state("energy_drawn") == "12345.678"
        assert home.state("apparent_power") == "690"
        assert home.is_on("link")

    async def test_unloading_frees_the_port_and_loading_takes_it_again(
        self, home: MeterView
    ) -> None:
        await home.start(frames.CONSUMER)
        await home.unload()
        assert home.entry_state == "not_loaded"
        assert not home.line.port.is_open
        assert home.are_unavailable("energy_drawn", "apparent_power")

        await home.start(frames.CONSUMER)
        assert home.state("energy_drawn") == "12345.678"
        await home.reload()
        assert home.entry_state == "loaded"

    async def test_removal_leaves_no_issue_behind(
        self, hass: HomeAssistant, home: MeterView
    ) -> None:
        await home.start(frames.BASE)
        await home.hear(frames.BASE, 15)
        assert home.issue("mode_changed")
        await home.forward(301)
        assert home.issue("no_data")
        await home.remove()
        registry = ir.async_get(hass)
        assert [issue for issue in registry.issues.values() if issue.domain == DOMAIN] == []
        assert not home.line.port.is_open


class TestSilence:
    async def test_a_silent_meter_is_unavailable_and_never_zero(
        self, home: MeterView, caplog: pytest.LogCaptureFixture
    ) -> None:
        await home.start(frames.CONSUMER)
        assert home.is_on("link")
        await home.forward(12)
        assert home.is_on("link") is False
        await home.forward(16)
        assert home.state("apparent_power") == "690"
        await home.forward(4)
        entity_ids = [
            entity.entity_id
            for entity in er.async_entries_for_config_entry(
                er.async_get(home.hass), home.entry.entry_id
            )
            if not entity.disabled and not entity.unique_id.endswith("_link")
        ]
        assert len(entity_ids) > 15
        states = {e: s.state for e in entity_ids if (s := home.hass.states.get(e))}
        assert set(states.values()) == {"unavailable"}
        assert logged(caplog) == ["Linky …3456: nothing valid comes from the meter"]

        await home.forward(60)
        assert len(logged(caplog)) == 1

        await home.hear(frames.CONSUMER, 25)
        assert home.state("apparent_power") == "690"
        assert home.state("energy_drawn") == "12345.678"
        assert home.is_on("link")
        assert logged(caplog)[1:] == ["Linky …3456: the meter is heard again"]

    async def test_an_option_sets_when_silence_means_unavailable(
        self, hass: HomeAssistant, home: MeterView
    ) -> None:
        hass.config_entries.async_update_entry(home.entry, options={CONF_SILENCE: 120})
        await home.start(frames.CONSUMER)
        await home.forward(115)
        assert home.state("apparent_power") == "690"
        await home.forward(10)
        assert home.are_unavailable("apparent_power")

    async def test_a_lost_meter_that_is_asked_stays_unavailable(self, home: MeterView) -> None:
        await home.start(frames.CONSUMER)
        await home.forward(35)
        await async_setup_component(home.hass, "homeassistant", {})
        data = {"entity_id": home.entity_id("apparent_power")}
        await home.hass.services.async_call("homeassistant", "update_entity", data, blocking=True)
        assert home.are_unavailable("apparent_power")

    async def test_noise_is_silence_and_logs_no_line_per_group(
        self, home: MeterView, caplog: pytest.LogCaptureFixture
    ) -> None:
        await home.start(frames.CONSUMER)
        await home.line.send_bytes(b"\x02\nPREF\t09\tX\r\nPCOUP\t09\tX\r\x03" * 3, times=40)
        assert home.are_unavailable("apparent_power")
        assert logged(caplog) == ["Linky …3456: nothing valid comes from the meter"]

    async def test_a_meter_never_heard_is_logged_as_silent(
        self, home: MeterView, caplog: pytest.LogCaptureFixture
    ) -> None:
        await home.start()
        await home.forward(33)
        assert logged(caplog) == ["Linky …3456: nothing valid comes from the meter"]
        await home.hear(frames.CONSUMER, 4)
        assert home.state("apparent_power") == "690"
        assert logged(caplog)[1:] == ["Linky …3456: the meter is heard again"]

    async def test_an_issue_appears_after_five_minutes_of_silence(self, home: MeterView) -> None:
        await home.start(frames.CONSUMER)
        await home.forward(290)
        assert home.issue("no_data") is None
        await home.forward(15)
        issue = home.issue("no_data")
        assert issue is not None
        assert issue.severity is ir.IssueSeverity.ERROR
        assert issue.translation_placeholders == {
            "title": "Linky …3456",
            "device": "/dev/ttyTIC",
        }
        await home.hear(frames.CONSUMER, 15)
        assert home.issue("no_data") is None
        # The wires are put right while it is not loaded, or the meter is moved.
        await home.forward(305)
        assert home.issue("no_data")
        await home.unload()
        await home.start(frames.CONSUMER)
        assert home.issue("no_data") is None

    async def test_a_long_silence_adds_few_events_to_the_story(self, home: MeterView) -> None:
        await home.start(frames.CONSUMER)
        await home.forward(600)
        assert home.line.port.speeds[:4] == [9600, 1200, 9600, 1200]
        assert [event.what for event in home.entry.runtime_data.reader.events] == [
            "opened at 9600 baud",
            "available",
            "nothing valid, trying 1200 baud",
            "nothing valid, trying 9600 baud",
            "unavailable",
        ]


class TestReconnection:
    @pytest.mark.parametrize(
        "error", [None, OSError(errno.EIO, "I/O error"), serialx.SerialException()]
    )
    async def test_a_replugged_dongle_is_opened_again(
        self, home: MeterView, caplog: pytest.LogCaptureFixture, error: Exception | None
    ) -> None:
        await home.start(frames.CONSUMER)
        port = home.line.port
        port.refusal = FileNotFoundError(errno.ENOENT, "No such file")
        port.unplug(error)
        await home.forward(2)
        assert home.state("apparent_power") == "690"
        await home.forward(35)
        assert home.are_unavailable("apparent_power")

        port.refusal = None
        await home.forward(31)
        assert port.is_open
        await home.hear(frames.CONSUMER, 4)
        assert home.state("apparent_power") == "690"
        assert logged(caplog) == [
            "Linky …3456: nothing valid comes from the meter",
            "Linky …3456: the meter is heard again",
        ]

    async def test_a_short_interruption_goes_unnoticed(
        self, home: MeterView, caplog: pytest.LogCaptureFixture
    ) -> None:
        await home.start(frames.CONSUMER)
        home.line.port.unplug()
        await home.forward(2)
        assert home.line.port.is_open
        await home.hear(frames.CONSUMER, 2, SINSTS="00700")
        assert home.state("apparent_power") == "690"
        assert logged(caplog) == []

    async def test_retries_back_off_up_to_half_a_minute(self, home: MeterView) -> None:
        await home.start(frames.CONSUMER)
        port = home.line.port
        attempts: list[float] = []
        original = port.open

        def refuse(*args: object, **kwargs: object) -> None:
            attempts.append(home.line.clock.now())
            raise FileNotFoundError

        port.open = refuse  # type: ignore[method-assign,assignment]
        port.unplug()
        await home.forward(150)
        waits = [round(b - a) for a, b in pairwise(attempts)]
        assert waits[:7] == [2, 4, 8, 16, 30, 30, 30]
        port.open = original  # type: ignore[method-assign]

    async def test_a_port_lost_while_its_speed_changes_is_opened_again(
        self, home: MeterView
    ) -> None:
        await home.start(frames.CONSUMER)
        home.line.port.lost = serialx.SerialException()
        await home.forward(13)
        home.line.port.lost = None
        await home.forward(5)
        assert home.line.port.is_open
        await home.hear(frames.CONSUMER, 25)
        assert home.state("apparent_power") == "690"

    async def test_a_missing_port_raises_the_issue_of_missing_data(self, home: MeterView) -> None:
        await home.start(frames.CONSUMER)
        home.line.port.unplug()
        home.line.port.refusal = FileNotFoundError(errno.ENOENT, "No such file")
        await home.forward(310)
        assert home.issue("no_data")


class TestMode:
    async def test_a_change_of_mode_is_followed_and_raises_an_issue(
        self, home: MeterView, caplog: pytest.LogCaptureFixture
    ) -> None:
        await home.start(frames.CONSUMER)
        await home.hear(frames.BASE, 16, BASE="012345700")
        assert home.line.port.speeds == [9600, 1200]
        # What both modes have goes on under the same names; it was never unavailable.
        assert home.state("energy_drawn") == "12345.7"
        assert home.state("apparent_power") == "690"
        assert home.state("subscribed_power") == "6.0"
        assert logged(caplog) == []

        issue = home.issue("mode_changed")
        assert issue is not None
        assert issue.is_fixable
        assert issue.severity is ir.IssueSeverity.WARNING
        assert issue.translation_placeholders == {
            "title": "Linky …3456",
            "former": "standard",
            "mode": "historique",
        }

        await home.hear(frames.CONSUMER, 16)
        assert home.line.port.speeds == [9600, 1200, 9600]
        assert home.issue("mode_changed") is None
        assert home.state("voltage") == "236"

    async def test_confirming_adopts_the_mode_and_removes_missing_entities(
        self, home: MeterView
    ) -> None:
        await home.start(frames.CONSUMER)
        before = home.entity_id("energy_drawn"), home.entity_id("apparent_power")
        await home.hear(frames.BASE, 16)
        assert home.entity_id("voltage") is not None
        await confirm(home, "mode_changed")
        assert home.entry.data[CONF_MODE] == Mode.HISTORIQUE
        assert home.issue("mode_changed") is None
        for key in ("voltage", "energy_index_1", "breaker", "message"):
            assert home.entity_id(key) is None, key

        await home.hear(frames.BASE, 4)
        assert (home.entity_id("energy_drawn"), home.entity_id("apparent_power")) == before
        assert home.state("energy_drawn") == "12345.678"
        assert home.issue("mode_changed") is None
        assert home.line.port.speeds[-1] == 1200

    @pytest.mark.parametrize("is_loaded", [True, False])
    async def test_confirming_while_nothing_is_heard_removes_nothing(
        self, home: MeterView, is_loaded: bool
    ) -> None:
        """A value that was never known cannot go missing."""
        await home.start(frames.CONSUMER)
        await home.hear(frames.BASE, 16)
        if is_loaded:
            await home.forward(40)
        else:
            await home.unload()
        await confirm(home, "mode_changed")
        assert home.entry.data[CONF_MODE] == Mode.HISTORIQUE
        assert home.entity_id("energy_drawn") is not None
        assert home.entity_id("voltage") is not None

    async def test_an_issue_of_a_removed_entry_is_only_confirmed(self, hass: HomeAssistant) -> None:
        data: dict[str, str | int | float | None] = {"kind": "mode_changed", "entry_id": "gone"}
        flow = await async_create_fix_flow(hass, "mode_changed_gone", data)
        assert type(flow) is ConfirmRepairFlow


class TestMeters:
    async def test_a_new_meter_is_followed_and_its_readings_go_on(
        self, home: MeterView, device_registry: dr.DeviceRegistry
    ) -> None:
        await home.start(frames.CONSUMER)
        before = home.entity_id("energy_drawn")
        new = frames.CONSUMER.of("041961789012").but(EAST="000000123")
        await home.hear(new, 8)
        assert home.entry.unique_id == "041961789012"
        assert home.entry.title == "Linky …9012"
        assert home.entity_id("energy_drawn") == before
        await home.hear(new, 60)
        assert home.state("energy_drawn") == "0.123"
        (device,) = dr.async_entries_for_config_entry(device_registry, home.entry.entry_id)
        assert device.serial_number == "041961789012"
        assert device.hw_version == "2019"

        issue = home.issue("meter_replaced")
        assert issue is not None
        assert issue.is_fixable
        assert issue.is_persistent
        assert issue.translation_placeholders == {
            "title": "Linky …9012",
            "former": "…3456",
            "meter": "…9012",
        }
        await confirm(home, "meter_replaced")
        assert home.issue("meter_replaced") is None
        assert home.entry.unique_id == "041961789012"

    async def test_a_chosen_title_stays_when_the_meter_is_replaced(
        self, hass: HomeAssistant, home: MeterView
    ) -> None:
        hass.config_entries.async_update_entry(home.entry, title="School")
        await home.start(frames.CONSUMER)
        await home.hear(frames.CONSUMER.of("041961789012"), 8)
        assert home.entry.title == "School"

    async def test_exchanged_meters_raise_issues_until_they_are_put_right(
        self, hass: HomeAssistant, home: MeterView, ports: Ports, caplog: pytest.LogCaptureFixture
    ) -> None:
        """The wires of two meters are exchanged, then put right."""
        other_entry = meter_entry(hass, OTHER_ADDRESS, device=OTHER_DEVICE)
        other = MeterView(hass, other_entry, MeterLine(home.line.clock, ports.plug(OTHER_DEVICE)))
        await home.start(frames.CONSUMER)
        if other.entry_state == "not_loaded":
            await other.start()
        await other.hear(frames.THREE_PHASE, 4)
        assert home.state("energy_drawn") == other.state("energy_drawn") == "12345.678"

        for _ in range(8):
            await home.hear(frames.THREE_PHASE, EAST="098765432")
            await other.hear(frames.CONSUMER, EAST="087654321")
        assert home.are_unavailable("energy_drawn", "apparent_power")
        assert other.are_unavailable("energy_drawn", "apparent_power")
        assert home.entry.unique_id == ADDRESS
        assert other_entry.unique_id == OTHER_ADDRESS
        issue = home.issue("wrong_meter")
        assert issue is not None
        assert issue.translation_placeholders == {
            "title": "Linky …3456",
            "expected": "…3456",
            "meter": "…4321",
        }
        assert other.issue("wrong_meter")
        assert len(logged(caplog)) == 2

        for _ in range(8):
            await home.hear(frames.CONSUMER)
            await other.hear(frames.THREE_PHASE)
        assert home.issue("wrong_meter") is None
        assert other.issue("wrong_meter") is None
        assert home.state("energy_drawn") == other.state("energy_drawn") == "12345.678"
        assert home.issue("meter_replaced") is None

    async def test_a_meter_becomes_the_new_one_once_its_own_entry_is_removed(
        self, hass: HomeAssistant, home: MeterView
    ) -> None:
        other_entry = MockConfigEntry(
            domain=DOMAIN, unique_id=OTHER_ADDRESS, disabled_by=ConfigEntryDisabler.USER
        )
        other_entry.add_to_hass(hass)
        await home.start(frames.CONSUMER)
        await home.hear(frames.THREE_PHASE, 8)
        assert home.issue("wrong_meter")
        await hass.config_entries.async_remove(other_entry.entry_id)
        await home.hear(frames.THREE_PHASE, 2)
        assert home.issue("wrong_meter") is None
        assert home.issue("meter_replaced")
        assert home.entry.unique_id == OTHER_ADDRESS
        assert home.state("energy_drawn") == "12345.678"

    async def test_exchanged_wires_leave_mode_and_total_unchanged(
        self, hass: HomeAssistant, home: MeterView
    ) -> None:
        MockConfigEntry(
            domain=DOMAIN, unique_id=OTHER_ADDRESS, disabled_by=ConfigEntryDisabler.USER
        ).add_to_hass(hass)
        home.change(**{CONF_OFFSET: -345_678})
        await home.start(frames.CONSUMER)
        assert home.state("energy_drawn") == "12000.0"
        await home.hear(frames.BASE.of(OTHER_ADDRESS), 20)
        assert home.issue("wrong_meter")
        assert home.issue("mode_changed") is None
        await home.hear(frames.CONSUMER, 20)
        assert home.issue("wrong_meter") is None
        assert home.state("energy_drawn") == "12000.0"
        assert home.entry.data[CONF_OFFSET] == -345_678


OFF_PEAK_RUNS = {"STGE": "003A4001", "LTARF": "  HEURE CREUSE  ", "NTARF": "01"}
OFF_PEAK = frames.CONSUMER.but(**OFF_PEAK_RUNS)


class TestTariffs:
    def name(self, home: MeterView, key: str) -> str:
        return str(home.attributes(key)["friendly_name"])

    async def test_an_index_is_named_after_the_tariff_seen_while_it_ran(
        self, home: MeterView
    ) -> None:
        named = {"NGTF": "SUPPLIER A"}
        peak, off_peak = frames.CONSUMER.but(**named), OFF_PEAK.but(**named)
        await home.start(peak)
        assert self.name(home, "energy_index_2") == "Linky Energy drawn, HEURE PLEINE"
        assert self.name(home, "energy_index_1") == "Linky Energy drawn, index 1"
        assert home.entry.data[CONF_TARIFFS] == {"EASF02": "HEURE PLEINE"}

        await home.hear(off_peak, 60)
        assert home.entry.data[CONF_TARIFFS] == {"EASF01": "HEURE CREUSE", "EASF02": "HEURE PLEINE"}
        await home.hear(off_peak, 4)
        assert self.name(home, "energy_index_1") == "Linky Energy drawn, HEURE CREUSE"
        assert self.name(home, "energy_index_2") == "Linky Energy drawn, HEURE PLEINE"
        # It was made again once, and is not when the tariff comes back.
        assert home.line.port.speeds == [9600, 9600]
        await home.hear(peak, 60)
        await home.hear(off_peak, 60)
        assert home.line.port.speeds == [9600, 9600]

    async def test_the_second_of_two_tariffs_has_its_name_before_it_runs(
        self, home: MeterView
    ) -> None:
        await home.start(OFF_PEAK)
        assert self.name(home, "energy_index_1") == "Linky Energy drawn, HEURE CREUSE"
        assert self.name(home, "energy_index_2") == "Linky Energy drawn, HEURE PLEINE"
        # The meter confirms it, and the entities need not be made again.
        await home.hear(frames.CONSUMER, 60)
        assert home.entry.data[CONF_TARIFFS] == {"EASF01": "HEURE CREUSE", "EASF02": "HEURE PLEINE"}
        assert home.line.port.speeds == [9600]

    async def test_the_next_tariff_is_that_of_the_schedule_sent_the_day_before(
        self, home: MeterView
    ) -> None:
        options = {"price_easf01": 0.17}
        home.hass.config_entries.async_update_entry(home.entry, options=options)
        await home.start(frames.CONSUMER)
        await home.hear(frames.CONSUMER, 60)
        (day,) = home.entry.data[CONF_SCHEDULES]
        assert home.state("next_tariff") is None

        later = datetime.fromisoformat(day).replace(hour=20, tzinfo=PARIS)
        evening = frames.CONSUMER.but(DATE=None)
        evening = replace(evening, groups=[*evening.groups, ("DATE", f"{later:E%y%m%d%H%M%S}", "")])
        await home.hear(evening, 60)
        assert home.state("next_tariff") == "HEURE CREUSE"
        assert home.attributes("next_tariff")["price"] == 0.17
        start = home.state("next_tariff_start")
        assert start == later.replace(hour=22, minute=30).astimezone(UTC).isoformat()
        assert next(iter(home.entry.data[CONF_SCHEDULES])) == day

    @pytest.mark.parametrize("first", ["STGE", "LTARF"])
    async def test_an_index_is_not_named_after_a_tariff_that_just_ended_or_began(
        self, home: MeterView, first: str
    ) -> None:
        """The frame in which a tariff ends has the old name and the new index, or one is lost."""
        await home.start(frames.CONSUMER)
        await home.hear(frames.CONSUMER.but(**{first: OFF_PEAK_RUNS[first]}))
        await home.hear(OFF_PEAK, 90)
        assert home.entry.data[CONF_TARIFFS] == {"EASF01": "HEURE CREUSE", "EASF02": "HEURE PLEINE"}

    async def test_a_supplier_without_names_leaves_the_numbers(self, home: MeterView) -> None:
        await home.start(frames.CONSUMER.but(LTARF=None, NGTF=None))
        assert self.name(home, "energy_index_2") == "Linky Energy drawn, index 2"
        assert CONF_TARIFFS not in home.entry.data

    async def test_an_index_appears_when_it_first_runs(self, home: MeterView) -> None:
        await home.start(frames.CONSUMER)
        assert home.entity_id("energy_index_3") is None
        await home.hear(frames.CONSUMER, 4, STGE="003A4801", NTARF="03")
        assert home.state("energy_index_3") == "0.0"


POWER, REGISTER = ("apparent_power", "SINSTS"), ("energy_drawn", "EAST")


class TestPace:
    @pytest.mark.parametrize(
        ("options", "key", "label", "times"),
        [
            ({CONF_POWER_INTERVAL: 0, CONF_REGISTER_INTERVAL: 60}, *POWER, 31),
            ({CONF_POWER_INTERVAL: 10, CONF_REGISTER_INTERVAL: 60}, *POWER, 3),
            ({CONF_POWER_INTERVAL: 30, CONF_REGISTER_INTERVAL: 60}, *POWER, 1),
            ({CONF_POWER_INTERVAL: 10, CONF_REGISTER_INTERVAL: 0}, *REGISTER, 31),
            ({CONF_POWER_INTERVAL: 10, CONF_REGISTER_INTERVAL: 20}, *REGISTER, 2),
        ],
    )
    async def test_values_are_written_at_the_chosen_interval(
        self, home: MeterView, *, options: dict[str, int], key: str, label: str, times: int
    ) -> None:
        """Its label changes every second."""
        home.hass.config_entries.async_update_entry(home.entry, options=options)
        await home.start(frames.CONSUMER)
        first, length = (700, 5) if label == "SINSTS" else (12_345_700, 9)
        seen = []
        for n in range(32):
            await home.hear(frames.CONSUMER.but(**{label: f"{first + n:0{length}}"}))
            seen.append(home.state(key))
        assert abs(sum(a != b for a, b in pairwise(seen)) - times) <= 1

    async def test_a_steady_state_is_written_when_it_changes(self, home: MeterView) -> None:
        await home.start(frames.CONSUMER)
        await home.hear(frames.CONSUMER, 2, STGE="003A4481")
        assert home.is_on("overrun")
        await home.hear(frames.CONSUMER, 2)
        assert home.is_on("overrun") is False

    async def test_an_overrun_without_adir_shows_at_once(self, home: MeterView) -> None:
        """Three-phase meters were seen that do not send ADIR."""
        home.change(**{CONF_MODE: Mode.HISTORIQUE})
        await home.start(frames.HISTORIQUE_THREE_PHASE)
        assert home.is_on("overrun") is False
        await home.hear(frames.HISTORIQUE_THREE_PHASE, 3, IINST2="021")
        assert home.is_on("overrun")
        await home.hear(frames.HISTORIQUE_THREE_PHASE, 3, IINST2="020")
        assert home.is_on("overrun") is False
