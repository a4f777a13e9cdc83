"""A database of any older node becomes one of this node, and loses nothing."""

from collections.abc import Callable
from pathlib import Path
import sqlite3

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
import psycopg
import pytest
from sqlalchemy import Connection, text

from consometers_node.permission import Permissions, State, replay
from consometers_node.store import HEAD, Store, Unusable, database
from consometers_node.store.collective_tables import MemberRow
from consometers_node.store.months import BY_MONTH

from ..conftest import KINDS, Place
from ..permission.plain import TABLES, Plain, Refused, plain
from .keep import OLD, sqlite_restore

MIGRATIONS = Path(database.__file__).with_name("migrations")


def revisions() -> list[str]:
    """Give all revisions, the first one first."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)
    return [revision.revision for revision in script.walk_revisions()][::-1]


REVISIONS = revisions()


@pytest.fixture(params=KINDS)
def old_place(
    request: pytest.FixtureRequest, revision: str, new_place: Callable[[str], Place]
) -> Place:
    """A database as a node of that revision left it."""
    kind: str = request.param
    place = new_place(kind)
    dump = (OLD / f"{revision}.{kind}.sql").read_text()
    if isinstance(place, Path):
        sqlite_restore(place, dump)
    else:
        with psycopg.connect(place, autocommit=True) as connection:
            connection.execute(dump.encode())
    return place


def test_this_node_works_with_the_newest_revision() -> None:
    assert REVISIONS[-1] == HEAD


@pytest.mark.parametrize("revision", REVISIONS)
async def test_an_old_database_loses_nothing(old_place: Place) -> None:
    with plain(old_place) as connection:
        before = connection.everything()
    store = await Store.open(old_place)
    await store.close()
    with plain(old_place) as connection:
        after = connection.everything()
        assert connection.value("SELECT version_num FROM alembic_version") == HEAD
    assert set(after) == set(TABLES)
    for table in before:
        assert before[table], f"the database that was kept has nothing in {table}"
        assert len(after[table]) >= len(before[table])
        kept = {value for row in after[table] for value in row}
        assert kept >= {value for row in before[table] for value in row}


@pytest.mark.parametrize("revision", REVISIONS)
async def test_old_permissions_are_what_the_register_says(old_place: Place) -> None:
    store = await Store.open(old_place)
    async with store.reading() as connection:
        permissions = Permissions(connection)
        states = set()
        for permission in await permissions.all():
            entries = await permissions.entries(permission.id)
            assert replay(entry.state for entry in entries) is permission.state
            states.add(permission.state)
            for entry in entries:
                shown = await permissions.shown_text(entry)
                assert (shown and shown.hash) == entry.text_hash
    await store.close()
    assert states == {*State} - {State.EXPIRED}


def rules(connection: Plain) -> list[str]:
    """Give all that the database itself keeps to, as it tells it."""
    told = {
        "sqlite": "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL",
        "postgresql": "SELECT pg_get_triggerdef(t.oid) || p.prosrc FROM pg_trigger t"
        " JOIN pg_proc p ON p.oid = t.tgfoid WHERE NOT t.tgisinternal",
    }
    return sorted(" ".join(str(rule).split()) for (rule,) in connection.run(told[connection.kind]))


@pytest.mark.parametrize("revision", REVISIONS)
async def test_an_old_database_refuses_as_a_new_one_does(
    old_place: Place, new_place: Callable[[str], Place]
) -> None:
    fresh = new_place("sqlite" if isinstance(old_place, Path) else "postgresql")
    for place in (old_place, fresh):
        await (await Store.open(place)).close()
    with plain(old_place) as old, plain(fresh) as new:
        assert rules(old) == rules(new)
        assert len(rules(old)) > 40
        with pytest.raises(Refused):
            old.run("DELETE FROM register")


async def test_the_tables_are_what_the_migrations_make(store: Store) -> None:
    def differences(connection: Connection) -> object:
        def is_table(_: object, name: str | None, kind: str, *__: object) -> bool:
            of_months = kind == "table" and str(name).startswith(
                tuple(f"{one}_" for one in BY_MONTH)
            )
            return not of_months and (kind != "table" or name != "permitted")

        context = MigrationContext.configure(
            connection, opts={"include_object": is_table, "compare_server_default": True}
        )
        return compare_metadata(context, MemberRow.metadata)

    async with store.reading() as connection:
        assert await connection.run_sync(differences) == []


async def test_checks_are_what_the_tables_say(store: Store, place: Place) -> None:
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
        if isinstance(place, Path):
            other = sqlite3.connect(place)
            other.execute("CREATE VIEW permitted AS SELECT 1")
            other.close()
        else:
            with psycopg.connect(place, autocommit=True) as connection:
                connection.execute("CREATE VIEW permitted AS SELECT 1")
        with pytest.raises(Unusable, match="permitted"):
            await Store.open(place)
        with plain(place) as left:
            tables = {
                "sqlite": "SELECT name FROM sqlite_master",
                "postgresql": "SELECT viewname FROM pg_views WHERE schemaname = 'public'"
                " UNION SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
            }
            assert left.run(tables[kind]) == [("permitted",)]


async def test_a_newer_database_is_left_alone(store: Store, place: Place) -> None:
    async with store.writing() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Unusable, match="newer node"):
        await Store.open(place)
