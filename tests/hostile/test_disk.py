"""A bad day: the disk is full, broken or emptied, and what was erased is looked for on it."""

from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
import struct

import pytest
from sqlalchemy import text

from consometers_node.collective import given
from consometers_node.collective.given import Actor
from consometers_node.collective.members import Members
from consometers_node.collective.rights import erase, is_wiped, wipe
from consometers_node.collective.sites import Building, Description
from consometers_node.sharing.names import keep_collective
from consometers_node.store import Store, rewriting
from tests.node import postgresql
from tests.node.collective.people import AT, ZONE, join, meter, permission
from tests.node.collective.telling import taking, told

LATER = AT + timedelta(days=90)
MIDNIGHT = datetime(2026, 6, 11, tzinfo=UTC)
FIRST = [20_311 + 7 * n * n for n in range(24)]
CORRECTED = [30_533 + 5 * n * n for n in range(24)]
ADDRESS = b"corydalis@example.org"
MEMBER = ("corydalis", b"corydalis", b"Maison des Corydales", b"au bord de la Laita")
WORDS = (
    *MEMBER[1:],
    struct.pack("<24H", *FIRST),
    struct.pack("<24H", *CORRECTED),
    struct.pack("<24q", *(60 * value for value in CORRECTED)),
)


def found(folder: Path, words: Iterable[bytes] = WORDS) -> dict[bytes, set[str]]:
    """Return each of the words that stands in a file of a folder, with the names of those files."""
    files: dict[bytes, set[str]] = {}
    for file in folder.rglob("*"):
        if not file.is_file():
            continue
        content = file.read_bytes()
        for word in words:
            if word in content:
                files.setdefault(word, set()).add(file.relative_to(folder).parts[0])
    return files


async def take_in_and_erase(store: Store) -> None:
    """Keep two versions of a member's day, have them analysed, and erase the member."""
    await keep_collective(store, "kersabiec")
    async with store.writing() as connection:
        member, gave = await join(connection, MEMBER[0], permission(meter(MEMBER[0])))
        for name in ("b", "c"):
            await join(connection, name)
        members = Members(connection, ZONE)
        description = Description(building=Building.SCHOOL, words=MEMBER[3].decode())
        await members.present(member.id, MEMBER[2].decode(), description)
    for name, values in ((MEMBER[0], FIRST), ("b", [500] * 24), (MEMBER[0], CORRECTED)):
        for month in range(3):
            async with taking(store) as intake:
                data = told(meter(name), MIDNIGHT + timedelta(days=31 * month), values)
                await intake.keep(f"{name}@example.org", data)
    async with store.writing() as connection:
        # As the server does by itself, sooner or later.
        await connection.execute(text("ANALYZE"))
        if not store.is_sqlite:
            await connection.execute(text("CHECKPOINT"))
    async with store.writing() as connection:
        ended = await given.withdraw(
            Members(connection, ZONE), member.id, gave.id, LATER, erase=True
        )
    await erase(store, ZONE, ended, LATER, Actor.MEMBER)


@pytest.fixture
async def on_postgresql(postgresql_server: postgresql.Server) -> AsyncIterator[Store]:
    opened = await Store.open(postgresql_server.url(postgresql_server.create()))
    yield opened
    await opened.close()


async def test_whoever_takes_the_disk_finds_no_trace_of_an_erased_member_in_postgresql(
    on_postgresql: Store, postgresql_server: postgresql.Server
) -> None:
    data = postgresql_server.folder / "data"
    await take_in_and_erase(on_postgresql)
    before = found(data)
    assert {"base", "pg_wal"} <= set[str]().union(*before.values())
    assert set(before) >= set(WORDS)
    assert await wipe(on_postgresql)
    assert found(data) == {}
    async with on_postgresql.reading() as connection:
        assert await is_wiped(connection)


async def test_whoever_takes_the_disk_finds_no_trace_of_an_erased_member_in_sqlite(
    file: Store, tmp_path: Path
) -> None:
    await take_in_and_erase(file)
    assert found(tmp_path)
    assert await wipe(file)
    assert found(tmp_path) == {}


async def test_a_dump_that_goes_on_for_hours_hides_nothing_that_is_called_wiped(
    on_postgresql: Store, postgresql_server: postgresql.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rewriting, "_WAITS_S", 1)
    async with on_postgresql.reading() as dump:
        await dump.execute(text("SELECT 1"))
        await take_in_and_erase(on_postgresql)
        assert not await wipe(on_postgresql)
        async with on_postgresql.reading() as connection:
            assert not await is_wiped(connection)
    assert await wipe(on_postgresql)
    assert found(postgresql_server.folder / "data") == {}


async def test_a_table_that_is_locked_for_hours_stops_no_erasure(
    on_postgresql: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rewriting, "_WAITS_S", 1)
    await take_in_and_erase(on_postgresql)
    async with on_postgresql.reading() as reader:
        # It sees nothing older than the erasure.
        await reader.execute(text("SELECT * FROM block"))
        assert not await wipe(on_postgresql)
    assert await wipe(on_postgresql)


async def test_a_role_without_rights_to_the_log_wipes_the_tables_all_the_same(
    postgresql_server: postgresql.Server,
) -> None:
    name = postgresql_server.create()
    with postgresql_server.connect("postgres") as connection:
        connection.execute("CREATE ROLE modest LOGIN")
        connection.execute(f"ALTER DATABASE {name} OWNER TO modest".encode())
    try:
        store = await Store.open(postgresql_server.url(name).replace("node@", "modest@"))
        await keep_collective(store, "kersabiec")
        assert await wipe(store)
        await store.close()
    finally:
        with postgresql_server.connect("postgres") as connection:
            connection.execute(f"DROP DATABASE {name}".encode())
            connection.execute("DROP ROLE modest")


def test_the_tests_server_keeps_its_log_as_the_one_that_is_deployed() -> None:
    compose = Path("deploy/compose.yaml").read_text(encoding="utf-8")
    assert "-c, wal_recycle=off" in compose
