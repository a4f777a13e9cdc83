"""Years read month by month, a past that was corrected, and a Home Assistant that goes away."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from consometers_node.household.readings import Chunk, Flag
from consometers_node.household.recorder.backfill import catch_up, read_again
from consometers_node.household.recorder.client import Recorder
from consometers_node.household.recorder.errors import TooMuch, UnreadableAnswer
from consometers_node.household.statistics import StatisticId
from consometers_node.i18n.text import verbatim
from consometers_node.series import (
    Block,
    Device,
    Direction,
    Interval,
    Quantity,
    Range,
    Record,
    Series,
)
from testing.home_assistant.rows import DAY, HOUR, no_rest, rows
from testing.home_assistant.toy import ToyHomeAssistant, asked, connection, ms, utc

NOW = utc("2026-11-24T12:30")


def series_of(
    name: str = "sensor.drawn",
    interval: Interval = Interval.PT1H,
    quantity: Quantity = Quantity.ENERGY,
) -> Series:
    return Series(Device(name), Direction.CONSUMPTION, quantity, interval, "Europe/Paris")


async def caught_up(recorder: Recorder, within: Range, *some: Series) -> list[Chunk]:
    return [chunk async for chunk in catch_up(recorder, some, within, rest=no_rest)]


def total(chunks: list[Chunk]) -> int:
    return sum(
        record.value for c in chunks for each in c.readings for record in each.block.records()
    )


async def test_a_range_is_read_month_by_month_with_the_row_before(
    toy: ToyHomeAssistant, recorder: Recorder
) -> None:
    start, end = utc("2026-01-20"), utc("2026-04-02")
    toy.hours["sensor.drawn"] = rows(start, round((end - start) / HOUR))
    chunks = await caught_up(recorder, Range(start, end), series_of())
    assert asked(toy) == [
        ("2026-01-19T23:00", "2026-02-01T00:00", 1),
        ("2026-01-31T23:00", "2026-03-01T00:00", 1),
        ("2026-02-28T23:00", "2026-04-01T00:00", 1),
        ("2026-03-31T23:00", "2026-04-02T00:00", 1),
    ]
    assert asked(toy, "5minute") == []
    assert {message["units"]["energy"] for message in toy.asked} == {"Wh"}
    assert total(chunks) == 100 * (end - start) / HOUR
    assert [len(chunk.readings) for chunk in chunks] == [12, 28, 31, 1]


async def test_a_range_is_read_in_whole_days(recorder: Recorder) -> None:
    (chunk,) = await caught_up(
        recorder, Range(utc("2026-01-20T05:00"), utc("2026-01-21T07:00")), series_of()
    )
    assert chunk.days == Range(utc("2026-01-20"), utc("2026-01-22"))
    assert chunk.readings == []


async def test_a_request_has_up_to_eight_statistics_with_all_their_series(
    toy: ToyHomeAssistant, recorder: Recorder
) -> None:
    within = Range(utc("2026-01-20"), utc("2026-02-02"))
    some = [series_of(f"sensor.meter_{number}") for number in range(9)]
    daily = series_of("sensor.meter_0", Interval.P1D)
    toy.hours["sensor.meter_0"] = rows(utc("2026-01-19"), 24 * 16)
    chunks = await caught_up(recorder, within, *some, daily)
    assert [len(chunk.series) for chunk in chunks] == [9, 1, 9, 1]
    assert [count for _, _, count in asked(toy)] == [8, 1, 8, 1]
    # A civil day of Paris that begins on the last day of January ends in February.
    assert asked(toy)[0][1] == "2026-02-01T23:00"
    days = [
        reading.block for c in chunks for reading in c.readings if reading.block.series == daily
    ]
    assert [block.values for block in days] == [(2_400,)] * 13


async def test_holes_are_filled_by_weekly_requests_of_5_minute_rows(
    toy: ToyHomeAssistant, recorder: Recorder
) -> None:
    start = utc("2026-11-01")
    toy.hours["sensor.drawn"] = rows(start, 24 * 20)
    del toy.hours["sensor.drawn"][24 * 2 + 1 : 24 * 18]
    parts = rows(utc("2026-11-18T23:00"), 24, wh=5, step=timedelta(minutes=5))
    toy.five_minutes["sensor.drawn"] = parts
    chunks = await caught_up(recorder, Range(start, start + 20 * DAY), series_of())
    assert asked(toy, "5minute") == [
        ("2026-11-02T23:55", "2026-11-09T23:55", 1),
        ("2026-11-09T23:55", "2026-11-16T23:55", 1),
        ("2026-11-16T23:55", "2026-11-19T00:00", 1),
    ]
    missing = 24 * 16
    assert total(chunks) == 100 * (24 * 20 - missing) + 60


async def test_5_minute_series_ask_for_no_hours(toy: ToyHomeAssistant, recorder: Recorder) -> None:
    start = utc("2026-11-18")
    toy.five_minutes["sensor.drawn"] = rows(start, 288, wh=5, step=timedelta(minutes=5))
    some = series_of(interval=Interval.PT5M), series_of(interval=Interval.PT30M)
    chunks = await caught_up(recorder, Range(start, start + DAY), *some)
    assert asked(toy) == []
    assert len(asked(toy, "5minute")) == 1
    assert total(chunks) == 2 * 288 * 5


async def test_powers_are_read_beside_energies(toy: ToyHomeAssistant, recorder: Recorder) -> None:
    start = utc("2026-11-18")
    toy.hours["sensor.power"] = [{"start": ms(start), "end": 0, "mean": 230.6}]
    power = series_of("sensor.power", quantity=Quantity.POWER)
    (chunk,) = await caught_up(recorder, Range(start, start + DAY), series_of(), power)
    assert list(chunk.readings[0].block.records()) == [Record(start, 231)]


async def test_home_assistant_rests_as_long_as_it_worked(
    toy: ToyHomeAssistant, recorder: Recorder
) -> None:
    rests: list[float] = []

    async def rest(seconds: float) -> None:
        rests.append(seconds)

    within = Range(utc("2026-01-01"), utc("2026-03-01"))
    async for _ in catch_up(recorder, [series_of()], within, rest=rest):
        pass
    assert len(rests) == len(toy.asked)
    assert all(0 < seconds < 10 for seconds in rests)


async def test_a_lost_connection_resumes_the_backfill(
    toy: ToyHomeAssistant, recorder: Recorder
) -> None:
    start, end = utc("2026-01-20"), utc("2026-04-02")
    toy.hours["sensor.drawn"] = rows(start, round((end - start) / HOUR))
    toy.hangs_up_at = {2, 3, 5}
    chunks = await caught_up(recorder, Range(start, end), series_of())
    assert total(chunks) == 100 * (end - start) / HOUR
    assert toy.logins == 4
    assert len(toy.asked) == 4 + 3


async def test_a_request_is_split_when_its_answer_is_too_large(toy: ToyHomeAssistant) -> None:
    start = utc("2026-11-01")
    names = [f"sensor.meter_{number}" for number in range(5)]
    for name in names:
        toy.hours[name] = rows(start, 24 * 20)
    some = [series_of(name) for name in names]
    within = Range(start, start + 20 * DAY)
    async with connection(toy, max_answer_bytes=60_000) as home:
        assert total(await caught_up(Recorder(home), within, *some)) == 5 * 480 * 100
    assert [count for *_, count in asked(toy)] == [5, 2, 1, 1, 3, 1, 2, 1, 1]
    async with connection(toy, max_answer_bytes=1_000) as home:
        with pytest.raises(TooMuch):
            await caught_up(Recorder(home), within, *some)


# Again


async def again(recorder: Recorder, blocks: list[Block], *some: Series) -> list[Block]:
    chunks = [chunk async for chunk in read_again(recorder, some, NOW, blocks, rest=no_rest)]
    return [reading.block for chunk in chunks for reading in chunk.readings]


async def test_a_second_read_finds_nothing_new(toy: ToyHomeAssistant, recorder: Recorder) -> None:
    toy.hours["sensor.drawn"] = rows(utc("2026-11-01"), 24 * 23 + 12)
    blocks = await again(recorder, [], series_of())
    assert [block.day.day for block in blocks] == list(range(17, 25))
    assert blocks[-1].values == (100,) * 12 + (None,) * 12
    assert await again(recorder, blocks, series_of()) == []


async def test_a_second_read_returns_changed_days_alone(
    toy: ToyHomeAssistant, recorder: Recorder
) -> None:
    toy.hours["sensor.drawn"] = rows(utc("2026-11-01"), 24 * 23 + 12)
    blocks = await again(recorder, [], series_of())
    # adjust_sum: every sum from then on.
    for row in toy.hours["sensor.drawn"]:
        if row["start"] >= ms(utc("2026-11-20T10:00")):
            row["sum"] += 50
    (block,) = await again(recorder, blocks, series_of())
    assert (block.day.day, block.values[9:12]) == (20, (100, 150, 100))
    # A range that was cleared: the hour after it has no row before.
    blocks = [block if block.day == day_block.day else day_block for day_block in blocks]
    held = toy.hours["sensor.drawn"]
    gone = ms(utc("2026-11-22T22:00")), ms(utc("2026-11-23T00:00"))
    toy.hours["sensor.drawn"] = [row for row in held if not gone[0] <= row["start"] < gone[1]]
    cleared = await again(recorder, blocks, series_of())
    assert [(block.day.day, block.values.index(None)) for block in cleared] == [(22, 22), (23, 0)]


# While Home Assistant was off


def outage(start: datetime) -> tuple[list[Any], Range]:
    """Rows of a steady home a day around a start, and when it was off: from half an hour after."""
    held = rows(start - DAY, 48)
    for row in held:
        if start <= datetime.fromtimestamp(row["start"] / 1000, UTC) < start + 2 * HOUR:
            row["sum"] = 24 * 100 + 50
    return held, Range(start + HOUR / 2, start + 5 * HOUR / 2)


async def test_rows_compiled_during_an_absence_are_missing(
    toy: ToyHomeAssistant, recorder: Recorder
) -> None:
    start = utc("2026-01-31T23:00")
    toy.hours["sensor.drawn"], off = outage(start)
    toy.hours["portal:drawn"] = toy.hours["sensor.drawn"]
    own, imported = series_of(), series_of("portal:drawn")
    within = Range(start - DAY, start + DAY)
    chunks = [
        chunk
        async for chunk in catch_up(recorder, [own, imported], within, absences=[off], rest=no_rest)
    ]
    records_by_start = {record.start: record.value for c in chunks for record in records(c, own)}
    missing = {start, start + HOUR, start + 2 * HOUR}
    assert missing.isdisjoint(records_by_start)
    # Imported energy was measured elsewhere.
    assert missing < {record.start for c in chunks for record in records(c, imported)}
    # January is read with what the absence of its end needs of February.
    assert asked(toy)[0][1] == "2026-02-01T01:30"


async def test_a_newly_known_absence_clears_stored_zeros(
    toy: ToyHomeAssistant, recorder: Recorder
) -> None:
    start = utc("2026-11-20T08:00")
    toy.hours["sensor.drawn"], off = outage(start)
    blocks = await again(recorder, [], series_of())
    chunks = [
        chunk
        async for chunk in read_again(
            recorder, [series_of()], NOW, blocks, absences=[off], rest=no_rest
        )
    ]
    (reading,) = (reading for chunk in chunks for reading in chunk.readings)
    assert [block.values[8:11] for block in blocks if block.day.day == 20] == [(50, 0, 250)]
    assert reading.block.values[6:12] == (100, 100, None, None, None, 100)
    assert set(reading.flags.values()) == {Flag.AWAY}


def records(chunk: Chunk, series: Series) -> list[Record]:
    blocks = [reading.block for reading in chunk.readings if reading.block.series == series]
    return [record for block in blocks for record in block.records()]


# Reading again


async def test_imported_statistics_are_read_again_over_more_days(
    toy: ToyHomeAssistant, recorder: Recorder
) -> None:
    await again(recorder, [], series_of("enedis:drawn"), series_of())
    assert [start for start, _, _ in asked(toy)] == ["2026-11-16T23:00", "2026-10-19T23:00"]


# What the recorder answers


async def test_proposals_come_with_and_without_a_dashboard(
    toy: ToyHomeAssistant, recorder: Recorder
) -> None:
    listed = {"unit_class": "energy", "has_sum": True, "source": "recorder"}
    toy.answers["recorder/list_statistic_ids"] = [
        {"statistic_id": "sensor.a", **listed},
        {"statistic_id": "sensor.b", **listed},
    ]
    toy.answers["get_states"] = []
    assert [proposal.statistic.id for proposal in await recorder.proposals()] == [
        "sensor.a",
        "sensor.b",
    ]
    grid = {"type": "grid", "stat_energy_from": "sensor.b", "stat_energy_to": None}
    toy.answers["energy/get_prefs"] = {"energy_sources": [grid], "device_consumption": []}
    first, second = await recorder.proposals()
    assert (first.statistic.id, first.direction) == ("sensor.b", Direction.CONSUMPTION)
    assert (second.statistic.id, second.direction) == ("sensor.a", None)
    for derived in ("home_drawn", "collective_consumption_today"):
        toy.answers["config/entity_registry/list_for_display"] = {
            "entities": [
                {"ei": "sensor.a", "pl": "consometers", "tk": derived},
                {"ei": "sensor.b", "pl": "consometers", "tk": derived},
                {"ei": "sensor.none"},
            ]
        }
        (only,) = await recorder.proposals()
        assert only.statistic.id == "sensor.b"


async def test_statistics_have_the_names_of_their_entities(
    toy: ToyHomeAssistant, recorder: Recorder
) -> None:
    listed = {"unit_class": "energy", "has_sum": True}
    toy.answers["recorder/list_statistic_ids"] = [
        {"statistic_id": "portal:roof", "name": "The portal's roof", "source": "portal", **listed},
        {"statistic_id": "sensor.drawn", "name": None, "source": "recorder", **listed},
        {"statistic_id": "sensor.gone", "name": None, "source": "recorder", **listed},
    ]
    toy.answers["get_states"] = [
        {"entity_id": "sensor.drawn", "attributes": {"friendly_name": "Linky Énergie soutirée"}},
        {"entity_id": "sensor.gone", "attributes": {}},
        "no state",
    ]
    names = [proposal.statistic.name for proposal in await recorder.proposals()]
    assert names == [verbatim("The portal's roof"), verbatim("Linky Énergie soutirée"), None]


async def test_the_time_zone_comes_from_home_assistant(
    toy: ToyHomeAssistant, recorder: Recorder
) -> None:
    toy.answers["get_config"] = {"time_zone": "Indian/Reunion", "language": "fr"}
    assert await recorder.time_zone() == "Indian/Reunion"
    toy.answers["get_config"] = []
    with pytest.raises(UnreadableAnswer):
        await recorder.time_zone()


@pytest.mark.parametrize("answer", [["row"], [{"sum": 1}], {"start": 1}, "rows"])
async def test_rows_of_another_form_are_unreadable(
    toy: ToyHomeAssistant, recorder: Recorder, answer: Any
) -> None:
    toy.answers["recorder/statistics_during_period"] = {"sensor.drawn": answer}
    with pytest.raises(UnreadableAnswer):
        await recorder.rows([StatisticId("sensor.drawn")], "hour", Range(NOW, NOW + DAY))
