"""A bad day: the disk is full, broken or emptied, and is searched for erased records."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
import os
from pathlib import Path
import struct
import subprocess

import pytest
from sqlalchemy import text

from consometers_node.collective.members.members import Members
from consometers_node.collective.members.sites import Building, Description
from consometers_node.collective.permissions import member_permissions
from consometers_node.collective.permissions.member_permissions import PermissionActor
from consometers_node.collective.privacy.erasure import erase, forget_notified, is_wiped, wipe
from consometers_node.collective.privacy.erasure_log import (
    FILE,
    Ended,
    ErasureLog,
    NotErasureLog,
    read_ended,
    read_strictly,
    reapply,
)
from consometers_node.permission import Permissions, State
from consometers_node.sharing.names import keep_collective, load_naming
from consometers_node.store import PermissionId, Store, Unusable
from consometers_node.store.collective.tables import MemberPermissionId
from consometers_node.store.engine import rewriting
from consometers_node.store.engine.file import prepare
from consometers_node.store.peers import add_peer, peer_by_jid
from consometers_node.store.series import stored_days
from demo.hass import free_port
from testing.clocks import sure
from testing.collectives.erasure import CURVE, admit_homes, everything, shapes
from testing.collectives.members import AT, ZONE, join, let_be_named, meter, permission
from testing.collectives.records import pushed_data, running_queue
from testing.commands.fixtures import Run, Start, ended
from testing.commands.household import toy
from testing.databases import postgresql
from testing.disks import fill, small_disk
from testing.home_assistant.toy import TOKEN, ToyHomeAssistant
from testing.homes.data_needs import STOP, grant, now
from testing.run import DEADLINE_S

__all__ = ["toy"]

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
)


def files_with(folder: Path, words: Iterable[bytes] = WORDS) -> dict[bytes, set[str]]:
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
        description = Description(building=Building.SCHOOL, words_fr=MEMBER[3].decode())
        by_name = await let_be_named(connection, member)
        await members.present(member.id, MEMBER[2].decode(), description, AT)
    for name, values in ((MEMBER[0], FIRST), ("b", [500] * 24), (MEMBER[0], CORRECTED)):
        for month in range(3):
            async with running_queue(store) as queue:
                data = pushed_data(meter(name), MIDNIGHT + timedelta(days=31 * month), values)
                await queue.keep(f"{name}@example.org", data)
    async with store.writing() as connection:
        # As the server does by itself, sooner or later.
        await connection.execute(text("ANALYZE"))
        if not store.is_sqlite:
            await connection.execute(text("CHECKPOINT"))
    async with store.writing() as connection:
        members = Members(connection, ZONE)
        for granted in (gave, by_name):
            ended = await member_permissions.withdraw(
                members, member.id, granted.id, LATER, erase=True
            )
    await erase(store, ZONE, ended, LATER, PermissionActor.MEMBER)


@pytest.fixture
async def on_postgresql(postgresql_server: postgresql.Server) -> AsyncIterator[Store]:
    opened = await Store.open(postgresql_server.url(postgresql_server.create()))
    yield opened
    await opened.close()


async def test_a_stolen_disk_shows_no_erased_member_in_postgresql(
    on_postgresql: Store, postgresql_server: postgresql.Server
) -> None:
    data = postgresql_server.folder / "data"
    await take_in_and_erase(on_postgresql)
    before = files_with(data)
    assert {"base", "pg_wal"} <= set[str]().union(*before.values())
    assert set(before) >= set(WORDS)
    assert await wipe(on_postgresql)
    assert files_with(data) == {}
    async with on_postgresql.reading() as connection:
        assert await is_wiped(connection)


async def test_a_stolen_disk_shows_no_erased_member_in_sqlite(file: Store, tmp_path: Path) -> None:
    await take_in_and_erase(file)
    assert set(files_with(tmp_path)) >= set(WORDS)
    assert await wipe(file)
    assert files_with(tmp_path) == {}


async def test_no_wipe_succeeds_while_a_dump_is_open(
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
    assert files_with(postgresql_server.folder / "data") == {}


async def test_a_locked_table_delays_the_wipe_alone(
    on_postgresql: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rewriting, "_WAITS_S", 1)
    await take_in_and_erase(on_postgresql)
    async with on_postgresql.reading() as reader:
        # It sees nothing older than the erasure.
        await reader.execute(text("SELECT * FROM block"))
        wiping = asyncio.create_task(wipe(on_postgresql))
        async with asyncio.timeout(DEADLINE_S):
            for n in range(3):
                async with running_queue(on_postgresql) as queue:
                    data = pushed_data(meter("b"), MIDNIGHT + timedelta(days=n), [400] * 24)
                    await queue.keep("b@example.org", data)
        assert not await wiping
    assert await wipe(on_postgresql)


async def test_a_role_without_rights_to_the_log_wipes_the_tables(
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


def test_the_deployed_server_recycles_no_log() -> None:
    compose = Path("deploy/compose.yaml").read_text(encoding="utf-8")
    assert "- -cwal_recycle=off\n" in compose


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a small disk of its own, that gets full."""
    with small_disk(tmp_path / "disk", 8) as folder:
        if folder is None:
            pytest.skip("only root can mount a disk that gets full")
        yield folder


