"""What a home would have received of its collective's injection, and what Home Assistant shows."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from freezegun import freeze_time
from homeassistant.components.recorder import Recorder
from homeassistant.components.recorder.statistics import list_statistic_ids
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_RECORDER_5MIN_STATISTICS_GENERATED
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from hypothesis import assume, given, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from consometers_node.collective.publication.reading.collective_self_consumption import Exchanges
from custom_components.consometers.const import CONF_COEFFICIENT, CONF_SHARING_KEY
from custom_components.consometers.node.computed.simulation import (
    Allocation,
    Hour,
    Key,
    nearest,
    price,
    received,
    together,
)
from custom_components.consometers.recorder.rows import energies
from custom_components.consometers.recorder.statistics import async_rows
from testing.integration.entries import add_sensors
from testing.integration.node import NodeView
from testing.integration.recorded import HOUR, record
from testing.integration.toy_node import collective, part, sums
from testing.waiting import until

SIMULATED = "consometers:simulated_1"
INJECTION, CONSUMPTION = (f"consometers:collective_1_{n}" for n in ("injection", "consumption"))
AVERAGE = "consometers:average_1"
STATISTICS = {
    "injection": INJECTION,
    "consumption": CONSUMPTION,
    "production": None,
    "consumption_per_member": AVERAGE,
}
OWN = "sensor.linky_energy_drawn"
HOMES = 50

AMOUNTS = st.integers(0, 9_000)
HOME = st.tuples(AMOUNTS, AMOUNTS)
"""What a home injected and drew in an hour, in Wh."""
STREET = st.lists(HOME, min_size=1, max_size=HOMES)


def totals(street: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return what homes injected and drew together."""
    return sum(fed for fed, _ in street), sum(drawn for _, drawn in street)


def draws_some_wh(street: Sequence[tuple[int, int]]) -> bool:
    """Return whether the number of homes follows from a mean that is in sixteenths of a Wh."""
    _, drawn = totals(street)
    return drawn >= 4 * len(street)


def hour_of(street: Sequence[tuple[int, int]], own: int) -> Hour:
    """Return an hour as a home of a street knows it: of others, sums and a mean alone."""
    injected, drawn = totals(street)
    # The node keeps a mean in sixteenths of a Wh.
    return Hour(0.0, injected, drawn, own, round(drawn / len(street) * 16) / 16)


@given(st.lists(st.lists(HOME, min_size=HOMES, max_size=HOMES), min_size=1, max_size=4))
def test_results_of_50_homes_add_up_to_that_of_their_collective(
    hours: list[list[tuple[int, int]]],
) -> None:
    mine = [received(hour_of(street, own), Key.USE) or 0.0 for street in hours for _, own in street]
    exchanges = Exchanges((60 * fed, 60 * drawn) for fed, drawn in map(totals, hours))
    shared = exchanges.simulate().shared / 60
    # Each home rounds each hour down, by less than a sixteenth of a Wh.
    assert 0 <= shared - Fraction(sum(mine)) < Fraction(len(mine), 16)


def shared_in(injected: int, drawn: int) -> Fraction:
    """Return what the collective's page shows as shared locally in an hour, in Wh."""
    return Exchanges([(60 * injected, 60 * drawn)]).simulate().shared / 60


@given(STREET, st.sampled_from([Key.EQUAL, Key.FIXED]), st.data())
def test_equal_and_fixed_parts_add_up_to_what_is_shared_at_most(
    street: list[tuple[int, int]], key: Key, data: st.DataObject
) -> None:
    """What a home cannot use of its part goes to no other, which could have used it."""
    weights = [1] * len(street)
    if key is Key.EQUAL:
        assume(draws_some_wh(street))
    else:
        weights = data.draw(st.lists(st.integers(1, 9), min_size=len(street), max_size=len(street)))
    injected, drawn = totals(street)
    parts = [Fraction(injected * weight, sum(weights)) for weight in weights]
    used = [own for _, own in street]
    mine = [
        received(hour_of(street, own), key, weight / sum(weights)) or 0.0
        for own, weight in zip(used, weights, strict=True)
    ]
    # Either homes lack their part of what is left, or the injection lacks homes that use it.
    beyond_use = sum(max(Fraction(0), part - own) for part, own in zip(parts, used, strict=True))
    beyond_part = sum(max(Fraction(0), own - part) for part, own in zip(parts, used, strict=True))
    shared = shared_in(injected, drawn)
    less = shared - min(beyond_use, beyond_part) - Fraction(sum(mine))
    assert -Fraction(1, 16) < less < Fraction(len(street) + 1, 16)
    assert Fraction(sum(mine)) <= shared + (Fraction(1, 16) if key is Key.FIXED else 0)


