"""Rows that may be there already: an INSERT that says what to do then, in either database."""

from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from .tables import Base

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql


def insert(connection: AsyncConnection, row: type[Base]) -> sqlite.Insert | postgresql.Insert:
    """Give an INSERT that goes on with `on_conflict_do_update` or `on_conflict_do_nothing`."""
    return _insert(connection.dialect.name, row)


def put(
    connection: AsyncConnection, row: type[Base], *columns: str
) -> sqlite.Insert | postgresql.Insert:
    """Give an INSERT of rows that take the place, in these columns, of those that are there."""
    return _put(connection.dialect.name, row, columns)


@cache
def _put(
    dialect: str, row: type[Base], columns: tuple[str, ...]
) -> sqlite.Insert | postgresql.Insert:
    new = _insert(dialect, row)
    return new.on_conflict_do_update(
        index_elements=[*row.__table__.primary_key],
        set_={name: new.excluded[name] for name in columns},
    )


def _insert(dialect: str, row: type[Base]) -> sqlite.Insert | postgresql.Insert:
    if dialect == "sqlite":
        return sqlite.insert(row)
    # PostgreSQL's words take 2 MB that a home's node can do without.
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415

    return postgresql.insert(row)
