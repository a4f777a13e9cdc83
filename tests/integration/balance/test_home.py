"""A home with a meter and panels: adding it, what it shows, what it keeps."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import config_validation as cv, entity_registry as er
from homeassistant.helpers.entity_component import async_update_entity
import probatio as vol
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.consometers.balance.state import Home
from custom_components.consometers.const import (
    CONF_KIND,
    CONF_PRODUCTION,
    DOMAIN,
    KIND_BALANCE,
    KIND_INVERTER,
)
from testing.integration.balance import ENERGIES, POWERS, BalanceView
from testing.integration.entries import add_sensors
from testing.integration.flows import Flow

pytestmark = pytest.mark.usefixtures("enable_custom_integrations")


@pytest.fixture
def house(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> BalanceView:
    return BalanceView(hass, freezer)


SUMS = ("production", "self_consumed", "injected", "drawn", "consumed")
NOW = tuple(f"{key}_power" for key in SUMS)
RATES = ("self_consumption_today", "self_sufficiency_today")
PARIS = ZoneInfo("Europe/Paris")


async def test_a_home_shows_its_energies(house: BalanceView) -> None:
    await house.count()
    assert house.amounts(*SUMS) == [10, 6, 4, 4, 10]


@pytest.mark.parametrize(
    ("evening", "hours"),
    [
        pytest.param(datetime(2026, 6, 10, 23, 50, tzinfo=PARIS), 24, id="a day"),
        pytest.param(datetime(2026, 10, 24, 23, 50, tzinfo=PARIS), 25, id="of 25 hours"),
        pytest.param(datetime(2026, 3, 28, 23, 50, tzinfo=PARIS), 23, id="of 23 hours"),
    ],
)
async def test_rates_are_of_the_day_from_its_midnight(
    house: BalanceView, evening: datetime, hours: int
) -> None:
    await house.start()
    await house.hass.config.async_set_time_zone("Europe/Paris")
    house.freezer.move_to(evening)
    await house.hear(roof=100, drawn=500, injected=20)
    assert [house.state(key) for key in RATES] == ["unknown", "unknown"]
    midnight = (evening + timedelta(minutes=10)).timestamp()
    for step in range(6 * hours):
        house.freezer.move_to(datetime.fromtimestamp(midnight + 600 * step, UTC))
        await house.hear(roof=100 + step, drawn=500 + step, injected=20 + step / 2)
        if step:
            assert house.amounts(*RATES) == [pytest.approx(50, abs=1), pytest.approx(33.3, abs=1)]
    # All of it is of another day at the next midnight.
    house.freezer.move_to(datetime.fromtimestamp(midnight + 3_600 * hours, UTC))
    await house.hear(roof=100 + step, drawn=501 + step, injected=20 + step / 2)
    assert house.state(RATES[0]) == "unknown"
    house.freezer.tick(600)
    await house.hear(roof=104 + step, drawn=501 + step, injected=23 + step / 2)
    assert house.amounts(RATES[0]) == [pytest.approx(25, abs=1)]


async def test_a_home_shows_its_powers_in_watts(house: BalanceView) -> None:
    await house.start()
    await house.hear(roof_power=3, drawn_power=0, injected_power=2)
    assert house.amounts(*NOW) == [3_000, 1_000, 2_000, 0, 1_000]
    await house.hear(roof_power="unavailable")
    assert house.state("production_power") == "unknown"
    assert house.state("consumed_power") == "unknown"
    assert house.amounts("drawn_power") == [0]


async def test_non_numeric_values_are_ignored(house: BalanceView) -> None:
    await house.start()
    await house.hear(roof="nan", drawn=500, injected=20)
    await house.hear(roof=100, drawn=500, injected=20, roof_power="nan", drawn_power="inf")
    assert house.state("production_power") == "unknown"
    await house.hear(roof="inf", drawn="1e308", injected=20)
    await house.hear(roof=110, drawn=504, injected=24)
    assert house.amounts(*SUMS) == [10, 6, 4, 4, 10]
    assert await house.reload()
    await house.hear(roof=111, drawn=504, injected=24)
    assert house.amounts(*SUMS) == [11, 7, 4, 4, 11]


async def test_broken_storage_is_logged_once(
    house: BalanceView,
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    await house.count()
    await house.unload()
    stored = hass_storage[f"{DOMAIN}.{house.entry.entry_id}"]["data"]
    stored["sums"]["production_wh"] = stored["registers"]["sensor.roof"][1][0][1] = None
    for is_logged in (True, False):
        await house.start()
        await house.hear(roof=111, drawn=505, injected=24)
        assert house.amounts("drawn") == [5]
        assert ("a part is lost" in caplog.text) is is_logged
        caplog.clear()
        await house.unload()


async def test_unavailable_panels_at_night_make_nothing(house: BalanceView) -> None:
    await house.start()
    await house.hear(12 * 3_600, roof_power=STATE_UNAVAILABLE, drawn_power=1, injected_power=0)
    assert house.amounts(*NOW) == [0, 0, 0, 1_000, 1_000]


async def test_changes_within_a_minute_are_shown_together(house: BalanceView) -> None:
    await house.start()
    await house.hear(roof=100, drawn=500, injected=20)
    await house.hear(roof_power=3, drawn_power=0, injected_power=2)
    sums, powers = [0, 0, 0, 0, 0], [3_000, 1_000, 2_000, 0, 1_000]
    for step in range(1, 21):
        house.freezer.tick(1)
        await house.set_states(roof=100 + step, drawn=500 + step, injected=20 + step / 2)
        await house.set_states(roof_power=3 + step / 10)
        assert (house.amounts(*SUMS), house.amounts(*NOW)) == (sums, powers)
    await house.wait()
    assert house.amounts(*SUMS) == [20, 10, 10, 20, 30]
    assert house.amounts(*NOW) == [5_000, 3_000, 2_000, 0, 3_000]


async def test_a_lost_or_returning_source_shows_at_once(house: BalanceView) -> None:
    await house.start()
    await house.set_states(roof=100, drawn=500, injected=20)
    assert house.amounts(*SUMS) == [0, 0, 0, 0, 0]
    await house.set_states(roof_power=3, drawn_power=0, injected_power=2)
    assert house.amounts("consumed_power") == [1_000]
    await house.set_states(roof_power=STATE_UNAVAILABLE)
    assert house.state("consumed_power") == "unknown"
    await house.set_states(roof_power=4)
    assert house.amounts("consumed_power") == [2_000]


async def test_an_update_request_shows_the_current_sums(
    hass: HomeAssistant, house: BalanceView
) -> None:
    await house.start()
    await house.hear(roof=100, drawn=500, injected=20)
    house.freezer.tick(1)
    await house.set_states(roof=110, drawn=504, injected=24)
    await async_update_entity(hass, house.entity_id("production") or "")
    assert house.amounts(*SUMS) == [10, 6, 4, 4, 10]


async def test_sums_are_rounded_when_shown_alone(house: BalanceView) -> None:
    await house.start()
    await house.hear(roof=100, drawn=500, injected=20)
    await house.hear(roof=100.0004, drawn=500, injected=20, roof_power=1.2346)
    assert (house.state("production"), house.state("production_power")) == ("0.0", "1235")
    for read in (100.0008, 100.0012):
        await house.unload()
        await house.start()
        await house.hear(roof=read, drawn=500, injected=20)
    assert house.state("production") == "0.001"
    await house.hear(timedelta(days=1).total_seconds(), roof=100.0012, drawn=500, injected=20)
    await house.hear(roof=103.0012, drawn=500, injected=21)
    assert house.state("self_consumption_today") == "66.7"


async def test_a_restart_shows_sums_not_shown_before(house: BalanceView) -> None:
    await house.start()
    await house.hear(roof=100, drawn=500, injected=20)
    house.freezer.tick(1)
    await house.set_states(roof=110, drawn=504, injected=24)
    await house.unload()
    await house.start()
    assert house.amounts(*SUMS) == [10, 6, 4, 4, 10]


async def test_self_consumption_saves_the_price_that_ran(house: BalanceView) -> None:
    await house.start()
    await house.hear(roof=100, drawn=500, injected=20)
    assert house.state("saved") is None
    add_sensors(house.hass, {}, "linky", "price")
    for price, roof, injected, saved in (
        ("0.20", 100, 20, "0.0"),
        ("0.20", 110, 24, "1.2"),
        ("unavailable", 112, 24, "1.2"),
        ("0.10", 114, 24, "1.6"),
    ):
        house.hass.states.async_set("sensor.linky_price", price)
        await house.hear(roof=roof, drawn=504, injected=injected)
        assert house.state("saved") == saved, (price, roof)
    await house.unload()
    house.freezer.tick(1)
    await house.set_states(roof=116, drawn=504, injected=24)
    await house.start()
    await house.hear(roof=116, drawn=504, injected=24)
    assert house.state("saved") == "1.8"


async def test_a_home_that_sells_all_saves_nothing(house: BalanceView) -> None:
    add_sensors(house.hass, {}, "linky", "price")
    house.hass.states.async_set("sensor.linky_price", "0.2")
    await house.start(Home.TOTAL_SALE, **ENERGIES)
    await house.hear(roof=100, drawn=500, injected=20)
    assert house.state("saved") is None


async def test_sources_that_contradict_physics_are_reported(house: BalanceView) -> None:
    await house.start()
    await house.hear(roof=100, drawn=500, injected=20)
    for step in range(1, 9):
        await house.hear(600, roof=100 + step / 10, drawn=500, injected=20 + step / 3)
    assert house.disagrees
    for step in range(1, 15):
        await house.hear(600, roof=101 + step / 3, drawn=500, injected=23 + step / 10)
    assert not house.disagrees


@pytest.mark.parametrize(
    ("kind", "sources", "missing"),
    [
        (Home.SURPLUS, ENERGIES, set(NOW)),
        # All of it is injected: nothing is consumed on the spot.
        (
            Home.TOTAL_SALE,
            {**ENERGIES, **POWERS},
            {each for each in (*SUMS, *NOW, *RATES) if each.startswith(("self", "consumed"))},
        ),
        (
            Home.NO_CONTRACT,
            {k: v for k, v in ENERGIES.items() if k != "injected_energy"},
            {*NOW, "self_consumed", "injected", "consumed", *RATES},
        ),
    ],
)
async def test_unknowable_or_meaningless_facts_have_no_entity(
    house: BalanceView, kind: Home, sources: dict[str, Any], missing: set[str]
) -> None:
    await house.start(kind, **sources)
    keys = {*SUMS, *NOW, *RATES}
    assert {key for key in keys if house.state(key) is None} == missing


async def test_diagnostics_show_the_registers(house: BalanceView) -> None:
    await house.start()
    await house.hear(roof=100, drawn=500, injected=20)
    assert set((await house.diagnostics())["balance"]["registers"]) == {
        "sensor.roof",
        "sensor.drawn",
        "sensor.injected",
    }


INVERTER = ({CONF_KIND: KIND_INVERTER}, "sun", ("energy", "power"))
METER = ({"device": "/dev/ttyTIC"}, "meter", ("energy_drawn", "active_power_drawn"))
INJECTING = ({"device": "/dev/ttyTIC"}, "meter", ("energy_drawn", "energy_injected"))
SECOND = (
    {"device": "/dev/ttyTIC2", CONF_PRODUCTION: True},
    "sold",
    ("energy_drawn", "energy_injected", "active_power_injected"),
)
MADE = {
    "production_energy": ["sensor.consometers_sun_energy"],
    "production_power": ["sensor.consometers_sun_power"],
}
SOLD = {
    "production_energy": ["sensor.consometers_sold_energy_injected"],
    "production_power": ["sensor.consometers_sold_active_power_injected"],
}
DRAWN = {"drawn_energy": "sensor.consometers_meter_energy_drawn"}
DRAWN_POWER = {"drawn_power": "sensor.consometers_meter_active_power_drawn"}
INJECTED = {"injected_energy": "sensor.consometers_meter_energy_injected"}


def add_devices(hass: HomeAssistant, *devices: tuple[dict[str, Any], str, tuple[str, ...]]) -> None:
    """Have meters and inverters with entities."""
    registry = er.async_get(hass)
    for data, entry_id, facts in devices:
        entry = MockConfigEntry(domain=DOMAIN, data=data, entry_id=entry_id)
        entry.add_to_hass(hass)
        for fact in facts:
            unique_id = f"{entry_id}_{fact}"
            registry.async_get_or_create("sensor", DOMAIN, unique_id, config_entry=entry)


async def begin(hass: HomeAssistant, home: str = "surplus") -> Flow:
    return await (await Flow.begin(hass, "balance")).submit(home=home)


async def move(house: BalanceView, home: str = "surplus") -> Flow:
    return await (await Flow.move(house.hass, house.entry)).submit(home=home)


@pytest.mark.parametrize(
    ("devices", "home", "sources"),
    [
        pytest.param([INJECTING, INVERTER], "surplus", MADE | DRAWN | INJECTED, id="surplus"),
        pytest.param(
            [METER, INVERTER], "no_contract", MADE | DRAWN | DRAWN_POWER, id="no contract"
        ),
        pytest.param([METER, SECOND], "total_sale", SOLD | DRAWN | DRAWN_POWER, id="second meter"),
        pytest.param(
            [SECOND, METER, INVERTER],
            "total_sale",
            SOLD | DRAWN | DRAWN_POWER,
            id="second meter behind an inverter",
        ),
        pytest.param([INVERTER], "surplus", MADE, id="a meter of another integration"),
        pytest.param([], "surplus", {}, id="nothing of ours"),
    ],
)
async def test_the_home_s_devices_are_proposed(
    hass: HomeAssistant, devices: list[Any], home: str, sources: dict[str, Any]
) -> None:
    add_devices(hass, *devices)
    flow = await Flow.begin(hass, "balance")
    assert flow.suggested == {"home": home}
    assert (await flow.submit(home=home)).suggested == sources


async def test_a_home_that_sells_its_surplus_is_proposed_its_own_meter(
    hass: HomeAssistant,
) -> None:
    add_devices(hass, INJECTING, SECOND, INVERTER)
    assert (await begin(hass)).suggested == MADE | DRAWN | INJECTED


async def test_a_home_is_added(hass: HomeAssistant) -> None:
    add_devices(hass, INJECTING, INVERTER)
    flow = await begin(hass)
    assert flow.step == "balance_sources"
    entry = (await flow.submit(ENERGIES)).entry
    assert entry.data == {CONF_KIND: KIND_BALANCE, "home": "surplus", **ENERGIES}
    assert await hass.config_entries.async_remove(entry.entry_id)


async def test_a_home_may_be_reconfigured(hass: HomeAssistant, house: BalanceView) -> None:
    await house.count()
    flow = await Flow.move(hass, house.entry)
    assert flow.step == "reconfigure_balance"
    await flow.submit(home="total_sale")
    await flow.submit({key: value for key, value in ENERGIES.items() if key != "injected_energy"})
    assert flow.reason == "balance_reconfigure_successful"
    assert house.amounts("production", "injected") == [10, 4]
    # Where all is sold, nothing is consumed on the spot: its entities are gone.
    assert house.entity_id("self_consumed") is None
    await house.hear(roof=115, drawn=505, injected=24)
    assert house.amounts("production", "injected") == [15, 9]


TWICE = [
    pytest.param({"production_energy": ["sensor.roof"] * 2}, "production_energy", id="roof"),
    pytest.param({"drawn_energy": "sensor.roof"}, "drawn_energy", id="drawn is made"),
    pytest.param({"injected_energy": "sensor.drawn"}, "injected_energy", id="injected is drawn"),
    pytest.param({"production_power": ["sensor.p"] * 2}, "production_power", id="power"),
    pytest.param(
        {"drawn_power": "sensor.p", "injected_power": "sensor.p"}, "injected_power", id="powers"
    ),
]


@pytest.mark.parametrize(("typed", "field"), TWICE)
async def test_an_entity_is_named_once(
    hass: HomeAssistant, house: BalanceView, typed: dict[str, Any], field: str
) -> None:
    await house.start()
    for flow in (await begin(hass), await move(house)):
        await flow.submit({**ENERGIES, **typed})
        assert (flow.step, flow.errors) == ("balance_sources", {field: "named_twice"})
        assert flow.suggested == {**ENERGIES, **typed}
    assert (await flow.submit(ENERGIES)).reason == "balance_reconfigure_successful"


@pytest.mark.parametrize("field", ["production_energy", "drawn_energy", "drawn_power"])
async def test_a_balance_is_no_source_of_another(
    hass: HomeAssistant, house: BalanceView, field: str
) -> None:
    await house.start()
    own = house.entity_id("drawn_power" if field == "drawn_power" else "drawn")
    assert own is not None
    typed = {**ENERGIES, field: [own] if field == "production_energy" else own}
    for flow in (await begin(hass), await move(house)):
        assert flow.result["data_schema"] is not None
        fields: Any = vol.to_field_list(
            flow.result["data_schema"], custom_serializer=cv.custom_serializer
        )
        left_out = [each["selector"]["entity"]["exclude_entities"] for each in fields]
        assert [own in entities for entities in left_out] == [True] * 6
        await flow.submit(typed)
        assert (flow.step, flow.errors) == ("balance_sources", {field: "of_a_balance"})
        assert flow.suggested == typed


async def test_another_homes_meter_is_not_taken(hass: HomeAssistant, house: BalanceView) -> None:
    await house.start()
    other = MockConfigEntry(domain=DOMAIN, unique_id="home:sensor.other", data={CONF_KIND: "x"})
    other.add_to_hass(hass)
    flow = await (await move(house)).submit({**ENERGIES, "drawn_energy": "sensor.other"})
    assert flow.reason == "balance_already_configured"


async def test_a_removed_source_raises_an_issue(hass: HomeAssistant, house: BalanceView) -> None:
    await house.start(**ENERGIES)
    await house.hear(roof=100, drawn=500, injected=20)
    assert house.issue("sources_gone") is None
    hass.states.async_remove("sensor.roof")
    await house.hear(drawn=501, injected=20)
    issue = house.issue("sources_gone")
    assert issue is not None
    assert issue.translation_placeholders == {"title": "Home", "sources": "sensor.roof"}
    await house.hear(roof=101, drawn=501, injected=20)
    assert house.issue("sources_gone") is None
    hass.states.async_remove("sensor.roof")
    await house.hear(drawn=502)
    assert house.issue("sources_gone") is not None
    await house.unload()
    assert house.issue("sources_gone") is None


async def test_an_unavailable_or_late_source_raises_no_issue(
    hass: HomeAssistant, house: BalanceView
) -> None:
    hass.set_state(CoreState.starting)
    await house.start(**ENERGIES)
    await house.hear(drawn=500, injected=20)
    assert house.issue("sources_gone") is None
    hass.set_state(CoreState.running)
    await house.hear(roof=STATE_UNAVAILABLE, drawn=501, injected=20)
    assert house.issue("sources_gone") is None


async def test_a_source_may_be_renamed(hass: HomeAssistant, house: BalanceView) -> None:
    registry = er.async_get(hass)
    for source in ("roof", "drawn", "injected"):
        registry.async_get_or_create("sensor", "test", source, suggested_object_id=source)
    await house.count()
    for source in ("roof", "drawn"):
        registry.async_update_entity(f"sensor.{source}", new_entity_id=f"sensor.the_{source}")
        await hass.async_block_till_done()
    assert house.entry.data["production_energy"] == ["sensor.the_roof"]
    assert house.entry.unique_id == "home:sensor.the_drawn"
    await house.hear(the_roof=112, the_drawn=505, injected=25)
    assert house.amounts(*SUMS) == [12, 7, 5, 5, 12]