@pytest.mark.parametrize(
    ("key", "together_wh"), [(Key.USE, 3_000), (Key.EQUAL, 1_100), (Key.FIXED, 1_100)]
)
def test_a_home_that_uses_little_leaves_its_equal_part_to_nobody(
    key: Key, together_wh: float
) -> None:
    """Of 3 kWh, one of three homes could use 4, and the others 50 Wh each."""
    street = [(3_000, 4_000), (0, 50), (0, 50)]
    mine = [received(hour_of(street, own), key, 1 / 3) or 0.0 for _, own in street]
    assert sum(mine) == pytest.approx(together_wh, abs=3 / 16)
    assert shared_in(*totals(street)) == 3_000


@given(st.integers(1, 30_000), st.integers(1, 2_000_000), st.integers(0, 2_000_000))
def test_no_equal_part_is_larger_than_the_one_of_all_members(
    members: int, drawn: int, injected: int
) -> None:
    """Their number follows from a mean that is rounded."""
    hour = Hour(0.0, injected, drawn, own=2_000_000, per_member=nearest(drawn / members))
    part = received(hour, Key.EQUAL)
    assert part is None or Fraction(part) * members <= injected


@given(STREET)
def test_equal_parts_add_up_to_exact_ones(street: list[tuple[int, int]]) -> None:
    injected, _ = totals(street)
    assume(draws_some_wh(street))
    mine = [received(hour_of(street, own), Key.EQUAL) or 0.0 for _, own in street]
    parts = [min(Fraction(injected, len(street)), Fraction(own)) for _, own in street]
    assert 0 <= sum(parts) - Fraction(sum(mine)) < Fraction(len(street), 16)


@given(STREET, st.data())
def test_fixed_parts_add_up_to_exact_ones(
    street: list[tuple[int, int]], data: st.DataObject
) -> None:
    injected = sum(fed for fed, _ in street)
    weights = data.draw(st.lists(st.integers(0, 9), min_size=len(street), max_size=len(street)))
    parts = [Fraction(weight, sum(weights) or 1) for weight in weights]
    mine = [
        received(hour_of(street, own), Key.FIXED, float(each)) or 0.0
        for (_, own), each in zip(street, parts, strict=True)
    ]
    pairs = zip(street, parts, strict=True)
    wholes = [min(injected * each, Fraction(own)) for (_, own), each in pairs]
    # A part in floating point may be a hair more or less.
    assert -Fraction(1, 16) < sum(wholes) - Fraction(sum(mine)) < Fraction(len(street) + 1, 16)


@given(STREET, st.sampled_from(Key))
def test_received_energy_is_bounded_by_consumption_and_injection(
    street: list[tuple[int, int]], key: Key
) -> None:
    assume(key is not Key.EQUAL or draws_some_wh(street))
    mine = [received(hour_of(street, own), key, 1 / len(street)) for _, own in street]
    assert all(0 <= (each or 0.0) <= own for each, (_, own) in zip(mine, street, strict=True))
    assert sum(each or 0.0 for each in mine) <= sum(fed for fed, _ in street)


def test_equal_parts_without_a_mean_consumption_are_unknown() -> None:
    assert received(Hour(0, injected=100, drawn=0, own=40, per_member=0), Key.EQUAL) is None
    assert received(Hour(0, injected=100, drawn=50, own=40), Key.EQUAL) is None


def test_a_home_outside_the_sum_receives_the_injection_at_most() -> None:
    assert received(Hour(0, injected=100, drawn=50, own=400), Key.USE) == 100
    assert received(Hour(0, injected=100, drawn=0, own=0), Key.USE) == 0


def test_the_price_of_an_hour_is_weighted_by_index() -> None:
    assert price([(300, 0.16), (100, 0.20)]) == pytest.approx(0.17)
    assert price([(0, 0.16), (None, 0.20)]) is None


