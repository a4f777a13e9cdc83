"""From rows to records: holes, meters that start again, rounding, days of 23 and 25 hours."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

from hypothesis import given, strategies as st
import pytest

from consometers_node.household.readings import HOUR, Flag, Reading
from consometers_node.household.recorder.reading import (
    FIVE_MINUTES,
    Rows,
    changed,
    reach,
    read,
    wants_five_minutes,
)
from consometers_node.household.statistics import StatisticsRow
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
from testing.home_assistant.rows import energy_rows, means
from testing.home_assistant.toy import utc

DAY = date(2026, 11, 10)
MIDNIGHT = utc("2026-11-10")
HOURLY = Series(
    Device("sensor.drawn"), Direction.CONSUMPTION, Quantity.ENERGY, Interval.PT1H, "Europe/Paris"
)
FIVE, HALF, DAILY = (
    replace(HOURLY, interval=interval) for interval in (Interval.PT5M, Interval.PT30M, Interval.P1D)
)
POWER = replace(HOURLY, quantity=Quantity.POWER)


def values(series: Series, rows: Rows, day: date = DAY) -> list[int | None]:
    (reading,) = read(series, [day], rows)
    return list(reading.block.values)


def first(series: Series, rows: Rows, count: int) -> list[int | None]:
    series_values = values(series, rows)
    assert series_values[count:] == [None] * (len(series_values) - count)
    return series_values[:count]


def flags(series: Series, rows: Rows) -> dict[int, Flag]:
    (reading,) = read(series, [DAY], rows)
    return {start.hour: flag for start, flag in reading.flags.items()}


@pytest.mark.parametrize(
    ("sums", "records"),
    [
        ([100, 300, 350, 350], [200, 50, 0]),
        # The first row of all has no row before it: what its sum counts from, nobody knows.
        ([None, 300, 350], [None, 50]),
        # After a hole, the difference is of more than an hour.
        ([100, 300, None, 900, 950], [200, None, None, 50]),
        ([None, None, 900], [None, None]),
        ([], []),
        # Less than a Wh is not lost, and not counted twice.
        ([0, 0.4, 0.8, 1.2, 1.6, 2.0], [0, 1, 0, 1, 0]),
        ([0.5, 1.5, 2.5], [1, 1]),
        ([-2.5, -1.5, -0.5, 0.5], [1, 1, 1]),
        ([1_000_000_000.123, 1_000_000_042.123], [42]),
        # 70 kW for an hour is the most there is.
        ([0, 70_000, 140_001, 140_002], [70_000, None, 1]),
        ([500, 400, 450], [None, 50]),
    ],
)
def test_an_hour_is_the_difference_of_two_rows(
    sums: list[float | None], records: list[int | None]
) -> None:
    rows = Rows(hours=energy_rows(MIDNIGHT - HOUR, sums))
    assert first(HOURLY, rows, len(records)) == records


def test_rows_come_in_any_order() -> None:
    rows = energy_rows(MIDNIGHT - HOUR, [100, 300, 350])
    assert first(HOURLY, Rows(hours=rows[::-1]), 2) == [200, 50]


def test_a_row_without_a_sum_is_a_hole() -> None:
    rows = energy_rows(MIDNIGHT - HOUR, [100, 300, 350, 400])
    rows[1] = replace(rows[1], sum=None)
    assert first(HOURLY, Rows(hours=rows), 3) == [None, None, 50]


def test_impossible_energy_is_flagged_and_missing() -> None:
    rows = Rows(hours=energy_rows(MIDNIGHT - HOUR, [0, 100, 90, 200, 90_000, 90_100]))
    assert first(HOURLY, rows, 5) == [100, None, 110, None, 100]
    assert flags(HOURLY, rows) == {1: Flag.BACKWARDS, 3: Flag.ABSURD}


def test_a_register_that_restarts_keeps_its_sum_and_is_flagged() -> None:
    rows = Rows(
        hours=[
            StatisticsRow(start=MIDNIGHT - HOUR, sum=5_000, state=9_000),
            StatisticsRow(start=MIDNIGHT, sum=5_120, state=100),
            StatisticsRow(start=MIDNIGHT + HOUR, sum=5_220, state=200),
        ]
    )
    assert first(HOURLY, rows, 2) == [120, 100]
    assert flags(HOURLY, rows) == {0: Flag.RESTARTED}


def test_a_new_meter_with_a_higher_register_adds_no_energy() -> None:
    # Home Assistant takes the new register for the energy of that hour.
    rows = Rows(
        hours=[
            StatisticsRow(start=MIDNIGHT - HOUR, sum=5_000, state=9_000),
            StatisticsRow(start=MIDNIGHT, sum=3_000_000, state=3_004_000),
            StatisticsRow(start=MIDNIGHT + HOUR, sum=3_000_300, state=3_004_300),
        ]
    )
    assert first(HOURLY, rows, 2) == [None, 300]
    assert flags(HOURLY, rows) == {0: Flag.ABSURD}


# Holes


def fine(start: datetime, count: int, *, wh: float = 10, zero: float = 0) -> list[StatisticsRow]:
    """5-minute rows of a steady home, and the one before them."""
    sums = [zero + n * wh for n in range(count + 1)]
    return energy_rows(start - FIVE_MINUTES, sums, FIVE_MINUTES)


def test_twelve_parts_replace_a_missing_hour() -> None:
    hours = energy_rows(MIDNIGHT - HOUR, [100, 300, None, 540, 700])
    # The parts count from a zero of their own, as they do after an import.
    rows = Rows(hours=hours, five_minutes=fine(MIDNIGHT + HOUR, 24, zero=7_000))
    assert first(HOURLY, rows, 4) == [200, 120, 120, 160]
    assert flags(HOURLY, rows) == {1: Flag.FILLED, 2: Flag.FILLED}


@pytest.mark.parametrize("gone", range(13))
def test_an_hour_stays_missing_without_one_of_its_parts(gone: int) -> None:
    parts = fine(MIDNIGHT + HOUR, 12)
    del parts[gone]
    rows = Rows(hours=energy_rows(MIDNIGHT - HOUR, [100, 300]), five_minutes=parts)
    assert first(HOURLY, rows, 1) == [200]


def test_parts_do_not_replace_an_existing_hour() -> None:
    hours = energy_rows(MIDNIGHT - HOUR, [100, 300])
    rows = Rows(hours=hours, five_minutes=fine(MIDNIGHT, 12))
    assert first(HOURLY, rows, 1) == [200]
    assert flags(HOURLY, rows) == {}


def test_an_absurd_part_leaves_its_hour_missing() -> None:
    parts = energy_rows(MIDNIGHT - FIVE_MINUTES, [0, *range(6_000, 6_012)], FIVE_MINUTES)
    assert first(HOURLY, Rows(five_minutes=parts), 0) == []


def test_5_minute_rows_make_finer_series() -> None:
    rows = Rows(five_minutes=fine(MIDNIGHT, 13, wh=1.5))
    assert first(FIVE, rows, 13) == [2, 1] * 6 + [2]
    assert first(HALF, rows, 2) == [9, 9]


def test_half_an_hour_needs_all_six_parts() -> None:
    parts = fine(MIDNIGHT, 18)
    del parts[8]
    assert first(HALF, Rows(five_minutes=parts), 3) == [60, None, 60]


# Power


def test_power_is_a_mean_and_needs_no_row_before() -> None:
    rows = Rows(hours=means(MIDNIGHT, [100.4, None, 0, 99.5, -0.2]))
    assert first(POWER, rows, 5) == [100, None, 0, 100, 0]


def test_impossible_power_is_flagged_and_missing() -> None:
    rows = Rows(hours=means(MIDNIGHT, [-300, 70_001, 5]))
    assert first(POWER, rows, 3) == [None, None, 5]
    assert flags(POWER, rows) == {0: Flag.BACKWARDS, 1: Flag.ABSURD}


def test_power_of_a_missing_hour_is_the_mean_of_its_parts() -> None:
    parts = means(MIDNIGHT, [100] * 6 + [201] * 6, FIVE_MINUTES)
    assert first(POWER, Rows(five_minutes=parts), 1) == [151]
    assert flags(POWER, Rows(five_minutes=parts)) == {0: Flag.FILLED}
    assert first(POWER, Rows(five_minutes=parts[:11]), 0) == []


# Days


def hours_between(start: datetime, end: datetime) -> list[StatisticsRow]:
    """Rows of a steady home, and the one before them."""
    count = round((end - start) / HOUR)
    return energy_rows(start - HOUR, [n * 100 for n in range(count + 1)])


@pytest.mark.parametrize(
    ("day", "start", "end", "hours"),
    [
        (date(2026, 6, 9), "2026-06-09T22:00", "2026-06-10T22:00", 24),
        (date(2026, 3, 28), "2026-03-28T23:00", "2026-03-29T22:00", 23),
        (date(2026, 10, 24), "2026-10-24T22:00", "2026-10-25T23:00", 25),
    ],
)
def test_a_civil_day_has_23_to_25_hours(day: date, start: str, end: str, hours: int) -> None:
    rows = hours_between(utc(start), utc(end))
    assert values(DAILY, Rows(hours=rows), day) == [100 * hours]
    assert reach(DAILY, Range.of_day(day)) == Range(utc(start) - HOUR, utc(end))
    for gone in range(len(rows)):
        without = rows[:gone] + rows[gone + 1 :]
        assert values(DAILY, Rows(hours=without), day) == [None]


def test_a_day_is_the_sum_of_its_hours() -> None:
    start = utc("2026-11-10T23:00")
    rows = hours_between(start, start + 24 * HOUR)
    parts = fine(start + 3 * HOUR, 24)
    filled = Rows(hours=rows[:4] + rows[5:], five_minutes=parts)
    (reading,) = read(DAILY, [DAY], filled)
    assert reading.block.values == (22 * 100 + 2 * 120,)
    assert reading.flags == {start: Flag.FILLED}
    leap = [replace(row, sum=(row.sum or 0) + 100_000) for row in rows[4:]]
    (reading,) = read(DAILY, [DAY], Rows(hours=rows[:4] + leap))
    assert reading.block.values == (None,)
    assert reading.flags == {start: Flag.ABSURD}
    (reading,) = read(DAILY, [DAY], Rows(hours=rows[:4] + rows[5:]))
    assert reading == Reading(Block.of(DAILY, DAY, []), {})


def test_a_utc_day_may_begin_two_days_of_london_or_none() -> None:
    series = replace(DAILY, time_zone="Europe/London")
    assert values(series, Rows(), date(2026, 3, 29)) == [None, None]
    assert values(series, Rows(), date(2026, 10, 25)) == []


def test_a_day_that_begins_at_half_past_has_the_hours_that_begin_in_it() -> None:
    series = replace(DAILY, time_zone="Asia/Kolkata")
    rows = hours_between(utc("2026-11-10T19:00"), utc("2026-11-11T19:00"))
    assert values(series, Rows(hours=rows)) == [2_400]
    within = reach(series, Range.of_day(DAY))
    assert all(row.start in within for row in rows)


# What to ask for


def test_a_read_reaches_one_row_before_its_days() -> None:
    day = Range.of_day(DAY)
    assert reach(HOURLY, day) == Range(day.start - HOUR, day.end)
    assert reach(FIVE, day) == reach(HALF, day) == Range(day.start - FIVE_MINUTES, day.end)


def test_missing_hours_want_5_minute_rows() -> None:
    day = Range.of_day(DAY)
    rows = hours_between(day.start, day.end)
    assert wants_five_minutes(HOURLY, day, rows) is None
    hole = Range(day.start + 5 * HOUR - FIVE_MINUTES, day.start + 7 * HOUR)
    assert wants_five_minutes(HOURLY, day, rows[:6] + rows[7:]) == hole
    assert wants_five_minutes(FIVE, day, rows) == reach(FIVE, day)
    assert wants_five_minutes(POWER, day, means(day.start, [1] * 24)) is None


# What changed


def block(series: Series, *values: int | None) -> Block:
    starts = zip(series.starts(DAY), values, strict=False)
    return Block.of(series, DAY, [Record(at, value) for at, value in starts if value is not None])


def test_an_empty_day_is_no_change() -> None:
    assert changed(Reading(block(HOURLY)), None) is None
    assert changed(Reading(block(HOURLY, 0)), None) == Reading(block(HOURLY, 0))


def test_corrected_new_and_removed_hours_are_changes() -> None:
    block_before = block(HOURLY, 1, 2, 3)
    assert changed(Reading(block_before), block_before) is None
    for corrected in (block(HOURLY, 1, 5, 3), block(HOURLY, 1, 2, 3, 4), block(HOURLY, 1, 2)):
        assert changed(Reading(corrected), block_before) == Reading(corrected)


@pytest.mark.parametrize("series", [FIVE, HALF])
def test_stored_5_minute_records_outlive_those_of_the_recorder(series: Series) -> None:
    block_before = block(series, 1, 2, 3)
    assert changed(Reading(block(series, None, None, 3)), block_before) is None
    corrected = changed(Reading(block(series, None, 7, None, 4)), block_before)
    assert corrected == Reading(block(series, 1, 7, 3, 4))


# Whatever the rows

REGISTERS = st.lists(st.floats(0, 9_000, allow_nan=False), min_size=120, max_size=120)
GONE = st.sets(st.integers(0, 119), max_size=40)
FIRST = st.sampled_from(["2026-03-27T22:00", "2026-10-23T22:00", "2026-01-31T23:00"]).map(utc)


def from_steps(start: datetime, steps: Sequence[float], gone: set[int]) -> list[StatisticsRow]:
    sums: list[float | None] = []
    total = 0.0
    for number, step in enumerate(steps):
        total += step
        sums.append(None if number in gone else total)
    return energy_rows(start, sums)


@given(start=FIRST, steps=REGISTERS, gone=GONE)
def test_records_add_up_to_the_register_and_holes_stay_missing(
    start: datetime, steps: list[float], gone: set[int]
) -> None:
    rows = from_steps(start, steps, gone)
    sums = {row.start: row.sum for row in rows if row.sum is not None}
    days = list(Range(start, start + 120 * HOUR).days())
    readings = read(HOURLY, days, Rows(hours=rows))
    records = {record.start: record.value for each in readings for record in each.block.records()}
    # Just the hours with a row of their own and one before.
    assert set(records) == {at for at in sums if at - HOUR in sums}
    # Over any run of hours without a hole.
    began: datetime | None = None
    for at, register in sums.items():
        began = at if at not in records or began is None else began
        run = sum(value for when, value in records.items() if began < when <= at)
        assert abs(run - (register - sums[began])) <= 1
    # And a civil day is its hours, or missing.
    zone_days = read(DAILY, days, Rows(hours=rows))
    for day in (record for each in zone_days for record in each.block.records()):
        until = DAILY.end(day.start)
        hours = [day.start + n * HOUR for n in range(round((until - day.start) / HOUR))]
        assert day.value == sum(records[hour] for hour in hours)
    starts = {record.start for each in zone_days for record in each.block.records()}
    for at in (at for each in days for at in DAILY.starts(each)):
        count = round((DAILY.end(at) - at) / HOUR)
        assert (at in starts) == all(at + n * HOUR in records for n in range(count))


@given(
    sums=st.lists(st.none() | st.floats(-1e9, 1e9), max_size=30),
    parts=st.lists(st.none() | st.floats(-1e9, 1e9), max_size=60),
    interval=st.sampled_from(Interval),
    quantity=st.sampled_from(Quantity),
)
def test_any_rows_make_valid_blocks(
    sums: list[float | None],
    parts: list[float | None],
    interval: Interval,
    quantity: Quantity,
) -> None:
    make = energy_rows if quantity is Quantity.ENERGY else means
    rows = Rows(
        hours=make(MIDNIGHT - HOUR, sums),
        five_minutes=make(MIDNIGHT - FIVE_MINUTES, parts, FIVE_MINUTES),
    )
    series = replace(HOURLY, interval=interval, quantity=quantity)
    (reading,) = read(series, [DAY], rows)
    most = 70_000 * (25 if interval is Interval.P1D else 1)
    assert all(value is None or value <= most for value in reading.block.values)
    assert set(reading.flags) <= set(series.starts(DAY))
    assert reading.block.day == datetime(2026, 11, 10, tzinfo=UTC).date()
