"""A push arrives, and counts as delivered once the receiver has stored it."""

import asyncio

import pytest

from demo.servers.prosody import Prosody
from testing.run import DEADLINE_S
from testing.xmpp.answerers import NOW, RecordKeeper, records
from testing.xmpp.fixtures import MakeNode, MakePlain
from testing.xmpp.plain_peer import QUOALISE, refusal


async def test_pushes_with_and_without_receipts_survive_a_killed_server(
    own: Prosody, new_node: MakeNode, new_plain: MakePlain
) -> None:
    keeper = RecordKeeper()
    sender, receiver = await new_node(own), await new_node(own, keep=keeper.keep)
    plain = (await new_plain(own)).boundjid.bare
    own.kill()
    pushes = [
        asyncio.create_task(sender.pushing.push(to, records(NOW, 3), receipt=to == receiver.bare))
        for to in (receiver.bare, plain)
    ]
    await asyncio.sleep(0.2)
    assert not any(pushed.done() for pushed in pushes)
    own.start()
    await asyncio.wait_for(asyncio.gather(*pushes), DEADLINE_S)
    assert len(keeper.records) == 3
    times = keeper.counts.total()
    await asyncio.sleep(0.3)
    assert keeper.counts.total() == times


async def test_a_server_killed_during_the_commit_loses_no_record(
    own: Prosody, new_node: MakeNode
) -> None:
    keeper = RecordKeeper()
    keeper.hold()
    sender, receiver = await new_node(own), await new_node(own, keep=keeper.keep)
    to = receiver.bare
    pushed = asyncio.create_task(sender.pushing.push(to, records(NOW, 3)))
    await asyncio.wait_for(keeper.came.wait(), DEADLINE_S)
    own.kill()
    keeper.may_keep.set()
    await asyncio.sleep(0.1)
    assert not pushed.done()
    own.start()
    await asyncio.wait_for(pushed, DEADLINE_S)
    assert len(keeper.records) == 3


async def test_a_cancelled_push_leaves_the_queue_of_the_stream(
    own: Prosody, new_node: MakeNode
) -> None:
    sender = await new_node(own)
    unacknowledged = sender.connection.stream.plugin["xep_0198"].unacked_queue
    own.freeze()
    pushed = asyncio.create_task(sender.pushing.push("a@own.test", records(NOW, 1)))
    while not any(stanza.xml.find(QUOALISE) is not None for _, stanza in unacknowledged):
        await asyncio.sleep(0.01)
    pushed.cancel()
    await asyncio.wait({pushed})
    assert not any(stanza.xml.find(QUOALISE) is not None for _, stanza in unacknowledged)


def sensml(records: str) -> str:
    return (
        '<quoalise xmlns="urn:quoalise:0"><data><meta/>'
        f'<sensml xmlns="urn:ietf:params:xml:ns:senml">{records}</sensml></data></quoalise>'
    )


@pytest.mark.parametrize(
    "payload",
    [
        '<quoalise xmlns="urn:quoalise:0"/>',
        sensml('<senml n="a" t="1583016600" v="1"/>' * 1001),
    ],
)
async def test_malformed_pushes_are_refused_and_the_node_continues(
    server: Prosody, new_node: MakeNode, new_plain: MakePlain, payload: str
) -> None:
    keeper = RecordKeeper()
    receiver, peer = await new_node(server, keep=keeper.keep), await new_plain(server)
    to = receiver.bare
    peer.send_raw(f'<message to="{to}" id="1">{payload}</message>')
    refused = await peer.error()
    assert refusal(refused)[:2] == ("bad-request", "modify")
    assert refused.get("id") == "1"
    sender = await new_node(server)
    await sender.pushing.push(to, records(NOW, 1))
    assert keeper.counts.total() == 1
