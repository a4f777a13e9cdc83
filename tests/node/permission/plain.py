"""Someone who writes to the database with plain SQL, and none of our code in between."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
import sqlite3

import psycopg

COLLECTIVE_TABLES = (
    "own_need",
    "invitation",
    "member",
    "member_group",
    "group_membership",
    "member_permission",
    "member_permission_series",
    "device_claim",
    "set_aside",
    "member_permission_register",
    "access_log",
    "member_count",
    "sum_block",
    "member_day",
    "released_block",
    "unreleased",
    "to_release",
    "administrator",
    "admin_session",
)
TABLES = (
    "peer",
    "series",
    "block",
    "coverage",
    "absence",
    "pulled_series",
    "data_need",
    "data_need_series",
    "permission",
    "permission_series",
    "shown_text",
    "register",
    "notice",
    "subscription",
    "outbox",
    "answer",
    "setting",
    "secret",
    *COLLECTIVE_TABLES,
)
NOW = {"sqlite": "unixepoch()", "postgresql": "CAST(extract(epoch FROM now()) AS bigint)"}


class Refused(Exception):
    """The database said no."""


class Plain:
    """A connection as any tool makes it: in SQLite foreign keys are off, and CHECK is put off."""

    def __init__(self, connection: sqlite3.Connection | psycopg.Connection) -> None:
        self.connection = connection
        self.kind = "sqlite" if isinstance(connection, sqlite3.Connection) else "postgresql"

    def run(self, *statements: str) -> list[tuple[object, ...]]:
        """Run statements one by one, {now} being the present, and give what the last one gives."""
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

    def tables(self) -> list[str]:
        """Return those of our tables that are there; in an old database not all are."""
        catalogue = {
            "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table'",
            "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()",
        }
        there = {name for (name,) in self.run(catalogue[self.kind])}
        return [table for table in TABLES if table in there]

    def everything(self) -> dict[str, list[tuple[object, ...]]]:
        return {
            table: sorted(self.run(f"SELECT * FROM {table}"), key=repr) for table in self.tables()
        }


@contextmanager
def plain(place: Path | str) -> Iterator[Plain]:
    if isinstance(place, Path):
        connection = sqlite3.connect(place, autocommit=True)
        connection.execute("PRAGMA ignore_check_constraints = ON")
        try:
            yield Plain(connection)
        finally:
            connection.close()
    else:
        with psycopg.connect(place, autocommit=True) as other:
            yield Plain(other)
