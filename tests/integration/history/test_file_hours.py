"""Readings of a file become hours: what is whole, and no energy in an hour that is not known."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st
import pytest

from custom_components.consometers.enedis_files import Direction, Kind, Reading, Series, Unit
from custom_components.consometers.history.file_hours import hours

DAY = datetime(2026, 1, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
HALF = timedelta(minutes=30)


def series(kind: Kind, readings: Iterable[tuple[float, float, float]]) -> Series:
    """Return readings by their first and last hour of the day, and their energies."""
    return Series(
        direction=Direction.CONSUMPTION,
        kind=kind,
        unit=Unit.WH,
        readings=tuple(
            Reading(DAY + start * HOUR, DAY + end * HOUR, wh) for start, end, wh in readings
        ),
    )


def sums(*all_series: Series, until: float = 1_000) -> list[tuple[float, float]]:
    """Return the hour of the day at which each row ends, and its sum."""
    rows = hours(all_series, (DAY + until * HOUR).timestamp())
    assert all(row.end - row.start == HOUR.total_seconds() for row in rows)
    return [((row.end - DAY.timestamp()) / 3_600, row.sum_wh) for row in rows]


def test_steps_are_summed_by_the_hour() -> None:
    curve = series(Kind.CURVE, [(0, 0.5, 1), (0.5, 1, 2), (1, 2, 4), (2, 2.5, 8), (2.5, 3, 16)])
    assert sums(curve) == [(1, 3), (2, 7), (3, 31)]


def test_an_hour_of_which_a_step_is_missing_has_no_row_and_no_energy() -> None:
    curve = series(Kind.CURVE, [(0, 1, 1), (1, 1.5, 100), (2, 3, 2)])
    assert sums(curve) == [(1, 1), (3, 3)]


@pytest.mark.parametrize("kind", [Kind.DAYS, Kind.REGISTERS])
def test_the_energy_of_a_day_is_in_its_last_hour(kind: Kind) -> None:
    assert sums(series(kind, [(0, 24, 5_000), (24, 72, 7_000)])) == [(24, 5_000), (72, 12_000)]


def test_days_are_used_where_there_is_no_curve() -> None:
    days = series(Kind.DAYS, [(0, 24, 5_000), (24, 48, 6_000), (48, 72, 7_000)])
    curve = series(Kind.CURVE, [(30, 31, 100), (31, 32, 200)])
    assert sums(days, curve) == [(24, 5_000), (31, 5_100), (32, 5_300), (72, 12_300)]


def test_nothing_is_taken_that_ends_after_the_first_hour_of_the_meter() -> None:
    days = series(Kind.DAYS, [(0, 24, 5_000), (24, 48, 6_000)])
    assert sums(days, until=47) == [(24, 5_000)]
    assert sums(series(Kind.CURVE, [(0, 0.5, 1), (0.5, 1, 2)]), until=0.5) == []


@given(st.lists(st.integers(0, 20_000), min_size=1, max_size=60), st.integers(1, 80))
def test_whole_hours_have_all_of_their_energy(values: list[int], until: int) -> None:
    curve = series(Kind.CURVE, [(n / 2, (n + 1) / 2, wh) for n, wh in enumerate(values)])
    whole = min(len(values) // 2, until)
    expected = [(hour + 1, sum(values[: 2 * hour + 2])) for hour in range(whole)]
    assert sums(curve, until=until) == pytest.approx(expected)
