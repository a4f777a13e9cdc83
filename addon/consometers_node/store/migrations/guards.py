"""Rules that a database keeps by itself, for any writer: triggers, for both databases alike.

A rule is SQL that both know; `{now}` in it is the database's own clock, in seconds since 1970. What
a table says of itself, its keys and its CHECKs, is read from `tables`. A migration that recreates a
table in SQLite must make its rules again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
import re

from sqlalchemy import CheckConstraint, UniqueConstraint

from consometers_node.store.all_tables import TABLES

NOW = {
    "sqlite": "unixepoch()",
    "postgresql": "CAST(floor(extract(epoch FROM clock_timestamp())) AS bigint)",
}
SOON = "abs({at} - {{now}}) <= 300"
"""The node's clock and the database's agree to five minutes."""

_TABLES = {table.name: table for table in TABLES}


@dataclass(frozen=True)
class Guard:
    """A change of a table is refused unless `allows` is true: nothing passes by being NULL.

    PostgreSQL takes `locks` first, a SELECT of the rows that the rule reads: so no other
    transaction can change them before this one ends. SQLite has one writer at a time.
    """

    table: str
    event: str
    name: str
    allows: str
    message: str
    locks: str = ""
    only: str = ""

    def create(self, dialect: str) -> Iterator[str]:
        """Yield the statements that make it."""
        if self.only in ("", dialect):
            yield from trigger(
                dialect,
                f"BEFORE {self.event} ON {self.table}",
                self.name,
                f"({self.allows.format(now=NOW[dialect])}) IS NOT TRUE",
                _refuse(dialect, f"{self.table}: {self.message}"),
                before=f"PERFORM {self.locks}; " if self.locks else "",
            )


def trigger(
    dialect: str,
    event: str,
    name: str,
    condition: str,
    action: str,
    *,
    before: str = "",
    after: str = "",
) -> Iterator[str]:
    """Yield the statements that make a trigger of an event, as "BEFORE INSERT ON block".

    `before` and `after` are what PostgreSQL does besides, whether the condition holds or not.
    """
    _, kind, _, table = event.split()
    name = f"{table}_{name}"
    if dialect == "sqlite":
        yield f"CREATE TRIGGER {name} {event} WHEN {condition} BEGIN {action} END"
        return
    result = {"DELETE": "OLD", "TRUNCATE": "NULL"}.get(kind, "NEW")
    each = "STATEMENT" if kind == "TRUNCATE" else "ROW"
    # A rule reads the tables that it was made for, whatever a session calls by their names.
    yield (
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS"
        f" $$ BEGIN {before}IF {condition} THEN {action} END IF;{after} RETURN {result}; END $$"
    )
    yield f"CREATE TRIGGER {name} {event} FOR EACH {each} EXECUTE FUNCTION {name}()"
    # It holds for a session that applies the changes of a replica too.
    yield f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}"


def _refuse(dialect: str, message: str) -> str:
    if dialect == "sqlite":
        return f"SELECT RAISE(ABORT, '{message}');"
    return f"RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation';"


def numbering(dialect: str, table: str) -> Iterator[str]:
    """Yield the rule that rows are numbered in turn: an INSERT of another number is refused.

    No sequence gives them: one that was set to its end would let no more rows in. PostgreSQL has
    writers wait for each other. SQLite has one at a time, and numbers a row only after the BEFORE
    triggers.
    """
    refuse = _refuse(dialect, f"{table}: rows are numbered in turn")
    last = f"SELECT seq FROM {table} {{}} ORDER BY seq DESC LIMIT 1"
    if dialect == "sqlite":
        before = last.format("WHERE seq <> NEW.seq")
        wrong = f"NEW.seq <> 1 + coalesce(({before}), 0)"
        yield from trigger(dialect, f"AFTER INSERT ON {table}", "counts_up", wrong, refuse)
        return
    yield f"ALTER TABLE {table} ALTER seq DROP DEFAULT"
    yield f"DROP SEQUENCE {table}_seq_seq"
    next_ = f"1 + coalesce(({last.format('')}), 0)"
    yield from trigger(
        dialect,
        f"BEFORE INSERT ON {table}",
        "counts_up",
        f"NEW.seq <> {next_}",
        refuse,
        before=f"PERFORM pg_advisory_xact_lock(hashtext('{table}')); ",
        after=f" NEW.seq := {next_};",
    )


def stands_on(table: str, target: str) -> Iterator[Guard]:
    """Rows name a row of another table that is there.

    SQLite knows of foreign keys only where a connection asks for them.
    """
    for key in _TABLES[table].foreign_key_constraints:
        if key.referred_table.name == target:
            pairs = [f"{part.column.name} = NEW.{part.parent.name}" for part in key.elements]
            allows = f"EXISTS (SELECT 1 FROM {target} WHERE {' AND '.join(pairs)})"
            message = f"there is no such row in {target}"
            yield Guard(table, "INSERT", f"stands_on_{target}", allows, message)


def checks(table: str) -> Iterator[Guard]:
    """Rows say what they must: a PRAGMA of SQLite puts every CHECK off, but no trigger."""
    columns = "|".join(_TABLES[table].columns.keys())
    checks = [each for each in _TABLES[table].constraints if isinstance(each, CheckConstraint)]
    for check in sorted(checks, key=lambda check: str(check.name)):
        name = str(check.name).removeprefix(f"ck_{table}_")
        allows = re.sub(
            rf"'[^']*'|\b(?:{columns})\b",
            lambda word: word[0] if word[0][0] == "'" else f"NEW.{word[0]}",
            str(check.sqltext),
        )
        message = f"a row does not say what it must: {name}"
        yield Guard(table, "INSERT", f"says_{name}", allows, message)


def is_itself(table: str, message: str, *, but: str) -> Guard:
    """Rows may change in some columns, and in no other."""
    names = [column.name for column in _TABLES[table].columns]
    allows = same(name for name in names if name not in but.split())
    return Guard(table, "UPDATE", "is_itself", allows, message)


def same(columns: Iterable[str]) -> str:
    """Return the SQL that says that these columns are as before."""
    return " AND ".join(f"NEW.{column} IS NOT DISTINCT FROM OLD.{column}" for column in columns)


def stays(table: str, delete: str) -> Iterator[Guard]:
    """Rows are not replaced, and not removed but where a rule allows it.

    SQLite removes a row that stands in the way of INSERT OR REPLACE, and calls no trigger for
    that removal: so such an INSERT is refused, for each of the keys. Rows that are nothing but a
    key need none: what replaces one is the same.
    """
    yield Guard(table, "DELETE", "stays", delete, "this row is not to be removed")
    message = "is not to be emptied"
    yield Guard(table, "TRUNCATE", "is_not_emptied", "FALSE", message, only="postgresql")
    free = " AND ".join(
        f"NOT EXISTS (SELECT 1 FROM {table} WHERE {taken})" for taken in _taken(table)
    )
    if free:
        message = "a row is not replaced"
        yield Guard(table, "INSERT", "is_not_replaced", free, message, only="sqlite")


def _taken(name: str) -> Iterator[str]:
    table = _TABLES[name]
    primary = set(table.primary_key.columns.keys())
    if len(primary) == len(table.columns):
        return
    others = [key.columns.keys() for key in table.constraints if isinstance(key, UniqueConstraint)]
    for key in (table.primary_key.columns.keys(), *sorted(others)):
        if set(key) == primary or not primary <= set(key):
            yield " AND ".join(f"{column} = NEW.{column}" for column in key)
