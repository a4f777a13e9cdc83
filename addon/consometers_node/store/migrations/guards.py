"""Rules that a database itself keeps, whoever writes to it: triggers, for both databases alike.

A rule is SQL that both know; `{now}` in it is the database's own clock, in seconds since 1970.
A migration that recreates a table in SQLite must make its guards anew.
"""

from collections.abc import Iterator, Mapping
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
        yield _always(self.table, self.name)


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
        yield _always(self.table, self.name)


@dataclass(frozen=True, kw_only=True)
class Numbering:
    """Rows take the numbers of their table in turn: an INSERT that names another is refused.

    No sequence gives them: one that was set to its end would let no more rows in. PostgreSQL has
    writers wait for each other. SQLite has one at a time, and numbers a row only after the BEFORE
    triggers.
    """

    table: str
    column: str

    def create(self, dialect: str) -> Iterator[str]:
        name, table, column = f"{self.table}_counts_up", self.table, self.column
        message = f"{table}: rows are numbered in turn"
        last = f"SELECT {column} FROM {table} {{}} ORDER BY {column} DESC LIMIT 1"
        if dialect == "sqlite":
            before = last.format(f"WHERE {column} <> NEW.{column}")
            yield (
                f"CREATE TRIGGER {name} AFTER INSERT ON {table}"
                f" WHEN NEW.{column} <> 1 + coalesce(({before}), 0)"
                f" BEGIN SELECT RAISE(ABORT, '{message}'); END"
            )
            return
        yield (
            f"CREATE FUNCTION {name}() RETURNS trigger {_PLPGSQL} AS $$"
            f" DECLARE next bigint; BEGIN PERFORM pg_advisory_xact_lock(hashtext('{table}'));"
            f" next := 1 + coalesce(({last.format('')}), 0);"
            f" IF NEW.{column} <> next THEN RAISE EXCEPTION '{message}'"
            f" USING ERRCODE = 'integrity_constraint_violation'; END IF;"
            f" NEW.{column} := next; RETURN NEW; END $$"
        )
        yield (
            f"CREATE TRIGGER {name} BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"
        )
        yield _always(table, name)


def _always(table: str, name: str) -> str:
    """Return what lets a rule hold for a session that applies the changes of a replica too."""
    return f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}"


def stands_on(table: str, columns: str, to: str) -> Guard:
    """Rows name a row of another table that is there: `"a, b"` names `"table: c, d"`.

    SQLite knows of foreign keys only where a connection asks for them.
    """
    target, _, theirs = to.partition(": ")
    pairs = zip(columns.split(", "), theirs.split(", "), strict=True)
    same = " AND ".join(f"{other} = NEW.{own}" for own, other in pairs)
    return Guard(
        name=f"{table}_stands_on_{target}",
        table=table,
        event="INSERT",
        allows=f"EXISTS (SELECT 1 FROM {target} WHERE {same})",
        message=f"there is no such row in {target}",
    )


def says(table: str, facts: Mapping[str, str]) -> Iterator[Guard]:
    """Rows say what they must. `{}` in a fact is empty in a CHECK, and names the row here.

    A PRAGMA of SQLite puts every CHECK off, but no trigger.
    """
    for name, fact in facts.items():
        yield Guard(
            name=f"{table}_says_{name}",
            table=table,
            event="INSERT",
            allows=fact.format("NEW."),
            message=f"a row does not say what it must: {name}",
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
