"""The node's nouns: days of 23 and 25 hours, blocks, and what is missing."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, strategies as st
import pytest

from consometers_node.series import (
    Block,
    Device,
    Direction,
    Interval,
    OffTheGrid,
    Quantity,
    Range,
    Record,
    Series,
)

HOURLY = Series(
    Device("meter"), Direction.CONSUMPTION, Quantity.ENERGY, Interval.PT1H, "Europe/Paris"
)
DAILY = replace(HOURLY, interval=Interval.P1D)
DAY = date(2026, 3, 29)

ZONES = ["Europe/Paris", "Europe/London", "America/Santiago", "Pacific/Auckland", "Asia/Beirut"]
SERIES = st.builds(
    Series,
    st.just(Device("meter")),
    st.sampled_from(Direction),
    st.sampled_from(Quantity),
    st.sampled_from(Interval),
    st.sampled_from(ZONES),
)
DAYS = st.dates(date(2015, 1, 1), date(2035, 12, 31))
INSTANTS = st.integers(1_700_000_000, 1_705_000_000).map(
    lambda seconds: datetime.fromtimestamp(seconds, UTC)
)
RANGES = st.builds(
    lambda start, length: Range(start, start + length),
    INSTANTS,
    st.timedeltas(timedelta(), timedelta(40)),
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@st.composite
def blocks(draw: st.DrawFn) -> Block:
    series, day = draw(SERIES), draw(DAYS)
    values = st.none() | st.integers(0, 2**64 - 2) | st.integers(0, 300)
    count = len(series.starts(day))
    return Block(series, day, tuple(draw(st.lists(values, min_size=count, max_size=count))))


@pytest.mark.parametrize(
    ("interval", "count"), [(Interval.PT5M, 288), (Interval.PT30M, 48), (Interval.PT1H, 24)]
)
@given(day=DAYS)
def test_a_utc_day_is_full_of_intervals(interval: Interval, count: int, day: date) -> None:
    starts = replace(HOURLY, interval=interval).starts(day)
    assert len(starts) == count
    assert starts[0] == Range.of_day(day).start
    assert {start.date() for start in starts} == {day}


@pytest.mark.parametrize(
    ("zone", "day", "starts"),
    [
        ("Europe/Paris", "2026-01-10", ["2026-01-10T23:00"]),
        ("Europe/Paris", "2026-07-10", ["2026-07-10T22:00"]),
        ("Europe/London", "2026-03-29", ["2026-03-29T00:00", "2026-03-29T23:00"]),
        ("Europe/London", "2026-10-25", []),
        # Midnight does not exist: the day starts at one o'clock.
        ("America/Santiago", "2026-09-06", ["2026-09-06T04:00"]),
        # The one day that Samoa left out is no second day at the same instant.
        ("Pacific/Apia", "2011-12-30", ["2011-12-30T10:00"]),
        ("Pacific/Kiritimati", "2026-01-10", ["2026-01-10T10:00"]),
        ("Pacific/Pago_Pago", "2026-01-10", ["2026-01-10T11:00"]),
    ],
)
def test_civil_days_start_on_a_utc_day(zone: str, day: str, starts: list[str]) -> None:
    series = replace(DAILY, time_zone=zone)
    assert series.starts(date.fromisoformat(day)) == tuple(map(at, starts))


@pytest.mark.parametrize(
    ("start", "hours"),
    [("2026-03-28T23:00", 23), ("2026-10-24T22:00", 25), ("2026-07-13T22:00", 24)],
)
def test_civil_days_last_23_to_25_hours(start: str, hours: int) -> None:
    assert DAILY.end(at(start)) - at(start) == timedelta(hours=hours)


@given(series=SERIES, day=DAYS)
def test_intervals_leave_no_gap(series: Series, day: date) -> None:
    for start in series.starts(day):
        end = series.end(start)
        assert start < end
        assert end in series.starts(end.date())


def test_an_unaligned_start_has_no_end() -> None:
    with pytest.raises(OffTheGrid):
        HOURLY.end(at("2026-03-29T00:30"))


def test_a_time_zone_must_be_known() -> None:
    for name in ("Europe/Kersabiec", "", "../etc/passwd"):
        with pytest.raises(ValueError, match="time zone"):
            replace(HOURLY, time_zone=name)


def test_intervals_go_from_fine_to_coarse() -> None:
    order = [Interval.PT5M, Interval.PT30M, Interval.PT1H, Interval.P1D]
    assert sorted(Interval, key=lambda interval: interval.minutes) == order
    assert Interval.P1D.no_finer_than(Interval.PT5M)
    assert Interval.PT1H.no_finer_than(Interval.PT1H)
    assert not Interval.PT5M.no_finer_than(Interval.PT30M)


@given(blocks())
def test_a_block_round_trips_through_its_bytes_and_its_records(block: Block) -> None:
    assert Block.unpack(block.series, block.day, block.pack()) == block
    records = list(block.records())
    assert Block.of(block.series, block.day, records) == block
    assert block.replace(records) == block


def test_a_block_of_hours_is_small() -> None:
    block = Block(HOURLY, DAY, (*range(250, 270), None, 0, 1, 2))
    assert len(block.pack()) == 49


def test_missing_values_are_not_zero() -> None:
    records = [Record(at("2026-03-29T05:00"), 0), Record(at("2026-03-29T07:00"), 255)]
    block = Block.of(HOURLY, DAY, records)
    assert block.values[5:8] == (0, None, 255)
    assert list(block.records()) == records


def test_a_later_record_replaces_an_earlier_one() -> None:
    block = Block(HOURLY, DAY, (7,) * 24).replace([Record(at("2026-03-29T01:00"), 8)])
    assert block.values == (7, 8, *(7,) * 22)


def test_records_are_limited_to_a_range() -> None:
    block = Block(HOURLY, DAY, tuple(range(24)))
    within = Range(at("2026-03-29T02:30"), at("2026-03-29T04:00"))
    assert [record.value for record in block.records(within)] == [3]


@pytest.mark.parametrize("start", ["2026-03-29T00:30", "2026-03-28T23:00", "2026-03-30T00:00"])
def test_records_off_the_grid_are_refused(start: str) -> None:
    with pytest.raises(OffTheGrid):
        Block.of(HOURLY, DAY, [Record(at(start), 1)])


@pytest.mark.parametrize("values", [(), (1,) * 23, (-1, *(1,) * 23), (2**64 - 1, *(1,) * 23)])
def test_incomplete_and_negative_blocks_are_refused(values: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"no energy|has 24 records"):
        Block(HOURLY, DAY, values)


@pytest.mark.parametrize("packed", [b"", b"\x00", b"\x03" * 25, b"\x02\x00", b"\x01" * 24])
def test_corrupt_blocks_are_refused(packed: bytes) -> None:
    with pytest.raises(ValueError, match=r"are no block|has 24 records"):
        Block.unpack(HOURLY, DAY, packed)


@given(RANGES)
def test_the_days_of_a_range_cover_it(within: Range) -> None:
    days = list(within.days())
    assert days == sorted(set(days))
    if within:
        assert within.start in Range.of_day(days[0])
        assert within.end <= Range.of_day(days[-1]).end
        assert within.end > Range.of_day(days[-1]).start
    else:
        assert not days


@given(RANGES, st.timedeltas(timedelta(1), timedelta(40)))
def test_the_parts_of_a_range_follow_one_another(within: Range, length: timedelta) -> None:
    parts = list(within.parts(length))
    borders = [within.start, *(part.end for part in parts)]
    assert [part.start for part in parts] == borders[:-1]
    assert borders[-1] == within.end
    assert all(part.end - part.start == length for part in parts[:-1])
    assert all(timedelta() < part.end - part.start <= length for part in parts)


@given(RANGES, RANGES)
def test_a_clipped_range_is_in_both(first: Range, other: Range) -> None:
    both = first.clip(other)
    assert first.covers(both)
    assert other.covers(both)
    assert bool(both) == (max(first.start, other.start) < min(first.end, other.end))


def test_ranges_need_ordered_instants_with_a_time_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        Range(datetime(2026, 1, 1), datetime(2026, 1, 2))  # noqa: DTZ001
    with pytest.raises(ValueError, match="does not end"):
        Range(at("2026-01-02T00:00"), at("2026-01-01T00:00"))


def test_units_are_those_of_senml() -> None:
    assert [quantity.unit for quantity in Quantity] == ["Wh", "W"]
