"""Rows that may be there already: an INSERT that says what to do then, in either database."""

from typing import TYPE_CHECKING

from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from .tables import Base

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql


def insert(connection: AsyncConnection, row: type[Base]) -> sqlite.Insert | postgresql.Insert:
    """Give an INSERT that goes on with `on_conflict_do_update` or `on_conflict_do_nothing`."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(row)
    # PostgreSQL's words take 2 MB that a home's node can do without.
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415

    return postgresql.insert(row)
