"""What of a home is found for the dashboard, among entries of every kind."""

from collections.abc import Mapping
from typing import Any

from homeassistant.components.energy.data import async_get_manager
from homeassistant.components.recorder import Recorder
from homeassistant.components.recorder.db_schema import (
    Statistics as StatisticsTable,
    StatisticsShortTerm,
)
from homeassistant.components.recorder.models import StatisticMeanType
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from custom_components.consometers.const import (
    CONF_HOME,
    CONF_KIND,
    CONF_PRODUCTION,
    DOMAIN,
    KIND_BALANCE,
    KIND_INVERTER,
)
from custom_components.consometers.dashboard import household
from custom_components.consometers.dashboard.facts import Collective, Home, Plant, Uncounted
from custom_components.consometers.node.computed.simulation import Meter
from testing.integration.entries import add_sensors

METER: dict[str, Any] = {}
PRODUCTION_METER = {CONF_PRODUCTION: True}
INVERTER = {CONF_KIND: KIND_INVERTER}
BALANCE = {CONF_KIND: KIND_BALANCE}


async def set_up_energy_dashboard(hass: HomeAssistant, *sources: Mapping[str, Any]) -> None:
    hass.config.components.add(household.ENERGY)
    manager = await async_get_manager(hass)
    await manager.async_update({"energy_sources": list(sources)})  # type: ignore[typeddict-item]


async def test_an_empty_household_has_no_facts(hass: HomeAssistant) -> None:
    assert await household.home(hass) == Home()
    assert household.collectives(hass) == []
    hass.config.components.add(household.ENERGY)
    assert await household.home(hass) == Home()


async def test_a_meter_provides_drawn_and_injected_energy(hass: HomeAssistant) -> None:
    add_sensors(
        hass, METER, "linky", "energy_drawn", "energy_injected", "active_power_drawn", "tariff"
    )
    assert await household.home(hass) == Home(
        drawn=("sensor.linky_energy_drawn",),
        injected=("sensor.linky_energy_injected",),
        drawn_power=("sensor.linky_active_power_drawn",),
        tariff=("sensor.linky_tariff",),
    )


async def test_the_cost_of_each_connection_is_the_one_that_the_energy_dashboard_counts(
    hass: HomeAssistant,
) -> None:
    hass.data[household.ENERGY] = {"cost_sensors": {"sensor.drawn": "sensor.drawn_cost"}}
    await set_up_energy_dashboard(
        hass,
        {"type": "grid", "stat_energy_from": "sensor.drawn"},
        {"type": "grid", "stat_energy_from": "sensor.night", "stat_cost": "supplier:night"},
        {"type": "grid", "stat_energy_from": "sensor.unpriced"},
        {"type": "solar", "stat_energy_from": "sensor.roof"},
    )
    assert (await household.home(hass)).cost == ("sensor.drawn_cost", "supplier:night")


async def test_disabled_and_hidden_entities_are_left_out(hass: HomeAssistant) -> None:
    disabled, hidden = er.RegistryEntryDisabler.USER, er.RegistryEntryHider.USER
    add_sensors(hass, METER, "linky", "energy_drawn", disabled_by=disabled)
    add_sensors(hass, INVERTER, "roof", "energy", hidden_by=hidden)
    assert await household.home(hass) == Home()


async def test_a_balance_takes_precedence_over_its_sources(
    hass: HomeAssistant,
) -> None:
    add_sensors(hass, INVERTER, "roof", "energy", "power")
    add_sensors(hass, METER, "linky", "energy_drawn", "active_power_drawn")
    add_sensors(
        hass, BALANCE, "home", "drawn", "production", "self_consumed", "self_sufficiency_today"
    )
    assert await household.home(hass) == Home(
        drawn=("sensor.home_drawn",),
        produced=("sensor.home_production",),
        self_consumed=("sensor.home_self_consumed",),
        self_sufficiency=("sensor.home_self_sufficiency_today",),
        # It names no powers.
        drawn_power=("sensor.linky_active_power_drawn",),
        produced_power=("sensor.roof_power",),
    )


