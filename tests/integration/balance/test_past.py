"""A balance that is added takes the past of its sources along, in the real recorder."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
import logging
from typing import Any, Literal

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components.recorder import Recorder, get_instance
from homeassistant.components.recorder.models import StatisticData
from homeassistant.components.recorder.statistics import get_metadata, statistic_during_period
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest

from custom_components.consometers.balance.state import Home
from custom_components.consometers.const import DOMAIN
from testing.integration.balance import ENERGIES, NOON, BalanceView
from testing.integration.recorded import (
    FIVE_MINUTES,
    HOUR,
    count_five_minutes,
    metadata,
    rows_of,
    write,
)

SUMS = ("production", "self_consumed", "injected", "drawn", "consumed")
WITHOUT_INJECTION = {key: value for key, value in ENERGIES.items() if key != "injected_energy"}

type Hours = Sequence[float | None]

# At the end of each hour up to noon, kWh; the meters show 1 MWh more.
ROOF = (100.0, 102.0, 105.0, 109.0)
DRAWN = (500.0, 501.0, 501.0, 502.0)
INJECTED = (20.0, 20.5, 22.0, 25.0)
SHOWN = 1_000.0

AGAIN = "01JHOME00000000000000000B"


class Recorded(BalanceView):
    """A house with a recorder."""

    def __init__(self, hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
        super().__init__(hass, freezer)
        self.counted = NOON

    async def had_all(self) -> None:
        await self.had(roof=ROOF, drawn=DRAWN, injected=INJECTED)

    async def had(self, until: datetime = NOON, unit: str = "kWh", **hours: Hours) -> None:
        """Have hours up to a moment in the recorder: sums, None where it has none."""
        per_kwh = {"kWh": 1.0, "Wh": 1_000.0, "MWh": 0.001}[unit]
        for source, sums in hours.items():
            rows = [
                StatisticData(
                    start=until - (len(sums) - n) * HOUR,
                    sum=each * per_kwh,
                    state=(SHOWN + each) * per_kwh,
                )
                for n, each in enumerate(sums)
                if each is not None
            ]
            await write(self.hass, f"sensor.{source}", rows, unit)

    async def count_until(self, until: datetime) -> None:
        """Record every five minutes."""
        while self.counted + FIVE_MINUTES <= until:
            self.counted = await count_five_minutes(self.hass, self.freezer, self.counted)
            await self.hass.async_block_till_done(wait_background_tasks=True)

    async def rows(self, key: str, period: Literal["hour", "month"] = "hour") -> Sequence[Any]:
        return await rows_of(self.hass, self.entity_id(key) or "", period)

    async def sums(self, key: str) -> dict[int, float]:
        """Return the sums of an energy, by how many hours after noon they are."""
        return {
            round((row["end"] - NOON.timestamp()) / 3_600): round(row["sum"], 3)
            for row in await self.rows(key)
        }

    async def changes(self, key: str, period: Literal["hour", "month"] = "hour") -> list[float]:
        return [round(row["change"], 3) for row in await self.rows(key, period)]


@pytest.fixture
def noon(freezer: FrozenDateTimeFactory) -> None:
    freezer.move_to(NOON)
    # Every row that is written would be sent.
    logging.getLogger("sqlalchemy.engine").setLevel(logging.WARNING)


@pytest.fixture
def home(
    freezer: FrozenDateTimeFactory,
    noon: None,
    recorder_mock: Recorder,
    hass: HomeAssistant,
    enable_custom_integrations: None,
) -> Recorded:
    return Recorded(hass, freezer)


async def begin(home: Recorded, kind: Home = Home.SURPLUS, **sources: Any) -> None:
    """Add the balance at noon. Its sources change nine minutes later."""
    await home.start(kind, **(sources or ENERGIES))
    await home.hear(540, roof=SHOWN + 110.5, drawn=SHOWN + 502.2, injected=SHOWN + 26)


async def pass_an_hour(home: Recorded) -> None:
    """Advance by an hour in which something is made and consumed."""
    await home.count_until(NOON + timedelta(minutes=20))
    await home.hear(roof=SHOWN + 112, drawn=SHOWN + 502.5, injected=SHOWN + 27)
    await home.count_until(NOON + HOUR)


async def test_a_home_that_sells_its_surplus_has_a_past(home: Recorded) -> None:
    await home.had_all()
    await begin(home)
    await home.count_until(NOON + timedelta(minutes=15))
    assert await home.sums("production") == {-2: 2_000, -1: 5_000, 0: 9_000}
    assert await home.sums("injected") == {-2: 500, -1: 2_000, 0: 5_000}
    assert await home.sums("self_consumed") == {-2: 1_500, -1: 3_000, 0: 4_000}
    assert await home.sums("drawn") == {-2: 1_000, -1: 1_000, 0: 2_000}
    assert await home.sums("consumed") == {-2: 2_500, -1: 4_000, 0: 6_000}
    await pass_an_hour(home)
    # All that its meters have counted since nine o'clock, without a step.
    assert [(await home.sums(key))[1] for key in SUMS] == [12_000, 5_000, 7_000, 2_500, 7_500]
    assert await home.changes("production") == [2_000, 3_000, 4_000, 3_000]
    assert await home.changes("production", "month") == [12_000]
    await home.hear(roof=SHOWN + 113, drawn=SHOWN + 503, injected=SHOWN + 27)
    await home.count_until(NOON + 2 * HOUR)
    assert (await home.changes("production"))[-2:] == [3_000, 1_000]


# At the end of each hour from 22 o'clock in Paris on, kWh: the roof sleeps from then until six.
NIGHT: Hours = (500.0, 500.5, 501.0, 501.5, 502.0, 502.5, 503.0, 503.5, 504.0, 504.0)
OF_A_NIGHT: Mapping[str, Hours] = {
    "roof": (100.0, *[None] * 7, 100.2, 101.0, 103.0, 105.0, 108.0, 110.0, 110.0),
    "drawn": (*NIGHT, 504.2, 504.2, 504.2, 504.2, 504.2),
    "injected": (*[20.0] * 8, 20.0, 20.5, 22.0, 23.5, 25.5, 27.0, 27.0),
}
UNKNOWN = ["unknown", "unknown"]
RATES = ("self_consumption_today", "self_sufficiency_today")


@pytest.mark.parametrize(
    ("zone", "hours", "rates"),
    [
        # 12 kWh were made since midnight, of which 9 were injected; 4.2 were drawn.
        pytest.param("Europe/Paris", {}, [25.0, 41.7], id="a day"),
        # Its midnight is three hours before the first of theirs.
        pytest.param("Asia/Kolkata", {}, UNKNOWN, id="begins in the day"),
        # From half past nine on, UTC: 5.5 kWh were made, of which 4.5 were injected.
        pytest.param("Pacific/Marquesas", {}, [18.2, 100.0], id="from the middle of an hour on"),
        pytest.param(
            "Europe/Paris",
            {"injected": [None, None, None, *OF_A_NIGHT["injected"][3:]]},
            UNKNOWN,
            id="a register that begins later",
        ),
        pytest.param(
            "Europe/Paris",
            {"roof": [*[None] * 8, *OF_A_NIGHT["roof"][8:]]},
            UNKNOWN,
            id="an inverter that was added in the morning",
        ),
        pytest.param(
            "Europe/London",
            {key: [hours[0], *[None] * 7, *hours[8:]] for key, hours in OF_A_NIGHT.items()},
            UNKNOWN,
            id="Home Assistant was off in the night",
        ),
    ],
)
async def test_rates_of_the_first_day_count_from_midnight(
    home: Recorded, zone: str, hours: Mapping[str, Hours], rates: Sequence[float | str]
) -> None:
    had: dict[str, Any] = {**OF_A_NIGHT, **hours}
    await home.had(**had)
    await home.start(**ENERGIES)
    await home.hass.config.async_set_time_zone(zone)
    read = {"roof": 112.0, "drawn": 504.2, "injected": 29.0}
    await home.hear(540, **{source: SHOWN + kwh for source, kwh in read.items()})
    assert [home.state(key) for key in RATES] == UNKNOWN
    await home.count_until(NOON + timedelta(minutes=15))
    shown = [home.state(key) for key in RATES]
    assert shown == [str(rate) for rate in rates]
    # They go on after a restart.
    await home.reload()
    await home.hear(**{source: SHOWN + kwh for source, kwh in read.items()})
    assert [home.state(key) for key in RATES] == shown


async def test_energies_and_rates_of_the_first_day_cover_the_same_hours(home: Recorded) -> None:
    """The dashboard's cards show what the recorder adds up."""
    await home.hass.config.async_set_time_zone("Europe/Paris")
    # Energy of the day before is none of it.
    had: dict[str, Any] = {
        source: [*((hours[0] or 0.0) - each for each in (10, 9, 8)), *hours]
        for source, hours in OF_A_NIGHT.items()
    }
    await home.had(**had)
    await home.start(**ENERGIES)
    await home.hear(540, roof=SHOWN + 112, drawn=SHOWN + 504.2, injected=SHOWN + 29)
    await home.count_until(NOON + timedelta(minutes=15))
    since = dt_util.as_utc(dt_util.start_of_local_day())
    today = home.entry.runtime_data.balance.today
    for key in SUMS:
        entity_id = home.entity_id(key) or ""
        change = partial(statistic_during_period, home.hass, since, None, entity_id, {"change"})
        of_day = await get_instance(home.hass).async_add_executor_job(change, {"energy": "Wh"})
        assert of_day["change"] == pytest.approx(getattr(today, f"{key}_wh")), key