async def sharing(folder: Path) -> PermissionId:
    """Make a household's database in which something is shared."""
    store = await Store.open(folder / "node.db")
    async with store.writing() as connection:
        peer = await add_peer(connection, "coop@example.org", "Coop", now())
        permission_id = await grant(Permissions(connection), peer.id)
    await load_naming(store)
    await store.close()
    return permission_id


async def state(folder: Path, permission_id: PermissionId) -> State:
    store = await Store.open(folder / "node.db")
    async with store.reading() as connection:
        permission_now = await Permissions(connection).get(permission_id)
    await store.close()
    return permission_now.state


async def test_a_full_disk_stops_no_withdrawal(run: Run, disk: Path) -> None:
    permission_id = await sharing(disk)
    fill(disk)
    done = await run("withdraw", permission_id, "--yes", "--data", disk)
    assert done.status == 0, done.err
    assert await state(disk, permission_id) is State.WITHDRAWN


async def test_a_full_disk_stops_none_of_twenty_withdrawals(disk: Path) -> None:
    store = await Store.open(disk / "node.db")
    permissions = []
    async with store.writing() as connection:
        for n in range(20):
            peer = await add_peer(connection, f"coop{n}@example.org", "Coop", now())
            permissions.append(await grant(Permissions(connection), peer.id))
    for permission_id in permissions:
        fill(disk)
        async with store.withdrawing() as connection:
            await Permissions(connection).withdraw(permission_id, STOP, now(), erase=True)
    await store.close()
    assert {await state(disk, permission_id) for permission_id in permissions} == {State.WITHDRAWN}


FULL = {
    "en_GB.UTF-8": "Free some space on it, then try again.",
    "fr_FR.UTF-8": "Libérez-y de la place",
}


@pytest.mark.parametrize(
    ("language", "command"),
    [
        ("en_GB.UTF-8", ("status",)),
        ("fr_FR.UTF-8", ("withdraw", "x", "--yes")),
        ("fr_FR.UTF-8", ("run",)),
    ],
)
async def test_commands_on_a_full_disk_without_reserve_explain_the_remedy(
    run: Run, disk: Path, language: str, command: Sequence[str]
) -> None:
    await sharing(disk)
    (disk / "node.reserve").unlink()
    fill(disk)
    done = await run(*command, "--data", disk, language=language)
    assert done.status == 1
    assert FULL[language] in done.err


async def test_a_running_node_reports_a_full_disk_and_recovers(
    run: Run, start: Start, toy: ToyHomeAssistant, disk: Path
) -> None:
    await sharing(disk)
    home = {"CONSOMETERS_HOME_URL": toy.url, "CONSOMETERS_HOME_TOKEN": TOKEN}
    options = ("--data", disk, "--page", f"127.0.0.1:{free_port()}")
    full = "Database: The disk is full. Until you free some space"

    @asynccontextmanager
    async def running(until: str) -> AsyncIterator[None]:
        node = await start("run", *options, CONSOMETERS_HASTE="100", **home)
        assert node.stderr is not None
        try:
            async with asyncio.timeout(DEADLINE_S):
                while until not in (line := (await node.stderr.readline()).decode()):
                    assert line, (await node.communicate())[1]
            yield
        finally:
            with suppress(ProcessLookupError):
                node.terminate()
            done = await ended(node)
        assert done.status == 0, done.err

    # Its page has made its token by then.
    async with running("The page listens"):
        pass
    fill(disk)
    async with running("WARNING consometers_node.sharing.outages"):
        # A write may fit into what the database has reserved: then the next one reports it again.
        async with asyncio.timeout(DEADLINE_S):
            while full not in (await run("status", "--data", disk)).out:
                pass
        (disk / "filler").unlink()
        while "Database:" in (await run("status", "--data", disk)).out:
            pass


