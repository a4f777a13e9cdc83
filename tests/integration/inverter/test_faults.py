"""What a person sees when an inverter sleeps, errs, or is not there."""

from datetime import timedelta

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.util.dt import utcnow
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from demo.inverter import Night, Scales
from demo.inverter.commands import COMMANDS
from testing.integration.inverter import DAWN, NIGHT, NOON, InverterView

MADE = ("power", "string_1_power")
MEASURES = ("temperature", "meter_1_power")


async def test_an_inverter_that_answers_at_night_sleeps_without_power(roof: InverterView) -> None:
    await roof.start()
    total = roof.amount("energy")
    await roof.at(NIGHT)
    assert roof.state("operating") == "sleeping"
    assert roof.amount("power") == 0
    assert roof.amount("energy") > total


@pytest.mark.parametrize("night", [Night.REFUSES, Night.SILENT])
async def test_an_inverter_that_is_silent_at_night_sleeps_without_power(
    roof: InverterView, night: Night
) -> None:
    await roof.start()
    total, rating = roof.amount("energy"), roof.amount("rating")
    roof.inverter.set_faults(night=night)
    await roof.patience.expect_silence()
    await roof.at(NIGHT)
    await roof.polls(4, every_s=60)
    assert roof.amount("rating") == rating
    for is_restarted in (False, True):
        if is_restarted:
            await roof.unload()
            assert await roof.start(NIGHT + timedelta(minutes=5))
        assert roof.state("operating") == "sleeping"
        assert roof.amount("energy") == total
        assert [roof.amount(each) for each in MADE] == [0, 0]
        assert roof.are_unavailable(*MEASURES)
        assert roof.issue("inverter_silent") is None
    # It wakes up.
    await roof.patience.expect_answers()
    await roof.at(NOON + timedelta(days=1))
    assert roof.state("operating") == "running"
    assert roof.amount("power") > 0
    assert roof.amount("energy") > total


async def test_an_inverter_may_sleep_for_a_while_after_sunrise(roof: InverterView) -> None:
    await roof.start()
    roof.inverter.set_faults(night=Night.SILENT)
    await roof.patience.expect_silence()
    await roof.at(NIGHT)
    await roof.polls(3)
    roof.inverter.set_faults(silent=1)
    await roof.at(DAWN)
    assert roof.state("operating") == "sleeping"
    await roof.at(DAWN + timedelta(hours=2))
    assert roof.are_unavailable("operating", "energy", *MADE, *MEASURES)


@pytest.mark.parametrize("profile", ["home", "float", "der2018"])
async def test_zeros_at_wake_up_do_not_touch_the_total(roof: InverterView) -> None:
    roof.inverter.set_faults(zeros_at_dawn_s=600)
    await roof.start()
    total = roof.amount("energy")
    roof.inverter.set_faults(zeros_until=roof.inverter.second + 60)
    await roof.polls(5)
    assert roof.amount("energy") == total
    await roof.polls(2)
    assert roof.amount("energy") > total


async def test_missing_points_have_no_entity(roof: InverterView) -> None:
    roof.inverter.set_faults(missing={"TmpCab", "DCW", "Hz"})
    await roof.start()
    assert roof.entity_id("power") is not None
    assert roof.entity_id("temperature") is None
    assert roof.entity_id("dc_power") is None
    roof.inverter.set_faults(missing=set())
    await roof.polls()
    assert roof.amount("temperature") > 0
    roof.inverter.set_faults(missing={"W"})
    await roof.polls()
    assert roof.state("power") == "unknown"


@pytest.mark.parametrize("profile", ["home", "der2018"])
async def test_scale_factors_may_change_from_one_reading_to_the_next(roof: InverterView) -> None:
    await roof.start()
    power, total = roof.amount("power"), roof.amount("energy")
    roof.inverter.set_faults(scales=Scales.CHANGING)
    for _ in range(20):
        await roof.polls(every_s=1)
        assert roof.amount("power") == pytest.approx(power, rel=0.02)
        assert total <= roof.amount("energy") <= total + 1
        total = roof.amount("energy")


async def test_scale_factors_without_sense_make_values_unknown(roof: InverterView) -> None:
    await roof.start()
    total = roof.amount("energy")
    roof.inverter.set_faults(scales=Scales.GARBAGE)
    await roof.polls()
    assert roof.state("power") == "unknown"
    assert roof.amount("energy") == total