async def test_a_production_meter_takes_precedence_over_its_inverter(
    hass: HomeAssistant,
) -> None:
    add_sensors(hass, INVERTER, "roof", "energy")
    add_sensors(
        hass, PRODUCTION_METER, "sold", "energy_injected", "active_power_injected", "energy_drawn"
    )
    assert await household.home(hass) == Home(
        produced=("sensor.sold_energy_injected",),
        produced_power=("sensor.sold_active_power_injected",),
        sells_all=True,
    )


@pytest.mark.parametrize(
    ("entries", "sells_all"),
    [
        pytest.param([{**BALANCE, CONF_HOME: "total_sale"}], True, id="a balance"),
        pytest.param([{**BALANCE, CONF_HOME: "surplus"}], False, id="a surplus"),
        pytest.param(
            [{**BALANCE, CONF_HOME: "surplus"}, {**BALANCE, CONF_HOME: "total_sale"}],
            False,
            id="two homes",
        ),
        pytest.param([METER, PRODUCTION_METER], True, id="a meter of its own"),
        pytest.param([METER, INVERTER], False, id="an inverter"),
    ],
)
async def test_a_building_that_sells_all_its_sun_is_found(
    hass: HomeAssistant, entries: list[dict[str, Any]], sells_all: bool
) -> None:
    for number, data in enumerate(entries):
        keys = ("energy_injected",) if data == PRODUCTION_METER else ("energy_drawn", "energy")
        add_sensors(hass, data, f"device_{number}", *keys)
    assert (await household.home(hass)).sells_all is sells_all


async def test_a_meter_that_counts_a_surplus_sells_no_more(hass: HomeAssistant) -> None:
    add_sensors(hass, METER, "linky", "energy_drawn", "energy_injected")
    add_sensors(hass, PRODUCTION_METER, "sold", "energy_injected")
    assert not (await household.home(hass)).sells_all


async def test_the_entity_of_the_sun_is_found(hass: HomeAssistant) -> None:
    hass.states.async_set("sun.sun", "below_horizon")
    assert await household.home(hass) == Home(sun=("sun.sun",))


async def test_every_inverter_is_shown(hass: HomeAssistant) -> None:
    add_sensors(hass, INVERTER, "east", "power")
    add_sensors(hass, INVERTER, "west", "power")
    produced = (await household.home(hass)).produced_power
    assert produced == ("sensor.east_power", "sensor.west_power")


@pytest.mark.parametrize(
    "grid",
    [
        {"stat_energy_from": "sensor.drawn", "stat_energy_to": "sensor.injected"},
        {
            "flow_from": [{"stat_energy_from": "sensor.drawn"}],
            "flow_to": [{"stat_energy_to": "sensor.injected"}],
        },
        {"stat_energy_from": "sensor.drawn", "stat_energy_to": "sensor.injected", "name": None},
    ],
    ids=["flat", "before 2026.11", "with more"],
)
async def test_the_energy_dashboard_provides_other_meters(
    hass: HomeAssistant, grid: dict[str, Any]
) -> None:
    await set_up_energy_dashboard(
        hass,
        {"type": "grid", **grid},
        {"type": "solar", "stat_energy_from": "sensor.solar", "stat_rate": "sensor.solar_power"},
        {"type": "solar", "stat_energy_from": "pv:roof", "stat_rate": "pv:roof_power"},
        {"type": "gas", "stat_energy_from": "sensor.gas"},
    )
    assert await household.home(hass) == Home(
        drawn=("sensor.drawn",),
        injected=("sensor.injected",),
        produced=("sensor.solar", "pv:roof"),
        produced_power=("sensor.solar_power",),
    )


