"""A peer that pushes too much waits, and keeps nobody else waiting."""

import asyncio

from consometers_node.sharing.records.fanout import AT_ONCE
from consometers_quoalise.records.data import encode
from consometers_quoalise_network import Traffic
from consometers_quoalise_network.receiving import PER_MINUTE
from demo.servers.prosody import Prosody
from testing.waiting import until
from testing.xmpp.answerers import NOW, RecordKeeper, records
from testing.xmpp.fixtures import MakeNode, MakePlain, XmppNode


def pushes(count: int, to: XmppNode) -> str:
    """Return as many small pushes, as a peer types them."""
    address = f"xmlns='jabber:client' to='{to.connection.jid}'"
    return count * f"<message {address}>{encode(records(NOW, 1)).decode()}</message>"


async def test_pushes_of_a_peer_are_stored_in_order_and_archived_by_no_server(
    server: Prosody, new_node: MakeNode
) -> None:
    keeper = RecordKeeper()
    sender, receiver = await new_node(server), await new_node(server, keep=keeper.keep)
    async with asyncio.TaskGroup() as group:
        for hour in range(20):
            data = records(NOW.replace(hour=hour), 1)
            group.create_task(sender.pushing.push(receiver.bare, data))
    assert [*keeper.records] == sorted(keeper.records)
    assert len(keeper.records) == 20
    archived = {file.stem for file in server.folder.glob("data/*/archive/*.list")}
    assert archived.isdisjoint(node.bare.partition("@")[0] for node in (sender, receiver))


async def test_a_peer_has_room_for_what_a_node_sends_at_once_and_for_no_more_than_a_minute(
    server: Prosody, new_node: MakeNode, new_plain: MakePlain
) -> None:
    """What waits longer than the pace allows would be sent again before it is stored."""
    keeper, traffic = RecordKeeper(), Traffic()
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
    keeper, traffic = RecordKeeper(), Traffic()
    stranger = await new_plain(server)
    receiver = await new_node(server, keep=keeper.keep, traffic=traffic, knows=lambda _peer: False)
    receiving = receiver.receiving
    assert receiving is not None
    stranger.send_raw(pushes(2 * PER_MINUTE, receiver))
    await until(lambda: traffic.refused + receiving.waiting + traffic.dropped > PER_MINUTE)
    assert receiving.waiting == traffic.dropped == 0
    await until(lambda: traffic.refused == 2 * PER_MINUTE)
    assert not keeper.counts
