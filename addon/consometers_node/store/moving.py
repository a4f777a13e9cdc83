"""Moves a node's data into another database: from SQLite to PostgreSQL, or back.

Rows go in the order of the tables and of their keys, many in one transaction. So what is there
after an interruption says where to go on. Until all rows were compared, the target says that it is
half moved, and no node opens it. The source is locked: nothing is written to it meanwhile.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from hashlib import blake2b
from typing import Literal

from sqlalchemy import Table, func, insert, select, text

from .all_tables import TABLES
from .database import HALF_MOVED, HEAD, Store
from .engine.connection import AsyncConnection
from .engine.errors import StoreFault
from .engine.months import BY_MONTH, make_room

AT_ONCE = 2_000
"""Rows of one transaction."""

type Reached = Callable[[int], None]
"""Receives how many rows are there."""
type Why = Literal["not-empty", "changed"]

_LAST_ID = {
    "sqlite": "SELECT max(seq) FROM sqlite_sequence WHERE name = :table",
    "postgresql": "SELECT pg_sequence_last_value(pg_get_serial_sequence(:table, 'id')::regclass)",
}
_SET_LAST_ID = {
    "sqlite": (
        "DELETE FROM sqlite_sequence WHERE name = :table",
        "INSERT INTO sqlite_sequence (name, seq) VALUES (:table, :last)",
    ),
    "postgresql": (
        "SELECT setval(pg_get_serial_sequence(:table, 'id')::regclass, :last + 1, false)",
    ),
}


class CannotMove(StoreFault):
    """`not-empty`: the target has other data; `changed`: it no longer equals the source."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why = why


async def count(store: Store) -> int:
    """Return the number of rows to move."""
    async with store.reading() as connection:
        return sum([await _count(connection, table) for table in TABLES])


async def move(source: Store, target: Store, reached: Reached) -> dict[str, int]:
    """Move everything, or what is left; return how many rows of each table. Raises CannotMove."""
    await _begin(target)
    rows: dict[str, int] = {}
    async with source.writing() as connection:
        if not source.is_sqlite:
            names = ", ".join(f'"{table.name}"' for table in TABLES)
            await connection.execute(text(f"LOCK TABLE {names} IN SHARE MODE"))
        for table in TABLES:
            rows[table.name] = await _move(connection, target, table, sum(rows.values()), reached)
        async with target.writing() as other:
            for table in TABLES:
                if await _digest(connection, table) != await _digest(other, table):
                    raise CannotMove("changed")
                if table.dialect_options["sqlite"]["autoincrement"]:
                    await _continue_ids(connection, other, table)
            await _mark(other, HEAD)
    await target.checkpoint()
    return rows


async def _begin(target: Store) -> None:
    async with target.writing() as connection:
        marked = await connection.scalar(text("SELECT version_num FROM alembic_version"))
        if marked != HALF_MOVED:
            for table in TABLES:
                if await _count(connection, table):
                    raise CannotMove("not-empty")
            await _mark(connection, HALF_MOVED)


async def _mark(connection: AsyncConnection, revision: str) -> None:
    await connection.execute(
        text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision}
    )


async def _move(
    connection: AsyncConnection, target: Store, table: Table, before: int, reached: Reached
) -> int:
    """Move the rows of a table that are not there yet. Return how many it has."""
    async with target.reading() as other:
        moved = await _count(other, table)
    reached(before + moved)
    names = table.columns.keys()
    rest = select(table).order_by(*table.primary_key).offset(moved)
    async for part in connection.partitions(rest, AT_ONCE):
        async with target.writing() as other, _unguarded(other, table):
            if table.name in BY_MONTH:
                await make_room(other, table.name, {row.day for row in part})
            await other.execute(insert(table), [dict(zip(names, row, strict=True)) for row in part])
        moved += len(part)
        reached(before + moved)
    return moved


@asynccontextmanager
async def _unguarded(connection: AsyncConnection, table: Table) -> AsyncIterator[None]:
    """Take rows as they are: the rules of a table would ask how each came about.

    The guards are back before the transaction ends.
    """
    if connection.dialect.name == "postgresql":
        await connection.execute(text(f'ALTER TABLE "{table.name}" DISABLE TRIGGER USER'))
        yield
        query = (
            "SELECT tgname FROM pg_trigger WHERE tgrelid = to_regclass(:table) AND NOT tgisinternal"
        )
        for name in (await connection.execute(text(query), {"table": table.name})).scalars():
            enable = f'ALTER TABLE "{table.name}" ENABLE ALWAYS TRIGGER "{name}"'
            await connection.execute(text(enable))
        return
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table"
    guards = (await connection.execute(text(query), {"table": table.name})).all()
    for name, _ in guards:
        await connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
    yield
    for _, sql in guards:
        await connection.exec_driver_sql(sql)


async def _count(connection: AsyncConnection, table: Table) -> int:
    return await connection.scalar(select(func.count()).select_from(table)) or 0


async def _digest(connection: AsyncConnection, table: Table) -> tuple[int, int]:
    """Return how many rows a table has, and a hash of all of them, in any order."""
    count = total = 0
    async for part in connection.partitions(select(table), AT_ONCE):
        count += len(part)
        for row in part:
            total += int.from_bytes(blake2b(repr(tuple(row)).encode(), digest_size=16).digest())
    return count, total % 2**128


async def _continue_ids(source: AsyncConnection, target: AsyncConnection, table: Table) -> None:
    """Set the last id of a table that was ever given: none is given twice."""
    name = {"table": table.name}
    last = int(await source.scalar(text(_LAST_ID[source.dialect.name]), name) or 0)
    for statement in _SET_LAST_ID[target.dialect.name]:
        await target.execute(text(statement), name | {"last": last})
