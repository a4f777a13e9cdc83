"""The node reads a real recorder: what was imported, corrected, lost, and while it restarts.

The tests follow one another on one Home Assistant.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
import sqlite3
from typing import Any, Final

import aiohttp
import pytest
import pytest_asyncio

from consometers_node.household import (
    Access,
    Away,
    Chunk,
    Flag,
    HomeAssistant,
    Proposal,
    Recorder,
    Source,
    WrongToken,
    catch_up,
    read_again,
)
from consometers_node.household.reading import HOUR
from consometers_node.series import Block, Direction, Interval, Quantity, Range, Record
from demo.hass import Hass
from tests.e2e.waiting import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

DRAWN: Final = "sensor.drawn"
MADE: Final = "portal:made"
POWER: Final = "sensor.power"

NOW: Final = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
TODAY: Final = NOW.replace(hour=0)
SINCE: Final = TODAY - timedelta(days=200)
HOURS: Final = [SINCE + n * HOUR for n in range(round((NOW - SINCE) / HOUR))]
HOLE: Final = TODAY - timedelta(days=100)
LATE_HOLE: Final = TODAY - timedelta(days=3) + 7 * HOUR

_KINDS: Final = {
    "energy": {"unit_of_measurement": "kWh", "unit_class": "energy", "has_sum": True},
    "power": {"unit_of_measurement": "kW", "unit_class": "power", "has_sum": False},
}


def drawn_wh(hour: datetime) -> int:
    """What is drawn in an hour."""
    return 137 + hour.hour * 31 + hour.day


def registers(until: datetime = NOW) -> Iterator[tuple[datetime, int]]:
    register = 0
    for hour in HOURS:
        register += drawn_wh(hour)
        if hour < until:
            yield hour, register


def energy_rows() -> list[dict[str, Any]]:
    return [
        {"start": hour.isoformat(), "state": 5_000 + wh / 1000, "sum": wh / 1000}
        for hour, wh in registers()
        if hour != HOLE
    ]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def recorded(hass: Hass) -> Hass:
    """A Home Assistant with a past: an entity's energy, an entity's power, a portal's energy."""
    api = hass.api
    powers = [
        {"start": hour.isoformat(), "mean": drawn_wh(hour) / 1000, "min": 0, "max": 9}
        for hour in HOURS
    ]
    told = {"mean_type": 0, **_KINDS["energy"]}
    portal = {"source": "portal", "name": "The portal"}
    await api.import_statistics({"statistic_id": DRAWN, **told}, energy_rows())
    await api.import_statistics({"statistic_id": MADE, **told, **portal}, energy_rows())
    await api.import_statistics({"statistic_id": POWER, **_KINDS["power"], "mean_type": 1}, powers)

    async def last() -> list[int]:
        rows = [await api.statistics(name, "hour", NOW - HOUR) for name in (DRAWN, MADE, POWER)]
        return [len(each) for each in rows]

    await eventually(last, lambda counts: counts == [1, 1, 1])
    return hass


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def token(recorded: Hass) -> str:
    answer = await recorded.api.command(
        "auth/long_lived_access_token", client_name="node", lifespan=1
    )
    assert isinstance(answer, str)
    return answer


@asynccontextmanager
async def connected(hass: Hass, token: str) -> AsyncIterator[HomeAssistant]:
    async with aiohttp.ClientSession() as session:
        home = HomeAssistant(Access.at(hass.url, token), session)
        task = asyncio.create_task(home.run())
        try:
            yield home
        finally:
            task.cancel()
            await asyncio.wait({task})


@pytest_asyncio.fixture(loop_scope="session")
async def home(recorded: Hass, token: str) -> AsyncIterator[HomeAssistant]:
    async with connected(recorded, token) as home:
        yield home


@pytest.fixture
def recorder(home: HomeAssistant) -> Recorder:
    return Recorder(home)


async def sources(recorder: Recorder, interval: Interval) -> list[Source]:
    """What the recorder holds, as series that are all drawn from the grid."""
    zone = await recorder.time_zone()
    return [
        Source(one.series(interval, zone, Direction.CONSUMPTION), one.statistic)
        for one in await recorder.proposals()
    ]


