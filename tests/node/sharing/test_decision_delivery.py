"""Which decisions of a household a collective receives, and what its receipts change."""

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path
import shutil
from uuid import uuid4

import pytest
from sqlalchemy import select

from consometers_node.permission import Permissions, State
from consometers_node.store import PermissionId, Store
from consometers_node.store.tables import NoticeRow
from consometers_quoalise import BadRequest, Identifier, ResourceConstraint
from testing.homes.data_needs import CHOICE, CHOICE_OF_PROTECTED, HOURLY, NEED, PROTECTED, YES, now
from testing.homes.ledgers import Ledger, hours, midnight
from testing.homes.running import (
    RunningHome,
    StoringCollective,
    bare,
    decisions_confirmed,
    enrol,
    running,
)
from testing.networks import Memory
from testing.run import DEADLINE_S
from testing.sentences import says
from testing.waiting import until
from testing.xmpp.fixtures import NewAccount, XmppNode

OTHER = replace(NEED, id="other")


async def receipts(store: Store) -> list[str]:
    async with store.reading() as connection:
        rows = await connection.execute(select(NoticeRow.receipt).order_by(NoticeRow.seq))
        return [receipt or "" for (receipt,) in rows]


async def test_a_grant_of_sums_is_sent_once_the_witness_confirms_the_key(
    house: RunningHome, collective: StoringCollective
) -> None:
    permission = await house.grant(PROTECTED, CHOICE_OF_PROTECTED)
    await until(lambda: bool(house.sharing.deliveries))
    assert await house.delivery.settled(120)
    assert (collective.log, await house.pending_notices()) == ([], 1)
    await enrol(house.store, permission, now().date())
    house.changes.notify()
    await decisions_confirmed(house)
    assert collective.log == [("grant", permission)]


async def test_a_grant_is_sent_again_once_a_subscribed_power_changes(
    house: RunningHome, collective: StoringCollective
) -> None:
    choice = replace(CHOICE, subscribed_kva={HOURLY.device: 6})
    permission = await house.grant(choice=choice)
    await decisions_confirmed(house)
    assert collective.permissions[permission].subscribed_kva == {house.name: 6}
    for power in (6, 9, 9):
        async with house.store.writing() as connection:
            await Permissions(connection).note_subscribed({HOURLY.device: power})
        house.changes.notify()
        await until(
            partial(_has_power, collective, permission, {house.name: power}),
        )
    await asyncio.sleep(0.3)
    assert collective.log == 2 * [("grant", permission)]


def _has_power(
    collective: StoringCollective, permission: PermissionId, powers: dict[Identifier, int]
) -> bool:
    return collective.permissions[permission].subscribed_kva == powers


@pytest.mark.parametrize("erase", [True, False])
async def test_decisions_are_sent_and_their_receipts_stored(
    house: RunningHome, collective: StoringCollective, *, erase: bool
) -> None:
    permission = await house.grant()
    await decisions_confirmed(house)
    received = collective.permissions[permission]
    assert (received.need, received.series) == (NEED.id, (house.name,))
    await house.withdraw(permission, erase=erase)
    await decisions_confirmed(house)
    assert collective.log == [("grant", permission), ("withdraw", permission)]
    assert collective.erases == [erase]
    granted, withdrawn = await receipts(house.store)
    assert 'state="granted"' in granted
    assert ("<erased" in withdrawn) is erase


async def test_a_grant_withdrawn_before_delivery_is_never_sent(
    file: Store,
    server: Memory,
    new_account: NewAccount,
    coop: XmppNode,
    collective: StoringCollective,
) -> None:
    ledger = await Ledger.open(file, bare(coop))
    await ledger.withdraw(await ledger.grant())
    async with running(file, server, new_account(server), bare(coop)) as house:
        await decisions_confirmed(house)
        await asyncio.sleep(0.3)
        assert collective.log == []
        assert set(await receipts(file)) == {"ended before it was sent"}