def test_hours_without_a_price_take_the_usual_price() -> None:
    hours = [Allocation(0, 500, 1_000, 0.20), Allocation(3_600, 250, 500)]
    period = together(hours, 3, 0.15, 0.25)
    assert period is not None
    assert (period.received, period.own, period.at_usual_price) == (750, 1_500, 250)
    assert period.covered == 0.5
    assert (period.hours, period.of_hours) == (2, 3)
    assert period.saved == pytest.approx(0.5 * 0.05 + 0.25 * 0.10)
    assert together([], 3, 0.15, 0.25) is None
    unknown = together(hours, 2, None, None)
    assert unknown is not None
    assert unknown.saved is None
    nothing = together([Allocation(0, 0, 0)], 1, None, None)
    assert nothing is not None
    assert nothing.covered is None


async def simulated(hass: HomeAssistant) -> dict[datetime, float]:
    """Return the energy of each hour that was written."""
    await async_wait_recording_done(hass)
    rows = await async_rows(hass, [SIMULATED], 0, 4e9, "hour")
    hours = energies(rows.get(SIMULATED, ()), from_zero=True)
    return {datetime.fromtimestamp(at, UTC): nearest(wh) for at, wh in hours.items()}


def answered(**changes: Any) -> dict[str, Any]:
    return collective("1", sums=sums(statistics=STATISTICS, **changes))


NOON = datetime(2026, 6, 9, 10, tzinfo=UTC)
"""In Paris."""
BEGIN = datetime(2026, 6, 8, 20, tzinfo=UTC)
"""22 o'clock of the day before."""
COUNT = 14
PRICES = {"prices": {"local": 15.0, "grid": 21.0}}


async def record_street(hass: HomeAssistant) -> None:
    """Have 14 hours in which 10 homes draw 4 kWh together, and inject 1 kWh, 8 at noon."""
    await hass.config.async_set_time_zone("Europe/Paris")
    hass.config.currency = "EUR"
    await record(hass, INJECTION, BEGIN, [*[1_000] * (COUNT - 1), 8_000])
    await record(hass, CONSUMPTION, BEGIN, [4_000] * COUNT)
    await record(hass, AVERAGE, BEGIN, [400] * COUNT)
    # The recorder began to count this one an hour before.
    await record(hass, OWN, BEGIN - HOUR, [0, *[600] * COUNT])


async def start(house: NodeView, **changes: Any) -> None:
    await house.start(answered(**changes))
    await until(lambda: house.entry.runtime_data.simulation.data)
    await house.hass.async_block_till_done()


async def test_sensors_show_the_energy_received(
    recorder_mock: Recorder, hass: HomeAssistant, house: NodeView
) -> None:
    await record_street(hass)
    options = {"price_easf01": 0.20, "price_easf02": 0.25}
    add_sensors(hass, {}, "linky", "energy_drawn", "energy_index_1", options=options)
    # Nothing is known of what the first index counted in the last hours.
    await record(hass, "sensor.linky_energy_index_1", BEGIN - HOUR, [0, *[600] * (COUNT - 2)])
    with freeze_time(NOON + timedelta(minutes=10), tick=True):
        await start(house, **PRICES)
        # 600 of 4,000 drawn: 15 % of 1 kWh in 13 hours, at noon all that it drew.
        expected = dict.fromkeys((BEGIN + n * HOUR for n in range(COUNT - 1)), 150.0)
        assert await simulated(hass) == {**expected, BEGIN + (COUNT - 1) * HOUR: 600.0}
        # 12 hours are of today.
        assert house.state("1_simulated_today") == str((11 * 150 + 600) / 1_000)
        today = house.attributes("1_simulated_today")
        assert today["last_reset"] == "2026-06-09T00:00:00+02:00"
        assert (today["key"], today["until"]) == ("use", NOON)
        assert (today["hours"], today["of_hours"]) == (12, 12)
        assert "counted" not in today
        assert "L315-2" in today["note"]
        assert house.state("1_simulated_coverage_today") == "31.2"
        assert house.state("1_simulated_month") == str((13 * 150 + 600) / 1_000)
        assert house.state("1_simulated_coverage_month") == "30.4"
        # The month began a week before the first published hour.
        for part_of_month in ("coverage_month", "month", "saving_month"):
            month = house.attributes(f"1_simulated_{part_of_month}")
            assert month["counted"] == "14 of 204 hours"
        # 12 hours have a price of the home: 5 cents more than between members; others 6 cents.
        saved = float(house.state("1_simulated_saving_month") or "nan")
        assert saved == pytest.approx(12 * 0.150 * 0.05 + 0.750 * 0.06)
        saving = house.attributes("1_simulated_saving_month")
        assert (saving["local_price"], saving["usual_price_wh"]) == (15, 750)


