"""PostgreSQL partitions large tables by month, whatever wrote to them, even concurrently."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import date

import pytest
from sqlalchemy import insert, text

from consometers_node.series import Block
from consometers_node.store import Store
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.engine.months import make_room
from consometers_node.store.series import add_series, put_blocks
from consometers_node.store.tables import BlockRow
from testing.databases.fixtures import Place
from testing.homes.data_needs import HOURLY, now

MARCH, APRIL = date(2026, 3, 31), date(2026, 4, 1)


@pytest.fixture
async def postgresql(new_place: Callable[[str], Place]) -> AsyncIterator[Store]:
    store = await Store.open(new_place("postgresql"))
    yield store
    await store.close()


async def put(connection: AsyncConnection, *days: date) -> None:
    series_id = await add_series(connection, HOURLY)
    for day in days:
        await put_blocks(connection, {series_id: [Block(HOURLY, day, (1,) * 24)]}, now())


async def where(connection: AsyncConnection) -> list[tuple[str, date]]:
    """Return in which partition the block of each day is."""
    query = text("SELECT tableoid::regclass::text, day FROM block ORDER BY day")
    return [(name, day) for name, day in await connection.execute(query)]


async def test_rows_of_the_default_partition_move_to_their_month(postgresql: Store) -> None:
    async with postgresql.writing() as connection:
        series_id = await add_series(connection, HOURLY)
        for day in (MARCH, APRIL):
            row = {"series_id": series_id, "day": day, "packed": b"", "changed_at": now()}
            await connection.execute(insert(BlockRow).values(row))
        assert await where(connection) == [("block_other", MARCH), ("block_other", APRIL)]
        await make_room(connection, "block", [APRIL])
        assert await where(connection) == [("block_other", MARCH), ("block_2026_04", APRIL)]


async def test_a_partition_is_created_with_its_first_block_and_again_after_a_rollback(
    postgresql: Store,
) -> None:
    async with postgresql.writing() as connection:
        for _ in range(2):
            await make_room(connection, "block", [MARCH])
        await connection.rollback()
    for _ in range(3):
        async with postgresql.writing() as connection:
            await put(connection, MARCH, APRIL)
    async with postgresql.reading() as connection:
        assert await where(connection) == [("block_2026_03", MARCH), ("block_2026_04", APRIL)]


async def test_concurrent_writers_create_one_partition(postgresql: Store) -> None:
    async def write(day: date) -> None:
        async with postgresql.writing() as connection:
            await make_room(connection, "block", [day])

    days = [MARCH.replace(day=1 + n) for n in range(6)]
    await asyncio.gather(*(write(day) for day in days))
    async with postgresql.writing() as connection:
        await put(connection, *days)
        assert await where(connection) == [("block_2026_03", day) for day in days]