async def test_a_withdrawal_is_sent_though_the_receipt_of_the_grant_was_lost(
    file: Store,
    server: Memory,
    new_account: NewAccount,
    coop: XmppNode,
    collective: StoringCollective,
) -> None:
    jid = new_account(server)
    collective.answers.clear()
    async with running(file, server, jid, bare(coop)) as house:
        permission = await house.grant()
        await until(lambda: bool(collective.log))
    await house.ledger.withdraw(permission)
    collective.answers.set()
    async with running(file, server, jid, bare(coop)) as house:
        await decisions_confirmed(house)
    assert collective.log == [("grant", permission), ("withdraw", permission)]
    assert collective.states[permission] is State.WITHDRAWN


@pytest.mark.parametrize("answer", [None, State.TERMINATED])
async def test_a_withdrawal_during_the_grant_s_delivery_follows_it(
    house: RunningHome, collective: StoringCollective, answer: State | None
) -> None:
    collective.says = answer
    collective.answers.clear()
    permission = await house.grant()
    await until(lambda: bool(collective.log))
    await house.withdraw(permission)
    collective.answers.set()
    await decisions_confirmed(house)
    assert collective.log == [("grant", permission), ("withdraw", permission)]
    assert await house.state(permission) is State.WITHDRAWN
    assert not house.task.done()


async def test_a_refused_grant_delays_no_withdrawal(
    house: RunningHome, collective: StoringCollective
) -> None:
    first = await house.grant()
    await decisions_confirmed(house)
    collective.refuses = BadRequest()
    second = await house.grant(need=OTHER)
    await until(lambda: ("grant", second) in collective.log)
    await house.withdraw(first)
    await until(lambda: ("withdraw", first) in collective.log)
    assert house.delivery.problem is not None
    collective.refuses = None
    await decisions_confirmed(house)
    await until(lambda: house.delivery.problem is None)


async def test_a_receipt_of_another_permission_confirms_nothing(
    house: RunningHome, collective: StoringCollective
) -> None:
    collective.names = str(uuid4())
    await house.grant()
    await until(lambda: house.delivery.problem is not None)
    assert house.delivery.problem is not None
    assert "a receipt that does not match" in house.delivery.problem.say("en")
    assert "accusé de réception qui ne correspond pas" in house.delivery.problem.say("fr")
    assert await house.pending_notices() == 1


async def test_a_receipt_that_says_granted_confirms_no_withdrawal(
    house: RunningHome, collective: StoringCollective
) -> None:
    permission = await house.grant()
    await decisions_confirmed(house)
    collective.says = State.GRANTED
    await house.withdraw(permission)
    await until(lambda: house.delivery.problem is not None)
    assert await house.pending_notices() == 1
    collective.says = None
    await decisions_confirmed(house)


async def test_a_collective_that_says_terminated_ends_the_permission(
    house: RunningHome, collective: StoringCollective
) -> None:
    collective.says = State.TERMINATED
    permission = await house.grant()
    await decisions_confirmed(house)
    await house.becomes(permission, State.TERMINATED)


async def test_a_collective_whose_clock_is_ahead_ends_the_permission(
    house: RunningHome, collective: StoringCollective
) -> None:
    collective.says = State.EXPIRED
    permission = await house.grant()
    await decisions_confirmed(house)
    await house.becomes(permission, State.TERMINATED)
    assert house.delivery.problem is None


async def test_a_withdrawal_after_the_end_is_confirmed_by_the_receipt_of_the_end(
    house: RunningHome, collective: StoringCollective
) -> None:
    permission = await house.grant()
    await decisions_confirmed(house)
    collective.says = State.EXPIRED
    await house.withdraw(permission)
    await decisions_confirmed(house)
    assert house.delivery.problem is None
    assert 'state="expired"' in (await receipts(house.store))[-1]
    assert collective.log == [("grant", permission), ("withdraw", permission)]


