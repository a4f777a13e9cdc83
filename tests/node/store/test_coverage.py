"""The coverage of each series, and when Home Assistant was off."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from consometers_node.series import Range
from consometers_node.store import Store
from consometers_node.store.household.coverage import (
    absences,
    add_absence,
    all_coverage,
    coverage,
    set_coverage,
)
from consometers_node.store.series import add_series, erase_series
from testing.homes.data_needs import DAILY, HOURLY

NOON = datetime(2026, 3, 28, 12, tzinfo=UTC)
MARCH = Range(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))


async def test_coverage_is_replaced_per_series(store: Store) -> None:
    longer = Range(MARCH.start, MARCH.end + timedelta(days=2))
    async with store.writing() as connection:
        hourly, daily = [await add_series(connection, series) for series in (HOURLY, DAILY)]
        assert await coverage(connection, hourly) is None
        for covered in (MARCH, longer):
            await set_coverage(connection, hourly, covered)
            assert await coverage(connection, hourly) == covered
        await set_coverage(connection, daily, Range(MARCH.end, MARCH.end))
        assert await all_coverage(connection) == {
            hourly: longer,
            daily: Range(MARCH.end, MARCH.end),
        }
        with pytest.raises(IntegrityError):
            await connection.execute(text("UPDATE coverage SET covered_until = 0"))
        await connection.rollback()


async def test_erasing_a_series_removes_its_coverage(store: Store) -> None:
    async with store.writing() as connection:
        hourly, daily = [await add_series(connection, series) for series in (HOURLY, DAILY)]
        for series_id in (hourly, daily):
            await set_coverage(connection, series_id, MARCH)
        await erase_series(connection, [hourly])
        assert await all_coverage(connection) == {daily: MARCH}
        await connection.execute(text("DELETE FROM series"))
        assert await all_coverage(connection) == {}


def at(start: float, end: float) -> Range:
    """From one minute after noon to another."""
    return Range(NOON + timedelta(minutes=start), NOON + timedelta(minutes=end))


@pytest.mark.parametrize(
    ("added", "stored"),
    [
        ([at(0, 10), at(20, 30)], [at(0, 10), at(20, 30)]),
        ([at(20, 30), at(0, 10)], [at(0, 10), at(20, 30)]),
        ([at(0, 10), at(0, 10)], [at(0, 10)]),
        ([at(0, 10), at(5, 15)], [at(0, 15)]),
        ([at(0, 10), at(10, 20)], [at(0, 20)]),
        ([at(0, 30), at(10, 20)], [at(0, 30)]),
        ([at(0, 10), at(20, 30), at(40, 50), at(5, 25)], [at(0, 30), at(40, 50)]),
    ],
)
async def test_touching_absences_are_merged(
    store: Store, added: list[Range], stored: list[Range]
) -> None:
    async with store.writing() as connection:
        for absence in added:
            whole = await add_absence(connection, absence)
            assert whole.covers(absence)
            assert whole in await absences(connection)
        assert await absences(connection) == stored


async def test_absences_are_found_by_range(store: Store) -> None:
    async with store.writing() as connection:
        for absence in (at(0, 10), at(20, 30), at(40, 50)):
            await add_absence(connection, absence)
        assert await absences(connection, at(5, 25)) == [at(0, 10), at(20, 30)]
        assert await absences(connection, at(10, 20)) == []
        assert await absences(connection, at(22, 23)) == [at(20, 30)]
        with pytest.raises(ValueError, match="lasts"):
            await add_absence(connection, at(5, 5))


async def test_absences_are_rounded_out_to_whole_seconds(store: Store) -> None:
    moment = timedelta(milliseconds=300)
    async with store.writing() as connection:
        absence = await add_absence(connection, Range(NOON + moment, NOON + 2 * moment))
        assert absence == Range(NOON, NOON + timedelta(seconds=1))
        assert await absences(connection) == [absence]
