"""Damaged, cut or foreign database files: they work, or are refused with a message."""

import asyncio
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
import sqlite3

from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError

from consometers_node.permission import Permissions
from consometers_node.sharing.status import collectives
from consometers_node.store import Store, StoreFault
from consometers_node.store.engine.errors import reason
from testing.clocks import sure
from testing.homes.data_needs import now
from testing.homes.ledgers import HOUR, Ledger, midnight
from testing.hostile.exploring import check_words, explore

PAGE = 4096


async def use(store: Store) -> None:
    """Read what `status` shows, and write what a withdrawal writes."""
    async with store.reading() as connection:
        await collectives(connection, now())
    async with store.writing() as connection:
        await Permissions(connection).expire(sure(now()))


async def work(file: Path) -> None:
    store = await Store.open(file)
    try:
        await use(store)
    finally:
        await store.close()


async def fill(file: Path) -> None:
    store = await Store.open(file)
    ledger = await Ledger.open(store)
    await ledger.keep({midnight(-n) + h * HOUR: 7 for n in range(1, 9) for h in range(24)})
    await ledger.grant()
    await ledger.subscribe()
    await store.checkpoint()
    await store.close()


def flipped(content: bytes, at: int, count: int) -> bytes:
    damaged = bytearray(content)
    for n in range(count):
        damaged[(at * (n + 1) + n) % len(damaged)] ^= 1 << (n % 8)
    return bytes(damaged)


def zeroed(content: bytes, at: int, count: int) -> bytes:
    begin = at % (len(content) // PAGE) * PAGE
    end = min(len(content), begin + count * PAGE)
    return content[:begin] + bytes(end - begin) + content[end:]


def cut(content: bytes, at: int, count: int) -> bytes:
    return content[: at % len(content)]


def swapped(content: bytes, at: int, count: int) -> bytes:
    pages = [content[n : n + PAGE] for n in range(0, len(content), PAGE)]
    first, second = at % len(pages), (at + count) % len(pages)
    pages[first], pages[second] = pages[second], pages[first]
    return b"".join(pages)


def noisy(content: bytes, at: int, count: int) -> bytes:
    begin = at % len(content)
    return content[:begin] + bytes((at + 31 * n) % 256 for n in range(count * 50)) + content[begin:]


DAMAGE = st.sampled_from([flipped, zeroed, cut, swapped, noisy])
HEADER = st.integers(0, 99)


def test_damaged_databases_work_or_are_refused_unchanged(
    tmp_path: Path,
) -> None:
    whole = tmp_path / "whole.db"
    asyncio.run(fill(whole))
    content = whole.read_bytes()
    file = tmp_path / "node.db"

    def check(damage: Callable[[bytes, int, int], bytes], at: int, count: int) -> None:
        for left in tmp_path.glob("node.db*"):
            left.unlink()
        file.write_bytes(damage(content, at, count))
        before = file.read_bytes()
        try:
            asyncio.run(work(file))
        except (StoreFault, DBAPIError) as fault:
            check_words(reason(fault))
            if "cannot be opened" in str(fault):
                assert file.read_bytes() == before

    places = HEADER | st.integers(0, len(content) - 1)
    regressions = [(flipped, 2803, 24), (flipped, 1627, 25), (swapped, 66, 28)]
    explore(
        "database files", 60, check, DAMAGE, places, st.integers(1, 40), regressions=regressions
    )


FOREIGN = {
    "another program's": "CREATE TABLE states (state_id INTEGER PRIMARY KEY, state TEXT)",
    "with a table of our name": "CREATE TABLE permission (id TEXT)",
    "with a revision of nobody": (
        "CREATE TABLE alembic_version (version_num TEXT);"
        " INSERT INTO alembic_version VALUES ('9f3e')"
    ),
    "with no revision": "CREATE TABLE alembic_version (version_num TEXT)",
    "with a view in place of a table": (
        "CREATE TABLE alembic_version (version_num TEXT);"
        " INSERT INTO alembic_version VALUES ('0001'); CREATE VIEW permission AS SELECT 1 AS id"
    ),
}


def dump(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return list(connection.iterdump())


def test_databases_of_other_programs_are_refused_unchanged(
    tmp_path: Path,
) -> None:
    for name, script in FOREIGN.items():
        file = tmp_path / f"{name}.db"
        with closing(sqlite3.connect(file)) as connection:
            connection.executescript(script)
        before = dump(file)
        try:
            asyncio.run(work(file))
        except (StoreFault, DBAPIError) as fault:
            check_words(reason(fault))
        else:
            raise AssertionError(f"a database {name} was used")
        assert dump(file) == before, name
