"""Rules that a database keeps by itself, whoever writes to it: triggers, for both databases alike.

A rule is SQL that both know; `{now}` in it is the database's own clock, in seconds since 1970. What
a table says of itself, its keys and its CHECKs, is read from `tables`. A migration that recreates a
table in SQLite must make its rules again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
import re
from typing import Literal

from sqlalchemy import CheckConstraint, Table, UniqueConstraint

from ..collective_tables import TABLES

type Event = Literal["INSERT", "UPDATE", "DELETE", "TRUNCATE"]
type Dialect = Literal["sqlite", "postgresql"]
type Rule = Guard | Effect | Numbering

NOW = {
    "sqlite": "unixepoch()",
    "postgresql": "CAST(floor(extract(epoch FROM clock_timestamp())) AS bigint)",
}
SOON = "abs({at} - {{now}}) <= 300"
"""The node's clock and the database's agree to five minutes."""

PIN = "SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true)"
"""What PostgreSQL is told before rules are made: temporary tables come last, not first."""

_TABLES = {table.name: table for table in TABLES}


@dataclass(frozen=True)
class Guard:
    """A change of a table is refused unless `allows` is true: nothing passes by being NULL.

    PostgreSQL takes `locks` first, a SELECT of the rows that the rule reads: so no other
    transaction can change them before this one ends. SQLite has one writer at a time.
    """

    table: str
    event: Event
    name: str
    allows: str
    message: str
    locks: str | None = None
    only: Dialect | None = None

    def create(self, dialect: str) -> Iterator[str]:
        if self.only not in (None, dialect):
            return
        refused = f"({self.allows.format(now=NOW[dialect])}) IS NOT TRUE"
        message = f"{self.table}: {self.message}"
        name, event = f"{self.table}_{self.name}", self.event
        if dialect == "sqlite":
            yield _sqlite(name, f"BEFORE {event}", self.table, refused, _abort(message))
            return
        locks = f"PERFORM {self.locks}; " if self.locks else ""
        body = f"{locks}IF {refused} THEN {_raise(message)} END IF;"
        yield from _postgresql(name, f"BEFORE {event}", self.table, body)


@dataclass(frozen=True)
class Effect:
    """A change of a table brings about other ones, in the same transaction."""

    table: str
    event: str
    name: str
    condition: str
    statements: tuple[str, ...]

    def create(self, dialect: str) -> Iterator[str]:
        name = f"{self.table}_{self.name}"
        statements = " ".join(f"{statement};" for statement in self.statements)
        if dialect == "sqlite":
            yield _sqlite(name, self.event, self.table, self.condition, statements)
            return
        body = f"IF {self.condition} THEN {statements} END IF;"
        yield from _postgresql(name, self.event, self.table, body)


@dataclass(frozen=True)
class Numbering:
    """Rows take the numbers of their table in turn: an INSERT that names another is refused.

    No sequence gives them: one that was set to its end would let no more rows in. PostgreSQL has
    writers wait for each other. SQLite has one at a time, and numbers a row only after the BEFORE
    triggers.
    """

    table: str
    column: str = "seq"

    def create(self, dialect: str) -> Iterator[str]:
        name, table, column = f"{self.table}_counts_up", self.table, self.column
        message = f"{table}: rows are numbered in turn"
        last = f"SELECT {column} FROM {table} {{}} ORDER BY {column} DESC LIMIT 1"
        if dialect == "sqlite":
            before = last.format(f"WHERE {column} <> NEW.{column}")
            wrong = f"NEW.{column} <> 1 + coalesce(({before}), 0)"
            yield _sqlite(name, "AFTER INSERT", table, wrong, _abort(message))
            return
        yield f"ALTER TABLE {table} ALTER {column} DROP DEFAULT"
        yield f"DROP SEQUENCE {table}_{column}_seq"
        body = (
            f"PERFORM pg_advisory_xact_lock(hashtext('{table}'));"
            f" next := 1 + coalesce(({last.format('')}), 0);"
            f" IF NEW.{column} <> next THEN {_raise(message)} END IF; NEW.{column} := next;"
        )
        yield from _postgresql(name, "BEFORE INSERT", table, body, declare="DECLARE next bigint; ")


def _sqlite(name: str, event: str, table: str, condition: str, body: str) -> str:
    return f"CREATE TRIGGER {name} {event} ON {table} WHEN {condition} BEGIN {body} END"


def _abort(message: str) -> str:
    return f"SELECT RAISE(ABORT, '{message}');"


def _postgresql(
    name: str, event: str, table: str, body: str, *, declare: str = ""
) -> Iterator[str]:
    kind = event.rpartition(" ")[2]
    result = {"DELETE": "OLD", "TRUNCATE": "NULL"}.get(kind, "NEW")
    each = "STATEMENT" if kind == "TRUNCATE" else "ROW"
    # A rule reads the tables that it was made for, whatever a session calls by their names.
    yield (
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT"
        f" AS $$ {declare}BEGIN {body} RETURN {result}; END $$"
    )
    yield f"CREATE TRIGGER {name} {event} ON {table} FOR EACH {each} EXECUTE FUNCTION {name}()"
    # It holds for a session that applies the changes of a replica too.
    yield f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}"


def _raise(message: str) -> str:
    return f"RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation';"


def stands_on(table: str, *targets: str) -> Iterator[Guard]:
    """Rows name a row of other tables that is there.

    SQLite knows of foreign keys only where a connection asks for them.
    """
    for key in _TABLES[table].foreign_key_constraints:
        target = key.referred_table.name
        if target in targets:
            same = " AND ".join(
                f"{one.column.name} = NEW.{one.parent.name}" for one in key.elements
            )
            allows = f"EXISTS (SELECT 1 FROM {target} WHERE {same})"
            yield Guard(
                table, "INSERT", f"stands_on_{target}", allows, f"there is no such row in {target}"
            )


def says(table: str) -> Iterator[Guard]:
    """Rows say what they must: a PRAGMA of SQLite puts every CHECK off, but no trigger."""
    columns = "|".join(_TABLES[table].columns.keys())
    checks = [one for one in _TABLES[table].constraints if isinstance(one, CheckConstraint)]
    for check in sorted(checks, key=lambda one: str(one.name)):
        name = str(check.name).removeprefix(f"ck_{table}_")
        allows = re.sub(
            rf"'[^']*'|\b(?:{columns})\b",
            lambda word: word[0] if word[0][0] == "'" else f"NEW.{word[0]}",
            str(check.sqltext),
        )
        message = f"a row does not say what it must: {name}"
        yield Guard(table, "INSERT", f"says_{name}", allows, message)


def of_now(table: str, column: str = "at") -> Guard:
    """Rows are written when they say."""
    allows = SOON.format(at=f"NEW.{column}")
    return Guard(table, "INSERT", "is_of_now", allows, "what is written happens now")


def is_itself(table: str, message: str, *, but: str) -> Guard:
    """Rows may change in some columns, and in no other."""
    names = [column.name for column in _TABLES[table].columns]
    allows = same(name for name in names if name not in but.split())
    return Guard(table, "UPDATE", "is_itself", allows, message)


def same(columns: Iterable[str]) -> str:
    """Return the SQL that says that these columns are as before."""
    return " AND ".join(f"NEW.{column} IS NOT DISTINCT FROM OLD.{column}" for column in columns)


def write_once(table: str, *, delete: str = "FALSE") -> Iterator[Guard]:
    """Rows that are written and then stand. `delete` is the rule for removing one."""
    yield Guard(table, "UPDATE", "stands", "FALSE", "a row is never altered")
    yield from kept(table, delete=delete)


def kept(table: str, *, delete: str = "FALSE") -> Iterator[Guard]:
    """Rows that are not removed or replaced, though some of it may change. See `write_once`.

    SQLite removes a row that stands in the way of INSERT OR REPLACE, and calls no trigger for
    that removal: so such an INSERT is refused, for each of the keys. Rows that are nothing but a
    key need none: what replaces one is the same.
    """
    yield Guard(table, "DELETE", "stays", delete, "this row is not to be removed")
    message = "is not to be emptied"
    yield Guard(table, "TRUNCATE", "is_not_emptied", "FALSE", message, only="postgresql")
    free = " AND ".join(
        f"NOT EXISTS (SELECT 1 FROM {table} WHERE {taken})" for taken in _taken(_TABLES[table])
    )
    if free:
        message = "a row is not replaced"
        yield Guard(table, "INSERT", "is_not_replaced", free, message, only="sqlite")


def _taken(table: Table) -> Iterator[str]:
    primary = {column.name for column in table.primary_key}
    if len(primary) == len(table.columns):
        return
    others = [key.columns.keys() for key in table.constraints if isinstance(key, UniqueConstraint)]
    for key in (list(table.primary_key.columns.keys()), *sorted(others)):
        if set(key) == primary or not primary <= set(key):
            yield " AND ".join(f"{column} = NEW.{column}" for column in key)
