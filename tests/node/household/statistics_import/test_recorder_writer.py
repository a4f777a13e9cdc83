"""Rows of an imported statistic, written where they have to be and seen there."""

from datetime import datetime

import pytest

from consometers_node.household.recorder.client import Recorder, external
from consometers_node.household.recorder.home_assistant import HomeAssistant
from consometers_node.household.statistics_import.hours import SeriesKind, States
from consometers_node.household.statistics_import.recorder_writer import RecorderWriter
from testing.home_assistant.importing_toy import GRID, ImportingToy
from testing.home_assistant.rows import DAY, HOUR, no_rest
from testing.home_assistant.toy import utc

FIRST = utc("2025-01-01")


@pytest.fixture
def new_toy() -> ImportingToy:
    return ImportingToy()


def writing(home: HomeAssistant, kind: SeriesKind = SeriesKind.LOAD_CURVE) -> RecorderWriter:
    return RecorderWriter(Recorder(home), external(GRID), "Grid", kind, rest=no_rest)


def days(states: dict[int, float]) -> States:
    return {FIRST + n * DAY: state for n, state in states.items()}


def rows(toy: ImportingToy) -> list[tuple[float, float]]:
    return [(row["state"], row["sum"]) for row in toy.hours[GRID]]


def asked_since(toy: ImportingToy, count: int) -> list[datetime]:
    return [
        datetime.fromisoformat(message["start_time"])
        for message in toy.asked[count:]
        if message["type"] == "recorder/statistics_during_period"
    ]


async def test_a_reading_between_two_others_changes_no_later_sum(
    toy: ImportingToy, home: HomeAssistant
) -> None:
    writer = writing(home, SeriesKind.REGISTER)
    await writer.put(days({0: 5_000, 400: 9_000}))
    assert await writer.put(days({100: 6_000})) == 1
    assert rows(toy) == [(5_000, 0), (6_000, 1_000), (9_000, 4_000)]
    await writer.put(days({500: 12}))
    assert rows(toy)[-1] == (12, 4_012)


async def test_only_rows_that_changed_are_written(toy: ImportingToy, home: HomeAssistant) -> None:
    writer = writing(home)
    states = {FIRST + n * HOUR: 100.0 for n in range(2_500)}
    assert await writer.put(states) == 2_500
    assert [len(batch) for batch in toy.imports] == [744, 744, 744, 268]
    toy.imports.clear()
    assert await writer.put(states) == 0
    assert await writer.put({FIRST + 2_400 * HOUR: 101.0}) == 100
    assert [len(batch) for batch in toy.imports] == [100]


async def test_an_unchanged_value_ends_the_read(toy: ImportingToy, home: HomeAssistant) -> None:
    writer = writing(home)
    await writer.put({FIRST + n * HOUR: 100.0 for n in range(5_000)})
    count = len(toy.asked)
    assert await writer.put({FIRST + 800 * HOUR: 100.0}) == 0
    assert max(asked_since(toy, count)) == FIRST + 800 * HOUR
