"""A database that is opened, written to in whole transactions, and closed."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
import gc
from pathlib import Path
import sqlite3
import stat
import threading

import pytest
from sqlalchemy import text
from sqlalchemy.exc import InternalError, OperationalError

from consometers_node.store import Store, Unusable
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.settings import set_setting, setting
from testing.databases.fixtures import Place
from testing.run import DEADLINE_S

only_sqlite = pytest.mark.parametrize("place", ["sqlite"], indirect=True)


async def language(store: Store) -> str | None:
    async with store.reading() as connection:
        return await setting(connection, "language")


async def set_language(store: Store, value: str) -> None:
    async with store.writing() as connection:
        await set_setting(connection, "language", value)


class Aborted(Exception):
    """A transaction ends with it."""


async def abort(transaction: AbstractAsyncContextManager[AsyncConnection]) -> None:
    async with transaction as connection:
        await set_setting(connection, "language", "en")
        raise Aborted


async def test_slow_downloads_leave_a_connection_to_others(place: Place) -> None:
    store = await Store.open(place, connections=2)
    begun, end = asyncio.Event(), asyncio.Event()

    async def download() -> None:
        async with store.reading_for_a_download():
            begun.set()
            await end.wait()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(3):
            tasks.create_task(download())
        await begun.wait()
        await set_language(store, "fr")
        assert await language(store) == "fr"
        end.set()
    await store.close()


async def test_failed_transactions_are_rolled_back(store: Store) -> None:
    await set_language(store, "fr")
    with pytest.raises(Aborted):
        await abort(store.writing())
    # PostgreSQL reports what a reader writes at once.
    with pytest.raises((Aborted, InternalError)):
        await abort(store.reading())
    assert await language(store) == "fr"


async def test_a_cancelled_transaction_is_rolled_back(store: Store) -> None:
    written = asyncio.Event()

    async def write() -> None:
        async with store.writing() as connection:
            await set_setting(connection, "language", "en")
            written.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(write())
    await written.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await language(store) is None
    await set_language(store, "fr")
    assert await language(store) == "fr"


async def test_a_cancelled_statement_releases_the_write_lock(store: Store) -> None:
    async def go_on() -> None:
        while True:
            async with store.writing() as connection:
                await set_setting(connection, "language", "en")
                await setting(connection, "language")

    cancelled = []  # References keep the tasks alive, as a caller that still awaits them does.
    for n in range(100):
        task = asyncio.create_task(go_on())
        await asyncio.sleep(n % 50 / 5000)
        task.cancel()
        cancelled.append((await asyncio.gather(task, return_exceptions=True), task))
        async with asyncio.timeout(DEADLINE_S):
            await set_language(store, "fr")


@only_sqlite
async def test_a_closed_store_leaves_no_connection_open_and_no_thread(place: Path) -> None:
    """A thread that answers later than that may find its loop closed, as a program ends."""

    async def go_on(store: Store) -> None:
        while True:
            await set_language(store, "en")

    gc.collect()
    gc.disable()  # It would close leaked connections.
    try:
        for n in range(40):
            store = await Store.open(place)
            task = asyncio.create_task(go_on(store))
            await asyncio.sleep(0.02 + n / 4000)
            task.cancel()
            await asyncio.wait({task})
            await store.close()
            assert not [each for each in threading.enumerate() if "_connection_worker" in each.name]
    finally:
        gc.enable()


async def test_a_server_that_dies_after_a_cancelled_read_logs_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages: list[str] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: messages.append(context["message"])
    )
    closing, dead = asyncio.Event(), asyncio.Event()
    close = AsyncConnection.close

    async def die(connection: AsyncConnection) -> None:
        closing.set()
        await dead.wait()
        await close(connection)
        raise OperationalError("ROLLBACK", None, Exception("the server died"))

    with monkeypatch.context() as patched:
        patched.setattr(AsyncConnection, "close", die)
        user = asyncio.create_task(language(store))
        await closing.wait()
        user.cancel()
        await asyncio.wait({user})
        assert user.cancelled()
        dead.set()
        while left := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(left)
        with pytest.raises(OperationalError):
            await language(store)
    gc.collect()
    await asyncio.sleep(0)
    assert not messages


async def test_a_reader_sees_one_snapshot(store: Store) -> None:
    await set_language(store, "fr")
    async with store.reading() as connection:
        assert await setting(connection, "language") == "fr"
        await set_language(store, "en")
        assert await setting(connection, "language") == "fr"
    assert await language(store) == "en"


async def test_concurrent_writes_lose_no_update(store: Store) -> None:
    async def add() -> None:
        async with store.writing() as connection:
            await connection.execute(text("UPDATE setting SET value = value || 'x'"))

    await set_language(store, "")
    await asyncio.gather(*(add() for _ in range(30)))
    assert await language(store) == "x" * 30


async def test_shrinking_and_checkpoints_keep_everything(store: Store, place: Place) -> None:
    await set_language(store, "fr")
    await store.checkpoint()
    if isinstance(place, Path):
        assert place.with_name("node.db-wal").stat().st_size == 0
    await store.shrink()
    assert await language(store) == "fr"
    await set_language(store, "en")
    assert await language(store) == "en"


@only_sqlite
async def test_only_the_node_s_user_may_read_the_files(store: Store, place: Path) -> None:
    def modes() -> dict[str, int]:
        return {file.name: stat.S_IMODE(file.stat().st_mode) for file in place.parent.iterdir()}

    await set_language(store, "fr")
    names = ("node.db", "node.db-wal", "node.db-shm", "node.reserve")
    assert modes() == dict.fromkeys(names, 0o600)
    await store.close()
    place.chmod(0o644)
    again = await Store.open(place)
    assert await language(again) == "fr"
    assert set(modes().values()) == {0o600}
    await again.close()


@only_sqlite
async def test_erased_data_is_in_no_file(store: Store, place: Path) -> None:
    await set_language(store, "a-very-private-thing" * 300)
    await store.checkpoint()
    assert b"very-private" in place.read_bytes()
    async with store.writing() as connection:
        await set_setting(connection, "language", None)
    await store.shrink()
    for file in place.parent.glob("node.db*"):
        assert b"very-private" not in file.read_bytes()


@only_sqlite
async def test_every_connection_has_its_pragmas(store: Store) -> None:
    wanted = {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "secure_delete": 1,
        "busy_timeout": 60_000,
        "trusted_schema": 0,
    }
    async with store.reading() as first, store.reading() as other, store.writing() as third:
        for connection in (first, other, third):
            for pragma, value in wanted.items():
                assert (await connection.scalar(text(f"PRAGMA {pragma}"))) == value


@only_sqlite
async def test_a_writer_waits_for_another_program(store: Store, place: Path) -> None:
    other = sqlite3.connect(place, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(set_language(store, "fr"))
    await asyncio.sleep(0.1)
    assert not writing.done()
    other.execute("COMMIT")
    other.close()
    await writing
    assert await language(store) == "fr"


@pytest.mark.parametrize("url", ["", "node.db", "mysql://localhost/node", "http://example.org"])
async def test_other_urls_are_refused_with_advice(url: str) -> None:
    with pytest.raises(Unusable, match="starts with"):
        await Store.open(url)


async def test_statements_stay_prepared_between_transactions(
    new_place: Callable[[str], Place],
) -> None:
    prepared = text("SELECT count(*) FROM pg_prepared_statements WHERE statement = 'SELECT 7'")
    store = await Store.open(new_place("postgresql"))
    for _ in range(8):
        async with store.reading() as connection:
            await connection.execute(text("SELECT 7"))
    async with store.reading() as connection:
        assert (await connection.execute(prepared)).scalar_one() == 1
    await store.close()