async def test_energy_from_before_the_first_state_is_counted(home: Recorded) -> None:
    await home.had_all()
    await home.start(**ENERGIES)
    home.freezer.tick(540)
    await home.set_states(roof=SHOWN + 110.5, drawn=SHOWN + 502.2)
    await home.hear(20, injected=SHOWN + 26)
    assert home.state("production") == "unknown"
    await home.hear(600, roof=SHOWN + 112, drawn=SHOWN + 502.5, injected=SHOWN + 27)
    assert home.amounts("production")[0] > 1.4
    await home.count_until(NOON + HOUR)
    sums = [(await home.sums(key))[1] for key in SUMS]
    assert sums == pytest.approx([12_000, 5_000, 7_000, 2_500, 7_500], abs=0.5)


async def test_a_home_that_sells_all_has_a_past(home: Recorded) -> None:
    await home.had(roof=ROOF, drawn=DRAWN)
    await begin(home, Home.TOTAL_SALE, **WITHOUT_INJECTION)
    await pass_an_hour(home)
    made = {-2: 2_000, -1: 5_000, 0: 9_000, 1: 12_000}
    assert await home.sums("production") == await home.sums("injected") == made
    assert await home.sums("drawn") == {-2: 1_000, -1: 1_000, 0: 2_000, 1: 2_500}


