"""In PostgreSQL, the tables that grow are kept by month: each month is a partition of its own.

It is made when its first row comes. Rows for which nobody made room are in the partition that takes
all others, and move from there.
"""

from collections.abc import Iterable
from datetime import date, timedelta

from sqlalchemy import text

from .connection import AsyncConnection
from .exclusive import lock

BY_MONTH = ("block",)
_MADE = "consometers_months"
_MADE_IN = "consometers_months_made_in"
_IS_THERE = (
    "SELECT EXISTS (SELECT FROM pg_class WHERE relname = :name"
    " AND relnamespace = to_regnamespace(quote_ident(current_schema())))"
)
_MAKE = (
    "CREATE TABLE {name} (LIKE {table} INCLUDING ALL)",
    (
        "WITH moved AS"
        " (DELETE FROM {table}_other WHERE day >= '{month}' AND day < '{end}' RETURNING *)"
        " INSERT INTO {name} SELECT * FROM moved"
    ),
    "ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ('{month}') TO ('{end}')",
)


async def make_room(connection: AsyncConnection, table: str, days: Iterable[date]) -> None:
    """Create the missing partitions for rows of these days in one of `BY_MONTH`."""
    if connection.dialect.name != "postgresql":
        return
    made: set[str] = connection.info.setdefault(_MADE, set())
    for month in sorted({day.replace(day=1) for day in days}):
        name = f"{table}_{month:%Y_%m}"
        if name in made:
            continue
        if not await _is_there(connection, name):
            await lock(connection, "months")
            if not await _is_there(connection, name):
                end = (month + timedelta(days=31)).replace(day=1)
                for statement in _MAKE:
                    sql = statement.format(table=table, name=name, month=month, end=end)
                    await connection.execute(text(sql))
                connection.info[_MADE_IN] = connection.get_transaction()
        elif connection.info.get(_MADE_IN) is not connection.get_transaction():
            # What this transaction made is gone if it fails.
            made.add(name)


async def _is_there(connection: AsyncConnection, name: str) -> bool:
    return bool((await connection.execute(text(_IS_THERE), {"name": name})).scalar_one())
