"""Records are made of what a file says, and of nothing else."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, strategies as st
import pytest

from consometers_node.household.files.blocks import readings_of
from consometers_node.household.files.brought import bring
from consometers_node.household.readings import Flag
from consometers_node.series import Interval, Range, Series
from consometers_node.store.household.files import FileMonth
from testing.homes.data_needs import HOURLY
from testing.homes.files import energies_of_days, load_curve

DAY = date(2026, 2, 10)
MIDNIGHT = datetime(2026, 2, 10, tzinfo=UTC)
HALF = replace(HOURLY, interval=Interval.PT30M)
DAILY = replace(HOURLY, interval=Interval.P1D)
FINE = replace(HOURLY, interval=Interval.PT5M)


def months(*files: bytes) -> list[FileMonth]:
    """Return the months of some files, of which the first one was kept last."""
    return [month for file in files for month in bring(file).months]


def values(series: Series, *files: bytes, day: date = DAY) -> list[int | None]:
    (reading,) = readings_of(months(*files), series, Range.of_day(day))
    return list(reading.block.values)


def test_a_half_hour_is_the_energy_of_its_mean_power() -> None:
    curve = load_curve(MIDNIGHT, [400, 1000, None, 200])
    assert values(HALF, curve)[:5] == [200, 500, None, 100, None]


def test_an_hour_needs_all_of_its_steps() -> None:
    curve = load_curve(MIDNIGHT, [400, 1000, None, 200, 60, 60])
    assert values(HOURLY, curve)[:4] == [700, None, 60, None]


@pytest.mark.parametrize("minutes", [10, 15, 60])
def test_steps_of_any_length_fill_an_hour(minutes: int) -> None:
    curve = load_curve(MIDNIGHT, [600] * (120 // minutes), minutes=minutes)
    assert values(HOURLY, curve)[:3] == [600, 600, None]


def test_steps_of_an_hour_make_no_half_hour() -> None:
    assert set(values(HALF, load_curve(MIDNIGHT, [600] * 24, minutes=60))) == {None}


def test_steps_of_ten_minutes_make_no_five_minutes() -> None:
    assert set(values(FINE, load_curve(MIDNIGHT, [600] * 144, minutes=10))) == {None}


def test_a_civil_day_is_its_daily_energy_before_its_steps() -> None:
    start = datetime(2026, 2, 9, 23, tzinfo=UTC)
    curve = load_curve(start, [400] * 96)
    assert values(DAILY, curve) == [9600]
    assert values(DAILY, curve, energies_of_days(DAY + timedelta(days=1), [8000])) == [8000]


@pytest.mark.parametrize(
    ("start", "steps"),
    [(datetime(2026, 3, 28, 23, tzinfo=UTC), 46), (datetime(2025, 10, 25, 22, tzinfo=UTC), 50)],
)
def test_the_days_of_the_clock_change_are_whole(start: datetime, steps: int) -> None:
    assert values(DAILY, load_curve(start, [100] * steps), day=start.date()) == [50 * steps]
    assert values(DAILY, load_curve(start, [100] * (steps - 1)), day=start.date()) == [None]


def test_the_last_file_counts_where_two_know_a_time() -> None:
    first, last = load_curve(MIDNIGHT, [100] * 6), load_curve(MIDNIGHT, [None, 900, 900])
    assert values(HALF, last, first)[:6] == [50, 450, 450, 50, 50, 50]


def test_a_power_that_no_home_draws_is_no_record_and_says_so() -> None:
    curve = load_curve(MIDNIGHT, [100, 90_000, 100, 100])
    (reading,) = readings_of(months(curve), HOURLY, Range.of_day(DAY))
    assert list(reading.block.values)[:2] == [None, 100]
    assert reading.flags == {MIDNIGHT: Flag.ABSURD}


@given(watts=st.lists(st.integers(0, 20_000), min_size=48, max_size=48))
def test_rounded_records_add_up(watts: list[int]) -> None:
    curve = load_curve(MIDNIGHT, watts)
    halves, whole_hours = values(HALF, curve), values(HOURLY, curve)
    assert [sum(pair) for pair in zip(halves[::2], halves[1::2], strict=True)] == whole_hours  # type: ignore[arg-type]
    assert abs(sum(value or 0 for value in halves) - sum(watts) / 2) < 1
