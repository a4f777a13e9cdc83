"""What leaves: queued, sent, acknowledged; and the log of what was answered."""

from datetime import timedelta

import pytest

from consometers_node.permission import Permissions
from consometers_node.series import Range
from consometers_node.store import NotPermitted, PeerId, PermissionId, SeriesId, Store
from consometers_node.store.answers import Answer, answers, log_answer
from consometers_node.store.outbox import acknowledged, queue, send_again, sending, unsent
from consometers_node.store.peers import add_peer, all_peers, peer_by_jid
from consometers_node.store.series import add_series
from consometers_node.store.subscriptions import (
    set_back_cursor,
    subscribe,
    subscriptions,
    unsubscribe,
)

from ..permission.samples import HOURLY, INJECTED, STOP, grant, now

type Granted = tuple[PeerId, PermissionId, SeriesId]


@pytest.fixture
async def granted(store: Store) -> Granted:
    async with store.writing() as connection:
        peer = await add_peer(connection, "coop@example.org", "Coop", now())
        permission = await grant(Permissions(connection), peer.id)
        return peer.id, permission, await add_series(connection, HOURLY)


def hours(first: int, last: int) -> Range:
    """Give a range of whole hours from the present one on, back for negative ones."""
    hour = now().replace(minute=0, second=0)
    return Range(hour + timedelta(hours=first), hour + timedelta(hours=last))


async def test_peers_are_known_by_their_address(store: Store) -> None:
    async with store.writing() as connection:
        peer = await add_peer(connection, "coop@example.org", "Coop", now())
        assert await add_peer(connection, "coop@example.org", "Other name", now()) == peer
        assert await peer_by_jid(connection, "coop@example.org") == peer
        assert await peer_by_jid(connection, "town@example.org") is None
        assert await all_peers(connection) == [peer]


async def test_a_receipt_takes_records_out_and_moves_the_cursor(
    store: Store, granted: Granted
) -> None:
    peer, permission, number = granted
    async with store.writing() as connection:
        await subscribe(connection, peer, number, now())
        for hour in (-4, -3, -2):
            await queue(connection, peer, permission, number, hours(hour, hour + 1), at=now())
        first, second, third = await unsent(connection, peer, 10)
        await sending(connection, [first, second], "stanza-1", now())
        assert await unsent(connection, peer, 10) == [third]
        await sending(connection, [third], "stanza-2", now())
        assert await acknowledged(connection, peer, "stanza-2") == [third]
        assert await acknowledged(connection, peer, "stanza-1") == [first, second]
        assert await acknowledged(connection, peer, "stanza-1") == []
        (subscription,) = await subscriptions(connection, peer)
        assert subscription.cursor == third.records.end


async def test_what_has_no_receipt_is_sent_again(store: Store, granted: Granted) -> None:
    peer, permission, number = granted
    async with store.writing() as connection:
        await queue(connection, peer, permission, number, hours(-2, -1), at=now())
        (one,) = await unsent(connection, peer, 10)
        await sending(connection, [one], "lost", now())
        assert await unsent(connection, peer, 10) == []
        assert await send_again(connection, peer) == 1
        assert await unsent(connection, peer, 10) == [one]
        assert await acknowledged(connection, peer, "lost") == []


async def test_a_stanza_of_another_peer_confirms_nothing(store: Store, granted: Granted) -> None:
    peer, permission, number = granted
    async with store.writing() as connection:
        other = await add_peer(connection, "town@example.org", "Town", now())
        await queue(connection, peer, permission, number, hours(-2, -1), at=now())
        await sending(connection, await unsent(connection, peer, 1), "mine", now())
        assert await acknowledged(connection, other.id, "mine") == []


async def test_what_is_withdrawn_between_reading_and_sending_stays(
    store: Store, granted: Granted
) -> None:
    peer, permission, number = granted
    async with store.writing() as connection:
        await queue(connection, peer, permission, number, hours(-2, -1), at=now())
        queued = await unsent(connection, peer, 10)
    async with store.writing() as connection:
        await Permissions(connection).withdraw(permission, STOP, now())
    with pytest.raises(NotPermitted):
        async with store.writing() as connection:
            await sending(connection, queued, "too-late", now())


async def test_nothing_is_queued_answered_or_subscribed_without_permission(
    store: Store, granted: Granted
) -> None:
    peer, permission, _ = granted
    async with store.writing() as connection:
        other = await add_series(connection, INJECTED)
    with pytest.raises(NotPermitted, match="no permission is valid now"):
        async with store.writing() as connection:
            await queue(connection, peer, permission, other, hours(-2, -1), at=now())
    with pytest.raises(NotPermitted, match="no permission is valid now"):
        async with store.writing() as connection:
            await subscribe(connection, peer, other, now())
    with pytest.raises(NotPermitted, match="no permission is valid now"):
        async with store.writing() as connection:
            await log_answer(connection, answer(granted, hours(-24 * 30, -1)))


def answer(granted: Granted, records: Range) -> Answer:
    peer, permission, number = granted
    return Answer(
        peer=peer,
        permission=permission,
        series_id=number,
        command="get_history",
        records=records,
        count=3,
        at=now(),
    )


async def test_an_answer_is_found_again(store: Store, granted: Granted) -> None:
    given = answer(granted, hours(-4, -1))
    async with store.writing() as connection:
        await log_answer(connection, given)
        assert await answers(connection, given.peer, hours(0, 2)) == [given]
        assert await answers(connection, given.peer, hours(-9, -8)) == []


async def test_a_subscription_starts_and_ends(store: Store, granted: Granted) -> None:
    peer, _, number = granted
    async with store.writing() as connection:
        await subscribe(connection, peer, number, now())
        await subscribe(connection, peer, number, now())
        assert len(await subscriptions(connection)) == 1
        assert await unsubscribe(connection, peer, number)
        assert not await unsubscribe(connection, peer, number)
        assert await subscriptions(connection, peer) == []


async def test_a_corrected_past_sets_the_cursor_back_and_never_on(
    store: Store, granted: Granted
) -> None:
    peer, permission, number = granted
    async with store.writing() as connection:
        await subscribe(connection, peer, number, now())
        await queue(connection, peer, permission, number, hours(-2, -1), at=now())
        await sending(connection, await unsent(connection, peer, 1), "s", now())
        await acknowledged(connection, peer, "s")
        for to in (hours(0, 1).start, hours(-30, 1).start):
            await set_back_cursor(connection, number, to)
        (subscription,) = await subscriptions(connection, peer)
        assert subscription.cursor == hours(-30, 1).start
