"""Upserts: an INSERT for rows that may be there already, in either database."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import ARRAY, Table, TextClause, bindparam, text
from sqlalchemy.dialects import sqlite

from .connection import AsyncConnection
from .declaration import Base

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

type Insert = sqlite.Insert | postgresql.Insert


def insert(connection: AsyncConnection, row: type[Base]) -> Insert:
    """Return an INSERT that goes on with `on_conflict_do_update` or `on_conflict_do_nothing`."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(row)
    # PostgreSQL's words take 2 MB that a home's node can do without.
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415

    return postgresql.insert(row)


async def put(
    connection: AsyncConnection,
    row: type[Base],
    rows: Sequence[Mapping[str, object]],
    *,
    replaces: bool = True,
) -> None:
    """Insert rows, which take the place of those with their keys, or must be new."""
    if not rows:
        return
    keys = tuple(rows[0])
    in_arrays = connection.dialect.name != "sqlite"
    values = {key: [each[key] for each in rows] for key in keys} if in_arrays else rows
    statement = _put(row.__table__, keys, replaces=replaces, in_arrays=in_arrays)
    await connection.execute(statement, values)


@cache
def _put(table: Table, keys: tuple[str, ...], *, replaces: bool, in_arrays: bool) -> TextClause:
    """Return it as text: SQLAlchemy compiles an INSERT of this kind each time.

    It takes a row, or an array for each column: PostgreSQL answers single rows one by one.
    """
    types = {key: table.c[key].type for key in keys}
    bound = [
        bindparam(key, type_=ARRAY(each) if in_arrays else each) for key, each in types.items()
    ]
    values = ", ".join(f":{key}" for key in keys)
    rows = f"SELECT * FROM unnest({values})" if in_arrays else f"VALUES ({values})"
    statement = f"INSERT INTO {table.name} ({_names(keys)}) {rows}"
    if replaces:
        primary = table.primary_key.columns.keys()
        values = ", ".join(f'"{name}" = excluded."{name}"' for name in keys if name not in primary)
        statement += f" ON CONFLICT ({_names(primary)}) DO UPDATE SET {values}"
    return text(statement).bindparams(*bound)


def _names(columns: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)
