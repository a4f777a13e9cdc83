"""Rows of an imported statistic, written where they have to be and seen there."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from consometers_node.household import HomeAssistant, Recorder
from consometers_node.household.hours import Kind, States
from consometers_node.household.recorder import external
from consometers_node.household.recorder_writer import Writing

from .keeping import GRID, Keeping
from .toy import connection, serving, utc

pytestmark = pytest.mark.usefixtures("socket_enabled")

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
FIRST = utc("2025-01-01")


async def no_rest(_: float) -> None:
    await asyncio.sleep(0)


@pytest.fixture
async def toy() -> AsyncIterator[Keeping]:
    toy = Keeping()
    async with serving(toy):
        yield toy


@pytest.fixture
async def home(toy: Keeping) -> AsyncIterator[HomeAssistant]:
    async with connection(toy) as home:
        yield home


def writing(home: HomeAssistant, kind: Kind = Kind.LOAD_CURVE) -> Writing:
    return Writing(Recorder(home), external(GRID), "Grid", kind, rest=no_rest)


def days(states: dict[int, float]) -> States:
    return {FIRST + n * DAY: state for n, state in states.items()}


def rows(toy: Keeping) -> list[tuple[float, float]]:
    return [(row["state"], row["sum"]) for row in toy.hours[GRID]]


def asked_since(toy: Keeping, count: int) -> list[datetime]:
    return [
        datetime.fromisoformat(message["start_time"])
        for message in toy.asked[count:]
        if message["type"] == "recorder/statistics_during_period"
    ]


async def test_days_in_any_order_end_as_the_same_rows(toy: Keeping, home: HomeAssistant) -> None:
    one = writing(home, Kind.DAILY)
    await one.put(days({400: 7}))
    await one.put(days({0: 10, 1: 20}))
    await one.put(days({90: 30}))
    assert rows(toy) == [(10, 10), (20, 30), (30, 60), (7, 67)]


async def test_a_reading_between_two_others_moves_no_sum(toy: Keeping, home: HomeAssistant) -> None:
    one = writing(home, Kind.REGISTER)
    await one.put(days({0: 5_000, 400: 9_000}))
    assert await one.put(days({100: 6_000})) == 1
    assert rows(toy) == [(5_000, 0), (6_000, 1_000), (9_000, 4_000)]
    await one.put(days({500: 12}))
    assert rows(toy)[-1] == (12, 4_012)


async def test_only_rows_that_changed_are_written(toy: Keeping, home: HomeAssistant) -> None:
    one = writing(home)
    states = {FIRST + n * HOUR: 100.0 for n in range(2_500)}
    assert await one.put(states) == 2_500
    assert [len(batch) for batch in toy.imports] == [744, 744, 744, 268]
    toy.imports.clear()
    assert await one.put(states) == 0
    assert await one.put({FIRST + 2_400 * HOUR: 101.0}) == 100
    assert [len(batch) for batch in toy.imports] == [100]


async def test_what_is_as_it_was_is_not_read_to_the_end(toy: Keeping, home: HomeAssistant) -> None:
    one = writing(home)
    await one.put({FIRST + n * HOUR: 100.0 for n in range(5_000)})
    count = len(toy.asked)
    assert await one.put({FIRST + 800 * HOUR: 100.0}) == 0
    assert max(asked_since(toy, count)) == FIRST + 800 * HOUR


async def test_rows_from_before_this_start_are_found_and_gone_on_with(
    toy: Keeping, home: HomeAssistant
) -> None:
    await writing(home).put(days({0: 10, 1: 20}))
    later = writing(home)
    await later.look()
    assert (later.first, later.last) == (FIRST, FIRST + DAY)
    await later.put(days({300: 5}))
    assert rows(toy) == [(10, 10), (20, 30), (5, 35)]


async def test_nothing_to_put_asks_nothing(toy: Keeping, home: HomeAssistant) -> None:
    assert await writing(home).put({}) == 0
    assert toy.asked == []