async def test_a_withdrawal_of_what_a_collective_has_erased_is_done(
    house: RunningHome, collective: StoringCollective
) -> None:
    permission = await house.grant()
    await decisions_confirmed(house)
    collective.permissions.clear()
    await house.withdraw(permission)
    await decisions_confirmed(house)
    assert (await receipts(house.store))[-1] == "not known to the peer"
    assert house.delivery.problem is None
    assert collective.log == [("grant", permission), ("withdraw", permission)]


async def test_a_need_from_a_file_sends_no_decision(
    file: Store,
    server: Memory,
    new_account: NewAccount,
    coop: XmppNode,
    collective: StoringCollective,
) -> None:
    ledger = await Ledger.open(file, bare(coop))
    async with file.writing() as connection:
        permissions = Permissions(connection)
        permission = await permissions.propose(ledger.peer.id, NEED, now(), who="me")
        await permissions.grant(permission, CHOICE, YES, now())
    await ledger.cover(midnight(-30), midnight(1))
    await ledger.keep(hours(midnight(-1), range(24)))
    async with running(file, server, new_account(server), bare(coop)) as house:
        await house.connection.online(DEADLINE_S)
        await coop.asking.subscribe(house.address, house.name)
        await house.keep(hours(midnight(), range(3)))
        await until(lambda: bool(collective.values))
        await house.withdraw(permission)
        await asyncio.sleep(0.3)
        assert collective.log == []


# A backup


@pytest.fixture
async def restored(
    tmp_path: Path, file: Store, server: Memory, new_account: NewAccount, coop: XmppNode
) -> tuple[Path, str, PermissionId]:
    """A database from before a withdrawal that its collective knows of."""
    jid, backup = new_account(server), tmp_path / "backup.db"
    async with running(file, server, jid, bare(coop)) as house:
        await house.ledger.cover(midnight(-30), midnight(1))
        permission = await house.grant()
        await decisions_confirmed(house)
        await coop.asking.subscribe(house.address, house.name)
        await file.checkpoint()
        shutil.copy(tmp_path / "node.db", backup)
        await house.withdraw(permission)
        await decisions_confirmed(house)
    return backup, jid, permission


async def test_a_backup_from_before_a_withdrawal_brings_no_permission_back(
    restored: tuple[Path, str, PermissionId],
    server: Memory,
    coop: XmppNode,
    collective: StoringCollective,
) -> None:
    backup, jid, permission = restored
    store = await Store.open(backup)
    try:
        await (await Ledger.open(store, bare(coop))).keep(hours(midnight(), range(3)))
        async with running(store, server, jid, bare(coop)) as house:
            await house.becomes(permission, State.WITHDRAWN)
            await asyncio.sleep(0.5)
            assert collective.pushes == 0
            async with store.reading() as connection:
                register = Permissions(connection)
                entry = (await register.entries(permission))[-1]
                shown = await register.shown_text(entry)
            assert entry.who == "restored state"
            assert shown is not None
            assert bare(coop) in shown.body
            assert await house.pending_notices() == 0
            assert collective.log.count(("withdraw", permission)) == 1
    finally:
        await store.close()


async def test_a_restored_grant_answers_nothing_before_its_receipt(
    restored: tuple[Path, str, PermissionId],
    server: Memory,
    coop: XmppNode,
    collective: StoringCollective,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("consometers_node.sharing.service._SETTLES_WITHIN_S", 0.2)
    backup, jid, _ = restored
    store = await Store.open(backup)
    collective.answers.clear()
    try:
        async with running(store, server, jid, bare(coop)) as house:
            await house.connection.online(DEADLINE_S)
            await until(lambda: len(collective.log) == 3)
            for ask in (
                coop.asking.get_history(house.address, house.name),
                coop.asking.subscribe(house.address, house.name),
                coop.asking.list_series(house.address),
            ):
                with pytest.raises(ResourceConstraint, check=says("waiting for your receipt")):
                    await ask
            assert collective.pushes == 0
    finally:
        collective.answers.set()
        await store.close()
