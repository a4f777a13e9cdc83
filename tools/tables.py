"""Writes the tables of docs/database.md from their declarations: script/lib/run tools.tables."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
import sys

from sqlalchemy import Table

from consometers_node.store.collective_tables import TABLES
from consometers_node.store.declaration import Base

FILE = Path(__file__).parents[1] / "docs" / "database.md"
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
    """Write the page."""
    FILE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