async def all_of(chunks: AsyncIterator[Chunk]) -> list[Chunk]:
    return [chunk async for chunk in chunks]


def records(chunks: list[Chunk], device: str) -> list[Record]:
    return [
        one
        for chunk in chunks
        for reading in chunk.readings
        if reading.block.series.device == device
        for one in reading.block.records()
    ]


def blocks(chunks: list[Chunk]) -> list[Block]:
    return [reading.block for chunk in chunks for reading in chunk.readings]


def expected(missing: set[datetime]) -> list[Record]:
    return [Record(hour, drawn_wh(hour)) for hour in HOURS[1:] if hour not in missing]


async def test_a_wrong_token_is_not_let_in(recorded: Hass, token: str) -> None:
    async with aiohttp.ClientSession() as session:
        home = HomeAssistant(Access.at(recorded.url, token[:-4] + "AAAA"), session)
        with pytest.raises(WrongToken):
            await home.run()


async def test_without_a_dashboard_every_statistic_is_proposed(recorder: Recorder) -> None:
    proposals: dict[str, Proposal] = {one.statistic.id: one for one in await recorder.proposals()}
    assert {DRAWN, MADE, POWER} <= set(proposals)
    assert not any(one.on_dashboard or one.direction for one in proposals.values())
    assert proposals[POWER].statistic.quantity is Quantity.POWER
    assert [proposals[name].statistic.imported for name in (DRAWN, MADE)] == [False, True]
    assert proposals[MADE].statistic.name == "The portal"


async def test_what_the_dashboard_shows_comes_first(hass: Hass, recorder: Recorder) -> None:
    prices = "stat_cost", "entity_energy_price", "number_energy_price", "stat_compensation"
    exports = "stat_energy_to", "entity_energy_price_export", "number_energy_price_export"
    grid: dict[str, Any] = dict.fromkeys((*prices, *exports))
    grid |= {"type": "grid", "stat_energy_from": DRAWN, "cost_adjustment_day": 0}
    grid |= {"power_config": {"stat_rate": POWER}}
    solar = {"type": "solar", "stat_energy_from": MADE, "config_entry_solar_forecast": None}
    await hass.api.command("energy/save_prefs", energy_sources=[solar, grid])
    shown = [one for one in await recorder.proposals() if one.on_dashboard]
    assert [(one.statistic.id, one.direction) for one in shown] == [
        (DRAWN, Direction.CONSUMPTION),
        (POWER, Direction.CONSUMPTION),
        (MADE, Direction.PRODUCTION),
    ]


async def test_the_past_is_what_the_registers_said(recorder: Recorder) -> None:
    within = Range(SINCE, NOW)
    hours = await all_of(catch_up(recorder, await sources(recorder, Interval.PT1H), within))
    assert hours[0].total == len(hours) in (7, 8)
    without = expected({HOLE, HOLE + HOUR})
    assert records(hours, DRAWN) == records(hours, MADE) == without
    assert records(hours, POWER) == [Record(hour, drawn_wh(hour)) for hour in HOURS]


async def test_days_are_civil_days_and_whole(recorder: Recorder) -> None:
    within = Range(SINCE, NOW)
    days = await all_of(catch_up(recorder, await sources(recorder, Interval.P1D), within))
    by_start = {one.start: one.value for one in records(days, DRAWN)}
    (series,) = {one.series for one in blocks(days) if one.series.device == DRAWN}
    hours = {one.start: one.value for one in expected({HOLE, HOLE + HOUR})}
    for start in (start for day in within.days() for start in series.starts(day)):
        whole = [start + n * HOUR for n in range(round((series.end(start) - start) / HOUR))]
        total = sum(hours.get(hour, 0) for hour in whole)
        assert by_start.get(start) == (total if all(hour in hours for hour in whole) else None)
    assert len(by_start) in (197, 198, 199)


