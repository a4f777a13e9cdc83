"""A meter that another integration counted goes on with its history, in the real recorder."""

from datetime import timedelta

from homeassistant.components.recorder import get_instance
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from custom_components.consometers.const import CONF_HISTORY, CONF_JOINED
from custom_components.consometers.history.continuing import async_first
from testing.integration import frames
from testing.integration.flows import Flow
from testing.integration.former_meter import HA_LINKY, LEVELS, LINKYTIC, NOON, House, options
from testing.integration.frames import DELIVERY_POINT
from testing.integration.ports import MeterLine
from testing.integration.recorded import FIVE_MINUTES, HOUR
from testing.integration.views import MeterView, text_of


async def chosen(flow: Flow, *names: str) -> Flow:
    """Choose from what is offered, by the names of the earlier series."""
    options = offered(flow)
    return await flow.submit(series=[options[name] for name in names])


def offered(flow: Flow) -> dict[str, str]:
    assert flow.step == "history"
    schema = flow.result["data_schema"]
    assert schema is not None
    ((_, field),) = schema.schema.items()
    return {option["label"]: option["value"] for option in field.config["options"]}


def ticked(flow: Flow) -> list[str]:
    schema = flow.result["data_schema"]
    assert schema is not None
    (key,) = schema.schema
    labels = {value: label for label, value in offered(flow).items()}
    return [labels[value] for value in key.default()]


DRAWN = f"Energy drawn ← {LINKYTIC} (linkytic)"


async def test_the_history_of_the_same_register_is_joined_and_undone(
    house: House, hass: HomeAssistant
) -> None:
    await house.had_linkytic()
    await house.had("sensor.kettle", (3.0, 4.0, 5.0))
    await house.had("sensor.water", LEVELS, unit="m³")
    before = await house.rows(LINKYTIC)
    flow = await house.add()
    assert (list(offered(flow)), ticked(flow)) == ([DRAWN], [DRAWN])
    await chosen(flow, DRAWN)
    assert (flow.step, flow.result["last_step"]) == ("history_same", True)
    series = f"**Energy drawn** ← {LINKYTIC} (linkytic)<br>2026-11-20 → 2026-11-20 04:00"
    assert flow.placeholders["series"] == f"| {series} | 6\u202f000 Wh | + 678 Wh |"
    entry, home = await house.finish(flow)
    assert entry.data[CONF_HISTORY] == {"energy_drawn": LINKYTIC}

    await house.hear(frames.BASE)
    entity_id = home.entity_id("energy_drawn")
    assert entity_id is not None
    await house.count_until(NOON + timedelta(minutes=10))
    assert home.issue("history_joined") is not None
    assert CONF_HISTORY not in entry.data
    await house.hear(frames.BASE, BASE="012345978")
    await house.count_until(NOON + HOUR)
    # Nothing leaps: the register counted 978 Wh since noon, and so do the statistics.
    joined = await house.rows(entity_id)
    assert joined == [
        (-2.0, 1_000, 12_340_000, 1_000),
        (-1.0, 3_000, 12_342_000, 2_000),
        (0.0, 6_000, 12_345_000, 3_000),
        (1.0, 6_978, 12_345_978, 978),
    ]
    assert await house.rows(LINKYTIC) == before

    # Once more is not done.
    await hass.config_entries.async_reload(entry.entry_id)
    await house.hear(frames.BASE, BASE="012345978")
    await house.count_until(NOON + HOUR + FIVE_MINUTES)
    assert await house.rows(entity_id) == joined

    joined_minutes = await house.rows(entity_id, "5minute")
    result = await options(hass, entry.entry_id, "undo")
    assert result["description_placeholders"] == {
        "series": "- **Energy drawn**: 2026-11-20 → 2026-11-20 04:00"
    }
    result = await hass.config_entries.options.async_configure(result["flow_id"], {})
    assert result["reason"] == "history_undone"
    await async_wait_recording_done(hass)
    assert CONF_JOINED not in entry.data
    assert home.issue("history_joined") is None
    assert await house.rows(entity_id) == [(1.0, 300, 12_345_978, 300)]
    minutes = await house.rows(entity_id, "5minute")
    assert [row[1] for row in minutes] == [row[1] - 6_678 for row in joined_minutes]
    assert minutes[0][1] == 0
    assert await house.rows(LINKYTIC) == before
    # And it goes on from there.
    await house.hear(frames.BASE, BASE="012346000")
    await house.count_until(NOON + 2 * HOUR)
    assert (await house.rows(entity_id))[1:] == [(2.0, 322, 12_346_000, 22)]