async def test_unknowable_sums_have_no_past(home: Recorded) -> None:
    await home.had_all()
    await begin(home, Home.NO_CONTRACT, **WITHOUT_INJECTION)
    await home.count_until(NOON + timedelta(minutes=15))
    assert await home.sums("production") == {-2: 2_000, -1: 5_000, 0: 9_000}
    recorder = get_instance(home.hass)
    recorded = await recorder.async_add_executor_job(partial(get_metadata, home.hass))
    sources = {"sensor.roof", "sensor.drawn", "sensor.injected"}
    assert recorded.keys() - sources == {home.entity_id("production"), home.entity_id("drawn")}


@pytest.mark.parametrize(
    ("hours", "production", "self_consumed"),
    [
        pytest.param({"injected": INJECTED[2:]}, {0: 4_000}, {0: 1_000}, id="begins later"),
        pytest.param(
            {"roof": (100.0, 102.0, None, 109.0)},
            {-2: 2_000, -1: 2_000, 0: 9_000},
            {-2: 1_500, -1: 1_500, 0: 4_000},
            id="a gap",
        ),
        pytest.param(
            {"injected": (20.0, 23.0, 24.0, 25.0)},
            {-2: 2_000, -1: 5_000, 0: 9_000},
            {-2: 0, -1: 1_000, 0: 4_000},
            id="more injected than made",
        ),
        pytest.param(
            {"roof": (100.0, 102.0, 101.0, 109.0)},
            {-2: 2_000, -1: 2_000, 0: 9_000},
            {-2: 1_500, -1: 1_500, 0: 4_000},
            id="set back",
        ),
    ],
)
async def test_the_past_starts_with_the_sources_statistics(
    home: Recorded,
    hours: Mapping[str, Any],
    production: Mapping[int, float],
    self_consumed: Mapping[int, float],
) -> None:
    await home.had(**{"roof": ROOF, "drawn": DRAWN, "injected": INJECTED, **hours})
    await begin(home)
    await home.count_until(NOON + timedelta(minutes=15))
    assert await home.sums("production") == production
    assert await home.sums("self_consumed") == self_consumed


