"""The coverage of each series, as long as the series exists."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from consometers_node.series import Range
from consometers_node.store import Store
from consometers_node.store.coverage import all_coverage, coverage, set_coverage
from consometers_node.store.series import add_series, erase_series

from ..permission.samples import DAILY, HOURLY

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


async def test_of_a_series_that_was_erased_nothing_is_covered(store: Store) -> None:
    async with store.writing() as connection:
        hourly, daily = [await add_series(connection, series) for series in (HOURLY, DAILY)]
        for series_id in (hourly, daily):
            await set_coverage(connection, series_id, MARCH)
        await erase_series(connection, [hourly])
        assert await all_coverage(connection) == {daily: MARCH}
        await connection.execute(text("DELETE FROM series"))
        assert await all_coverage(connection) == {}


async def test_nothing_ends_before_it_starts(store: Store) -> None:
    async with store.writing() as connection:
        await set_coverage(connection, await add_series(connection, HOURLY), MARCH)
    with pytest.raises(IntegrityError):
        async with store.writing() as connection:
            await connection.execute(text("UPDATE coverage SET covered_until = 0"))
