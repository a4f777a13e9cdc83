"""The migrations make the tables that the node works with, or leave a database alone."""

import asyncio
from collections.abc import Callable
from pathlib import Path
import re
import shlex
import subprocess
import sys

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
import pytest
from sqlalchemy import Connection, text

from consometers_node.store import HEAD, Store, Unusable, database
from consometers_node.store.collective.tables import MemberRow
from consometers_node.store.engine.months import BY_MONTH
from consometers_node.store.schema import SCHEMA
from testing.databases.fixtures import KINDS, Place
from testing.databases.sql import plain

ADDON = Path(__file__).parents[3] / "addon"
MIGRATIONS = Path(database.__file__).with_name("migrations")


def revisions() -> list[str]:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)
    return [revision.revision for revision in script.walk_revisions()][::-1]


REVISIONS = revisions()


def test_this_node_works_with_the_newest_revision() -> None:
    assert REVISIONS[-1] == HEAD


@pytest.mark.parametrize("kind", KINDS)
async def test_concurrent_first_starts_create_one_database(
    kind: str, new_place: Callable[[str], Place]
) -> None:
    place = new_place(kind)
    url = f"sqlite:///{place}" if kind == "sqlite" else place
    opening = (
        f"import asyncio; from consometers_node.store import Store;asyncio.run(Store.open({url!r}))"
    )
    programs = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", opening, cwd=ADDON, stderr=asyncio.subprocess.PIPE
        )
        for _ in range(4)
    ]
    outputs = [(await program.communicate())[1].decode() for program in programs]
    assert [program.returncode for program in programs] == [0] * 4, outputs


async def test_migrations_create_the_declared_tables(store: Store) -> None:
    def differences(connection: Connection) -> object:
        def is_table(_: object, name: str | None, kind: str, *__: object) -> bool:
            of_months = kind == "table" and str(name).startswith(
                tuple(f"{table}_" for table in BY_MONTH)
            )
            return not of_months and (kind != "table" or name not in {"permitted", "made_by"})

        context = MigrationContext.configure(
            connection, opts={"include_object": is_table, "compare_server_default": True}
        )
        return compare_metadata(context, MemberRow.metadata)

    async with store.reading() as connection:
        assert await connection.run_sync(differences) == []


async def test_every_declared_constraint_is_in_the_database(store: Store, place: Place) -> None:
    declared = {
        str(constraint.name)
        for table in MemberRow.metadata.tables.values()
        for constraint in table.constraints
        if constraint.name is not None and not str(constraint.name).startswith("pk_")
    }
    with plain(place) as connection:
        made = {
            "sqlite": "SELECT group_concat(sql, ' ') FROM sqlite_master",
            "postgresql": "SELECT string_agg(conname, ' ') FROM pg_constraint",
        }
        names = str(connection.value(made[connection.kind]))
    assert {name for name in declared if name not in names} == set()


async def test_a_migration_that_fails_leaves_the_database_as_it_was(
    new_place: Callable[[str], Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in KINDS:
        place = new_place(kind)
        with plain(place) as before:
            before.run("CREATE VIEW permitted AS SELECT 1")
        with pytest.raises(Unusable, match="permitted"):
            await Store.open(place)
        with plain(place) as left:
            tables = {
                "sqlite": "SELECT name FROM sqlite_master",
                "postgresql": "SELECT viewname FROM pg_views WHERE schemaname = 'public'"
                " UNION SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
            }
            assert left.run(tables[kind]) == [("permitted",)]


async def test_a_newer_database_is_refused(store: Store, place: Place) -> None:
    async with store.writing() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Unusable, match="newer node"):
        await Store.open(place)


@pytest.mark.parametrize("cheat", ["UPDATE made_by SET schema = 'abc'", "DROP TABLE made_by"])
async def test_tables_of_another_commit_are_refused_in_words(
    store: Store, place: Place, cheat: str
) -> None:
    """Until its release a revision is rewritten in place."""
    await store.close()
    with plain(place) as connection:
        connection.run(cheat)
    with pytest.raises(Unusable, match=r"tables of an(other| older) commit") as refused:
        await Store.open(place)
    words = refused.value.text.say("fr")
    assert "Rien n’a été modifié" in words
    assert ("abc" in words) is ("abc" in cheat)


async def test_what_is_said_of_tables_of_another_commit_leads_to_it(
    store: Store, place: Place, tmp_path: Path
) -> None:
    """The advice is typed in deploy/, in a clone at a later commit."""
    await store.close()
    with plain(place) as connection:
        connection.run("UPDATE made_by SET schema = 'abc'")
    with pytest.raises(Unusable) as refused:
        await Store.open(place)

    def git(*words: str, folder: Path = tmp_path) -> str:
        who = ("-c", "user.name=nobody", "-c", "user.email=nobody@energies.test")
        return subprocess.check_output(("git", *who, *words), cwd=folder, text=True)

    git("init", "--quiet")
    (tmp_path / "deploy").mkdir()
    schema = tmp_path / Path(database.__file__).with_name("schema.py").relative_to(ADDON.parent)
    schema.parent.mkdir(parents=True)
    for its in ("first", "abc", SCHEMA):
        schema.write_text(f'SCHEMA = "{its}"\n')
        git("add", ".")
        git("commit", "--quiet", "--message", f"tables {its}")
    git("checkout", "--quiet", "HEAD~2")
    for language in ("en", "fr"):
        (command,) = re.findall(r"git (log [^”»]*[^”»\s])", refused.value.text.say(language))
        listed = git(*shlex.split(command), folder=tmp_path / "deploy").splitlines()
        assert listed[-1].endswith(" tables abc")