async def test_a_corrected_past_is_found_and_nothing_else(hass: Hass, recorder: Recorder) -> None:
    all_sources = await sources(recorder, Interval.PT1H)
    known = blocks(await all_of(read_again(recorder, all_sources, NOW, [])))
    assert blocks(await all_of(read_again(recorder, all_sources, NOW, known))) == []
    moment = TODAY - timedelta(days=20) + 9 * HOUR
    for name in (DRAWN, MADE):
        await hass.api.command(
            "recorder/adjust_sum_statistics",
            statistic_id=name,
            start_time=moment.isoformat(),
            adjustment=0.5,
            adjustment_unit_of_measurement="kWh",
        )

    async def corrected() -> list[Block]:
        return blocks(await all_of(read_again(recorder, all_sources, NOW, known)))

    (block,) = await eventually(corrected, lambda found: len(found) == 1)
    # 20 days ago: what the recorder made itself is not looked at that far back.
    assert (block.series.device, block.day) == (MADE, moment.date())
    assert block.values[9] == drawn_wh(moment) + 500


async def test_statistics_that_were_generated_are_heard_of(hass: Hass, token: str) -> None:
    heard = asyncio.Event()
    async with connected(hass, token) as home:
        home.listen("recorder_5min_statistics_generated", heard.set)
        await asyncio.wait_for(heard.wait(), 30)
        heard.clear()
        await hass.api.request("POST", "events/recorder_5min_statistics_generated")
        await asyncio.wait_for(heard.wait(), 30)


async def test_it_goes_on_after_a_restart_and_fills_what_was_lost_from_5_minute_rows(
    hass: Hass, home: HomeAssistant
) -> None:
    recorder = Recorder(home)
    hourly = [
        source
        for source in await sources(recorder, Interval.PT1H)
        if source.series.device in (DRAWN, POWER)
    ]
    chunks: list[Chunk] = []
    async with asyncio.TaskGroup() as group:
        async for chunk in catch_up(recorder, hourly, Range(SINCE, NOW)):
            chunks.append(chunk)
            if chunk.done == 2:
                await hass.stop()
                _lose_an_hour(hass)
                # It is starting while the next month is asked for.
                group.create_task(hass.start())
    lost = {HOLE, HOLE + HOUR, TODAY - timedelta(days=20) + 9 * HOUR}
    found = {one.start: one.value for one in records(chunks, DRAWN)}
    assert [Record(*one) for one in found.items() if one[0] not in lost] == expected(lost)
    flags = {at: flag for c in chunks for one in c.readings for at, flag in one.flags.items()}
    assert flags == {LATE_HOLE: Flag.FILLED, LATE_HOLE + HOUR: Flag.FILLED}


async def test_while_it_is_gone_it_is_away(hass: Hass, token: str) -> None:
    await hass.stop()
    async with aiohttp.ClientSession() as session:
        access = Access.at(hass.url, token)
        home = HomeAssistant(access, session, answer_within=timedelta(seconds=0.5))
        task = asyncio.create_task(home.run())
        with pytest.raises(Away, match="cannot be reached"):
            await home.ask("get_config")
        task.cancel()
        await asyncio.wait({task})


def _lose_an_hour(hass: Hass) -> None:
    """Take an hour of the last days out of its database, as core #180981 does; leave its parts."""
    registers_wh = dict(registers())
    with sqlite3.connect(hass.folder / "home-assistant_v2.db") as database:
        (metadata,) = database.execute(
            "SELECT id FROM statistics_meta WHERE statistic_id = ?", (DRAWN,)
        ).fetchone()
        hour = (metadata, LATE_HOLE.timestamp())
        gone = database.execute(
            "DELETE FROM statistics WHERE metadata_id = ? AND start_ts = ?", hour
        )
        assert gone.rowcount == 1
        five_minutes = [
            (metadata, start.timestamp(), start.timestamp() + 300, wh / 1000)
            for start, wh in _parts(registers_wh[LATE_HOLE - HOUR])
        ]
        database.executemany(
            "INSERT INTO statistics_short_term (metadata_id, start_ts, created_ts, sum)"
            " VALUES (?, ?, ?, ?)",
            five_minutes,
        )
    database.close()


def _parts(register_wh: int) -> Iterator[tuple[datetime, float]]:
    """The 5-minute rows of two hours, and the one before them."""
    register: float = register_wh
    yield LATE_HOLE - timedelta(minutes=5), register
    for n in range(24):
        start = LATE_HOLE + n * timedelta(minutes=5)
        register += drawn_wh(start) / 12
        yield start, register
