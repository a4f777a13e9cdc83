"""Forgotten keys are in no file of a home or a witness: no database, journal or backup."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
import shutil

import pytest

from consometers_node.sharing.records.masked_reports import HomeKeys, keep_keys, load_keys
from consometers_node.store import PermissionId, Store
from consometers_node.store.keys import FILE
from consometers_node.wire.witness_requests import Call
from packages.protected_sums.tests.independent import KEPT
from testing.clocks import Hands
from testing.databases.fixtures import Place
from testing.databases.postgresql import Server
from testing.witnesses.enrolled import answers_of, enrolled, new_witness, opening_of, this_hour


def written(secret: bytes) -> Iterator[bytes]:
    """Yield a key as bytes, and as text of any kind."""
    yield secret
    yield secret.hex().encode()
    yield secret.hex().upper().encode()


def files(*folders: Path) -> dict[Path, bytes]:
    return {
        file: file.read_bytes()
        for folder in folders
        for file in folder.rglob("*")
        if file.is_file()
    }


def holders(secrets: Iterable[bytes], everything: dict[Path, bytes]) -> set[str]:
    """Return the names of the files in which one of these is."""
    forms = [form for secret in secrets for form in written(secret)]
    return {
        file.name for file, content in everything.items() if any(form in content for form in forms)
    }


@pytest.fixture
def folders(place: Place, tmp_path: Path, request: pytest.FixtureRequest) -> list[Path]:
    """Return the places of a node's data: its folder, and the files of its server."""
    if isinstance(place, Path):
        return [tmp_path, place.parent]
    server: Server = request.getfixturevalue("postgresql_server")
    return [tmp_path, server.folder]


async def backed_up(store: Store, place: Place, tmp_path: Path) -> None:
    """Have the database written as a backup finds it; copy it where it is a file."""
    assert await store.checkpoint()
    if isinstance(place, Path):
        shutil.copy(place, tmp_path / "backup.db")
        return
    async with store.reading() as connection:
        await connection.exec_driver_sql("CHECKPOINT")


async def test_a_witness_has_a_forgotten_key_nowhere(
    store: Store, place: Place, tmp_path: Path, folders: list[Path]
) -> None:
    now = datetime.now(UTC)
    hands = Hands(now)
    witness = await new_witness(store, hands)
    homes = await enrolled(witness, 12, since=now.date() - KEPT)
    await answers_of(witness, opening_of(homes[:10], this_hour()))
    secrets = [home.secret for home in homes]
    await backed_up(store, place, tmp_path)
    assert holders(secrets, files(*folders)) == {FILE}
    await witness.leave(homes[11].signed(Call.DEPARTURES))
    assert holders([homes[11].secret], files(*folders)) == set()
    hands.go_on(timedelta(days=1))
    await witness.forget()
    await backed_up(store, place, tmp_path)
    assert holders(secrets, files(*folders)) == set()
    aged = [home.key.on(home.since + timedelta(days=1)).secret for home in homes[:11]]
    assert holders(aged, files(*folders)) == {FILE}


async def test_a_home_has_yesterday_s_key_nowhere(
    store: Store, place: Place, tmp_path: Path, folders: list[Path]
) -> None:
    permission, today = PermissionId("a permission"), datetime.now(UTC).date()
    first = HomeKeys.new(today - timedelta(days=1))
    second = first.on(today)
    async with store.writing() as connection:
        await keep_keys(connection, permission, first)
    await backed_up(store, place, tmp_path)
    assert holders([first.day_key.secret], files(*folders)) == {FILE}
    async with store.writing() as connection:
        await keep_keys(connection, permission, second)
        assert await load_keys(connection, permission) == second
    await backed_up(store, place, tmp_path)
    assert holders([first.day_key.secret], files(*folders)) == set()
    assert holders([second.day_key.secret], files(*folders)) == {FILE}
    async with store.writing() as connection:
        await keep_keys(connection, permission, None)
        assert await load_keys(connection, permission) is None
    for secret in (second.day_key.secret, second.nonce_secret, second.authentication_key):
        assert holders([secret], files(*folders)) == set()
