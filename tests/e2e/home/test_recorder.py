"""The node reads a real recorder: corrected rows, lost ones, during a restart and after an absence.

The tests follow one another on one Home Assistant. Nobody waits for hours: at last its database is
moved into the past while it is stopped.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import accumulate
import sqlite3
from typing import Final

import pytest
import pytest_asyncio

from consometers_node.household.readings import HOUR, Chunk, Flag
from consometers_node.household.recorder.backfill import catch_up, read_again
from consometers_node.household.recorder.client import Recorder
from consometers_node.household.recorder.home_assistant import HomeAssistant
from consometers_node.household.recorder.reading import FIVE_MINUTES, absence
from consometers_node.household.statistics import StatisticId
from consometers_node.series import Block, Direction, Interval, Quantity, Range, Record, Series
from demo.hass import Api, Hass, State
from testing.home_assistant.toy import connected
from testing.programs.metered_home import import_energy
from testing.waiting import eventually

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


# After hours in which Home Assistant was off.

MINUTE: Final = timedelta(minutes=1)
SENSORS: Final = {
    "register": {
        "unit_of_measurement": "kWh",
        "device_class": "energy",
        "state_class": "total_increasing",
    },
    "power": {"unit_of_measurement": "W", "device_class": "power", "state_class": "measurement"},
}
NAMES: Final = [StatisticId(f"sensor.{name}") for name in SENSORS]
# Minutes after the first row, and what the meter shows from then on. Home Assistant is last seen
# after 2 hours and 25 minutes, and starts again about 3 hours later.
SHOWN: Final = {0: (100.0, 1_000), 90: (100.5, 2_000), 140: (101.0, 400)}
LAST_SEEN: Final = timedelta(minutes=145)
AFTER: Final = (104.0, 700)

# By the hour, those of energy from the second one on.
ENERGIES_WH: Final = [500, 500]
POWERS_W: Final = [1_000, 1_500, 933]
AFTER_WH: Final = 3_000


async def add_sensors(api: Api) -> None:
    for name, facts in SENSORS.items():
        step = await api.start_flow("template")
        step = await api.submit(step, next_step_id="sensor")
        template = f"{{{{ states('demo.{name}') | float(none) }}}}"
        step = await api.submit(step, name=name, state=template, **facts)
        assert step["type"] == "create_entry", step


async def show(api: Api, shown: tuple[float, float]) -> None:
    """Have the sensors show what a meter would."""
    for name, value in zip(SENSORS, shown, strict=True):
        await api.request("POST", f"states/demo.{name}", {"state": str(value)})

        await eventually(partial(api.state, f"sensor.{name}"), partial(_shows, float(value)))


def _shows(value: float, state: State) -> bool:
    return state["state"] == str(value)


@asynccontextmanager
async def stopped(hass: Hass) -> AsyncIterator[sqlite3.Connection]:
    """Stop it, give its database, and start it again."""
    await hass.stop()
    with closing(sqlite3.connect(hass.folder / "home-assistant_v2.db")) as database, database:
        yield database
    await hass.start()


def place(database: sqlite3.Connection, since: datetime) -> None:
    """Move the states to when they would have come, and have no row compiled yet."""
    for table in ("statistics", "statistics_short_term", "statistics_runs"):
        database.execute(f"DELETE FROM {table}")
    compiled = since - FIVE_MINUTES
    database.execute(
        "INSERT INTO statistics_runs (start) VALUES (?)",
        (compiled.strftime("%Y-%m-%d %H:%M:%S.000000"),),
    )
    database.execute("UPDATE states SET last_updated_ts = last_updated_ts - 86400")
    for minutes, shown in SHOWN.items():
        for name, value in zip(SENSORS, shown, strict=True):
            moved = database.execute(
                "UPDATE states SET last_updated_ts = ?, last_changed_ts = NULL,"
                " last_reported_ts = NULL WHERE state = ? AND metadata_id ="
                " (SELECT metadata_id FROM states_meta WHERE entity_id = ?)",
                (
                    (since + minutes * MINUTE).timestamp() - 1,
                    str(float(value)),
                    f"sensor.{name}",
                ),
            )
            assert moved.rowcount == 1


def move_back(database: sqlite3.Connection, step: timedelta) -> None:
    """Move all that the recorder holds back in time."""
    seconds = step.total_seconds()
    database.execute("UPDATE states SET last_updated_ts = last_updated_ts - ?", (seconds,))
    for table in ("statistics", "statistics_short_term"):
        for shift in (-1e9, 1e9 - seconds):
            database.execute(f"UPDATE {table} SET start_ts = start_ts + ?", (shift,))
    database.execute(
        "UPDATE statistics_runs SET start ="
        f" strftime('%Y-%m-%d %H:%M:%S.000000', start, '-{seconds:.0f} seconds')"
    )


async def compiled(recorder: Recorder, now: datetime) -> None:
    """Wait until it has compiled the rows that were missing at its start."""

    async def rows() -> int:
        recorded = await recorder.rows(NAMES, "5minute", Range(now - HOUR, now))
        return min(len(recorded.get(name, ())) for name in NAMES)

    await eventually(rows, lambda count: count >= 11)


async def readings_of_sensors(
    recorder: Recorder, interval: Interval, within: Range, absences: Sequence[Range] = ()
) -> dict[Quantity, dict[datetime, int]]:
    """Return the records that start in a range."""
    series = [
        proposal.series(interval, "UTC", Direction.CONSUMPTION)
        for proposal in await recorder.proposals()
        if proposal.statistic.id in NAMES
    ]
    values: dict[Quantity, dict[datetime, int]] = {quantity: {} for quantity in Quantity}
    async for chunk in catch_up(recorder, series, within, absences=absences):
        for reading in chunk.readings:
            records = reading.block.records(within)
            values[reading.block.series.quantity] |= {each.start: each.value for each in records}
    return values


async def test_hours_compiled_after_an_absence_are_missing(hass: Hass, token: str) -> None:
    since = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - 5 * HOUR
    hours = [since + n * HOUR for n in range(5)]
    await add_sensors(hass.api)
    for shown in SHOWN.values():
        await show(hass.api, shown)

    async with stopped(hass) as database:
        place(database, since)
        before = datetime.now(UTC)
    async with connected(hass.url, token) as home:
        recorder = Recorder(home)
        started = await recorder.started()
        now = datetime.now(UTC)
        assert started is not None
        assert before < started < now
        first = absence(since + LAST_SEEN, started, now)
        assert first is not None
        await compiled(recorder, now)
        within = Range(since, since + 5 * HOUR)
        compiled_of_it = await readings_of_sensors(recorder, Interval.PT1H, within)
        energies, powers = [*ENERGIES_WH, 0, 0], [*POWERS_W, 400, 400]
        assert compiled_of_it == {
            Quantity.ENERGY: dict(zip(hours[1:], energies, strict=True)),
            Quantity.POWER: dict(zip(hours, powers, strict=True)),
        }
        # The last hour before is missing, too: its closing register is unknown.
        assert await readings_of_sensors(recorder, Interval.PT1H, within, [first]) == {
            Quantity.ENERGY: dict(zip(hours[1:2], ENERGIES_WH, strict=False)),
            Quantity.POWER: dict(zip(hours[:2], POWERS_W, strict=False)),
        }
        await show(hass.api, AFTER)

    # Only rows that are complete are compiled: the one with all of the energy an hour later.
    last_seen = datetime.now(UTC)
    async with stopped(hass) as database:
        move_back(database, HOUR)
    since -= HOUR
    async with connected(hass.url, token) as home:
        recorder = Recorder(home)
        now = datetime.now(UTC)
        second = absence(last_seen - HOUR, await recorder.started(), now)
        assert second is not None
        await compiled(recorder, now)
        within = Range(since, now)
        compiled_of_it = await readings_of_sensors(recorder, Interval.PT1H, within)
        assert max(compiled_of_it[Quantity.ENERGY].values()) == AFTER_WH
        absences = [Range(first.start - HOUR, first.end - HOUR), second]
        assert await readings_of_sensors(recorder, Interval.PT1H, within, absences) == {
            Quantity.ENERGY: {since + HOUR: 500},
            Quantity.POWER: {since: 1_000, since + HOUR: 1_500},
        }
        fine = (await readings_of_sensors(recorder, Interval.PT5M, within, absences))[
            Quantity.ENERGY
        ]
        assert max(fine) == since + LAST_SEEN - 2 * FIVE_MINUTES
        assert {at - since: wh for at, wh in fine.items() if wh} == {
            timedelta(minutes=85): 500,
            timedelta(minutes=135): 500,
        }
