"""Personal data as the tables declare it: what exports have, and what an erasure removes.

Records are left to `series`: exports print them, they do not copy their blocks.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime
import json
from typing import Any

from sqlalchemy import Column, ColumnElement, Table, delete, select, update

from consometers_node.series import Interval
from consometers_quoalise import iso8601

from .engine.connection import AsyncConnection
from .engine.declaration import Base, Erasure
from .tables import BlockRow, MemberCountRow

type Json = bool | int | float | str | list[Json] | dict[str, Json] | None

HOUSEHOLD = frozenset({Erasure.NODE, Erasure.ADDRESS, Erasure.WITH_SERIES})
"""What the export of a home's node has."""
READER = frozenset({Erasure.NODE, Erasure.ADDRESS})
"""What a collective stores of those who read its sums."""
MEMBER = (
    frozenset(Erasure)
    - READER
    - {
        Erasure.TOGETHER,
        Erasure.SECRET,
        Erasure.ADMINISTRATOR,
        Erasure.WITNESSED,
        Erasure.SPACE,
        Erasure.HASHED,
    }
)
"""What a collective stores of a member."""

_RECORDS = frozenset({BlockRow.__table__.name, MemberCountRow.__table__.name})
_KEYS = {
    Erasure.WITH_SERIES: "series_id",
    Erasure.WITH_PERMISSION: "permission_id",
    Erasure.WITH_MEMBER: "member_id",
}
"""The column by which rows are found that are deleted whole."""


def tables_with(kinds: Collection[Erasure]) -> list[Table]:
    """Return the tables, but those of records, with personal columns of these kinds."""
    return [
        table
        for table in Base.metadata.sorted_tables
        if table.name not in _RECORDS and _personal(table, kinds)
    ]


async def rows(
    connection: AsyncConnection,
    table: Table,
    kinds: Collection[Erasure],
    *which: ColumnElement[bool],
) -> list[Json]:
    """Return the personal columns of some rows, with the key of each, in its order."""
    key = list(table.primary_key.columns)
    named = {column.name for column in (*key, *_personal(table, kinds))}
    columns = [column for column in table.columns if column.name in named]
    query = select(*columns).where(*which).order_by(*key)
    return [
        {column.name: _value(column, value) for column, value in zip(columns, row, strict=True)}
        for row in await connection.execute(query)
    ]


async def delete_rows(
    connection: AsyncConnection, kind: Erasure, ids: Collection[object]
) -> Mapping[str, int]:
    """Delete the rows of these series, permissions or members; return how many, by table."""
    counts = {}
    for table in reversed(Base.metadata.sorted_tables):
        if _personal(table, {kind}) and table.name != "series":
            gone = delete(table).where(table.c[_KEYS[kind]].in_(ids))
            counts[table.name] = (await connection.execute(gone)).rowcount
    return counts


async def empty(
    connection: AsyncConnection, row: type[Base], kind: Erasure, which: ColumnElement[bool]
) -> None:
    """Empty the columns of a table of which an erasure does so."""
    emptied = dict.fromkeys(column.name for column in _personal(row.__table__, {kind}))
    await connection.execute(update(row).where(which).values(emptied))


def plain(value: Any) -> Json:
    """Return a value for programs: a time or a day in ISO 8601, bytes in hexadecimal digits."""
    if isinstance(value, datetime):
        return iso8601.shown(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return dict(value) if isinstance(value, Mapping) else value


def _value(column: Column[Any], value: Any) -> Json:
    """Return what a column has, for programs; an interval in the minutes that its name says."""
    if isinstance(value, Interval):
        return value.minutes
    if column.info.get("json") and value is not None:
        parsed: Json = json.loads(value)
        return parsed
    return plain(value)


def _personal(table: Table, kinds: Collection[Erasure]) -> list[Column[Any]]:
    return [column for column in table.columns if column.info.get("personal") in kinds]
