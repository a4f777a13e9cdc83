"""In PostgreSQL, the tables that grow are kept by month: each month is a partition of its own.

It is made when its first row comes. Rows for which nobody made room are in the partition that takes
all others, and move from there.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from sqlalchemy import text

from .connection import AsyncConnection
from .exclusive import lock

BY_MONTH = ("block",)
_THERE = (
    "SELECT relname FROM pg_class WHERE relname = ANY(CAST(:names AS name[]))"
    " AND relnamespace = to_regnamespace(quote_ident(current_schema()))"
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
    months = {f"{table}_{day:%Y_%m}": day.replace(day=1) for day in days}
    if not await _missing(connection, months):
        return
    await lock(connection, "months")
    for name in sorted(await _missing(connection, months)):
        month = months[name]
        end = (month + timedelta(days=31)).replace(day=1)
        for statement in _MAKE:
            sql = statement.format(table=table, name=name, month=month, end=end)
            await connection.execute(text(sql))


async def _missing(connection: AsyncConnection, names: Mapping[str, date]) -> set[str]:
    present = await connection.execute(text(_THERE), {"names": list(names)})
    return names.keys() - present.scalars()
