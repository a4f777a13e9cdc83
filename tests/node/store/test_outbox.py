"""Outgoing messages: queued, sent, acknowledged; and the log of answers."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from consometers_node.permission import Permissions
from consometers_node.series import Block, Range, Record
from consometers_node.store import NotPermitted, PeerId, PermissionId, SeriesId, Store
from consometers_node.store.answers import Answer, latest_answers, log_answer
from consometers_node.store.outbox import (
    Queued,
    acknowledged,
    queue_again_for,
    send_again,
    sending,
    subscribers,
)
from consometers_node.store.peers import (
    add_peer,
    all_peers,
    move_cursor,
    peer_by_jid,
    subscribe,
    subscriptions,
    unsubscribe,
)
from consometers_node.store.series import add_series, extent, put_blocks
from testing.homes.data_needs import HOURLY, INJECTED, STOP, grant, now, queue, unsent, waiting

type Granted = tuple[PeerId, PermissionId, SeriesId]


@pytest.fixture
async def granted(store: Store) -> Granted:
    async with store.writing() as connection:
        peer = await add_peer(connection, "coop@example.org", "Coop", now())
        permission = await grant(Permissions(connection), peer.id)
        return peer.id, permission, await add_series(connection, HOURLY)


def hours(first: int, last: int) -> Range:
    """Return a range of whole hours from the present one on, back for negative ones."""
    hour = now().replace(minute=0, second=0)
    return Range(hour + timedelta(hours=first), hour + timedelta(hours=last))


async def test_peers_are_known_by_their_address(store: Store) -> None:
    async with store.writing() as connection:
        peer = await add_peer(connection, "coop@example.org", "Coop", now())
        assert await add_peer(connection, "coop@example.org", "Other name", now()) == peer
        assert await peer_by_jid(connection, "coop@example.org") == peer
        assert await peer_by_jid(connection, "town@example.org") is None
        assert await all_peers(connection) == [peer]


async def test_a_receipt_of_the_peer_takes_records_out_and_moves_the_cursor(
    store: Store, granted: Granted
) -> None:
    peer, permission, series_id = granted
    async with store.writing() as connection:
        other = await add_peer(connection, "town@example.org", "Town", now())
        await subscribe(connection, peer, series_id, now())
        for hour in (-4, -3, -2):
            await queue(connection, peer, permission, series_id, hours(hour, hour + 1))
        first, second, third = await unsent(connection, peer, 10)
        await sending(connection, [first, second], "stanza-1", now())
        assert await unsent(connection, peer, 10) == [third]
        await sending(connection, [third], "stanza-2", now())
        assert await acknowledged(connection, other.id, "stanza-2") == []
        assert await acknowledged(connection, peer, "stanza-2") == [third]
        assert await acknowledged(connection, peer, "stanza-1") == [first, second]
        assert await acknowledged(connection, peer, "stanza-1") == []
        (subscription,) = await subscriptions(connection, peer)
        assert subscription.cursor == third.records.end


async def test_unacknowledged_records_are_sent_again(store: Store, granted: Granted) -> None:
    peer, permission, series_id = granted
    async with store.writing() as connection:
        await queue(connection, peer, permission, series_id, hours(-2, -1))
        (queued,) = await unsent(connection, peer, 10)
        await sending(connection, [queued], "lost", now())
        assert await unsent(connection, peer, 10) == []
        assert await send_again(connection, peer) == 1
        assert await unsent(connection, peer, 10) == [queued]
        # It was only slow.
        assert await acknowledged(connection, peer, "lost") == [queued]
        assert await unsent(connection, peer, 10) == []


async def test_a_withdrawal_stops_records_that_are_about_to_leave(
    store: Store, granted: Granted
) -> None:
    peer, permission, series_id = granted
    async with store.writing() as connection:
        await queue(connection, peer, permission, series_id, hours(-2, -1))
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
            await queue(connection, peer, permission, other, hours(-2, -1))
    with pytest.raises(NotPermitted, match="no permission is valid now"):
        async with store.writing() as connection:
            await subscribe(connection, peer, other, now())
    with pytest.raises(NotPermitted, match="no permission is valid now"):
        async with store.writing() as connection:
            await log_answer(connection, answer(granted, hours(-24 * 30, -1)))


def answer(granted: Granted, records: Range) -> Answer:
    peer, permission, series_id = granted
    return Answer(
        peer=peer,
        permission=permission,
        series_id=series_id,
        command="get_history",
        records=records,
        count=3,
        at=now(),
    )


async def test_logged_answers_are_found_by_their_permission(store: Store, granted: Granted) -> None:
    given = answer(granted, hours(-4, -1))
    async with store.writing() as connection:
        await log_answer(connection, given)
        assert await latest_answers(connection, given.permission, 9) == [given]
        assert await latest_answers(connection, PermissionId("another"), 9) == []


async def test_a_subscription_starts_and_ends(store: Store, granted: Granted) -> None:
    peer, permission, series_id = granted
    start = hours(-3, -2).start
    async with store.writing() as connection:
        assert await subscribe(connection, peer, series_id, now(), start)
        assert not await subscribe(connection, peer, series_id, now(), hours(-1, 0).start)
        (subscription,) = await subscriptions(connection)
        assert subscription.cursor == start
        await queue(connection, peer, permission, series_id, hours(-2, -1))
        assert await unsubscribe(connection, peer, series_id)
        assert not await unsubscribe(connection, peer, series_id)
        assert await subscriptions(connection, peer) == []
        assert await waiting(connection, peer) == 0


async def test_a_correction_replaces_the_waiting_message(store: Store, granted: Granted) -> None:
    peer, permission, series_id = granted
    async with store.writing() as connection:
        await subscribe(connection, peer, series_id, now())
        for span in (hours(-6, -5), hours(-4, -3), hours(-2, -1)):
            await queue(connection, peer, permission, series_id, span)
        (first, *_) = await unsent(connection, peer, 3)
        await sending(connection, [first], "left", now())
        await move_cursor(connection, peer, series_id, hours(-3, -2).start)
        (reader,) = (await subscribers(connection, [series_id]))[series_id]
        await queue_again_for(connection, series_id, [(reader, hours(-7, -3))], at=now())
        assert [queued.records for queued in await unsent(connection, peer, 9)] == [
            hours(-2, -1),
            hours(-7, -3),
        ]
        assert await waiting(connection, peer) == 3


async def test_a_correction_never_moves_the_cursor_past_unsent_records(
    store: Store, granted: Granted
) -> None:
    peer, permission, series_id = granted
    async with store.writing() as connection:
        await subscribe(connection, peer, series_id, now())
        (reader,) = (await subscribers(connection, [series_id]))[series_id]
        await queue_again_for(connection, series_id, [(reader, hours(-7, -1))], at=now())
        assert await unsent(connection, peer, 9) == []
        await move_cursor(connection, peer, series_id, hours(-4, -3).start)
        (reader,) = (await subscribers(connection, [series_id]))[series_id]
        await queue_again_for(connection, series_id, [(reader, hours(-3, -1))], at=now())
        await queue_again_for(connection, series_id, [(reader, hours(-7, -1))], at=now())
        (again,) = await unsent(connection, peer, 9)
        assert again == Queued(permission, series_id, hours(-7, -4), id=again.id)
        await sending(connection, [again], "left", now())
        assert await acknowledged(connection, peer, "left") == [again]
        (subscription,) = await subscriptions(connection, peer)
        assert subscription.cursor == hours(-4, -3).start


async def test_the_extent_of_a_series_spans_its_records(
    store: Store,
) -> None:
    everything = Range(datetime(2020, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC))
    async with store.writing() as connection:
        series_id = await add_series(connection, HOURLY)
        assert await extent(connection, series_id, HOURLY, everything) is None
        for day, hour in ((date(2024, 2, 29), 7), (date(2026, 3, 1), 22)):
            start = datetime.combine(day, time(hour), UTC)
            block = Block.of(HOURLY, day, [Record(start, 1)])
            await put_blocks(connection, {series_id: [block]}, now())
        result = await extent(connection, series_id, HOURLY, everything)
        assert result == Range(
            datetime(2024, 2, 29, 7, tzinfo=UTC), datetime(2026, 3, 1, 23, tzinfo=UTC)
        )
        between = Range(datetime(2024, 3, 1, tzinfo=UTC), datetime(2026, 3, 1, 22, tzinfo=UTC))
        assert await extent(connection, series_id, HOURLY, between) is None
