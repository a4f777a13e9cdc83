"""A peer that pushes too much waits, and keeps nobody else waiting."""

import asyncio

import pytest

from consometers_quoalise import NotAuthorized
from consometers_quoalise_network import Traffic, receiving
from consometers_quoalise_network.errors import NotAcknowledged
from testing.networks import Host
from testing.run import DEADLINE_S
from testing.waiting import until
from testing.xmpp.answerers import NOW, RecordKeeper, records
from testing.xmpp.fixtures import MakeNode


async def test_a_flooding_peer_is_slowed_alone(
    server: Host, new_node: MakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "PER_MINUTE", 3)
    keeper = RecordKeeper()
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
    server: Host, new_node: MakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "MAX_OF_ONE", 2)
    keeper = RecordKeeper()
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


async def test_a_full_queue_drops_the_largest_sender_s_newest(
    server: Host, new_node: MakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper, traffic = RecordKeeper(), Traffic()
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
    server: Host, new_node: MakeNode
) -> None:
    keeper, peers = RecordKeeper(), {"sender"}
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
