"""There is one way from the sums of members to anybody: disclosure control."""

import ast
from collections.abc import Iterator
from pathlib import Path
import re

import consometers_node

ROOM = Path(consometers_node.__file__).parent

READERS = {
    "sums": {"collective.release"},
    "packed_sums": {"collective.tally"},
    "most_of_days": {"collective.others"},
    "released": {"collective.release", "collective.published"},
    "unreleased": {"collective.release"},
    "of_days_alone": {"collective.release"},
    "spread": {"collective.release"},
}
"""What reads sums, what was released of them or days of members; and which modules may call it."""

TABLES = {
    "SumBlockRow": {"store.sums", "store.releases"},
    "UnreleasedRow": {"store.releases"},
    "ReleasedBlockRow": {"store.releases", "collective.members", "collective.published"},
    "MemberDayRow": {"store.sums", "store.releases", "collective.rights", "collective.roster"},
}
"""Who may name a table: `members` asks when, `published` whether and why not, `rights` erases,
`roster` counts the records of a day."""

BY_NAME = {"store.collective_tables", "store.months", "store.moving"}
"""Who may name tables in SQL: what makes them, parts them by month and moves them whole."""


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in ROOM.rglob("*.py"):
        name = ".".join(path.relative_to(ROOM).with_suffix("").parts)
        if not name.startswith("store.migrations."):
            yield name, ast.parse(path.read_text())


def imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Give what a module imports: from which module (its last name), and what."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            for one in node.names:
                yield (node.module or "").rpartition(".")[2], one.name


def test_whoever_counts_records_reads_no_energy() -> None:
    (roster,) = (tree for name, tree in modules() if name == "collective.roster")
    named = {node.attr for node in ast.walk(roster) if isinstance(node, ast.Attribute)}
    assert "records" in named
    assert "watt_minutes" not in named


def test_only_disclosure_reads_sums() -> None:
    found: dict[str, set[str]] = {reader: set() for reader in READERS}
    for name, tree in modules():
        for source, what in imported(tree):
            if source in {"sums", "releases"} and what in found:
                found[what].add(name)
            # A module taken whole could be asked for anything.
            assert (source, what) not in {("store", "sums"), ("store", "releases")}, name
    for reader, allowed in READERS.items():
        assert found[reader] <= allowed, reader


def test_only_the_store_names_their_tables() -> None:
    for name, tree in modules():
        if name in BY_NAME:
            continue
        named = {what for _, what in imported(tree)}
        named |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        for table, allowed in TABLES.items():
            if table in named:
                assert name in allowed, table


def test_nobody_writes_sql_about_them() -> None:
    tables = re.compile(r"\b(sum_block|member_day|unreleased)\b")
    for name, tree in modules():
        if name in BY_NAME:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                words = tables.search(node.value)
                is_sql = re.search(r"\b(SELECT|FROM|JOIN|INTO|UPDATE)\b", node.value)
                assert not (words and is_sql), name


def test_the_rules_hold_for_modules_that_are_there() -> None:
    names = {name for name, _ in modules()}
    assert names >= {"store.sums", "store.releases", "collective.release", "collective.tally"}
    assert names >= set().union(*TABLES.values())
    tree = dict(modules())["collective.release"]
    assert ("releases", "sums") in set(imported(tree))
