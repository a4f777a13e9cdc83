"""Errors of statements, in the logs of a database and of a node: they quote no row."""

from collections.abc import Iterator
from datetime import date
import logging
from pathlib import Path
import re
from typing import Any

import pytest
from sqlalchemy import Column, Date, Integer, LargeBinary, Table, TypeDecorator, text as sql
from sqlalchemy.exc import DBAPIError

from consometers_node.store import Store
from consometers_node.store.all_tables import TABLES
from testing.databases.postgresql import Server

SECURITY = Path(__file__).parents[2] / "SECURITY.md"
WORD, NUMBER, DAY = "lisette@energies.test", 1_987_654_321, date(1987, 6, 5)
(STATED,) = map(int, re.findall(r"at least (\d+) rows each run", SECURITY.read_text()))
MARKS = (WORD, WORD.encode().hex(), str(NUMBER), DAY.isoformat())


def value(column: Column[Any], is_sqlite: bool) -> object:
    kind = column.type
    if isinstance(kind, TypeDecorator):
        kind = kind.impl_instance
    match kind:
        case Date():
            return DAY.isoformat() if is_sqlite else DAY
        case Integer():
            return NUMBER
        case LargeBinary():
            return WORD.encode()
        case _:
            return WORD


def rows(table: Table, is_sqlite: bool) -> Iterator[dict[str, object]]:
    """Yield a row with a value in every column, and one for each column that must not be empty."""
    row = {column.name: value(column, is_sqlite) for column in table.columns}
    yield row
    for column in table.columns:
        if not column.nullable:
            yield row | {column.name: None}


async def refused(store: Store) -> int:
    """Have each table refuse rows, and log each error as a node does; return their number."""
    errors = 0
    for table in TABLES:
        for row in rows(table, store.is_sqlite):
            values = ", ".join(f":{name}" for name in row)
            statement = sql(f"INSERT INTO {table.name} ({', '.join(row)}) VALUES ({values})")
            try:
                async with store.writing() as connection:
                    await connection.execute(statement, row)
            except DBAPIError:
                logging.getLogger("consometers_node").exception("It cannot be kept")
                errors += 1
    return errors


async def test_logs_quote_no_row_that_a_table_refused(
    store: Store, caplog: pytest.LogCaptureFixture, request: pytest.FixtureRequest
) -> None:
    number = await refused(store)
    assert number >= STATED
    logs = [caplog.text]
    if not store.is_sqlite:
        server: Server = request.getfixturevalue("postgresql_server")
        logs.append(server.log.read_text())
    for log in logs:
        # Each of them is in the log, with the name of what was not kept.
        assert log.count("violates") + log.count("constraint failed") > len(TABLES)
        assert [mark for mark in MARKS if mark in log] == []