async def test_a_meter_takes_precedence_over_the_energy_dashboard(
    hass: HomeAssistant,
) -> None:
    add_sensors(hass, METER, "linky", "energy_drawn")
    source = {"type": "grid", "stat_energy_from": "sensor.another", "stat_energy_to": None}
    await set_up_energy_dashboard(hass, source)
    assert await household.home(hass) == Home(drawn=("sensor.linky_energy_drawn",))


async def test_statistics_without_rows_are_listed(
    recorder_mock: Recorder, hass: HomeAssistant
) -> None:
    home = Home(
        used_power=("sensor.used",), produced_power=("sensor.made",), drawn=("sensor.drawn",)
    )
    sums = {name: f"consometers:{name}" for name in ("consumption", "production")}
    collective = Collective(name="Collective", entities={}, statistics=sums)
    plant = Plant(name="School", entities={}, statistic="consometers:part")
    energies = {"sensor.drawn", "consometers:part", *sums.values()}
    uncounted = await household.uncounted(hass, home, [collective], [plant])
    assert uncounted.hours == energies
    assert uncounted.minutes == {"sensor.used", "sensor.made", *energies}

    now = dt_util.utcnow().replace(minute=0, second=0, microsecond=0)
    energy = {"mean_type": StatisticMeanType.NONE, "has_sum": True, "unit_class": "energy"}
    power = {"mean_type": StatisticMeanType.ARITHMETIC, "has_sum": False, "unit_class": "power"}
    for statistic_id, of_kind, unit, row in (
        ("sensor.drawn", energy, "kWh", {"sum": 1.0}),
        ("sensor.used", power, "W", {"mean": 500.0}),
        ("sensor.made", power, "W", {"mean": 500.0}),
    ):
        metadata: Any = {
            **of_kind,
            "name": None,
            "source": "recorder",
            "statistic_id": statistic_id,
            "unit_of_measurement": unit,
        }
        rows: Any = [{"start": now, **row}]
        # Graphs of powers are of five minutes: an hour is none.
        table = StatisticsShortTerm if statistic_id == "sensor.used" else StatisticsTable
        recorder_mock.async_import_statistics(metadata, rows, table)
    await async_wait_recording_done(hass)
    uncounted = await household.uncounted(hass, home, [collective], [plant])
    assert uncounted.hours == {"consometers:part", *sums.values()}
    assert uncounted.minutes == {"sensor.made", *energies}
    assert uncounted.first_hours == {"sensor.drawn": now}
    assert uncounted.first_minutes == {"sensor.used": now}


async def test_without_a_recorder_no_statistics_are_awaited(hass: HomeAssistant) -> None:
    assert await household.uncounted(hass, Home(drawn=("sensor.drawn",)), []) == Uncounted()


async def test_the_meter_of_the_home_has_its_prices(
    hass: HomeAssistant,
) -> None:
    assert await household.own_meter(hass) == Meter()
    grid = {"type": "grid", "stat_energy_from": "sensor.grid", "stat_energy_to": None}
    await set_up_energy_dashboard(
        hass,
        {**grid, "number_energy_price": 0.2},
        {**grid, "stat_energy_from": "sensor.night", "number_energy_price": None},
    )
    assert await household.own_meter(hass) == Meter(
        drawn=("sensor.grid", "sensor.night"), prices={"sensor.grid": 0.2}
    )
    add_sensors(hass, {**METER}, "linky", "energy_drawn", "energy_index_1", "energy_hchc")
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    # Of the last index, nothing is shown.
    options = {"price_easf01": 0.16, "price_hchc": 0.14, "price_easf02": 0.21}
    hass.config_entries.async_update_entry(entry, options=options)
    assert await household.own_meter(hass) == Meter(
        drawn=("sensor.linky_energy_drawn",),
        prices={"sensor.linky_energy_index_1": 0.16, "sensor.linky_energy_hchc": 0.14},
    )
