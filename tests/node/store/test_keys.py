"""The file of keys: its mode, the erasure of replaced bytes, and damage."""

import logging
from pathlib import Path
from random import Random
import shutil
import sqlite3

import pytest
from sqlalchemy.exc import OperationalError

from consometers_node.store.keys import FILE, Keys

MANY = 2_000


def journal(folder: Path) -> Path:
    return folder / f"{FILE}-journal"


async def put(keys: Keys, rows: list[tuple[str, bytes]]) -> None:
    change = """INSERT INTO home VALUES (?, ?)
     ON CONFLICT (permission) DO UPDATE SET keys = excluded.keys"""
    await keys.run(lambda file: file.executemany(change, rows))


async def delete(keys: Keys, names: list[str]) -> None:
    change = "DELETE FROM home WHERE permission = ?"
    await keys.run(lambda file: file.executemany(change, [(name,) for name in names]))


async def stored(keys: Keys) -> dict[str, bytes]:
    return dict(await keys.run(lambda file: file.execute("SELECT * FROM home").fetchall()))


async def test_the_file_is_the_owner_s_alone_and_has_no_journal_at_rest(tmp_path: Path) -> None:
    folder = tmp_path / "node"
    await put(Keys(folder), [("home", bytes(32))])
    assert [file.name for file in folder.iterdir()] == [FILE]
    assert (folder / FILE).stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        # 3 is EXTRA: the journal's removal, too, is on the disk before anything goes on.
        ("synchronous", 3),
        # 2 is MEMORY: a rewrite copies all keys.
        ("temp_store", 2),
        ("trusted_schema", 0),
    ],
)
async def test_each_use_of_the_file_has_its_safe_settings(
    tmp_path: Path, setting: str, value: int
) -> None:
    keys = Keys(tmp_path)
    for _ in range(2):
        assert await keys.run(lambda file: file.execute(f"PRAGMA {setting}").fetchone()) == (value,)


async def test_bytes_that_were_replaced_or_deleted_are_in_no_file(tmp_path: Path) -> None:
    """Homes come and go, and each has a new key each day: pages are split, merged and rewritten."""
    former: list[bytes] = []
    for seed in range(8):
        folder, random = tmp_path / str(seed), Random(seed)
        keys = Keys(folder)
        now: dict[str, bytes] = {}
        for _ in range(6):
            gone = random.sample(sorted(now), len(now) // 2)
            former += [now.pop(name) for name in gone]
            await delete(keys, gone)
            former += now.values()
            names = [*now, *(f"{random.getrandbits(128):x}" for _ in range(60))]
            now = {name: random.randbytes(48) for name in names}
            await put(keys, list(now.items()))
            await keys.rewrite()
            everything = b"".join(file.read_bytes() for file in folder.iterdir())
            assert not [value for value in former if value[:32] in everything]
            assert all(value in everything for value in now.values())
    assert len(former) > MANY


async def test_a_power_cut_in_a_change_leaves_the_keys_of_before(tmp_path: Path) -> None:
    """The journal is on the disk, and half of the pages are already written."""
    keys, cut = Keys(tmp_path / "node"), tmp_path / "cut"
    rows = [(f"home {n}", bytes([n % 256]) * 100) for n in range(MANY)]
    await put(keys, rows)

    def change(file: sqlite3.Connection) -> None:
        # A page leaves the memory when the next one comes.
        file.execute("PRAGMA cache_size = 1")
        file.execute("UPDATE home SET keys = zeroblob(100)")
        shutil.copytree(tmp_path / "node", cut)

    await keys.run(change)
    assert journal(cut).stat().st_size > 0
    assert (cut / FILE).read_bytes().count(bytes(100)) > MANY // 2
    assert await stored(Keys(cut)) == dict(rows)
    assert not journal(cut).exists()


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.7, 0.99])
async def test_a_torn_file_loses_its_keys_and_goes_on(
    tmp_path: Path, share: float, caplog: pytest.LogCaptureFixture
) -> None:
    await put(Keys(tmp_path), [(f"home {n}", bytes(100)) for n in range(MANY)])
    whole = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole[: int(len(whole) * share)])
    keys = Keys(tmp_path)
    with caplog.at_level(logging.WARNING):
        assert await stored(keys) == {}
    assert ("keys in it are lost" in caplog.text) == (share > 0)
    await put(keys, [("home", b"another")])
    assert await stored(Keys(tmp_path)) == {"home": b"another"}
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


async def test_a_damaged_page_is_found_at_the_first_use(tmp_path: Path) -> None:
    await put(Keys(tmp_path), [(f"home {n}", bytes(100)) for n in range(MANY)])
    with (tmp_path / FILE).open("r+b") as file:
        file.seek(30 * 4096)
        file.write(b"\xff" * 4096)
    assert await stored(Keys(tmp_path)) == {}


async def test_a_damaged_file_and_its_journal_are_overwritten_before_they_are_removed(
    tmp_path: Path,
) -> None:
    """Another name of the same blocks shows what the disk has of them."""
    secret = b"a key" * 100
    # A journal that begins with zeros is not played back.
    for file, content in ((tmp_path / FILE, secret), (journal(tmp_path), bytes(512) + secret)):
        file.write_bytes(content)
        (tmp_path / f"{file.name}.same").hardlink_to(file)
    assert await stored(Keys(tmp_path)) == {}
    assert not journal(tmp_path).exists()
    for name in (FILE, journal(tmp_path).name):
        assert set((tmp_path / f"{name}.same").read_bytes()) == {0}


async def test_a_file_that_cannot_be_written_is_an_outage_that_loses_nothing(
    tmp_path: Path,
) -> None:
    """A full disk is temporary, so no key is dropped."""
    keys = Keys(tmp_path)
    await put(keys, [("home", b"first")])

    def full(_: sqlite3.Connection) -> None:
        fault = sqlite3.OperationalError("database or disk is full")
        fault.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise fault

    with pytest.raises(OperationalError):
        await keys.run(full)
    assert await stored(keys) == {"home": b"first"}


async def test_a_file_that_is_removed_meanwhile_is_made_again_without_keys(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    await put(keys, [("home", bytes(32))])
    keys.file.unlink()
    assert await stored(keys) == {}
    await put(keys, [("home", b"1" * 32)])
    assert await stored(keys) == {"home": b"1" * 32}