async def test_corrected_or_removed_hours_are_computed_again(
    recorder_mock: Recorder, hass: HomeAssistant, house: NodeView
) -> None:
    await record_street(hass)
    add_sensors(hass, {}, "linky", "energy_drawn")
    with freeze_time(NOON + timedelta(minutes=10), tick=True) as time:
        await start(house)
        before = await simulated(hass)
        # The meter's third hour was another one, and an hour more is published.
        await record(hass, OWN, BEGIN - HOUR, [0, 600, 600, 1_200, *[600] * (COUNT - 2)])
        for statistic, energy in ((INJECTION, 1_000), (CONSUMPTION, 4_000), (AVERAGE, 400)):
            values = [*[energy] * (COUNT - 1), 8_000 if statistic == INJECTION else energy, energy]
            await record(hass, statistic, BEGIN, values)
        time.move_to(NOON + HOUR + timedelta(minutes=30))
        house.toy.change(collectives=[answered(last=part("last", consumption=1)["last"])])
        await until(lambda: house.state("1_simulated_month") == str((150 * 15 + 600) / 1_000))
        after = await simulated(hass)
        assert {at: wh for at, wh in after.items() if before.get(at) != wh} == {
            BEGIN + 2 * HOUR: 300.0,
            BEGIN + COUNT * HOUR: 150.0,
        }
        # An hour that the meter did not count after all is none of the simulation.
        hass.data["recorder_instance"].async_clear_statistics([OWN])
        await record(hass, OWN, BEGIN + 2 * HOUR, [0, *[600] * (COUNT - 2)])
        async_fire_time_changed(hass, NOON + HOUR + timedelta(minutes=70, seconds=20))
        await until(lambda: house.state("1_simulated_month") == str((150 * 11 + 600) / 1_000))
        assert min(await simulated(hass)) == BEGIN + 3 * HOUR


async def test_the_simulation_waits_for_the_home_s_own_hours(
    recorder_mock: Recorder, hass: HomeAssistant, house: NodeView
) -> None:
    await record_street(hass)
    hass.data["recorder_instance"].async_clear_statistics([OWN])
    add_sensors(hass, {}, "linky", "energy_drawn")
    with freeze_time(NOON + timedelta(minutes=10), tick=True):
        await start(house)
        assert house.state("1_simulated_month") == "unknown"
        assert await simulated(hass) == {}
        await record(hass, OWN, BEGIN - HOUR, [0, *[600] * COUNT])

        def is_known() -> bool:
            hass.bus.async_fire(EVENT_RECORDER_5MIN_STATISTICS_GENERATED)
            return house.state("1_simulated_month") == str((13 * 150 + 600) / 1_000)

        await until(is_known)
        assert len(await simulated(hass)) == COUNT


async def test_earlier_hours_that_arrive_late_are_computed(
    recorder_mock: Recorder, hass: HomeAssistant, house: NodeView
) -> None:
    await record_street(hass)
    add_sensors(hass, {}, "linky", "energy_drawn")
    with freeze_time(NOON + timedelta(minutes=10), tick=True):
        await start(house)
        assert len(await simulated(hass)) == COUNT
        earlier = BEGIN - 3 * HOUR
        for statistic, energy in ((INJECTION, 1_000), (CONSUMPTION, 4_000), (OWN, 600)):
            await record(hass, statistic, earlier, [energy] * (COUNT + 3))
        await house.entry.runtime_data.simulation.async_refresh()
        # Of an entity's first hour, the recorder does not know the beginning.
        assert len(await simulated(hass)) == COUNT + 2


