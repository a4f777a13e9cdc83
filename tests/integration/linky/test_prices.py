"""What a kWh costs or earns is given in a meter's options, and core's Energy dashboard shows it."""

from typing import Any

from homeassistant.components.energy.data import EnergyManager, async_get_manager
from homeassistant.const import CONF_DEVICE
from homeassistant.core import HomeAssistant
import pytest

from custom_components.consometers.const import (
    CONF_MODE,
    CONF_PRODUCTION,
    CONF_RAW_LABELS,
    CONF_SILENCE,
)
from testing.integration import frames
from testing.integration.frames import Kind
from testing.integration.views import FRAMES_TO_KNOW, MeterView

OFF_PEAK = {"price_hchc": 0.1635, "price_hchp": 0.2146}


@pytest.fixture
async def manager(hass: HomeAssistant) -> EnergyManager:
    hass.config.components.add("energy")
    return await async_get_manager(hass)


async def begin(home: MeterView, kind: Kind) -> None:
    home.change(**{CONF_MODE: kind.mode})
    await home.start(kind)


async def choose(home: MeterView, kind: Kind, **prices: float) -> None:
    """Submit the form of options with these prices, and hear the meter again."""
    options = home.hass.config_entries.options
    flow = await options.async_init(home.entry.entry_id)
    await options.async_configure(flow["flow_id"], {CONF_SILENCE: 60, **prices})
    await home.hass.async_block_till_done()
    await home.hear(kind, FRAMES_TO_KNOW)


async def offered(home: MeterView) -> dict[str, str]:
    """Return the prices that the form asks for, by their option, and the names of their tariffs."""
    flow = await home.hass.config_entries.options.async_init(home.entry.entry_id)
    assert flow["data_schema"] is not None
    names = flow["description_placeholders"] or {}
    keys = [str(key) for key in flow["data_schema"].schema if "price" in str(key)]
    return {key: names.get(key, "") for key in keys}


def grid(home: MeterView, *keys: str, **more: Any) -> list[dict[str, Any]]:
    """Return connections to the grid that count these energies of the meter."""
    none = dict.fromkeys(("stat_energy_to", "stat_cost", "stat_compensation"))
    fields = ("entity_energy_price", "number_energy_price")
    unpriced = dict.fromkeys((*fields, *(f"{field}_export" for field in fields)))
    return [
        {
            "type": "grid",
            "stat_energy_from": home.entity_id(key),
            **none,
            **unpriced,
            "cost_adjustment_day": 0,
            **more,
        }
        for key in keys
    ]


async def connect(manager: EnergyManager, sources: list[Any]) -> None:
    await manager.async_update({"energy_sources": sources})  # type: ignore[typeddict-item]


def costs(manager: EnergyManager) -> list[tuple[str | None, float | None]]:
    """Return what each connection to the grid costs: an entity, or a number."""
    assert manager.data is not None
    connections: list[Any] = [dict(each) for each in manager.data["energy_sources"]]
    return [(each["entity_energy_price"], each["number_energy_price"]) for each in connections]


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        (frames.BASE, {"price_base": ""}),
        (frames.OFF_PEAK, {"price_hchc": "", "price_hchp": ""}),
        (frames.EJP, {"price_ejphn": "", "price_ejphpm": ""}),
        (frames.STANDARD_TEMPO, {"price_easf01": "index 1", "price_easf02": "HP BLEU"}),
    ],
)
async def test_each_index_of_the_contract_may_have_a_price(
    home: MeterView, kind: Kind, asked: dict[str, str]
) -> None:
    await begin(home, kind)
    assert await offered(home) == asked


async def test_a_production_meter_has_a_price_of_injection_alone(home: MeterView) -> None:
    home.change(**{CONF_PRODUCTION: True})
    await home.start(frames.PRODUCTION)
    assert await offered(home) == {"injection_price": ""}


async def test_a_connection_by_index_has_the_price_of_its_index(
    home: MeterView, manager: EnergyManager
) -> None:
    await begin(home, frames.OFF_PEAK)
    await connect(manager, grid(home, "energy_hchp", "energy_hchc"))
    await choose(home, frames.OFF_PEAK, **OFF_PEAK)
    assert costs(manager) == [(None, 0.2146), (None, 0.1635)]
    await choose(home, frames.OFF_PEAK, price_hchp=0.25)
    assert costs(manager) == [(None, 0.25), (None, None)]