async def test_a_source_that_has_just_started_again_is_counted_from_zero(home: Recorded) -> None:
    await home.had_all()
    await home.start(**ENERGIES)
    await home.hear(540, roof=1.5, drawn=SHOWN + 502.2, injected=SHOWN + 26)
    await home.count_until(NOON + HOUR)
    assert await home.changes("production") == [2_000, 3_000, 4_000, 1_500]


async def test_a_source_may_be_renamed_meanwhile(home: Recorded) -> None:
    registry = er.async_get(home.hass)
    registry.async_get_or_create("sensor", "test", "roof", suggested_object_id="roof")
    await home.had_all()
    await begin(home)
    registry.async_update_entity("sensor.roof", new_entity_id="sensor.the_roof")
    await home.hass.async_block_till_done()
    await home.hear(the_roof=SHOWN + 112, drawn=SHOWN + 502.5, injected=SHOWN + 27)
    await home.count_until(NOON + HOUR)
    assert await home.changes("production") == [2_000, 3_000, 4_000, 3_000]


async def test_several_roofs_in_several_units_have_one_past(home: Recorded) -> None:
    await home.had(drawn=DRAWN, injected=INJECTED)
    await home.had(unit="Wh", roof=ROOF)
    await home.had(unit="MWh", shed=(7.0, 7.0, 8.0, 8.0))
    await home.start(**{**ENERGIES, "production_energy": ["sensor.roof", "sensor.shed"]})
    await home.hear(540, roof=SHOWN + 110.5, shed=SHOWN + 8.25, drawn=SHOWN + 502.2, injected=1_026)
    await home.count_until(NOON + HOUR)
    assert await home.sums("production") == {-2: 2_000, -1: 6_000, 0: 10_000, 1: 11_750}


@pytest.mark.parametrize("unit", ["Wh", "MWh"])
async def test_the_past_has_the_chosen_unit(home: Recorded, unit: str) -> None:
    await home.had_all()
    await home.start(**ENERGIES)
    entity_id = home.entity_id("production") or ""
    chosen = {"unit_of_measurement": unit}
    er.async_get(home.hass).async_update_entity_options(entity_id, "sensor", chosen)
    await home.hear(540, roof=SHOWN + 110.5, drawn=SHOWN + 502.2, injected=SHOWN + 26)
    await pass_an_hour(home)
    state = home.hass.states.get(entity_id)
    assert state is not None
    assert state.attributes["unit_of_measurement"] == unit
    read = partial(get_metadata, home.hass, statistic_ids={entity_id})
    recorded = await get_instance(home.hass).async_add_executor_job(read)
    assert recorded[entity_id][1] == metadata(entity_id, unit) | {"has_mean": False}
    assert await home.sums("production") == {-2: 2_000, -1: 5_000, 0: 9_000, 1: 12_000}
    assert not [issue for _, issue in ir.async_get(home.hass).issues if entity_id in issue]


async def test_years_of_statistics_are_imported(home: Recorded) -> None:
    count = 18_000
    steps = [None if n % 8 else float(n) for n in range(1, count + 1)]
    await home.had(roof=steps, drawn=steps, injected=[None if n is None else n / 2 for n in steps])
    await home.start(**ENERGIES)
    last = SHOWN + count
    await home.hear(540, roof=last, drawn=last, injected=SHOWN + count / 2)
    await home.count_until(NOON + timedelta(minutes=15))
    assert await home.sums("self_consumed") == {
        n - count: 500.0 * (n - 8) for n in range(16, count + 1, 8)
    }


async def test_the_past_is_imported_once(home: Recorded) -> None:
    await home.had_all()
    await begin(home)
    await pass_an_hour(home)
    taken = [await home.rows(key) for key in SUMS]
    await home.had(roof=(95.0, *ROOF), drawn=(495.0, *DRAWN), injected=(15.0, *INJECTED))
    for _ in range(2):
        assert await home.reload()
        await home.count_until(home.counted + timedelta(minutes=10))
        assert [await home.rows(key) for key in SUMS] == taken


async def test_an_interrupted_import_goes_on(home: Recorded) -> None:
    await home.had_all()
    await begin(home)
    entity_id = home.entity_id("production") or ""
    written = [
        StatisticData(start=NOON - 3 * HOUR, sum=2.0),
        StatisticData(start=NOON - 2 * HOUR, sum=5.0),
    ]
    await write(home.hass, entity_id, written)
    await pass_an_hour(home)
    assert await home.changes("production") == [2_000, 3_000, 4_000, 3_000]


