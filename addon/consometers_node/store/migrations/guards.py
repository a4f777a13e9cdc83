"""Rules that a database itself keeps, whoever writes to it: triggers, for both databases alike.

A rule is SQL that both know; `{now}` in it is the database's own clock, in seconds since 1970.
A migration that recreates a table in SQLite must make its guards anew.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

type Event = Literal["INSERT", "UPDATE", "DELETE", "TRUNCATE"]
type Dialect = Literal["sqlite", "postgresql"]

NOW = {
    "sqlite": "unixepoch()",
    "postgresql": "CAST(floor(extract(epoch FROM clock_timestamp())) AS bigint)",
}

_PLPGSQL = "LANGUAGE plpgsql SET search_path FROM CURRENT"
"""A rule reads the tables that it was made for, whatever a session calls by their names."""

PIN = "SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true)"
"""What PostgreSQL is told before rules are made: temporary tables come last, not first."""


@dataclass(frozen=True, kw_only=True)
class Guard:
    """A change of a table is refused unless `allows` is true: nothing passes by being NULL.

    PostgreSQL takes `locks` first, a SELECT of the rows that the rule reads: so no other
    transaction can change them before this one ends. SQLite has one writer at a time.
    """

    name: str
    table: str
    event: Event
    allows: str
    message: str
    locks: str | None = None
    only: Dialect | None = None

    def create(self, dialect: str) -> Iterator[str]:
        allows = self.allows.format(now=NOW[dialect])
        if self.only not in (None, dialect):
            return
        if dialect == "sqlite":
            yield (
                f"CREATE TRIGGER {self.name} BEFORE {self.event} ON {self.table}"
                f" WHEN ({allows}) IS NOT TRUE"
                f" BEGIN SELECT RAISE(ABORT, '{self.table}: {self.message}'); END"
            )
            return
        locks = f"PERFORM {self.locks}; " if self.locks else ""
        result = {"DELETE": "OLD", "TRUNCATE": "NULL"}.get(self.event, "NEW")
        each = "STATEMENT" if self.event == "TRUNCATE" else "ROW"
        yield (
            f"CREATE FUNCTION {self.name}() RETURNS trigger {_PLPGSQL} AS $$ BEGIN {locks}"
            f"IF ({allows}) IS NOT TRUE THEN RAISE EXCEPTION '{self.table}: {self.message}'"
            f" USING ERRCODE = 'integrity_constraint_violation'; END IF; RETURN {result}; END $$"
        )
        yield (
            f"CREATE TRIGGER {self.name} BEFORE {self.event} ON {self.table}"
            f" FOR EACH {each} EXECUTE FUNCTION {self.name}()"
        )


@dataclass(frozen=True, kw_only=True)
class Effect:
    """A change of a table brings about other ones, in the same transaction."""

    name: str
    table: str
    when: Literal["BEFORE", "AFTER"]
    event: Event
    condition: str
    statements: tuple[str, ...]

    def create(self, dialect: str) -> Iterator[str]:
        statements = " ".join(f"{statement};" for statement in self.statements)
        if dialect == "sqlite":
            yield (
                f"CREATE TRIGGER {self.name} {self.when} {self.event} ON {self.table}"
                f" WHEN {self.condition} BEGIN {statements} END"
            )
            return
        yield (
            f"CREATE FUNCTION {self.name}() RETURNS trigger {_PLPGSQL} AS $$"
            f" BEGIN IF {self.condition} THEN {statements} END IF; RETURN NEW; END $$"
        )
        yield (
            f"CREATE TRIGGER {self.name} {self.when} {self.event} ON {self.table}"
            f" FOR EACH ROW EXECUTE FUNCTION {self.name}()"
        )


def write_once(table: str, *keys: str, delete: str = "FALSE") -> Iterator[Guard]:
    """Rows that are written and then stand. `delete` is the rule for removing one.

    SQLite removes a row that stands in the way of INSERT OR REPLACE, and calls no trigger for
    that removal: so such an INSERT is refused, for each of the keys, columns joined by commas.
    Rows that are nothing but a key need none: what replaces one is the same.
    """
    yield Guard(
        name=f"{table}_stands",
        table=table,
        event="UPDATE",
        allows="FALSE",
        message="a row is never altered",
    )
    yield from kept(table, *keys, delete=delete)


def kept(table: str, *keys: str, delete: str = "FALSE") -> Iterator[Guard]:
    """Rows that are not removed or replaced, though some of it may change. See `write_once`."""
    yield Guard(
        name=f"{table}_stays",
        table=table,
        event="DELETE",
        allows=delete,
        message="this row is not to be removed",
    )
    yield Guard(
        name=f"{table}_is_not_emptied",
        table=table,
        event="TRUNCATE",
        allows="FALSE",
        message="is not to be emptied",
        only="postgresql",
    )
    if not keys:
        return
    taken = (" AND ".join(f"{column} = NEW.{column}" for column in key.split(", ")) for key in keys)
    yield Guard(
        name=f"{table}_is_not_replaced",
        table=table,
        event="INSERT",
        allows=" AND ".join(f"NOT EXISTS (SELECT 1 FROM {table} WHERE {one})" for one in taken),
        message="a row is not replaced",
        only="sqlite",
    )