async def test_a_replaced_meter_continues_without_the_difference(
    house: House,
) -> None:
    house.had_entity("teleinfo", "041861123456_BASE", "sensor.base")
    await house.had("sensor.base", (51_000.0, 51_002.0, 51_003.0))
    flow = await house.add()
    label = "Energy drawn ← sensor.base (teleinfo)"
    assert (list(offered(flow)), ticked(flow)) == ([label], [])
    await chosen(flow, label)
    assert flow.step == "history_other"
    assert flow.placeholders["series"].endswith(
        "04:00 | 4\u202f000 Wh | 51\u202f003 kWh | 12\u202f346 kWh |"
    )
    _, home = await house.finish(flow)
    await house.hear(frames.BASE)
    await house.count_until(NOON + timedelta(minutes=10))
    await house.hear(frames.BASE, BASE="012345978")
    await house.count_until(NOON + HOUR)
    entity_id = home.entity_id("energy_drawn")
    assert entity_id is not None
    assert await house.rows(entity_id) == [
        (-2.0, 1_000, 1_000),
        (-1.0, 3_000, 2_000),
        (0.0, 4_000, 1_000),
        (1.0, 4_300, 12_345_978, 300),
    ]


async def test_an_import_continues_without_showing_its_delivery_point(
    house: House,
) -> None:
    await house.had(HA_LINKY, LEVELS, NOON - 24 * HOUR, "Wh", "Linky import")
    await house.had("linky:1_cost", LEVELS, unit="€")
    flow = await house.add(frames.PRODUCER)
    label = "Energy drawn ← Linky import"
    assert (list(offered(flow)), ticked(flow)) == ([label], [label])
    assert DELIVERY_POINT not in str(flow.result["data_schema"])
    await chosen(flow, label)
    assert flow.step == "history_unknown"
    assert flow.placeholders["series"].endswith("2026-11-19 04:00 | 6 Wh |")
    entry, home = await house.finish(flow)
    assert DELIVERY_POINT in str(entry.data)
    assert DELIVERY_POINT not in text_of(await home.diagnostics())
    await house.hear(frames.PRODUCER)
    await house.count_until(NOON + timedelta(minutes=10))
    assert home.issue("history_joined") is not None
    assert DELIVERY_POINT not in text_of(await home.diagnostics())
    entity_id = home.entity_id("energy_drawn")
    assert entity_id is not None
    assert [row[:2] for row in await house.rows(entity_id)] == [(-26, 1), (-25, 3), (-24, 6)]


async def test_each_index_has_its_own_history(
    house: House,
) -> None:
    for label, entity_id, kwh in (
        ("HCHC", "sensor.off_peak", 7_654.0),
        ("HCHP", "sensor.peak", 4_691.0),
        ("summation_delivered", "sensor.zlinky", 12_345.0),
    ):
        house.had_entity("zha" if "zl" in entity_id else "teleinfo", f"1-1794-{label}", entity_id)
        await house.had(entity_id, (kwh - 2, kwh - 1, kwh))
    flow = await house.add(frames.OFF_PEAK)
    assert set(ticked(flow)) == {
        "Energy drawn ← sensor.zlinky (zha)",
        "Energy drawn, off-peak ← sensor.off_peak (teleinfo)",
        "Energy drawn, peak ← sensor.peak (teleinfo)",
    }


async def test_a_register_continues_one_series_or_none(house: House, hass: HomeAssistant) -> None:
    await house.had_linkytic()
    await house.had(HA_LINKY, LEVELS, NOON, "Wh", "Linky import")
    flow = await house.add()
    imported = "Energy drawn ← Linky import"
    # The registers meet, and nothing is lost: that is proposed.
    assert (list(offered(flow)), ticked(flow)) == ([DRAWN, imported], [DRAWN])
    await chosen(flow, DRAWN, imported)
    assert (flow.step, flow.errors) == ("history", {"base": "history_twice"})
    entry = (await chosen(flow)).entry
    assert CONF_HISTORY not in entry.data

    # One may think of it later, and think better of it.
    home = MeterView(hass, entry, house.line)  # type: ignore[arg-type]
    await house.hear(frames.BASE)
    await house.count_until(NOON + HOUR)
    flows = hass.config_entries.options
    for series, reason in ([imported], "history_chosen"), ([], "history_not_chosen"):
        await house.hear(frames.BASE)
        result = await options(hass, entry.entry_id, "history")
        values = offered(Flow(hass, result))
        chosen_now = {"series": [values[each] for each in series]}
        result = await flows.async_configure(result["flow_id"], chosen_now)
        if series:
            assert "2026-11-20 04:00" in str(result["description_placeholders"])
            result = await flows.async_configure(result["flow_id"], {})
        assert result["reason"] == reason
        await hass.async_block_till_done()
        assert bool(entry.data.get(CONF_HISTORY)) is bool(series)
    await house.count_until(NOON + HOUR + timedelta(minutes=10))
    assert home.issue("history_joined") is None

    await house.hear(frames.BASE)
    result = await options(hass, entry.entry_id, "publication")
    assert result["step_id"] == "publication"


async def test_a_deleted_series_is_not_continued(house: House, hass: HomeAssistant) -> None:
    await house.had_linkytic()
    flow = await chosen(await house.add(), DRAWN)
    get_instance(hass).async_clear_statistics([LINKYTIC])
    await async_wait_recording_done(hass)
    entry, home = await house.finish(flow)
    await house.hear(frames.BASE)
    await house.count_until(NOON + timedelta(minutes=10))
    assert home.issue("history_not_joined") is not None
    assert not entry.data.keys() & {CONF_HISTORY, CONF_JOINED}
    await hass.config_entries.async_remove(entry.entry_id)
    assert home.issue("history_not_joined") is None