async def test_sources_without_statistics_have_no_past(
    home: Recorded, caplog: pytest.LogCaptureFixture
) -> None:
    await home.had(roof=ROOF, drawn=DRAWN)
    await begin(home)
    await pass_an_hour(home)
    assert await home.sums("production") == {1: 1_500}
    assert home.entry.runtime_data.has_past
    assert not [each for each in caplog.records if each.levelno >= logging.ERROR]


async def test_without_a_recorder_nothing_happens(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    enable_custom_integrations: None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    house = BalanceView(hass, freezer)
    await house.start(**ENERGIES)
    await house.hear(roof=100, drawn=500, injected=20)
    assert "recorder" not in hass.config.components
    assert house.amounts("production") == [0]
    assert not [each for each in caplog.records if each.levelno >= logging.ERROR]


async def test_an_older_balance_has_a_past_up_to_its_first_hour(
    home: Recorded, hass_storage: dict[str, Any]
) -> None:
    await begin(home)
    await pass_an_hour(home)
    counted = await home.rows("production")
    await home.unload()
    stored = hass_storage[f"{DOMAIN}.{home.entry.entry_id}"]["data"]
    del stored["start"], stored["past"]
    await home.had_all()
    await home.start()
    await home.count_until(NOON + HOUR + 2 * FIVE_MINUTES)
    *past, present = await home.rows("production")
    assert [row["sum"] for row in past] == [2_000, 5_000, 9_000]
    assert [present] == [{**row, "sum": row["sum"] + 9_000} for row in counted]


async def test_a_balance_that_is_added_again_goes_on(home: Recorded) -> None:
    await home.had_all()
    await begin(home)
    await pass_an_hour(home)
    before = await home.rows("production")
    await home.remove()
    await home.count_until(NOON + 3 * HOUR)
    await home.had(
        NOON + 3 * HOUR,
        roof=(112.0, 113.0, 115.0),
        drawn=(502.5, 503.0, 504.0),
        injected=(27.0, 27.0, 28.0),
    )
    home.add(AGAIN, **home.entry.data)
    await home.start()
    await home.hear(roof=SHOWN + 115.5, drawn=SHOWN + 504, injected=SHOWN + 28)
    await home.count_until(NOON + 4 * HOUR)
    assert (await home.rows("production"))[:4] == before
    assert await home.changes("production") == [2_000, 3_000, 4_000, 3_000, 1_000, 2_000, 500]


async def test_a_balance_that_is_added_again_at_once_goes_on(home: Recorded) -> None:
    await home.had_all()
    await begin(home)
    await home.count_until(NOON + timedelta(minutes=20))
    await home.hear(roof=SHOWN + 112, drawn=SHOWN + 502.5, injected=SHOWN + 27)
    await home.remove()
    await home.set_states(**dict.fromkeys(("roof", "drawn", "injected"), STATE_UNAVAILABLE))
    home.freezer.move_to(NOON + timedelta(minutes=24))
    home.add(AGAIN, **home.entry.data)
    await home.start()
    await home.set_states(drawn=SHOWN + 502.5)
    home.freezer.tick(10)
    await home.set_states(roof=SHOWN + 112, injected=SHOWN + 27)
    assert home.state("production") == "unknown"
    # In these five minutes only the former one showed a number.
    await home.count_until(NOON + timedelta(minutes=25))
    await home.hear(roof=SHOWN + 112, drawn=SHOWN + 502.5, injected=SHOWN + 27)
    await home.hear(roof=SHOWN + 113, drawn=SHOWN + 503, injected=SHOWN + 27)
    await home.count_until(NOON + HOUR)
    assert await home.changes("production") == [2_000, 3_000, 4_000, 4_000]


async def test_a_balance_may_begin_long_after_it_was_added(home: Recorded) -> None:
    await home.start(**ENERGIES)
    await home.count_until(NOON + 2 * HOUR)
    await home.had(NOON + 2 * HOUR, roof=ROOF, drawn=DRAWN, injected=INJECTED)
    await home.hear(540, roof=SHOWN + 110.5, drawn=SHOWN + 502.2, injected=SHOWN + 26)
    await home.count_until(NOON + 2 * HOUR + timedelta(minutes=15))
    assert await home.sums("production") == {0: 2_000, 1: 5_000, 2: 9_000}
