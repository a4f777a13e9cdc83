"""Writes the tables of docs/database.md and the schema's fingerprint.

script/lib/run tools.tables
"""

from collections import defaultdict
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
import sys

from sqlalchemy import Table, create_engine

from consometers_node.store import HEAD
from consometers_node.store.all_tables import TABLES
from consometers_node.store.engine.declaration import Base
from consometers_node.store.migrations.rules import create

FILE = Path(__file__).parents[1] / "docs" / "database.md"
SCHEMA_FILE = Path(__file__).parents[1] / "addon" / "consometers_node" / "store" / "schema.py"
_BEGIN = "<!-- Written by `script/lib/run tools.tables`. -->\n"
_END = "<!-- To here. -->\n"
_HEAD = (
    "| table | a row is | not personal | personal, and what the erasure of a member does |\n"
    "|---|---|---|---|\n"
)


def page() -> str:
    """Return the whole page, with the tables as they are declared."""
    before, _, rest = FILE.read_text(encoding="utf-8").partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}{_HEAD}{''.join(_lines())}{_END}{after}"


def fingerprint() -> str:
    """Return a hash of all tables, indexes and rules, as a new database has them."""
    with create_engine("sqlite://").begin() as connection:
        create(connection, HEAD)
        made = connection.exec_driver_sql("SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2")
        return sha256(repr(made.all()).encode()).hexdigest()[:12]


def schema() -> str:
    """Return the module that has the fingerprint."""
    before, _, rest = SCHEMA_FILE.read_text(encoding="utf-8").partition('SCHEMA = "')
    return f'{before}SCHEMA = "{fingerprint()}"{rest.partition('"')[2]}'


def _lines() -> Iterator[str]:
    rows = {row.__table__.name: row for row in Base.__subclasses__()}
    for table in sorted(TABLES, key=lambda table: table.name):
        paragraph, *_ = (rows[table.name].__doc__ or "").split("\n\n")
        is_a = " ".join(paragraph.split()).removesuffix(".")
        yield f"| `{table.name}` | {is_a} | {' | '.join(_columns(table))} |\n"


def _columns(table: Table) -> Iterator[str]:
    """Yield the columns that are not personal, then the others."""
    by_kind = defaultdict(list)
    for column in table.columns:
        by_kind[column.info["personal"]].append(f"`{column.name}`")
    yield ", ".join(by_kind.pop(False, ()))
    only = len(by_kind) == 1 and len(table.columns) == len(next(iter(by_kind.values())))
    yield "; ".join(
        f"{'all' if only else ', '.join(names)}: {kind}" for kind, names in by_kind.items()
    )


def main() -> int:
    """Write the page and the fingerprint."""
    FILE.write_text(page(), encoding="utf-8")
    SCHEMA_FILE.write_text(schema(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
