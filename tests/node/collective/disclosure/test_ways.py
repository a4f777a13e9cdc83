"""Members' records reach the public in one way alone: through disclosure control."""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
import re

import pytest

import consometers_node

ROOM = Path(consometers_node.__file__).parent
ALL = f"{ROOM.name}."

SUMS = {
    "store.collective.publication.cells": {
        "collective.publication.reading.queries",
        "store.collective.published_series",
    },
    "store.collective.publication.cells_of_hour": {
        "collective.publication.closing.protected_hours"
    },
    "store.collective.publication.cells_of_records": {"collective.publication.closing.quartiles"},
    "store.collective.publication.interval_sums": {"collective.publication.reading.queries"},
    "store.collective.publication.day_sums": {"collective.publication.closing.closer"},
    "store.collective.published_series.published_extent": {"sharing.records.due_records"},
    "store.collective.published_series.published_records": {"sharing.records.due_records"},
    "store.collective.publication.quartiles_of": {"collective.publication.closing.quartiles"},
    "store.collective.publication.write": {
        "collective.publication.closing.closer",
        "collective.publication.closing.protected_hours",
    },
    "store.collective.publication.write_month": {"collective.publication.closing.closer"},
}
"""What writes and reads published cells; and which modules may call it."""

RECORDS = {
    "store.series.blocks": {
        "collective.ingestion.backfill",
        "collective.privacy.erasure",
        "household.files.source",
        "household.statistics_import.monthly_consumption",
        "household.sharing.sync",
        "sharing.records.due_records",
        "sharing.export",
    },
    "store.series.blocks_of_days": {
        "collective.ingestion.validation",
        "sharing.records.due_records",
    },
    "store.collective.set_aside.of_member": {
        "collective.ingestion.validation",
        "web.admin.members.doubts",
    },
    "store.collective.memberships.member_blocks": {
        "collective.publication.closing.blocks",
        "collective.publication.closing.first_days",
    },
    "store.collective.memberships.packed_day": {"collective.publication.closing.blocks"},
    "collective.publication.closing.blocks.Day": {
        "collective.publication.closing.closer",
        "collective.publication.closing.tabulation",
    },
    "collective.publication.closing.blocks.Snapshot": {
        "collective.publication.closing.quartiles",
        "collective.publication.closing.tabulation",
    },
    "sharing.records.due_records.records_of": {
        "sharing.answers",
        "sharing.permissions.consent",
        "sharing.records.record_messages",
    },
    "sharing.export.records": set[str](),
    "store.series.counts": {
        "collective.ingestion.validation",
        "collective.privacy.erasure",
        "collective.privacy.export",
    },
    "store.personal.rows": {"collective.privacy.export", "sharing.export"},
    "sharing.export.document": {"collective.privacy.export"},
    "sharing.export.table": {"collective.privacy.export"},
    "collective.privacy.export.as_json": {
        "cli.collective.members",
        "collective.privacy.own_export",
        "web.admin.members.member",
    },
    "collective.privacy.export.as_csv": {
        "cli.collective.members",
        "collective.privacy.own_export",
        "web.admin.members.member",
    },
}
"""What reads records of members, and who may: `backfill` looks which are missing, `erasure` erases,
`consent` shows a home what would leave, `export` is a member's right."""

TABLES = {
    "PublishedCellRow": {
        "store.collective.publication",
        "store.collective.published_series",
        "collective.members.members",
    },
    "ClosedMonthRow": {"store.collective.publication"},
    "ClosedIntervalRow": {
        "store.collective.publication",
        "store.collective.masked_reports",
        "collective.members.members",
    },
    "MaskedReportRow": {"store.collective.masked_reports"},
    "BlockRow": {
        "store.collective.memberships",
        "store.personal",
        "store.series",
        "collective.privacy.erasure",
        "collective.members.member_overview",
    },
    "SetAsideRow": {"store.collective.set_aside"},
    "Base": {
        "accounts.sessions",
        "store.engine.upsert",
        "store.host.tables",
        "store.personal",
        "store.tables",
    },
}
"""Who may name a table: `members` asks when, `masked_reports` whether an hour is closed, `erasure`
erases, `member_overview` counts the records of a day, `personal` reads and erases what the tables
declare to be personal."""

WHOLE = {
    "",
    "store",
    "store.all_tables",
    "store.all_tables.TABLES",
    "store.collective.tables",
    "store.engine.declaration",
    "store.collective.memberships",
    "store.collective.publication",
    "store.series",
    "store.tables",
}
"""A module that is taken whole could be asked for anything."""

BY_NAME = {"store.all_tables", "store.collective.tables", "store.engine.months", "store.moving"}
"""Who may name tables in SQL: what makes them, parts them by month and moves them whole."""
AT_WILL = {"importlib.import_module": {"cli.core.usage"}, "importlib.__import__": set[str]()}
"""What imports a module by a name that is made up when it runs."""


@cache
def modules() -> dict[str, ast.Module]:
    trees = {}
    for path in ROOM.rglob("*.py"):
        name = ".".join(path.relative_to(ROOM).with_suffix("").parts)
        if not name.startswith("store.migrations."):
            trees[name] = ast.parse(path.read_text())
    return trees


@cache
def imports(name: str, tree: ast.Module) -> dict[str, str]:
    """Return what a module imports: its name there, and what it is, from our room on."""
    return dict(_imports(name, tree))


