"""Outages of Home Assistant: what it compiled of them is missing, and never zero."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import accumulate
from math import floor
from random import Random

from hypothesis import given, strategies as st
import pytest

from consometers_node.household.readings import HOUR, Flag, Reading
from consometers_node.household.recorder.client import Recorder
from consometers_node.household.recorder.errors import UnreadableAnswer
from consometers_node.household.recorder.reading import (
    FIVE_MINUTES,
    SETTLES,
    UNWRITTEN,
    Rows,
    absence,
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
from testing.home_assistant.toy import ToyHomeAssistant, utc

DAY = date(2026, 11, 10)
MIDNIGHT = utc("2026-11-10")
MINUTE = timedelta(minutes=1)
HOURLY = Series(
    Device("sensor.drawn"), Direction.CONSUMPTION, Quantity.ENERGY, Interval.PT1H, "UTC"
)
FIVE, HALF, DAILY = (
    replace(HOURLY, interval=interval) for interval in (Interval.PT5M, Interval.PT30M, Interval.P1D)
)
POWER = replace(HOURLY, quantity=Quantity.POWER)


# When it was off


@pytest.mark.parametrize(
    ("last_seen", "started", "off"),
    [
        # Nobody saw it before.
        (None, "10:00", None),
        # It ran on while the node was away.
        ("10:00", "09:00", None),
        ("10:00", "10:00", None),
        ("10:00", "11:00", ("10:00", "11:00")),
        # It has no state yet: it has only begun.
        ("10:00", None, ("10:00", "12:00")),
        (None, None, None),
        # Its clock is ahead, and stamps its rows.
        ("10:00", "12:01", ("10:00", "12:01")),
        # A clock was put back.
        ("13:00", "11:00", None),
        ("13:00", None, None),
    ],
)
def test_an_absence_lasts_from_the_last_sighting_to_the_next_start(
    last_seen: str | None, started: str | None, off: tuple[str, str] | None
) -> None:
    def at(clock: str | None) -> datetime | None:
        return None if clock is None else utc(f"2026-11-10T{clock}")

    result = absence(at(last_seen), at(started), utc("2026-11-10T12:00"))
    assert (result and (result.start, result.end)) == (off and (at(off[0]), at(off[1])))


async def test_the_oldest_state_dates_the_start_of_home_assistant(
    toy: ToyHomeAssistant, recorder: Recorder
) -> None:
    states = [
        {"entity_id": "sensor.a", "last_changed": "2026-11-10T11:00:00.5+01:00"},
        {"entity_id": "zone.home", "last_changed": "2026-11-10T09:58:01.250000+00:00"},
    ]
    for answer, started in ((states, utc("2026-11-10T09:58:01.250")), ([], None)):
        toy.answers["get_states"] = answer
        assert await recorder.started() == started
    nonsense: object
    for nonsense in ({}, ["sensor.a"], [{"last_changed": 1}], [{"last_changed": "today"}]):
        toy.answers["get_states"] = nonsense
        with pytest.raises(UnreadableAnswer):
            await recorder.started()


# Missing records


def rows(start: datetime, sums: Sequence[float], step: timedelta = HOUR) -> list[StatisticsRow]:
    """Return rows of energy; the first sum is that of the row before."""
    return energy_rows(start - step, sums, step)


def off(start: float, end: float) -> Range:
    """From one hour of the day to another."""
    return Range(MIDNIGHT + start * HOUR, MIDNIGHT + end * HOUR)


def block_values(
    series: Series, held: Rows, *absences: Range
) -> tuple[list[int | None], list[int]]:
    """The first records, and which of them are missing because Home Assistant was off."""
    (reading,) = read(series, [DAY], held, absences=absences)
    starts = list(series.starts(DAY))
    away = [starts.index(at) for at, flag in reading.flags.items() if flag is Flag.AWAY]
    count = max(len(held.hours), len(held.five_minutes)) - (series.quantity is Quantity.ENERGY)
    return list(reading.block.values)[:count], away


@pytest.mark.parametrize(
    ("absences", "sums", "records", "away"),
    [
        # From 1:30 to 4:30: the energy of three hours is in the last one.
        ([off(1.5, 4.5)], [0, 100, 150, 150, 150, 500, 600], [100, *4 * [None], 100], [1, 2, 3, 4]),
        # Without that knowledge the same rows are taken for measures.
        ([], [0, 100, 150, 150, 150, 500, 600], [100, 50, 0, 0, 350, 100], []),
        # Over one end of an hour, and over none.
        ([off(1.5, 2.5)], [0, 100, 150, 300, 400], [100, None, None, 100], [1, 2]),
        ([off(1.2, 1.8)], [0, 100, 200, 300, 400], [100, 100, 100, 100], []),
        # From the very end of an hour: its record may lack what was not written.
        ([off(2, 2.5)], [0, 100, 200, 300, 400], [100, None, None, 100], [1, 2]),
        ([off(2 + 1 / 59, 2.5)], [0, 100, 200, 300, 400], [100, 100, 100, 100], []),
        # It started just before the end of an hour, and has no fresh value yet.
        ([off(1.2, 1.95)], [0, 100, 150, 300, 400], [100, None, None, 100], [1, 2]),
        # The node was off since 0:30; Home Assistant ran until 3:30, and drew nothing at first.
        (
            [off(0.5, 4.5)],
            [0, 0, 0, 100, 150, 500, 600],
            [0, 0, 100, None, None, 100],
            [3, 4],
        ),
        # It was off since 0:30 or nothing was drawn: the rows are the same.
        ([off(0.5, 4.5)], [0, 0, 0, 0, 0, 500, 600], [*5 * [None], 100], [0, 1, 2, 3, 4]),
        # Twice.
        (
            [off(1.5, 2.5), off(4.5, 5.5)],
            [0, 100, 150, 300, 400, 450, 600, 700],
            [100, None, None, 100, None, None, 100],
            [1, 2, 4, 5],
        ),
        # More than a home can draw in an hour is not too much for four.
        ([off(0.5, 3.5)], [0, 100, 100, 100, 250_000, 250_100], [*4 * [None], 100], [0, 1, 2, 3]),
    ],
)
def test_rows_with_an_end_in_an_outage_are_missing(
    absences: list[Range],
    sums: list[float],
    records: list[int | None],
    away: list[int],
) -> None:
    assert block_values(HOURLY, Rows(hours=rows(MIDNIGHT, sums)), *absences) == (records, away)


@pytest.mark.parametrize(
    ("absences", "powers", "records", "away"),
    [
        (
            [off(1.5, 4.5)],
            [100, 150, 200, 200, 400, 500],
            [100, None, None, None, None, 500],
            [1, 2, 3, 4],
        ),
        ([off(1.2, 1.8)], [100, 150, 200], [100, 150, 200], []),
        # Home Assistant ran for long after the node was off.
        (
            [off(0.5, 6.5)],
            [100, 110, 120, 130, 200, 200, 400, 500],
            [100, 110, 120, None, None, None, None, 500],
            [3, 4, 5, 6],
        ),
    ],
)
def test_powers_frozen_by_an_outage_are_missing(
    absences: list[Range], powers: list[float], records: list[int | None], away: list[int]
) -> None:
    assert block_values(POWER, Rows(hours=means(MIDNIGHT, powers)), *absences) == (records, away)


def test_a_short_outage_costs_5_minute_records_and_no_half_hour() -> None:
    # From 0:07 to 0:16, and a fresh value at 0:18.
    held = Rows(five_minutes=rows(MIDNIGHT, [0, 10, 14, 14, 40, 50, 60], FIVE_MINUTES))
    outage = Range(MIDNIGHT + 7 * MINUTE, MIDNIGHT + 16 * MINUTE)
    assert block_values(FIVE, held, outage) == ([10, None, None, None, None, 10], [1, 2, 3, 4])
    (reading,) = read(HALF, [DAY], held, absences=[outage])
    assert reading == Reading(Block.of(HALF, DAY, [Record(MIDNIGHT, 60)]))


def test_a_day_around_an_outage_is_exact_and_a_day_cut_by_it_missing() -> None:
    drawn = [100.0] * 48
    sums = list(accumulate(drawn, initial=0.0))
    for hour in (5, 6, 7):
        sums[hour + 1] = sums[5]
    days = [DAY, date(2026, 11, 11)]
    readings = read(DAILY, days, Rows(hours=rows(MIDNIGHT, sums)), absences=[off(4.9, 8.5)])
    assert [reading.block.values for reading in readings] == [(2_400,), (2_400,)]
    assert [reading.flags for reading in readings] == [{}, {}]
    for hour in (23, 24):
        sums[hour + 1] = sums[23]
    readings = read(DAILY, days, Rows(hours=rows(MIDNIGHT, sums)), absences=[off(22.9, 25.5)])
    assert [reading.block.values for reading in readings] == [(None,), (None,)]
    assert [set(reading.flags.values()) for reading in readings] == [{Flag.AWAY}, {Flag.AWAY}]


def test_a_day_of_power_with_an_outage_is_missing() -> None:
    series = replace(DAILY, quantity=Quantity.POWER)
    held = Rows(hours=means(MIDNIGHT, [100] * 24))
    assert block_values(series, held, off(4.5, 4.8)) == ([100], [])
    assert block_values(series, held, off(4.5, 5.5)) == ([None], [0])


def test_a_hole_is_not_filled_with_rows_compiled_after_an_absence() -> None:
    # Hours 0 and 1 have no row; it was off from 0:40 to 1:20.
    sums = [0.0, *accumulate([10] * 8 + [0] * 8 + [90] + [10] * 7)]
    held = Rows(five_minutes=rows(MIDNIGHT, sums, FIVE_MINUTES))
    outage = Range(MIDNIGHT + 40 * MINUTE, MIDNIGHT + 80 * MINUTE)
    (reading,) = read(HOURLY, [DAY], held, absences=[outage])
    assert list(reading.block.records()) == []
    assert list(reading.flags.values()) == [Flag.AWAY, Flag.AWAY]
    (reading,) = read(HOURLY, [DAY], held)
    assert [record.value for record in reading.block.records()] == [80, 160]


def test_hours_of_an_absence_without_rows_are_holes() -> None:
    assert block_values(HOURLY, Rows(hours=rows(MIDNIGHT, [0, 100])), off(1.5, 9)) == ([100], [])


# Rows from before


@pytest.mark.parametrize("series", [FIVE, HALF])
def test_a_stored_zero_is_cleared_after_an_absence(series: Series) -> None:
    starts = series.starts(DAY)
    block = Block.of(series, DAY, [Record(start, 0) for start in starts[:4]])
    now = Reading(Block.of(series, DAY, [Record(starts[0], 7)]), {starts[1]: Flag.AWAY})
    result = changed(now, block)
    assert result is not None
    # The third and the fourth the recorder let go.
    assert result.block.values[:5] == (7, None, 0, 0, None)
    assert changed(now, result.block) is None


def test_a_stored_hour_is_cleared_after_an_absence() -> None:
    start = MIDNIGHT
    block = Block.of(HOURLY, DAY, [Record(start, 0)])
    now = Reading(Block.of(HOURLY, DAY, []), {start: Flag.AWAY})
    assert changed(now, block) == now
    assert changed(now, None) is None


# What to ask for


def test_a_read_reaches_one_day_into_an_absence_after_its_days() -> None:
    day = Range.of_day(DAY)
    for series in (HOURLY, FIVE):
        without = reach(series, day)
        assert reach(series, day, [off(1, 5), off(30, 31)]) == without
        assert reach(series, day, [off(20, 29)]) == Range(without.start, MIDNIGHT + 29 * HOUR)
        assert reach(series, day, [off(20, 99)]) == Range(without.start, MIDNIGHT + 48 * HOUR)
        assert wants_five_minutes(FIVE, day, (), [off(20, 29)]) == reach(FIVE, day, [off(20, 29)])


# Whatever happens

SINCE = utc("2026-11-09T21:00")
MINUTES = 60 * 60
UNTIL = SINCE + MINUTES * MINUTE


@dataclass(frozen=True)
class Outage:
    """Minutes: when the node last saw it, the last that it wrote, when it started, knew again."""

    seen: int
    stopped: int
    started: int
    fresh: int

    @property
    def absence(self) -> Range:
        return Range(SINCE + self.seen * MINUTE, SINCE + self.started * MINUTE)


@dataclass(frozen=True)
class House:
    """The energy of each minute, in Wh, and the outages of Home Assistant."""

    drawn: list[int]
    outages: list[Outage]

    def knows(self, minute: int) -> int:
        """Return the last minute whose register Home Assistant knows then."""
        for outage in self.outages:
            if outage.stopped <= minute < outage.fresh:
                return outage.stopped
        return minute

    def rows(self, step: timedelta) -> list[StatisticsRow]:
        """What the recorder compiles, in the end."""
        registers = [0, *accumulate(self.drawn)]
        length = step // MINUTE
        rows = []
        for start in range(0, MINUTES, length):
            minutes = [self.knows(minute) for minute in range(start, start + length)]
            powers = [60 * self.drawn[min(minute, MINUTES - 1)] for minute in minutes]
            register = registers[self.knows(start + length)]
            at = SINCE + start * MINUTE
            rows.append(
                StatisticsRow(start=at, sum=register, state=register, mean=sum(powers) / length)
            )
        return rows

    def truth(self, quantity: Quantity, start: datetime, end: datetime) -> int:
        drawn = self.drawn[(start - SINCE) // MINUTE : (end - SINCE) // MINUTE]
        if quantity is Quantity.ENERGY:
            return sum(drawn)
        return floor(60 * sum(drawn) / len(drawn) + 0.5)


@st.composite
def houses(draw: st.DrawFn) -> House:
    random = Random(draw(st.integers(0, 2**32)))
    drawn: list[int] = []
    while len(drawn) < MINUTES:
        # A night without sun, a steady load, a kettle.
        most = random.choice([0, 0, 1, 40])
        drawn += [random.randint(0, most) for _ in range(random.choice([3, 60, 500]))]
    outages: list[Outage] = []
    minute = 70
    for _ in range(draw(st.integers(0, 4))):
        seen = minute + draw(st.integers(0, 300))
        # What it learned in the last minute may be lost.
        stopped = seen + draw(st.sampled_from([-1, 0, 1]) | st.integers(0, 400))
        started = max(stopped + draw(st.integers(0, 15) | st.integers(0, 600)), seen + 1)
        fresh = started + draw(st.integers(0, SETTLES // MINUTE))
        outages.append(Outage(seen, stopped, started, fresh))
        minute = fresh + 2
    return House(drawn[:MINUTES], [outage for outage in outages if outage.fresh < MINUTES - 70])


def records(series: Series, house: House, lost: set[int]) -> Iterator[tuple[datetime, int | None]]:
    """Yield each record that the rows could make, with None where there is none."""
    days = list(Range(SINCE, UNTIL).days())
    hours = [row for number, row in enumerate(house.rows(HOUR)) if number not in lost]
    held = Rows(hours=hours, five_minutes=house.rows(FIVE_MINUTES))
    absences = [outage.absence for outage in house.outages]
    for reading in read(series, days, held, absences=absences):
        for start, value in zip(
            series.starts(reading.block.day), reading.block.values, strict=True
        ):
            if start >= SINCE + HOUR and series.end(start) <= UNTIL:
                yield start, value


@given(
    house=houses(),
    interval=st.sampled_from(Interval),
    quantity=st.sampled_from(Quantity),
    lost=st.sets(st.integers(0, 59), max_size=5),
)
def test_records_are_true_or_missing(
    house: House, interval: Interval, quantity: Quantity, lost: set[int]
) -> None:
    series = replace(HOURLY, interval=interval, quantity=quantity)
    energy = quantity is Quantity.ENERGY
    for start, value in records(series, house, lost):
        end = series.end(start)
        doubts = [
            Range(outage.absence.start - UNWRITTEN, outage.absence.end + SETTLES)
            for outage in house.outages
        ]
        touching = [doubt for doubt in doubts if doubt.start < end and start <= doubt.end]
        if value is None:
            assert touching
        elif energy or not touching:
            assert value == house.truth(quantity, start, end)
        if (
            energy
            and interval is Interval.P1D
            and touching
            == [doubt for doubt in doubts if Range(start + MINUTE, end - MINUTE).covers(doubt)]
        ):
            assert value is not None


@given(house=houses(), quantity=st.sampled_from(Quantity))
def test_hours_with_an_end_in_an_outage_are_missing(house: House, quantity: Quantity) -> None:
    series = replace(HOURLY, quantity=quantity)
    for start, value in records(series, house, set()):
        for outage in house.outages:
            away = Range(SINCE + outage.stopped * MINUTE, outage.absence.end)
            # What it showed as it stopped was seen.
            if any(away.start < end < away.end for end in (start, series.end(start))):
                assert value is None


@given(
    house=houses(),
    interval=st.sampled_from([Interval.PT1H, Interval.PT5M]),
    lost=st.sets(st.integers(0, 59), max_size=20),
    has_fine=st.booleans(),
)
def test_records_do_not_depend_on_the_days_read_with_them(
    house: House, interval: Interval, lost: set[int], *, has_fine: bool
) -> None:
    series = replace(HOURLY, interval=interval)
    absences = [outage.absence for outage in house.outages]
    hours = [row for number, row in enumerate(house.rows(HOUR)) if number not in lost]
    fine = house.rows(FIVE_MINUTES) if has_fine else []

    def known_rows(held: list[StatisticsRow], within: Range) -> list[StatisticsRow]:
        return [row for row in held if row.start in within]

    days = list(Range(SINCE, UNTIL).days())
    whole = read(series, days, Rows(hours=hours, five_minutes=fine), absences=absences)
    for day, reading in zip(days, whole, strict=True):
        within = reach(series, Range.of_day(day), absences)
        alone = Rows(hours=known_rows(hours, within), five_minutes=known_rows(fine, within))
        assert read(series, [day], alone, absences=absences) == [reading]