async def test_a_household_chooses_the_key(
    recorder_mock: Recorder, hass: HomeAssistant, house: NodeView
) -> None:
    """One after the other: a fixed key needs its share each time, and leaves nothing of itself."""
    await record_street(hass)
    add_sensors(hass, {}, "linky", "energy_drawn")
    flows = hass.config_entries.options
    chosen: list[tuple[dict[str, Any], float, float]] = [
        ({CONF_SHARING_KEY: Key.EQUAL}, 100.0, 600.0),
        ({CONF_SHARING_KEY: Key.FIXED, CONF_COEFFICIENT: 2.5}, 25.0, 200.0),
        ({CONF_SHARING_KEY: Key.USE}, 150.0, 600.0),
    ]
    assert {typed[CONF_SHARING_KEY] for typed, _, _ in chosen} == set(Key)
    with freeze_time(NOON + timedelta(minutes=10), tick=True):
        await start(house)
        for typed, first, last in chosen:
            form = await flows.async_init(house.entry.entry_id)
            unfinished = {CONF_SHARING_KEY: Key.FIXED}
            form = await flows.async_configure(form["flow_id"], unfinished)
            assert form["errors"] == {CONF_COEFFICIENT: "no_coefficient"}
            done = await flows.async_configure(form["flow_id"], typed)
            assert done["type"] is FlowResultType.CREATE_ENTRY
            assert house.entry.options == typed
            await until(lambda: house.entry.state is ConfigEntryState.LOADED)
            await until(lambda: house.entry.runtime_data.simulation.data)
            hours = await simulated(hass)
            assert [hours[BEGIN], hours[BEGIN + (COUNT - 1) * HOUR]] == [first, last]
            assert house.attributes("1_simulated_today")["key"] == typed[CONF_SHARING_KEY]


@pytest.mark.parametrize(
    "case",
    [
        # The usual price that the collective states: 6 cents more than between members.
        ("EUR", PRICES, str(round((13 * 0.150 + 0.600) * 0.06, 10))),
        ("CHF", PRICES, "unknown"),
        ("EUR", {}, None),
    ],
)
async def test_a_home_without_prices_takes_the_prices_of_its_collective(
    recorder_mock: Recorder,
    hass: HomeAssistant,
    house: NodeView,
    case: tuple[str, Mapping[str, Any], str | None],
) -> None:
    currency, changes, saving = case
    await record_street(hass)
    add_sensors(hass, {}, "linky", "energy_drawn")
    hass.config.currency = currency
    with freeze_time(NOON + timedelta(minutes=10), tick=True):
        await start(house, **changes)
        shown = house.state("1_simulated_saving_month")
        if saving is None or saving == "unknown":
            assert shown == saving
        else:
            assert shown is not None
            assert float(shown) == pytest.approx(float(saving))


async def test_without_a_meter_or_the_collectives_hours_nothing_is_simulated(
    recorder_mock: Recorder, hass: HomeAssistant, house: NodeView
) -> None:
    await record_street(hass)
    statistics = {**STATISTICS, "injection": None}
    await house.start(answered(), collective("2", sums=sums(statistics=statistics)))
    await house.entry.runtime_data.simulation.async_refresh()
    assert house.state("1_simulated_today") == "unavailable"
    assert house.state("2_simulated_today") is None
    ids = await hass.async_add_executor_job(list_statistic_ids, hass)
    assert SIMULATED not in {each["statistic_id"] for each in ids}


async def test_whole_days_are_not_simulated(
    recorder_mock: Recorder, hass: HomeAssistant, house: NodeView
) -> None:
    await record_street(hass)
    add_sensors(hass, {}, "linky", "energy_drawn")
    day = {"start": "2026-06-08T22:00:00+00:00", "end": "2026-06-09T22:00:00+00:00"}
    unknown = collective("2", sums=sums(statistics=STATISTICS, last=None))
    await house.start(answered(last=part("last", **day)["last"]), unknown)
    await house.entry.runtime_data.simulation.async_refresh()
    await house.entry.runtime_data.surplus.async_refresh()
    assert house.state("1_simulated_today") is None
    assert house.state("1_surplus_likely", "binary_sensor") is None
    # Until the node knows of what they are.
    assert house.state("2_simulated_today") == "unavailable"


async def test_without_a_recorder_nothing_is_simulated(house: NodeView) -> None:
    await house.start(answered())
    assert house.state("1_simulated_today") == "unavailable"
