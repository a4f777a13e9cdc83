"""When Home Assistant was off, put together where it was one time."""

from datetime import UTC, datetime, timedelta

import pytest

from consometers_node.series import Range
from consometers_node.store import Store
from consometers_node.store.coverage import absences, add_absence

NOON = datetime(2026, 3, 28, 12, tzinfo=UTC)


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
async def test_those_that_touch_become_one(
    store: Store, added: list[Range], stored: list[Range]
) -> None:
    async with store.writing() as connection:
        for absence in added:
            whole = await add_absence(connection, absence)
            assert whole.covers(absence)
            assert whole in await absences(connection)
        assert await absences(connection) == stored


async def test_those_of_a_range_are_found(store: Store) -> None:
    async with store.writing() as connection:
        for absence in (at(0, 10), at(20, 30), at(40, 50)):
            await add_absence(connection, absence)
        assert await absences(connection, at(5, 25)) == [at(0, 10), at(20, 30)]
        assert await absences(connection, at(10, 20)) == []
        assert await absences(connection, at(22, 23)) == [at(20, 30)]


async def test_whole_seconds_hold_all_of_it(store: Store) -> None:
    moment = timedelta(milliseconds=300)
    async with store.writing() as connection:
        absence = await add_absence(connection, Range(NOON + moment, NOON + 2 * moment))
        assert absence == Range(NOON, NOON + timedelta(seconds=1))
        assert await absences(connection) == [absence]


async def test_an_absence_lasts(store: Store) -> None:
    async with store.writing() as connection:
        with pytest.raises(ValueError, match="lasts"):
            await add_absence(connection, at(5, 5))
