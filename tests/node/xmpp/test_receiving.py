"""A peer that pushes too much waits, and keeps nobody else waiting."""

import asyncio

import pytest

from consometers_node.sharing.fanout import AT_ONCE
from consometers_quoalise import NotAuthorized
from consometers_quoalise.data import encode
from consometers_quoalise_xmpp import Traffic, receiving
from consometers_quoalise_xmpp.errors import NotAcknowledged
from consometers_quoalise_xmpp.receiving import PER_MINUTE
from demo.prosody import Prosody
from tests.deadline import DEADLINE_S

from ..sharing.houses import until
from .conftest import MakeNode, MakePlain, Node
from .home import NOW, Keeper, records


def pushes(count: int, to: Node) -> str:
    """Return as many small pushes, as a peer types them."""
    address = f"xmlns='jabber:client' to='{to.connection.jid}'"
    return count * f"<message {address}>{encode(records(NOW, 1)).decode()}</message>"


async def test_pushes_of_a_peer_are_stored_in_order_and_archived_by_no_server(
    server: Prosody, new_node: MakeNode
) -> None:
    keeper = Keeper()
    sender, receiver = await new_node(server), await new_node(server, keep=keeper.keep)
    async with asyncio.TaskGroup() as group:
        for hour in range(20):
            data = records(NOW.replace(hour=hour), 1)
            group.create_task(sender.pushing.push(receiver.bare, data))
    assert [*keeper.records] == sorted(keeper.records)
    assert len(keeper.records) == 20
    archived = {file.stem for file in server.folder.glob("data/*/archive/*.list")}
    assert archived.isdisjoint(node.bare.partition("@")[0] for node in (sender, receiver))


async def test_a_flooding_peer_is_slowed_alone(
    server: Prosody, new_node: MakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "PER_MINUTE", 3)
    keeper = Keeper()
    flooding, other = await new_node(server), await new_node(server)
    receiver = await new_node(server, keep=keeper.keep)
    flood = [
        asyncio.create_task(flooding.pushing.push(receiver.bare, records(NOW, 1)))
        for _ in range(10)
    ]
    while keeper.counts[flooding.bare] < 3:
        await asyncio.sleep(0.01)
    await other.pushing.push(receiver.bare, records(NOW, 1))
    assert keeper.counts == {flooding.bare: 3, other.bare: 1}
    for push in flood:
        push.cancel()


async def test_pushes_beyond_the_room_of_a_peer_are_dropped(
    server: Prosody, new_node: MakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "MAX_OF_ONE", 2)
    keeper = Keeper()
    flooding, other = await new_node(server), await new_node(server)
    receiver = await new_node(server, keep=keeper.keep)
    keeper.hold(flooding.bare)
    first, second, third = [
        asyncio.create_task(flooding.pushing.push(receiver.bare, records(NOW, 1), seconds=seconds))
        for seconds in (60, 60, 1)
    ]
    await other.pushing.push(receiver.bare, records(NOW, 1))
    assert not first.done()
    with pytest.raises(NotAcknowledged):
        await third
    keeper.may_keep.set()
    await asyncio.wait_for(asyncio.gather(first, second), DEADLINE_S)
    assert keeper.counts == {flooding.bare: 2, other.bare: 1}


async def test_a_peer_has_room_for_what_a_node_sends_at_once_and_for_no_more_than_a_minute(
    server: Prosody, new_node: MakeNode, new_plain: MakePlain
) -> None:
    """What waits longer than the pace allows would be sent again before it is stored."""
    keeper, traffic = Keeper(), Traffic()
    sender = await new_plain(server)
    receiver = await new_node(server, keep=keeper.keep, traffic=traffic)
    receiving = receiver.receiving
    assert receiving is not None
    keeper.hold()
    sender.send_raw(pushes(PER_MINUTE, receiver))
    await until(lambda: receiving.waiting + traffic.dropped + traffic.refused == PER_MINUTE)
    assert AT_ONCE <= receiving.waiting < PER_MINUTE


async def test_pushes_of_a_stranger_are_refused_before_they_wait(
    server: Prosody, new_node: MakeNode, new_plain: MakePlain
) -> None:
    """Each gets its refusal at once, although they are more than a peer's room and its minute."""
    keeper, traffic = Keeper(), Traffic()
    stranger = await new_plain(server)
    receiver = await new_node(server, keep=keeper.keep, traffic=traffic, knows=lambda _peer: False)
    receiving = receiver.receiving
    assert receiving is not None
    stranger.send_raw(pushes(2 * PER_MINUTE, receiver))
    await until(lambda: traffic.refused + receiving.waiting + traffic.dropped > PER_MINUTE)
    assert receiving.waiting == traffic.dropped == 0
    await until(lambda: traffic.refused == 2 * PER_MINUTE)
    assert not keeper.counts


async def test_a_full_queue_drops_the_largest_sender_s_newest(
    server: Prosody, new_node: MakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper, traffic = Keeper(), Traffic()
    flooding, other = await new_node(server), await new_node(server)
    receiver = await new_node(server, keep=keeper.keep, traffic=traffic)
    keeper.hold(flooding.bare)
    monkeypatch.setattr(receiving, "MAX_SIZE", 12_000)
    flood = [
        asyncio.create_task(
            flooding.pushing.push(receiver.bare, records(NOW, 1), seconds=DEADLINE_S)
        )
        for _ in range(10)
    ]
    await until(lambda: traffic.dropped > 0)
    dropped = traffic.dropped
    await other.pushing.push(receiver.bare, records(NOW, 1), seconds=DEADLINE_S)
    assert traffic.dropped > dropped
    assert keeper.counts == {flooding.bare: 1, other.bare: 1}
    for waits in flood:
        waits.cancel()


async def test_a_queued_push_is_refused_once_its_sender_may_not_push(
    server: Prosody, new_node: MakeNode
) -> None:
    keeper, peers = Keeper(), {"sender"}
    sender = await new_node(server)
    receiver = await new_node(server, keep=keeper.keep, knows=lambda _peer: bool(peers))
    keeper.hold(sender.bare)
    first, second = [
        asyncio.create_task(sender.pushing.push(receiver.bare, records(NOW, 1), seconds=DEADLINE_S))
        for _ in range(2)
    ]
    await until(lambda: keeper.counts[sender.bare] == 1)
    peers.clear()
    keeper.may_keep.set()
    await first
    with pytest.raises(NotAuthorized):
        await second
    assert keeper.counts[sender.bare] == 1
