"""The erasure log: a restored backup brings no erased records back."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest

from consometers_node.collective.permissions import member_permissions
from consometers_node.collective.permissions.member_permissions import PermissionActor
from consometers_node.collective.privacy.erasure import erase, erase_member
from consometers_node.collective.privacy.erasure_log import Ended, ErasureLog, read_ended, reapply
from consometers_node.permission import State
from consometers_node.sharing.names import keep_collective
from consometers_node.store import Store
from consometers_node.store.collective.tables import MemberPermissionId
from testing.collectives.members import AT, ZONE, changing, join, meter
from testing.collectives.records import pushed_data, running_queue, stored_blocks
from testing.homes.data_needs import now

DAY = date(2026, 6, 11)
MIDNIGHT = datetime(2026, 6, 11, tzinfo=UTC)
LATER = AT + timedelta(days=5)
HOMES = ("keeps", "leaves", "stays")


@pytest.fixture
async def log_file(store: Store, tmp_path: Path) -> Path:
    """The log's file, beside a database with a day of three homes."""
    await keep_collective(store, "kersabiec")
    for name in HOMES:
        async with store.writing() as connection:
            await join(connection, name)
        async with running_queue(store) as queue:
            await queue.keep(f"{name}@example.org", pushed_data(meter(name), MIDNIGHT, [300] * 24))
    return tmp_path / "ended.jsonl"


async def leave(store: Store) -> None:
    """Withdraw two of the permissions, one of them with erasure."""
    async with changing(store) as (connection, members):
        for name, erases in (("keeps", False), ("leaves", True)):
            permission = await member_permissions.get(connection, MemberPermissionId(name))
            await member_permissions.withdraw(members, permission.member, name, LATER, erase=erases)
        ended = await member_permissions.get(connection, MemberPermissionId("leaves"))
        await member_permissions.erase_at_once(connection, ended.id, LATER)
    await erase(store, ZONE, ended, LATER, PermissionActor.MEMBER)


async def states(store: Store) -> dict[str, State]:
    async with store.reading() as connection:
        return {
            permission.id: permission.state
            for permission in await member_permissions.all_permissions(connection)
        }


async def reapply_log(store: Store, log_file: Path, at: datetime = LATER) -> int:
    return await reapply(store, ZONE, read_ended(log_file), at)


LEFT = {"keeps": State.WITHDRAWN, "leaves": State.WITHDRAWN, "stays": State.GRANTED}


async def test_each_ended_permission_is_logged_once(store: Store, log_file: Path) -> None:
    started = now()
    await leave(store)
    log = ErasureLog(store, log_file)
    for _ in range(2):
        await log.write()
    expected = [
        Ended(MemberPermissionId("keeps"), State.WITHDRAWN, LATER, erased=False),
        Ended(MemberPermissionId("leaves"), State.WITHDRAWN, LATER, erased=False),
        Ended(MemberPermissionId("leaves"), State.WITHDRAWN, LATER, erased=True),
    ]
    assert [replace(entry, at=LATER) for entry in read_ended(log_file)] == expected
    assert all(started <= entry.at <= now() for entry in read_ended(log_file))
    assert "example.org" not in log_file.read_text()
    assert log_file.stat().st_mode & 0o777 == 0o600


async def test_reapplying_repeats_ends_and_leaves_expiry_to_the_node(
    store: Store, log_file: Path
) -> None:
    keeps, leaves = MemberPermissionId("keeps"), MemberPermissionId("leaves")
    unknown = MemberPermissionId("was given after the backup")
    lines = [
        Ended(keeps, State.WITHDRAWN, LATER, erased=False),
        Ended(leaves, State.TERMINATED, LATER, erased=False),
        Ended(leaves, State.TERMINATED, LATER, erased=True),
        Ended(unknown, State.WITHDRAWN, LATER, erased=True),
    ]
    log_file.write_text("".join(f"{entry.line()}\n" for entry in lines))
    assert await reapply_log(store, log_file) == 2
    assert await states(store) == LEFT | {"leaves": State.TERMINATED}
    assert len(await stored_blocks(store, DAY)) == len(HOMES) - 1
    async with store.reading() as connection:
        register = await member_permissions.register(connection, [leaves])
    assert [(entry.state, entry.erased) for entry in register] == [
        (State.GRANTED, None),
        (State.TERMINATED, None),
        (State.TERMINATED, 24),
    ]
    assert await reapply_log(store, log_file, AT + timedelta(days=400)) == 0
    assert (await states(store))["stays"] is State.GRANTED


async def test_an_erasure_by_the_collective_is_logged(store: Store, log_file: Path) -> None:
    async with changing(store) as (_, members):
        member = await members.named("leaves@example.org")
    await erase_member(store, ZONE, member.id, LATER)
    await ErasureLog(store, log_file).write()
    assert [(entry.state, entry.erased) for entry in read_ended(log_file)] == [
        (State.TERMINATED, False),
        (State.TERMINATED, True),
    ]


async def test_a_torn_line_is_skipped_and_rewritten(store: Store, log_file: Path) -> None:
    await leave(store)
    await ErasureLog(store, log_file).write()
    whole = log_file.read_bytes()
    log_file.write_bytes(whole[:-9])
    assert len(read_ended(log_file)) == 2
    async with running(ErasureLog(store, log_file)):
        pass
    assert len(read_ended(log_file)) == 3
    assert await states(store) == LEFT


async def test_the_log_is_complete_when_the_node_stops(store: Store, log_file: Path) -> None:
    async with running(ErasureLog(store, log_file, every_s=3600)):
        await leave(store)
        assert not log_file.exists()
    assert len(read_ended(log_file)) == 3


async def test_the_log_is_written_once_its_disk_works_again(
    store: Store, log_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await leave(store)
    log_file = log_file.parent / "away" / "ended.jsonl"
    task = asyncio.create_task(ErasureLog(store, log_file, every_s=0.01).run())
    while "ended.jsonl" not in caplog.text:
        await asyncio.sleep(0.01)
    log_file.parent.mkdir()
    while len(read_ended(log_file)) < 3:
        await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait({task})
    assert not read_ended(log_file.with_name("none"))


@asynccontextmanager
async def running(log: ErasureLog) -> AsyncIterator[None]:
    """Run a log, from after its first write on."""
    looked, write = asyncio.Event(), log.write

    async def look(written: Collection[Ended] = ()) -> None:
        await write(written)
        looked.set()

    with patch.object(log, "write", look):
        task = asyncio.create_task(log.run())
        await looked.wait()
        yield
        task.cancel()
        await asyncio.wait({task})
