"""The erasure log lies beside the database, so that a restored backup brings nothing back."""

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
from consometers_node.store.collective_tables import MemberPermissionId

from ..permission.samples import now
from .ingestion import pushed_data, running_queue, stored_blocks
from .people import AT, ZONE, changing, join, meter

DAY = date(2026, 6, 11)
MIDNIGHT = datetime(2026, 6, 11, tzinfo=UTC)
LATER = AT + timedelta(days=5)
HOMES = ("keeps", "leaves", "stays")


async def fill(store: Store) -> None:
    """Store a day of three homes."""
    await keep_collective(store, "kersabiec")
    for name in HOMES:
        async with store.writing() as connection:
            await join(connection, name)
        async with running_queue(store) as queue:
            await queue.keep(f"{name}@example.org", pushed_data(meter(name), MIDNIGHT, [300] * 24))


async def leave(store: Store) -> None:
    """Withdraw as two of them; one has everything erased."""
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


async def applied(store: Store, file: Path, at: datetime = LATER) -> int:
    return await reapply(store, ZONE, read_ended(file), at)


LEFT = {"keeps": State.WITHDRAWN, "leaves": State.WITHDRAWN, "stays": State.GRANTED}


async def test_each_ended_permission_is_logged_once(store: Store, tmp_path: Path) -> None:
    started = now()
    await fill(store)
    await leave(store)
    file = tmp_path / "ended.jsonl"
    log = ErasureLog(store, file)
    for _ in range(2):
        await log.write()
    expected = [
        Ended(MemberPermissionId("keeps"), State.WITHDRAWN, LATER, erased=False),
        Ended(MemberPermissionId("leaves"), State.WITHDRAWN, LATER, erased=False),
        Ended(MemberPermissionId("leaves"), State.WITHDRAWN, LATER, erased=True),
    ]
    assert [replace(entry, at=LATER) for entry in read_ended(file)] == expected
    assert all(started <= entry.at <= now() for entry in read_ended(file))
    assert "example.org" not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


async def test_a_backup_that_is_put_back_brings_nothing_back(file: Store, tmp_path: Path) -> None:
    await fill(file)
    await file.checkpoint()
    copy = tmp_path / "backup.db"
    (backup,) = tmp_path.glob("*.db")
    copy.write_bytes(backup.read_bytes())
    await leave(file)
    journal = tmp_path / "ended.jsonl"
    await ErasureLog(file, journal).write()

    restored = await Store.open(copy)
    try:
        assert set((await states(restored)).values()) == {State.GRANTED}
        assert await applied(restored, journal) == 2
        assert await states(restored) == LEFT
        assert len(await stored_blocks(restored, DAY)) == len(HOMES) - 1
        assert await applied(restored, journal) == 0
        async with restored.reading() as connection:
            register = await member_permissions.register(connection, [MemberPermissionId("leaves")])
        assert [(entry.state, entry.erased) for entry in register] == [
            (State.GRANTED, None),
            (State.WITHDRAWN, None),
            (State.WITHDRAWN, 24),
        ]
    finally:
        await restored.close()


async def test_what_the_collective_ended_ends_again_and_what_time_ends_is_left_to_the_node(
    store: Store, tmp_path: Path
) -> None:
    await fill(store)
    file = tmp_path / "ended.jsonl"
    lines = [
        Ended(MemberPermissionId("keeps"), State.TERMINATED, LATER, erased=False),
        Ended(MemberPermissionId("keeps"), State.TERMINATED, LATER, erased=True),
        Ended(
            MemberPermissionId("was given after the backup"), State.WITHDRAWN, LATER, erased=True
        ),
    ]
    file.write_text("".join(f"{entry.line()}\n" for entry in lines))
    assert await applied(store, file) == 1
    assert (await states(store))["keeps"] is State.TERMINATED
    assert len(await stored_blocks(store, DAY)) == len(HOMES) - 1
    assert await applied(store, file, AT + timedelta(days=400)) == 0
    assert (await states(store))["stays"] is State.GRANTED


async def test_an_erasure_by_the_collective_is_logged(store: Store, tmp_path: Path) -> None:
    await fill(store)
    async with changing(store) as (_, members):
        member = await members.named("leaves@example.org")
    await erase_member(store, ZONE, member.id, LATER)
    file = tmp_path / "ended.jsonl"
    await ErasureLog(store, file).write()
    assert [(entry.state, entry.erased) for entry in read_ended(file)] == [
        (State.TERMINATED, False),
        (State.TERMINATED, True),
    ]


async def test_a_line_that_a_power_cut_left_is_passed_over_and_written_again(
    store: Store, tmp_path: Path
) -> None:
    await fill(store)
    await leave(store)
    file = tmp_path / "ended.jsonl"
    await ErasureLog(store, file).write()
    whole = file.read_bytes()
    file.write_bytes(whole[:-9])
    assert len(read_ended(file)) == 2
    async with running(ErasureLog(store, file)):
        pass
    assert len(read_ended(file)) == 3
    assert await states(store) == LEFT


async def test_the_log_is_complete_when_the_node_stops(store: Store, tmp_path: Path) -> None:
    await fill(store)
    file = tmp_path / "ended.jsonl"
    async with running(ErasureLog(store, file, every_s=3600)):
        await leave(store)
        assert not file.exists()
    assert len(read_ended(file)) == 3


async def test_a_full_disk_ends_nothing(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await fill(store)
    await leave(store)
    file = tmp_path / "away" / "ended.jsonl"
    task = asyncio.create_task(ErasureLog(store, file, every_s=0.01).run())
    while "ended.jsonl" not in caplog.text:
        await asyncio.sleep(0.01)
    file.parent.mkdir()
    while len(read_ended(file)) < 3:
        await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait({task})
    assert not read_ended(tmp_path / "none")


@asynccontextmanager
async def running(log: ErasureLog) -> AsyncIterator[None]:
    """Run it from its first look on."""
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
