"""A real Home Assistant comes back after hours, and the node sends no zero for them.

Nobody waits for hours: its database is moved into the past while it is stopped.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
import sqlite3
from typing import Final

import pytest

from consometers_node.household.recorder.backfill import catch_up
from consometers_node.household.recorder.client import Recorder
from consometers_node.household.recorder.reading import FIVE_MINUTES, HOUR, absence
from consometers_node.household.recorder.statistics import StatisticId
from consometers_node.series import Direction, Interval, Quantity, Range
from demo.hass import Api, Hass
from demo.hass.api import State
from tests.e2e.waiting import eventually
from tests.node.household.toy import connected

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

MINUTE: Final = timedelta(minutes=1)
SENSORS: Final = {
    "register": {
        "unit_of_measurement": "kWh",
        "device_class": "energy",
        "state_class": "total_increasing",
    },
    "power": {"unit_of_measurement": "W", "device_class": "power", "state_class": "measurement"},
}
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
    names = [StatisticId(f"sensor.{name}") for name in SENSORS]

    async def rows() -> int:
        recorded = await recorder.rows(names, "5minute", Range(now - HOUR, now))
        return min((len(recorded.get(name, ())) for name in names), default=0)

    await eventually(rows, lambda count: count >= 11)


async def readings(
    recorder: Recorder, interval: Interval, within: Range, absences: Sequence[Range] = ()
) -> dict[Quantity, dict[datetime, int]]:
    """Return the records that start in a range."""
    all_series = [
        proposal.series(interval, "UTC", Direction.CONSUMPTION)
        for proposal in await recorder.proposals()
    ]
    values: dict[Quantity, dict[datetime, int]] = {quantity: {} for quantity in Quantity}
    async for chunk in catch_up(recorder, all_series, within, absences=absences):
        for reading in chunk.readings:
            records = reading.block.records(within)
            values[reading.block.series.quantity] |= {each.start: each.value for each in records}
    return values


async def test_hours_compiled_after_an_absence_are_missing(tmp_path: Path) -> None:
    since = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - 5 * HOUR
    hours = [since + n * HOUR for n in range(5)]
    async with Hass(tmp_path / "hass") as hass:
        token = await hass.api.long_lived_token()
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
            compiled_of_it = await readings(recorder, Interval.PT1H, within)
            energies, powers = [*ENERGIES_WH, 0, 0], [*POWERS_W, 400, 400]
            assert compiled_of_it == {
                Quantity.ENERGY: dict(zip(hours[1:], energies, strict=True)),
                Quantity.POWER: dict(zip(hours, powers, strict=True)),
            }
            # The last hour before is missing, too: nobody knows what the meter showed at its end.
            assert await readings(recorder, Interval.PT1H, within, [first]) == {
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
            compiled_of_it = await readings(recorder, Interval.PT1H, within)
            assert max(compiled_of_it[Quantity.ENERGY].values()) == AFTER_WH
            absences = [Range(first.start - HOUR, first.end - HOUR), second]
            assert await readings(recorder, Interval.PT1H, within, absences) == {
                Quantity.ENERGY: {since + HOUR: 500},
                Quantity.POWER: {since: 1_000, since + HOUR: 1_500},
            }
            fine = (await readings(recorder, Interval.PT5M, within, absences))[Quantity.ENERGY]
            assert max(fine) == since + LAST_SEEN - 2 * FIVE_MINUTES
            assert {at - since: wh for at, wh in fine.items() if wh} == {
                timedelta(minutes=85): 500,
                timedelta(minutes=135): 500,
            }