async def test_unrelated_series_are_not_offered(house: House, hass: HomeAssistant) -> None:
    # Another device's register, and one of the balance of a home.
    await house.had("sensor.solar", (3.0, 4.0, 5.0))
    await house.had("sensor.heat_pump", (12_000.0, 12_100.0, 12_250.0))
    await house.had("sensor.house_once", LEVELS, NOON - 100 * HOUR)
    house.had_entity("consometers", "another_energy_drawn", "sensor.our_base")
    await house.had("sensor.our_base", LEVELS)
    # A meter that was removed: added again, it goes on by itself.
    house.had_entity("consometers", "removed_energy_drawn", "sensor.linky_base")
    er.async_get(hass).async_remove("sensor.linky_base")
    await house.had("sensor.linky_base", LEVELS)
    flow = await house.add()
    assert flow.entry.state is ConfigEntryState.LOADED


async def test_a_matching_level_is_offered_and_not_preselected(house: House) -> None:
    await house.had("sensor.consommation", LEVELS)
    flow = await house.add()
    assert list(offered(flow)) == ["Energy drawn ← sensor.consommation"]
    assert ticked(flow) == []


async def test_joining_waits_for_the_meter_and_is_undone_without_statistics(
    house: House, hass: HomeAssistant
) -> None:
    house.had_entity("linkytic", "linkytic_01abc_eait", "sensor.injected")
    await house.had("sensor.injected", (41.0, 42.0, 43.0))
    flow = await house.add(frames.PRODUCTION)
    label = "Energy produced ← sensor.injected (linkytic)"
    entry, home = await house.finish(await chosen(flow, label))
    await house.count_until(NOON + timedelta(minutes=10))
    assert home.entity_id("energy_injected") is None
    assert await async_first(hass, entry, "energy_injected") is None
    assert CONF_HISTORY in entry.data
    await house.hear(frames.PRODUCTION)
    await house.count_until(NOON + timedelta(minutes=20))
    entity_id = home.entity_id("energy_injected")
    assert entity_id is not None
    assert [row[1] for row in await house.rows(entity_id)] == [1_000, 2_000, 3_000]

    get_instance(hass).async_clear_statistics([entity_id])
    await async_wait_recording_done(hass)
    result = await options(hass, entry.entry_id, "undo")
    result = await hass.config_entries.options.async_configure(result["flow_id"], {})
    assert result["reason"] == "history_undone"
    assert CONF_JOINED not in entry.data
    assert await house.rows(entity_id) == []


async def test_each_kind_of_register_has_its_page(house: House) -> None:
    house.had_entity("linkytic", "linkytic_01abc_east", LINKYTIC)
    await house.had(LINKYTIC, tuple(each + 100_000 for each in LEVELS))
    await house.had(f"linky_prod:{DELIVERY_POINT}", LEVELS, NOON, "Wh", "A | B")
    flow = await house.add(frames.PRODUCER)
    drawn = f"Energy drawn ← {LINKYTIC} (linkytic)"
    await chosen(flow, drawn, "Energy injected ← A | B")
    assert (flow.step, flow.result["last_step"]) == ("history_other", False)
    assert flow.placeholders["series"].startswith(f"| **Energy drawn** ← {LINKYTIC} (linkytic)<br>")
    await flow.submit()
    assert (flow.step, flow.result["last_step"]) == ("history_unknown", True)
    # A bar in a name is none of the table.
    assert flow.placeholders["series"].startswith("| **Energy injected** ← A \\| B<br>")
    entry = (await flow.submit()).entry
    assert entry.data[CONF_HISTORY].keys() == {"energy_drawn", "energy_injected"}


async def test_a_series_that_begins_with_the_meter_is_refused(house: House) -> None:
    house.had_entity("linkytic", "linkytic_01abc_base", LINKYTIC)
    await house.had(LINKYTIC, LEVELS[-1:], NOON + HOUR)
    flow = await chosen(await house.add(), DRAWN)
    assert (flow.step, flow.errors) == ("history", {"base": "history_nothing"})
    assert (await chosen(flow)).entry.state is ConfigEntryState.LOADED


async def test_without_a_recorder_nothing_is_offered_or_joined(
    hass: HomeAssistant, line: MeterLine, enable_custom_integrations: None
) -> None:
    flow = await (await Flow.begin(hass, "meter")).listen()
    await line.send(frames.BASE, 12)
    await flow.hear()
    entry = (await flow.submit()).entry
    data = {**entry.data, CONF_HISTORY: {"energy_drawn": LINKYTIC}}
    hass.config_entries.async_update_entry(entry, data=data)
    assert await hass.config_entries.async_reload(entry.entry_id)
    # It is there for the day on which there is a recorder.
    assert entry.data[CONF_HISTORY] == {"energy_drawn": LINKYTIC}