def _imports(name: str, tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                for alias in node.names:
                    root, _, _ = alias.name.partition(".")
                    yield (alias.asname, alias.name) if alias.asname else (root, root)
                    yield alias.name, alias.name
            case ast.ImportFrom():
                package = f"{ALL}{name}".split(".")
                source = [*package[: -node.level or None]] if node.level else []
                source += node.module.split(".") if node.module else []
                for alias in node.names:
                    yield alias.asname or alias.name, ".".join([*source, alias.name])


class Uses:
    """What modules use of each other, however they came by it."""

    def __init__(self, trees: Mapping[str, ast.Module]) -> None:
        self.trees = trees
        self._imports = {name: imports(name, tree) for name, tree in trees.items()}

    def of(self, name: str) -> set[str]:
        """Return what a module imports, or takes of a module that it imported."""
        imports = self._imports[name]
        modules = set(imports.values())
        for node in ast.walk(self.trees[name]):
            root, *rest = _dotted(node)
            if root in imports:
                modules.add(".".join([imports[root], *rest]))
        return {self._origin(path) for path in modules}

    def _origin(self, path: str) -> str:
        """Return where something comes from, that another module may have imported before."""
        if path == ROOM.name:
            return ""
        if not path.startswith(ALL):
            return path
        parts = path.removeprefix(ALL).split(".")
        for length in range(1, len(parts)):
            package = ".".join(parts[:length])
            if f"{package}.{parts[length]}" in self.trees:
                continue
            for module in (package, f"{package}.__init__"):
                taken = self._imports.get(module, {}).get(parts[length])
                if taken is not None:
                    return self._origin(".".join([taken, *parts[length + 1 :]]))
        return ".".join(parts)


def _dotted(node: ast.AST) -> list[str]:
    match node:
        case ast.Name():
            return [node.id]
        case ast.Attribute():
            before = _dotted(node.value)
            return [*before, node.attr] if before[0] else [""]
    return [""]


def ways_around(uses: Uses, name: str) -> Iterator[str]:
    """Yield what a module uses that it may not."""
    used = uses.of(name)
    for what, allowed in (SUMS | RECORDS | AT_WILL).items():
        is_its_own = what.rpartition(".")[0] == name
        if name not in allowed and not is_its_own:
            yield from (name for name in used if f"{name}.".startswith(f"{what}."))
    if name not in BY_NAME:
        yield from used & WHOLE
    named = {part for name in used for part in name.split(".")}
    named |= {node.attr for node in ast.walk(uses.trees[name]) if isinstance(node, ast.Attribute)}
    for table, allowed in TABLES.items():
        if table in named and name not in allowed and name not in BY_NAME:
            yield table
    if not name.startswith("store."):
        yield from (name for name in used if name.endswith((".metadata.tables", ".*")))


def test_listed_modules_alone_read_sums_and_records() -> None:
    uses = Uses(modules())
    ways = {name: set(ways_around(uses, name)) for name in uses.trees}
    assert {name: what for name, what in ways.items() if what} == {}


@pytest.mark.parametrize(
    ("source", "way"),
    [
        (
            "import consometers_node.store.collective.publication as p\np.cells()",
            "store.collective.publication.cells",
        ),
        (
            "import consometers_node.store.collective.publication as p\ngetattr(p, x)",
            "store.collective.publication",
        ),
        ("import consometers_node.store\nconsometers_node.store.series.blocks", "store.series"),
        ("from ..store.series import blocks", "store.series.blocks"),
        ("from consometers_node.store.series import blocks as b", "store.series.blocks"),
        ("from ..store.collective import memberships", "store.collective.memberships"),
        ("from .. import store", "store"),
        (
            "import consometers_node as c\nc.store.collective.memberships.member_blocks",
            "store.collective.memberships.member_blocks",
        ),
        ("from ..store.tables import BlockRow", "BlockRow"),
        ("from ..store import tables\nselect(tables.BlockRow.packed)", "BlockRow"),
        ("from ..store.tables import SeriesRow\nSeriesRow.metadata.tables['block']", "tables"),
        (
            "from ..collective.publication.closing.tabulation import Snapshot",
            "collective.publication.closing.blocks.Snapshot",
        ),
        ("from ..sharing.export import records", "sharing.export.records"),
        ("from ..store.collective.publication import *", "store.collective.publication.*"),
        ("from importlib import import_module", "importlib.import_module"),
    ],
)
def test_a_leak_is_found(source: str, way: str) -> None:
    uses = Uses(modules() | {"web.leak": ast.parse(source)})
    assert any(what.endswith(way) for what in ways_around(uses, "web.leak"))


def sql_about_them(trees: Mapping[str, ast.Module]) -> Iterator[str]:
    """Yield the modules that write SQL about members' records, or sums."""
    tables = re.compile(r"\b(block|published_cell|closed_interval|closed_month)\b")
    for name, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                is_sql = re.search(r"\b(SELECT|FROM|JOIN|INTO|UPDATE)\b", node.value)
                if is_sql and tables.search(node.value) and name not in BY_NAME:
                    yield name


def test_no_other_module_has_sql_on_sums_and_records() -> None:
    assert list(sql_about_them(modules())) == []
    leak = ast.parse("text('SELECT packed FROM block')")
    assert list(sql_about_them(modules() | {"web.leak": leak})) == ["web.leak"]


def test_rules_name_existing_modules_and_readers() -> None:
    trees, uses = modules(), Uses(modules())
    for what, allowed in (SUMS | RECORDS).items():
        module, _, reader = what.rpartition(".")
        names = {getattr(node, "name", None) for node in ast.walk(trees[module])}
        assert reader in names, what
        assert [name for name in allowed if what not in uses.of(name)] == [], what
    assert trees.keys() >= set().union(*TABLES.values(), *AT_WILL.values())
