"""The node reads a real recorder again: corrected rows, lost ones, and while it restarts.

The tests follow one another on one Home Assistant.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from itertools import accumulate
import sqlite3
from typing import Final

import pytest
import pytest_asyncio

from consometers_node.household.recorder.backfill import (
    Chunk,
    catch_up,
    read_again,
)
from consometers_node.household.recorder.client import Recorder
from consometers_node.household.recorder.home_assistant import HomeAssistant
from consometers_node.household.recorder.reading import HOUR, Flag
from consometers_node.series import Block, Direction, Interval, Range, Record, Series
from demo.hass import Hass
from tests.e2e.home import import_energy
from tests.e2e.waiting import eventually
from tests.node.household.toy import connected

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

DRAWN: Final = "sensor.drawn"
MADE: Final = "portal:made"

NOW: Final = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
TODAY: Final = NOW.replace(hour=0)
SINCE: Final = TODAY - timedelta(days=200)
HOURS: Final = [SINCE + n * HOUR for n in range(round((NOW - SINCE) / HOUR))]
HOLE: Final = TODAY - timedelta(days=100)
LATE_HOLE: Final = TODAY - timedelta(days=3) + 7 * HOUR


def drawn_wh(hour: datetime) -> int:
    return 137 + hour.hour * 31 + hour.day


def registers() -> dict[datetime, int]:
    return dict(zip(HOURS, accumulate(map(drawn_wh, HOURS)), strict=True))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def recorded(hass: Hass) -> Hass:
    """A Home Assistant with a past: an entity's energy, and a portal's."""
    registers_wh = {hour: wh for hour, wh in registers().items() if hour != HOLE}
    for statistic in (DRAWN, MADE):
        await import_energy(hass.api, statistic, registers_wh)

    async def last() -> list[int]:
        rows = [await hass.api.statistics(name, "hour", NOW - HOUR) for name in (DRAWN, MADE)]
        return [len(each) for each in rows]

    await eventually(last, lambda counts: counts == [1, 1])
    return hass


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def token(recorded: Hass) -> str:
    return await recorded.api.long_lived_token()


@pytest_asyncio.fixture(loop_scope="session")
async def home(recorded: Hass, token: str) -> AsyncIterator[HomeAssistant]:
    async with connected(recorded.url, token) as home:
        yield home


@pytest.fixture
def recorder(home: HomeAssistant) -> Recorder:
    return Recorder(home)


async def all_series(recorder: Recorder, interval: Interval) -> list[Series]:
    """What the recorder holds, as series that are all from the grid."""
    zone = await recorder.time_zone()
    return [
        proposal.series(interval, zone, Direction.CONSUMPTION)
        for proposal in await recorder.proposals()
    ]


async def all_of(chunks: AsyncIterator[Chunk]) -> list[Chunk]:
    return [chunk async for chunk in chunks]


def records(chunks: list[Chunk], device: str) -> list[Record]:
    return [
        record
        for chunk in chunks
        for reading in chunk.readings
        if reading.block.series.device == device
        for record in reading.block.records()
    ]


def blocks(chunks: list[Chunk]) -> list[Block]:
    return [reading.block for chunk in chunks for reading in chunk.readings]


def expected(missing: set[datetime]) -> list[Record]:
    return [Record(hour, drawn_wh(hour)) for hour in HOURS[1:] if hour not in missing]


async def test_corrected_rows_alone_are_read_again(hass: Hass, recorder: Recorder) -> None:
    series = await all_series(recorder, Interval.PT1H)
    read_before = blocks(await all_of(read_again(recorder, series, NOW, [])))
    assert blocks(await all_of(read_again(recorder, series, NOW, read_before))) == []
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
        return blocks(await all_of(read_again(recorder, series, NOW, read_before)))

    (block,) = await eventually(corrected, lambda corrections: len(corrections) == 1)
    # 20 days ago: rows that the recorder compiled itself are not read again that far back.
    assert (block.series.device, block.day) == (MADE, moment.date())
    assert block.values[9] == drawn_wh(moment) + 500


async def test_reading_continues_after_a_restart_and_fills_lost_hours_from_5_minute_rows(
    hass: Hass, home: HomeAssistant
) -> None:
    recorder = Recorder(home)
    hourly = [each for each in await all_series(recorder, Interval.PT1H) if each.device == DRAWN]
    chunks: list[Chunk] = []
    async with asyncio.TaskGroup() as group:
        async for chunk in catch_up(recorder, hourly, Range(SINCE, NOW)):
            chunks.append(chunk)
            if len(chunks) == 2:
                await hass.stop()
                _lose_an_hour(hass)
                # It is starting while the next month is asked for.
                group.create_task(hass.start())
    lost = {HOLE, HOLE + HOUR, TODAY - timedelta(days=20) + 9 * HOUR}
    values = {record.start: record.value for record in records(chunks, DRAWN)}
    assert [Record(at, wh) for at, wh in values.items() if at not in lost] == expected(lost)
    flags = {
        at: flag for c in chunks for reading in c.readings for at, flag in reading.flags.items()
    }
    assert flags == {LATE_HOLE: Flag.FILLED, LATE_HOLE + HOUR: Flag.FILLED}


def _lose_an_hour(hass: Hass) -> None:
    """Take an hour of the last days out of its database, as core #180981 does; leave its parts."""
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
            for start, wh in _parts(registers()[LATE_HOLE - HOUR])
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
