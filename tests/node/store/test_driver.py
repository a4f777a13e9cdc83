"""Statements of SQLite, one trip to a thread each, and rows that are more than come at once."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
import sqlite3
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import make_url, text

from consometers_node.store.engine.connection import AsyncConnection, AsyncEngine
from consometers_node.store.engine.driver import AT_ONCE, Connection
from consometers_node.store.keys import Keys
from testing.run import DEADLINE_S

MANY = 2 * AT_ONCE + 7


@pytest_asyncio.fixture
async def driver(tmp_path: Path) -> AsyncIterator[Connection]:
    connection = Connection(tmp_path / "some.db")
    await connection
    yield connection
    await connection.close()


@pytest_asyncio.fixture
async def connection(tmp_path: Path) -> AsyncIterator[AsyncConnection]:
    creator = partial(Connection, tmp_path / "some.db")
    engine = AsyncEngine.create(make_url("sqlite+aiosqlite://"), Keys(None), creator)
    connection = await engine.connect()
    async with connection.begin():
        await connection.execute(text("CREATE TABLE numbers (n INTEGER PRIMARY KEY)"))
        rows = [{"n": n} for n in range(MANY)]
        await connection.execute(text("INSERT INTO numbers VALUES (:n)"), rows)
    yield connection
    await connection.close()
    await engine.dispose()


async def test_results_of_any_size_are_complete(connection: AsyncConnection) -> None:
    for most in (0, 1, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, MANY):
        query = text("SELECT n FROM numbers ORDER BY n LIMIT :most")
        values = (await connection.execute(query, {"most": most})).scalars().all()
        assert values == list(range(most))


async def test_a_stream_yields_ordered_partitions(
    connection: AsyncConnection,
) -> None:
    rows = connection.partitions(text("SELECT n FROM numbers ORDER BY n"), 300)
    parts = [[n for (n,) in part] async for part in rows]
    assert [n for part in parts for n in part] == list(range(MANY))
    assert {len(part) for part in parts[:-1]} == {300}


@pytest.mark.parametrize("size", [1, 7, AT_ONCE - 1, AT_ONCE, AT_ONCE + 1, MANY, 2 * MANY])
async def test_fetchmany_returns_full_chunks(
    connection: AsyncConnection, driver: Connection, size: int
) -> None:
    cursor = await driver.cursor()
    await cursor.execute("SELECT n FROM numbers ORDER BY n")
    fetched: list[tuple[int]] = []
    while rows := await cursor.fetchmany(size):
        assert len(rows) == min(size, MANY - len(fetched))
        fetched += rows
    assert fetched == [(n,) for n in range(MANY)]
    assert await cursor.fetchone() is None
    await cursor.close()


async def test_fetchall_follows_fetchone(connection: AsyncConnection, driver: Connection) -> None:
    cursor = await driver.cursor()
    await cursor.execute("SELECT n FROM numbers ORDER BY n")
    assert await cursor.fetchone() == (0,)
    assert len(await cursor.fetchall()) == MANY - 1
    assert await cursor.fetchall() == []
    await cursor.close()


async def test_a_failed_statement_leaves_the_connection_usable(
    driver: Connection,
) -> None:
    cursor = await driver.cursor()
    with pytest.raises(sqlite3.OperationalError, match="no such table: nowhere"):
        await cursor.execute("SELECT n FROM nowhere")
    await cursor.execute("SELECT 1")
    assert await cursor.fetchall() == [(1,)]


async def test_a_cancelled_statement_leaves_no_cursor_open(
    connection: AsyncConnection, driver: Connection
) -> None:
    cursor = await driver.cursor()
    asked = asyncio.create_task(cursor.execute("SELECT n FROM numbers"))
    await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert await journal(driver) == "wal"


async def test_a_cancelled_open_leaves_the_file_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[sqlite3.Connection] = []
    really = sqlite3.connect

    def opening(*arguments: Any, **named: Any) -> sqlite3.Connection:
        opened.append(really(*arguments, **named))
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", opening)
    for _ in range(20):
        asked = asyncio.ensure_future(Connection(tmp_path / "some.db"))
        await asyncio.sleep(0)
        asked.cancel()
        await asyncio.wait({asked})
    async with asyncio.timeout(DEADLINE_S):
        while len(opened) < 20 or not all(map(is_closed, opened)):
            await asyncio.sleep(0.01)


def is_closed(connection: sqlite3.Connection) -> bool:
    try:
        connection.cursor()
    except sqlite3.ProgrammingError:
        return True
    return False


async def test_closing_a_cursor_ends_its_read(
    connection: AsyncConnection, driver: Connection
) -> None:
    cursor = await driver.cursor()
    await cursor.execute("SELECT n FROM numbers")
    with pytest.raises(sqlite3.OperationalError):
        await journal(driver)
    await cursor.close()
    assert await journal(driver) == "wal"


async def journal(driver: Connection) -> str:
    """Begin a journal of another kind, which nobody can who has a view open."""
    cursor = await driver.cursor()
    await cursor.execute("PRAGMA journal_mode = WAL")
    ((kind,),) = await cursor.fetchall()
    return str(kind)
