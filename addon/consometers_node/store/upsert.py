"""Rows that may be there already: an INSERT that says what to do then, in either database."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import Dialect, TextClause, bindparam, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from .tables import Base

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

type Insert = sqlite.Insert | postgresql.Insert


def insert(connection: AsyncConnection, row: type[Base]) -> Insert:
    """Give an INSERT that goes on with `on_conflict_do_update` or `on_conflict_do_nothing`."""
    return _insert(connection.dialect.name, row)


async def put(
    connection: AsyncConnection,
    row: type[Base],
    rows: Sequence[Mapping[str, object]],
    *columns: str,
    only_less: str | None = None,
) -> None:
    """Insert rows, which take the place in these columns of those that are there.

    They do so if what they have in the column `only_less` is less, where one is told.
    """
    if rows:
        dialect = connection.dialect.name
        await connection.execute(_put(dialect, row, columns, only_less, tuple(rows[0])), rows)


@cache
def _put(
    dialect: str,
    row: type[Base],
    columns: tuple[str, ...],
    only_less: str | None,
    keys: tuple[str, ...],
) -> TextClause:
    """Give it as text: SQLAlchemy compiles an INSERT of this kind anew each time."""
    new, there = _insert(dialect, row), row.__table__.c
    new = new.on_conflict_do_update(
        index_elements=[*row.__table__.primary_key],
        set_={name: new.excluded[name] for name in columns},
        where=None if only_less is None else there[only_less] > new.excluded[only_less],
    )
    compiled = new.compile(dialect=_dialect(dialect), column_keys=keys)
    bound = [bindparam(name, type_=one.type) for name, one in compiled.binds.items()]
    return text(str(compiled)).bindparams(*bound)


def _insert(dialect: str, row: type[Base]) -> Insert:
    if dialect == "sqlite":
        return sqlite.insert(row)
    # PostgreSQL's words take 2 MB that a home's node can do without.
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415

    return postgresql.insert(row)


def _dialect(name: str) -> Dialect:
    if name == "sqlite":
        return sqlite.dialect(paramstyle="named")
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415

    return postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
