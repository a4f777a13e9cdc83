"""How sharing stands, and what a pause holds back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from consometers_node.permission import Permissions, State
from consometers_node.sharing.restriction import pause, paused, resume
from consometers_node.sharing.status import REMEMBERED, Collective, collectives, current_permissions
from consometers_node.store import Store
from testing.homes.data_needs import CHOICE, NEED, NO, now
from testing.homes.ledgers import DAY, HOUR, Ledger, hours, midnight


@pytest.fixture
async def ledger(store: Store) -> Ledger:
    return await Ledger.open(store)


async def sharing_status(ledger: Ledger) -> Collective:
    async with ledger.store.reading() as connection:
        (collective,) = await collectives(connection, datetime.now(UTC))
        return collective


async def test_a_peer_without_a_grant_waits_for_nothing(ledger: Ledger) -> None:
    status = await sharing_status(ledger)
    assert (status.peer, status.permissions, status.shared) == (ledger.peer, [], [])
    assert (status.waiting, status.waiting_since, status.acknowledged_until) == (0, None, None)
    assert not status.paused


async def test_waiting_records_are_counted_once_until_acknowledged(ledger: Ledger) -> None:
    await ledger.grant()
    await ledger.keep(hours(midnight(-1), range(24)))
    cursor = midnight(-1) + 20 * HOUR
    await ledger.subscribe(cursor)
    status = await sharing_status(ledger)
    assert status.waiting == 4
    assert status.waiting_since == status.acknowledged_until == cursor
    (shared,) = status.shared
    await ledger.grant(replace(NEED, id="other"), replace(CHOICE, duration_days=90))
    status = await sharing_status(ledger)
    (both,) = status.shared
    assert [grant.series_id for grant in both.grants] == [ledger.series_id] * 2
    assert (status.waiting, both.waiting) == (4, 4)
    assert both.until > shared.until
    message = await ledger.due()
    status = await sharing_status(ledger)
    assert status.waiting == 4
    assert status.waiting_since is not None
    assert abs(status.waiting_since - datetime.now(UTC)) < timedelta(minutes=1)
    await ledger.receive(message)
    status = await sharing_status(ledger)
    assert (status.waiting, status.waiting_since) == (0, None)
    assert status.acknowledged_until == midnight()


async def test_a_corrected_record_waits_once(ledger: Ledger) -> None:
    await ledger.grant()
    await ledger.keep(hours(midnight(-1), range(24)))
    await ledger.subscribe(midnight(-1))
    await ledger.receive_all()
    await ledger.cover(midnight(-1), midnight())
    for corrected in ([70, 71, 72], [70, 80, 82]):
        await ledger.keep(hours(midnight(-1), [0, 1, 2, *corrected, *range(6, 24)]))
    assert (await sharing_status(ledger)).waiting == 3
    await ledger.receive_all()
    assert (await sharing_status(ledger)).waiting == 0


async def test_the_progress_of_a_series_is_complete_unless_given(
    ledger: Ledger,
) -> None:
    await ledger.grant()
    (shared,) = (await sharing_status(ledger)).shared
    assert (shared.progress, shared.subscription, shared.waiting) == (1, None, 0)
    async with ledger.store.reading() as connection:
        (collective,) = await collectives(connection, datetime.now(UTC), {ledger.series: 0.25})
    assert [shared.progress for shared in collective.shared] == [0.25]


async def test_a_pause_holds_due_records_of_one_peer_back_until_the_resume(
    ledger: Ledger, store: Store
) -> None:
    other = await Ledger.open(store, "town@example.org")
    for each in (ledger, other):
        await each.grant()
        await each.subscribe(midnight(-2))
    await ledger.keep(hours(midnight(-2), range(24)))
    await ledger.receive_all()
    await ledger.cover(midnight(-2), midnight())
    async with ledger.store.writing() as connection:
        await pause(connection, ledger.peer.id)
        assert [each.paused for each in await collectives(connection, now())] == [True, False]
    corrected = hours(midnight(-2), [100, *range(1, 24)])
    await ledger.keep(corrected | hours(midnight(-1), range(24)))
    assert await ledger.next() is None
    assert await other.next() is not None
    async with ledger.store.writing() as connection:
        await resume(connection, ledger.peer.id)
        assert await paused(connection) == set()
    await ledger.receive_all()
    assert ledger.sent[midnight(-2)] == 100
    assert max(ledger.sent) == midnight() - HOUR


async def test_a_newer_version_of_a_need_is_listed_with_the_grant(ledger: Ledger) -> None:
    granted = await ledger.grant()
    async with ledger.store.writing() as connection:
        register = Permissions(connection)
        newer = await register.propose(ledger.peer.id, replace(NEED, version=2), now())
    current = current_permissions(await sharing_status(ledger), datetime.now(UTC))
    assert [(permission.permission.id, permission.newer) for permission in current] == [
        (granted, newer),
        (newer, None),
    ]


async def test_the_last_ended_permission_of_each_need_stays_for_some_time(ledger: Ledger) -> None:
    for _ in range(2):
        await ledger.withdraw(await ledger.grant())
    async with ledger.store.writing() as connection:
        register = Permissions(connection)
        refused = await register.propose(ledger.peer.id, replace(NEED, id="other"), now())
        await register.refuse(refused, NO, now())
    status = await sharing_status(ledger)
    current = current_permissions(status, datetime.now(UTC))
    states = [each.permission.state for each in current]
    assert states == [State.WITHDRAWN, State.REFUSED]
    assert current[0].permission.id == status.permissions[1].permission.id
    assert current_permissions(status, datetime.now(UTC) + REMEMBERED + DAY) == []