def put_a_folder_there(file: Path) -> None:
    file.unlink()
    file.mkdir()


BROKEN: Mapping[str, tuple[Callable[[Path], object], str, str]] = {
    "emptied": (
        lambda file: os.truncate(file, 0),
        "restore a backup. To start over without the former data",
        "restaurez une sauvegarde. Pour repartir de zéro sans les anciennes données",
    ),
    "cut in half": (
        lambda file: os.truncate(file, file.stat().st_size // 2),
        "put a backup back",
        "remettez une sauvegarde",
    ),
    "noise": (
        lambda file: file.write_bytes(b"\xa5" * file.stat().st_size),
        "is no database. Restore a backup",
        "n’est pas une base de données. Restaurez une sauvegarde",
    ),
    "a folder": (
        put_a_folder_there,
        "it is a folder. Restore a backup, or correct the path",
        "c’est un dossier. Restaurez une sauvegarde, ou corrigez le chemin",
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
async def test_a_broken_file_is_reported_and_left_untouched(
    run: Run, tmp_path: Path, kind: str
) -> None:
    harm, english, french = BROKEN[kind]
    permission_id = await sharing(tmp_path)
    file = tmp_path / "node.db"
    harm(file)
    before = file.read_bytes() if file.is_file() else b""
    done = await run("withdraw", permission_id, "--yes", "--data", tmp_path)
    assert (done.status, english in done.err) == (1, True), done.err
    done = await run("status", "--data", tmp_path, language="fr_FR.UTF-8")
    assert (done.status, french in done.err) == (1, True), done.err
    assert (await run("run", "--json", "--data", tmp_path)).condition == "database"
    assert (file.read_bytes() if file.is_file() else b"") == before


async def test_an_emptied_file_leaves_its_journal_untouched(
    tmp_path: Path,
) -> None:
    file, journal = tmp_path / "node.db", tmp_path / "node.db-wal"
    store = await Store.open(file)
    async with store.writing() as connection:
        await add_peer(connection, "coop@example.org", "Coop", now())
    held = journal.read_bytes()
    await store.close()
    for is_there in (True, False):
        if is_there:
            os.truncate(file, 0)
        else:
            file.unlink()
        journal.write_bytes(held)
        with pytest.raises(Unusable, match="is empty"):
            await Store.open(file)
        assert journal.read_bytes() == held


async def test_two_nodes_that_start_at_once_after_a_power_cut_share_one_database(
    tmp_path: Path,
) -> None:
    file = tmp_path / "node.db"
    # The power was cut while the first file was made.
    (tmp_path / "node.db.new").touch()
    first, second = await asyncio.gather(Store.open(file), Store.open(file))
    async with first.writing() as connection:
        await add_peer(connection, "coop@example.org", "Coop", now())
    async with second.reading() as connection:
        assert await peer_by_jid(connection, "coop@example.org") is not None
    await first.close()
    await second.close()


def test_a_file_that_another_process_creates_meanwhile_is_not_refused_as_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "node.db"
    exists, made = Path.exists, list[int]()

    def exists_before_another_starts(path: Path) -> bool:
        answer = exists(path)
        if path == file and not made:
            made.append(0)
            prepare(file)
            made[0] = file.stat().st_ino
        return answer

    monkeypatch.setattr(Path, "exists", exists_before_another_starts)
    prepare(file)
    assert file.stat().st_size
    # Its owner may have written into it since.
    assert made == [file.stat().st_ino]


async def test_a_read_only_disk_is_reported_with_its_remedy(run: Run, disk: Path) -> None:
    permission_id = await sharing(disk)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    try:
        done = await run("withdraw", permission_id, "--yes", "--data", disk)
        assert (done.status, "Mount it for writing." in done.err) == (1, True), done.err
        done = await run("status", "--data", disk, language="fr_FR.UTF-8")
        assert "Montez-le en écriture." in done.err
    finally:
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)


async def put_back(
    backup: Path | str, copy_of: Callable[[Path | str], Path | str], folder: Path
) -> Store:
    """Put a backup back as it was, in a node's folder."""
    return await Store.open(copy_of(backup), folder=folder)


async def is_gone(store: Store) -> bool:
    async with store.reading() as connection:
        content = await everything(connection)
    return not any(word in content for word in (*shapes(CURVE), b"anemone@"))


@pytest.fixture
async def backups(
    place: Path | str, copy_of: Callable[[Path | str], Path | str], tmp_path: Path
) -> tuple[Path | str, Path | str, Path]:
    """Return a backup of before an erasure, one of within it, and the file of what ended since."""
    store = await Store.open(place)
    ((member, gave), *_) = await admit_homes(store, "anemone", "b", "c")
    for start in (MIDNIGHT, MIDNIGHT + timedelta(days=31)):
        for name, values in (("anemone", CURVE), ("b", [500] * 24)):
            async with running_queue(store) as queue:
                await queue.keep(f"{name}@example.org", pushed_data(meter(name), start, values))
    await store.close()
    before = copy_of(place)
    store = await Store.open(place)
    async with store.writing() as connection:
        members = Members(connection, ZONE)
        ended = await member_permissions.withdraw(members, member.id, gave.id, LATER, erase=True)
    await store.close()
    within = copy_of(place)
    store = await Store.open(place)
    await erase(store, ZONE, ended, LATER, PermissionActor.MEMBER)
    await ErasureLog(store, tmp_path / FILE).write()
    assert await is_gone(store)
    await store.close()
    return before, within, tmp_path / FILE


async def test_no_backup_brings_an_erased_member_back(
    backups: tuple[Path | str, Path | str, Path], copy_of: Callable[[Path | str], Path | str]
) -> None:
    before, within, file = backups
    for backup in (before, within, before):
        store = await put_back(backup, copy_of, file.parent)
        assert not await is_gone(store)
        await reapply(store, ZONE, read_ended(file), LATER)
        async with store.writing() as connection:
            members = Members(connection, ZONE)
            for entry in await member_permissions.not_notified(connection):
                await member_permissions.note_notified(connection, entry.id, LATER)
            await forget_notified(members, sure(LATER))
        assert await is_gone(store)
        # What the node that runs on it writes harms no later restore.
        await ErasureLog(store, file).write()
        await store.close()


async def test_the_erasure_log_erases_once_and_without_a_clock(
    backups: tuple[Path | str, Path | str, Path], copy_of: Callable[[Path | str], Path | str]
) -> None:
    before, _, file = backups
    store = await put_back(before, copy_of, file.parent)
    assert await reapply(store, ZONE, read_ended(file), LATER) == 1
    async with store.reading() as connection:
        states = {
            granted.id: granted.state
            for granted in await member_permissions.all_permissions(connection)
        }
        # Of the homes that delivered, the erased one has no day left, and the other both of its.
        assert [*(await stored_days(connection)).values()] == [2]
    assert states == {"anemone": State.WITHDRAWN, "b": State.GRANTED, "c": State.GRANTED}
    assert await reapply(store, ZONE, read_ended(file), LATER) == 0
    await store.close()


ENDED = Ended(MemberPermissionId("b"), State.WITHDRAWN, LATER, erased=True).line()


@pytest.mark.parametrize(
    ("written", "edited"),
    [("withdrawn", "granted"), ("true", '"no"'), ("+00:00", "")],
)
def test_an_edited_line_of_the_erasure_log_is_refused(
    tmp_path: Path, written: str, edited: str
) -> None:
    file = tmp_path / FILE
    file.write_text(f"{ENDED.replace(written, edited)}\n{ENDED}\n")
    with pytest.raises(NotErasureLog):
        read_strictly(file)


def test_zeros_of_a_power_cut_are_skipped_in_the_erasure_log(tmp_path: Path) -> None:
    file = tmp_path / FILE
    zeros = "\0" * 500
    file.write_text(f"{ENDED}\n{zeros}\n{ENDED}\n")
    assert len(read_strictly(file)) == 2
