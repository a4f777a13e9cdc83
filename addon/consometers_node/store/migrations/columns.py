"""Columns, rules and indexes as the revisions make them, by the names that the tables use."""

from collections.abc import Iterator, Mapping
from datetime import date

from alembic import op
import sqlalchemy as sa

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DAY = sa.Date().with_variant(sa.Text(), "sqlite")

STRICT = {"sqlite_strict": True}
CLUSTERED = {"sqlite_strict": True, "sqlite_with_rowid": False}
NUMBERED = {"sqlite_strict": True, "sqlite_autoincrement": True}


def whole(name: str, *, primary_key: bool = False, nullable: bool = False) -> sa.Column[int]:
    """Give a column of whole numbers."""
    return sa.Column(name, WHOLE, primary_key=primary_key, nullable=nullable)


def counted(name: str) -> sa.Column[int]:
    """Number the rows of a table in turn, by a rule of the table and by no sequence."""
    return sa.Column(name, WHOLE, primary_key=True, autoincrement=False, nullable=False)


def words(name: str, *, primary_key: bool = False, nullable: bool = False) -> sa.Column[str]:
    """Give a column of texts."""
    return sa.Column(name, sa.Text(), primary_key=primary_key, nullable=nullable)


def day(name: str, *, primary_key: bool = False, nullable: bool = False) -> sa.Column[date]:
    """Give a column of days."""
    return sa.Column(name, DAY, primary_key=primary_key, nullable=nullable)


def blob(name: str) -> sa.Column[bytes]:
    """Give a column of bytes."""
    return sa.Column(name, sa.LargeBinary(), nullable=False)


def check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    """Give a rule that each row keeps, named after its table."""
    return sa.CheckConstraint(condition, op.f(f"ck_{table}_{name}"))


def checks(table: str, facts: Mapping[str, str]) -> Iterator[sa.CheckConstraint]:
    """Return rules that each row keeps: see `guards.says`."""
    for name, fact in facts.items():
        yield check(table, name, fact.format(""))


def unique(table: str, *columns: str) -> sa.UniqueConstraint:
    """Give the rule that no two rows have the same in these columns."""
    return sa.UniqueConstraint(*columns, name=op.f("_".join(("uq", table, *columns))))


def reference(table: str, columns: str, to: str, ondelete: str | None = None) -> sa.Constraint:
    """Let these columns name a row of another table: `"a, b"` to `"table: c, d"`."""
    own = columns.split(", ")
    target, _, theirs = to.partition(": ")
    return sa.ForeignKeyConstraint(
        own,
        [f"{target}.{column}" for column in theirs.split(", ")],
        name=op.f("_".join(("fk", table, *own))),
        ondelete=ondelete,
    )


def index(table: str, *columns: str) -> None:
    """Make an index."""
    op.create_index(op.f("_".join(("ix", table, *columns))), table, list(columns))