WIRES = [("silent", False), ("dropped", True), ("mistaken", False), ("illegal", True)]
"""Faults of the wire, and whether they are noticed at once."""


@pytest.mark.parametrize(("fault", "is_noticed"), WIRES)
async def test_a_lasting_failure_by_day_raises_an_issue(
    roof: InverterView, fault: str, is_noticed: bool
) -> None:
    await roof.start()
    power = roof.amount("power")
    roof.inverter.set_faults(**{fault: 1})
    if not is_noticed:
        await roof.patience.expect_silence()
    await roof.polls(2)
    assert roof.amount("power") == power
    await roof.polls()
    assert roof.are_unavailable("operating", "energy", "power")
    assert roof.issue("inverter_silent") is None
    await roof.polls(2, every_s=3_600)
    assert roof.issue("inverter_silent") is not None

    roof.inverter.no_faults()
    await roof.patience.expect_answers()
    await roof.polls()
    assert roof.amount("power") > 0
    assert roof.issue("inverter_silent") is None


async def test_a_busy_inverter_is_asked_again(roof: InverterView) -> None:
    await roof.start()
    roof.inverter.set_faults(busy=0.3)
    await roof.polls()
    assert roof.amount("power") > 0


async def test_a_device_that_never_answered_is_tried_again(roof: InverterView) -> None:
    await roof.inverter.unplug()
    assert not await roof.start()
    assert roof.entry.state is ConfigEntryState.SETUP_RETRY


async def test_another_inverter_at_the_address_raises_an_issue(roof: InverterView) -> None:
    await roof.start()
    roof.inverter.inverters[0].serial = "KS000000"
    await roof.inverter.unplug()
    await roof.polls()
    await roof.inverter.plug()
    await roof.polls()
    assert roof.are_unavailable("operating", "energy", "power")
    assert roof.issue("other_inverter") is not None
    await roof.unload()
    assert roof.issue("other_inverter") is None


@pytest.mark.parametrize(
    ("fault", "kind"), [("restart", "counter_restarted"), ("jump 100000", "counter_jumped")]
)
async def test_the_total_survives_a_counter_that_restarts_or_leaps(
    roof: InverterView, fault: str, kind: str
) -> None:
    await roof.start()
    total = roof.amount("energy")
    await COMMANDS.obey(roof.inverter, fault)
    await roof.polls(30, every_s=60)
    assert roof.issue(kind) is not None
    assert total + 0.9 < roof.amount("energy") < total + 1.2
    await roof.remove()
    assert roof.issue(kind) is None


async def test_a_wrong_first_reading_is_not_shown(hass: HomeAssistant, roof: InverterView) -> None:
    real = roof.inverter.inverters[0].readings(roof.inverter.second).energy_wh
    await COMMANDS.obey(roof.inverter, f"jump {9 * real}")
    assert await hass.config_entries.async_setup(roof.entry.entry_id)
    await hass.async_block_till_done()
    assert roof.entity_id("energy") is None
    assert roof.amount("power") > 0
    assert roof.coordinator.update_interval == timedelta(seconds=5)
    await COMMANDS.obey(roof.inverter, f"jump {-9 * real}")
    await roof.polls()
    assert roof.entity_id("energy") is None
    assert roof.coordinator.update_interval == timedelta(seconds=10)
    await roof.polls()
    assert roof.amount("energy") == pytest.approx(real / 1_000, abs=0.1)


async def test_models_that_move_in_the_map_are_found_again(roof: InverterView) -> None:
    await roof.start()
    roof.inverter.set_faults(without={120, 121})
    await roof.polls(2)
    assert roof.amount("string_1_power") > 0
    assert roof.amount("meter_1_power") < 0


async def test_an_unreachable_inverter_is_polled_less_often(
    hass: HomeAssistant, roof: InverterView
) -> None:
    await roof.start()
    asked = roof.inverter.requests
    async_fire_time_changed(hass, utcnow() + timedelta(seconds=12))
    await hass.async_block_till_done(wait_background_tasks=True)
    assert roof.inverter.requests > asked
    assert roof.coordinator.update_interval == timedelta(seconds=10)
    await roof.inverter.unplug()
    await roof.polls(3)
    assert roof.coordinator.update_interval == timedelta(minutes=1)
