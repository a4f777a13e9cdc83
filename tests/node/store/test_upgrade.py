"""A node opens the former release's database, and an older node cannot open it again.

Programs of both run as they were committed. Where their tables are the same, the newer one gets
one more revision, so that there is always something to migrate.
"""

from collections.abc import Callable
import os
from pathlib import Path
import re
import subprocess
import sys

import pytest

from testing.databases.fixtures import KINDS, Place
from testing.databases.sql import Refused, plain
from testing.release import copy_checkout, copy_release_before

pytestmark = [pytest.mark.full, pytest.mark.timeout(900)]

POPULATE = """
import asyncio, sys
from consometers_node.store import Store
from testing.databases.populated import populate

async def main():
    store = await Store.open(sys.argv[1])
    await populate(store)
    await store.close()

asyncio.run(main())
"""
REVISION = """
from alembic import op
import sqlalchemy as sa

revision = "{next}"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("block", sa.Column("noted", sa.Text, server_default="migrated"))
"""
TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1",
    "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
}

type Rows = dict[str, list[tuple[object, ...]]]


class Release:
    """A node as one release has it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def database(self) -> Path:
        return self.root / "addon/consometers_node/store/database.py"

    @property
    def head(self) -> str:
        (head,) = re.findall(r'^HEAD = "(\w+)"$', self.database.read_text(), re.MULTILINE)
        return str(head)

    def add_revision(self) -> None:
        head, following = self.head, f"{int(self.head) + 1:04}"
        revision = REVISION.format(head=head, next=following)
        versions = self.database.with_name("migrations") / "versions"
        (versions / f"{following}_next.py").write_text(revision)
        text = self.database.read_text()
        self.database.write_text(text.replace(f'HEAD = "{head}"', f'HEAD = "{following}"'))

    def python(self, *arguments: str, data: Path, place: Place) -> subprocess.CompletedProcess[str]:
        url = f"sqlite:///{place}" if isinstance(place, Path) else place
        return subprocess.run(
            (sys.executable, "-P", *arguments, *([url] if "-c" in arguments else [])),
            env={
                **os.environ,
                "PYTHONPATH": f"{self.root}:{self.root / 'addon'}",
                "PYTHONPYCACHEPREFIX": str(data / "pycache"),
                "CONSOMETERS_DATA": str(data),
                "CONSOMETERS_DATABASE": url,
                "LC_ALL": "C.UTF-8",
            },
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Release:
    root = tmp_path_factory.mktemp("older")
    copy_release_before(root)
    return Release(root)


@pytest.fixture(scope="module")
def newer(older: Release, tmp_path_factory: pytest.TempPathFactory) -> Release:
    root = tmp_path_factory.mktemp("newer")
    copy_checkout(root)
    release = Release(root)
    if release.head == older.head:
        release.add_revision()
    return release


def rows(place: Place) -> Rows:
    with plain(place) as connection:
        tables = [str(table) for (table,) in connection.run(TABLES[connection.kind])]
        return {
            table: sorted(connection.run(f"SELECT * FROM {table}"), key=repr) for table in tables
        }


@pytest.mark.parametrize("kind", KINDS)
def test_an_upgrade_keeps_every_row_and_older_nodes_refuse_it(
    older: Release,
    newer: Release,
    new_place: Callable[[str], Place],
    tmp_path: Path,
    kind: str,
) -> None:
    place = new_place(kind)
    made = older.python("-c", POPULATE, data=tmp_path, place=place)
    assert made.returncode == 0, made.stderr
    before = rows(place)
    assert before["alembic_version"] == [(older.head,)]

    upgraded = newer.python("-m", "consometers_node", "status", data=tmp_path, place=place)
    assert upgraded.returncode == 0, upgraded.stderr
    after = rows(place)
    assert after.pop("alembic_version") == [(newer.head,)]
    del before["alembic_version"]
    assert all(before[table] for table in ("block", "permission", "register", "member", "outbox"))
    for table, rows_before in before.items():
        width = len(rows_before[0]) if rows_before else 0
        assert [row[:width] for row in after[table]] == rows_before
    with plain(place) as connection, pytest.raises(Refused):
        connection.run("DELETE FROM register")

    for command in ("status", "run"):
        refused = older.python("-m", "consometers_node", command, data=tmp_path, place=place)
        assert refused.returncode == 1
        assert "was written by a newer node" in refused.stderr
        assert "backup" in refused.stderr
        assert "Traceback" not in refused.stderr
    assert rows(place) == {**after, "alembic_version": [(newer.head,)]}
    again = newer.python("-m", "consometers_node", "status", data=tmp_path, place=place)
    assert again.returncode == 0, again.stderr
