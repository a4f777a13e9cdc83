"""Homes join a collective on another server: it gathers what they give, and no more."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete

from consometers_node.collective.counters import HistoryOutcome
from consometers_node.collective.members.members import Members
from consometers_node.collective.monitoring.health import Watch
from consometers_node.collective.monitoring.problems import ProblemKind
from consometers_node.collective.permissions import member_permissions
from consometers_node.collective.permissions.member_permissions import MemberPermission
from consometers_node.collective.privacy.erasure import erase, erase_due
from consometers_node.permission import Permissions, State
from consometers_node.sharing.restriction import pause, resume
from consometers_node.store import PermissionId, Store
from consometers_node.store.collective.member_series import MemberSeries
from consometers_node.store.collective.tables import MemberPermissionId
from consometers_node.store.tables import BlockRow
from consometers_quoalise import (
    Data,
    Erased,
    ItemNotFound,
    NotAuthorized,
    ResourceConstraint,
)
from consometers_quoalise.records.identifier import identifier
from consometers_quoalise_network import Asking
from testing.collectives.joining import (
    KNOWN_UNTIL,
    PAST,
    jid,
    join,
    numbered_hours,
    wait_for_records,
)
from testing.collectives.running import Coop, Run
from testing.databases.fixtures import Place
from testing.databases.postgresql import Server
from testing.homes.data_needs import CHOICE, HOURLY, now
from testing.homes.ledgers import HOUR, midnight
from testing.homes.running import RunningHome, decisions_confirmed, running
from testing.networks import Memory
from testing.run import DEADLINE_S
from testing.waiting import until
from testing.xmpp.fixtures import MakeNode, NewAccount

YESTERDAY = PAST + 48 * HOUR
TODAY = PAST + 72 * HOUR


async def wait_for_backfill(coop: Coop, house: RunningHome, since: datetime) -> MemberSeries:
    async with asyncio.timeout(DEADLINE_S):
        while True:
            permission = await coop.member_series(jid(house))
            if permission.backfilled_until is not None and permission.backfilled_until >= since:
                return permission
            await asyncio.sleep(0.05)


async def test_new_home_delivers_its_records_and_counters_follow(
    coop: Coop, house: RunningHome
) -> None:
    started = now()
    past = await join(coop, house)
    await wait_for_records(coop, past)
    permission = await wait_for_backfill(coop, house, started)
    assert permission.problem is None
    assert permission.subscribed_at is not None
    new = {PAST + 60 * HOUR: 600, PAST + 61 * HOUR: 610}
    await house.keep({start: value for start, value in (past | new).items() if start >= YESTERDAY})
    await wait_for_records(coop, past | new)
    corrected = past | new | {PAST + 59 * HOUR: 5}
    await house.keep({start: n for start, n in corrected.items() if start >= YESTERDAY})
    await wait_for_records(coop, corrected)
    health = await Watch(coop.node, "1").health()
    assert not health.kinds & {ProblemKind.NETWORK, ProblemKind.DATABASE}
    assert health.counts.traffic.acknowledged >= 1
    assert health.counts.traffic.answered >= 2
    assert health.counts.visits[HistoryOutcome.DONE] >= 1
    assert health.counts.commits.count >= 2
    assert health.counts.closings.last_s is not None
    assert (health.away, health.waiting) == (0, 0)
    assert health.database is not None
    assert health.database.standing.granting["home"].delivering == 1


async def test_uninvited_node_learns_nothing(
    coop: Coop, other_server: Memory, new_node: MakeNode
) -> None:
    token = await coop.invite()
    stranger, invited, other = [await new_node(other_server) for _ in range(3)]
    for wrong in (None, token[1:], "x" * 100):
        with pytest.raises(NotAuthorized):
            await stranger.asking.get_data_needs(coop.jid, wrong)
    assert len(await invited.asking.get_data_needs(coop.jid, token)) == 1
    assert len(await invited.asking.get_data_needs(coop.jid)) == 1
    with pytest.raises(NotAuthorized):  # it was for one
        await other.asking.get_data_needs(coop.jid, token)
    with pytest.raises(ItemNotFound):
        await stranger.asking.withdraw(coop.jid, str(uuid4()))


async def test_a_greater_subscribed_power_of_a_home_counts_what_was_set_aside(
    coop: Coop, house: RunningHome
) -> None:
    await house.ledger.cover(PAST, midnight(1))
    await house.keep({PAST: 500, PAST + HOUR: 5_000, PAST + 2 * HOUR: 20_000})
    await house.sharing.asking.get_data_needs(coop.jid, await coop.invite())
    await house.grant(choice=replace(CHOICE, subscribed_kva={HOURLY.device: 3}))
    await wait_for_records(coop, {PAST: 500})
    async with house.store.writing() as connection:
        assert await Permissions(connection).note_subscribed({HOURLY.device: 6})
    house.changes.notify()
    await wait_for_records(coop, {PAST: 500, PAST + HOUR: 5_000})
    assert (await coop.member_series(jid(house))).subscribed_kva == 6


@pytest.mark.parametrize("erase", [True, False])
async def test_withdrawal_erases_records_only_on_demand(
    coop: Coop, house: RunningHome, erase: bool
) -> None:
    past = await join(coop, house)
    await wait_for_records(coop, past)
    (permission,) = await permission_ids(house)
    await house.withdraw(permission, erase=erase)
    await decisions_confirmed(house)
    days = sorted({start.date() for start in past})
    left = {} if erase else past
    assert await coop.values(days) == left
    await house.keep(dict.fromkeys(past, 7))
    await asyncio.sleep(0.5)
    assert await coop.values(days) == left


async def test_a_receipt_counts_records_that_retention_erased_first(
    coop: Coop, house: RunningHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def late(
        store: Store, zone: ZoneInfo, permission: MemberPermission, *rest: Any
    ) -> tuple[Erased, ...]:
        await erase_due(store, zone, None, now())
        return await erase(store, zone, permission, *rest)

    monkeypatch.setattr("consometers_node.collective.answers.erase_given", late)
    past = await join(coop, house)
    await wait_for_records(coop, past)
    (permission,) = await permission_ids(house)
    receipt = await house.sharing.asking.withdraw(coop.jid, permission)
    # The names of the series went with the records.
    assert receipt.erased == (Erased(None, len(past)),)


async def test_a_home_receives_the_termination_of_its_permission(
    coop: Coop, house: RunningHome
) -> None:
    await join(coop, house)
    (permission,) = await permission_ids(house)
    async with coop.store.writing() as connection:
        members = Members(connection, coop.settings.time_zone)
        await member_permissions.terminate(members, MemberPermissionId(permission), now())
    coop.node.look_again()
    async with asyncio.timeout(DEADLINE_S):
        while await house.state(permission) is not State.TERMINATED:
            await asyncio.sleep(0.05)
        while True:
            async with coop.store.reading() as connection:
                if not await member_permissions.not_notified(connection):
                    break
            await asyncio.sleep(0.05)


async def test_paused_home_is_asked_until_it_resumes(coop: Coop, house: RunningHome) -> None:
    past = dict(numbered_hours(PAST, KNOWN_UNTIL))
    await house.keep(dict(past))
    await house.sharing.asking.get_data_needs(coop.jid, await coop.invite())
    await house.ledger.grant()
    async with house.store.writing() as connection:
        await pause(connection, house.ledger.peer.id)
    house.changes.notify()
    await decisions_confirmed(house)
    asked = coop.network.sharing.asking
    name = identifier((await coop.member_series(jid(house))).identifier)
    with pytest.raises(ResourceConstraint):
        await asked.subscribe(house.address, name)
    assert (await coop.member_series(jid(house))).subscribed_at is None
    async with house.store.writing() as connection:
        await resume(connection, house.ledger.peer.id)
    await wait_for_records(coop, past)


async def test_offline_home_is_asked_when_it_returns(
    run: Run, server: Memory, file: Store, new_account: NewAccount
) -> None:
    account = new_account(server)
    async with run() as coop, running(file, server, account, coop.jid) as house:
        await house.connection.online(DEADLINE_S)
        token = await coop.invite()
        await house.sharing.asking.get_data_needs(coop.jid, token)
        await house.grant()
        await decisions_confirmed(house)
    async with run() as coop:
        await until(lambda: coop.network.backfill.away == {account})
        async with running(file, server, account, coop.jid) as house:
            await house.keep({PAST: 1, PAST + HOUR: 2})
            await wait_for_records(coop, {PAST: 1, PAST + HOUR: 2})


async def test_records_pushed_during_a_backfill_replace_its_answer(
    coop: Coop, house: RunningHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, arrives = asyncio.Event(), asyncio.Event()
    get_history = Asking.get_history

    async def slow(*arguments: Any) -> Data:
        answer = await get_history(*arguments)
        asked.set()
        await arrives.wait()
        return answer

    monkeypatch.setattr(Asking, "get_history", slow)
    past = await join(coop, house)
    async with asyncio.timeout(DEADLINE_S):
        await asked.wait()
    corrected = {KNOWN_UNTIL - HOUR: 5, KNOWN_UNTIL: 600}
    expected = past | corrected
    await house.keep({start: n for start, n in expected.items() if start >= YESTERDAY})
    async with asyncio.timeout(DEADLINE_S):
        while corrected.items() - (await coop.values([TODAY.date(), YESTERDAY.date()])).items():
            await asyncio.sleep(0.05)
    arrives.set()
    await wait_for_records(coop, expected)


async def test_restarted_collective_asks_again_for_lost_records(
    run: Run, server: Memory, file: Store, new_account: NewAccount
) -> None:
    async with AsyncExitStack() as stack:
        async with run() as coop:
            house = await stack.enter_async_context(
                running(file, server, new_account(server), coop.jid)
            )
            await house.connection.online(DEADLINE_S)
            past = await join(coop, house)
            await wait_for_records(coop, past)
            await wait_for_backfill(coop, house, PAST)
            async with coop.store.writing() as connection:
                lost = BlockRow.day == (PAST + 24 * HOUR).date()
                await connection.execute(delete(BlockRow).where(lost))
        new = past | {KNOWN_UNTIL: 600}
        await house.keep(dict(new))
        async with run() as coop:
            await wait_for_records(coop, new)


async def test_collective_resumes_after_a_database_outage(
    place: Place, coop: Coop, house: RunningHome, postgresql_server: Server
) -> None:
    if isinstance(place, Path):
        pytest.skip("a file does not go away")
    past = await join(coop, house)
    await wait_for_records(coop, past)
    database = place.partition("@/")[2].partition("?")[0]
    with postgresql_server.connect("postgres") as connection:
        connection.execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS false".encode())
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database]
        )
        new = past | {KNOWN_UNTIL: 600}
        await house.keep(dict(new))
        await asyncio.sleep(0.5)
        connection.execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS true".encode())
    await wait_for_records(coop, new)


async def permission_ids(house: RunningHome) -> list[PermissionId]:
    async with house.store.reading() as connection:
        return [permission.id for permission in await Permissions(connection).all()]