async def test_a_connection_of_the_whole_meter_follows_the_running_tariff(
    home: MeterView, manager: EnergyManager
) -> None:
    await begin(home, frames.OFF_PEAK)
    await connect(manager, grid(home, "energy_drawn"))
    await choose(home, frames.OFF_PEAK, price_hchp=0.2146)
    # By half a price nothing is counted.
    assert costs(manager) == [(None, None)]
    await choose(home, frames.OFF_PEAK, **OFF_PEAK)
    sensor = home.entity_id("price")
    assert costs(manager) == [(sensor, None)]
    assert home.state("price") == "0.2146"
    assert home.attributes("price")["unit_of_measurement"] == "EUR/kWh"
    await home.hear(frames.OFF_PEAK.but(PTEC="HC.."), FRAMES_TO_KNOW)
    assert home.state("price") == "0.1635"
    # Taken back as it was given.
    await choose(home, frames.OFF_PEAK)
    assert costs(manager) == [(None, None)]
    assert home.entity_id("price") is None


async def test_a_single_price_is_a_number(home: MeterView, manager: EnergyManager) -> None:
    await begin(home, frames.BASE)
    await connect(manager, grid(home, "energy_drawn"))
    await choose(home, frames.BASE, price_base=0.2016)
    assert costs(manager) == [(None, 0.2016)]


@pytest.mark.parametrize(
    "theirs",
    [
        {"number_energy_price": 0.3},
        {"entity_energy_price": "sensor.of_theirs"},
        {"stat_cost": "supplier:cost"},
    ],
)
async def test_a_person_s_own_prices_stay(
    home: MeterView, manager: EnergyManager, theirs: dict[str, Any]
) -> None:
    await begin(home, frames.OFF_PEAK)
    before = grid(home, "energy_drawn", **theirs)
    await connect(manager, before)
    await choose(home, frames.OFF_PEAK, **OFF_PEAK)
    await choose(home, frames.OFF_PEAK)
    assert manager.data is not None
    assert manager.data["energy_sources"] == before


async def test_lists_of_flows_are_priced_and_other_sources_unchanged(
    home: MeterView, manager: EnergyManager
) -> None:
    await begin(home, frames.BASE)
    (flow,) = grid(home, "energy_drawn")
    solar = {"type": "solar", "stat_energy_from": "sensor.sun", "config_entry_solar_forecast": None}
    gas = {"type": "grid", "flow_from": [flow], "flow_to": [], "cost_adjustment_day": 0}
    await connect(manager, [solar, gas])
    await choose(home, frames.BASE, price_base=0.2)
    assert manager.data is not None
    priced = {**flow, "number_energy_price": 0.2}
    assert manager.data["energy_sources"] == [solar, {**gas, "flow_from": [priced]}]


async def test_injected_energy_earns_its_price(home: MeterView, manager: EnergyManager) -> None:
    await begin(home, frames.PRODUCER)
    injected = {"stat_energy_to": home.entity_id("energy_injected")}
    theirs = {"number_energy_price_export": 0.04}
    counted = {"stat_compensation": "supplier:paid"}
    before = [
        *grid(home, "energy_drawn", **injected),
        *grid(home, "energy_drawn", **injected, **theirs),
        *grid(home, "energy_drawn", **injected, **counted),
        *grid(home, "energy_drawn", stat_energy_to="sensor.of_theirs"),
        *grid(home, "energy_drawn"),
    ]
    flow = {**injected, "stat_compensation": None}
    unpriced = {"entity_energy_price": None, "number_energy_price": None}
    lists = {"type": "grid", "flow_from": [], "flow_to": [{**flow, **unpriced}]}
    before.append({**lists, "cost_adjustment_day": 0})
    await connect(manager, before)
    for price in (0.1269, 0.1):
        await choose(home, frames.PRODUCER, injection_price=price)
        earns, *others, in_lists = before
        earns = {**earns, "number_energy_price_export": price}
        in_lists = {**in_lists, "flow_to": [{**flow, **unpriced, "number_energy_price": price}]}
        assert manager.data is not None
        assert manager.data["energy_sources"] == [earns, *others, in_lists]
        assert "injection_price" in await offered(home)
    # No price of what is drawn was given.
    assert home.entity_id("price") is None
    await choose(home, frames.PRODUCER)
    assert manager.data is not None
    assert manager.data["energy_sources"] == before


async def test_the_present_price_needs_no_energy_dashboard(home: MeterView) -> None:
    await begin(home, frames.OFF_PEAK)
    await choose(home, frames.OFF_PEAK, **OFF_PEAK)
    assert home.state("price") == "0.2146"
    assert home.entry.options.items() >= OFF_PEAK.items()
    assert CONF_RAW_LABELS in home.entry.options
    assert CONF_DEVICE in home.entry.data
