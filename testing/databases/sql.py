"""Plain SQL against the database, past all our code."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
import sqlite3

import psycopg

from consometers_node.store import all_tables

TABLES = tuple(table.name for table in all_tables.TABLES)
NOW = {"sqlite": "unixepoch()", "postgresql": "CAST(extract(epoch FROM now()) AS bigint)"}


class Refused(Exception):
    """The database refused a statement."""


class PlainSql:
    """A connection as any tool makes it: in SQLite foreign keys are off, and CHECK is put off."""

    def __init__(self, connection: sqlite3.Connection | psycopg.Connection) -> None:
        self.connection = connection
        self.kind = "sqlite" if isinstance(connection, sqlite3.Connection) else "postgresql"

    def run(self, *statements: str) -> list[tuple[object, ...]]:
        """Run statements one by one, {now} being the present; return the rows of the last one."""
        rows: Iterable[tuple[object, ...]] = ()
        for statement in statements:
            sql = statement.replace("{now}", NOW[self.kind])
            try:
                if isinstance(self.connection, sqlite3.Connection):
                    rows = self.connection.execute(sql).fetchall()
                else:
                    cursor = self.connection.execute(sql.encode())
                    rows = cursor.fetchall() if cursor.description else ()
            except (sqlite3.IntegrityError, psycopg.IntegrityError) as fault:
                raise Refused(str(fault)) from fault
        return list(rows)

    def value(self, query: str) -> object:
        ((value,),) = self.run(query)
        return value

    def everything(self) -> dict[str, list[tuple[object, ...]]]:
        return {table: sorted(self.run(f"SELECT * FROM {table}"), key=repr) for table in TABLES}


@contextmanager
def plain(place: Path | str) -> Iterator[PlainSql]:
    if isinstance(place, Path):
        connection = sqlite3.connect(place, autocommit=True)
        connection.execute("PRAGMA ignore_check_constraints = ON")
        try:
            yield PlainSql(connection)
        finally:
            connection.close()
    else:
        with psycopg.connect(place, autocommit=True) as other:
            yield PlainSql(other)
