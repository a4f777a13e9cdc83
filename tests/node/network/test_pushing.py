"""A push arrives, and counts as delivered once the receiver has stored it."""

import asyncio

import pytest

from consometers_quoalise import Malformed, OtherError
from testing.networks import Host
from testing.run import DEADLINE_S
from testing.sentences import says
from testing.xmpp.answerers import NOW, RecordKeeper, records
from testing.xmpp.fixtures import MakeNode


async def test_a_push_returns_after_the_receiver_stored_it(
    server: Host, other_server: Host, new_node: MakeNode
) -> None:
    keeper = RecordKeeper()
    keeper.hold()
    sender, receiver = await new_node(server), await new_node(other_server, keep=keeper.keep)
    to = receiver.bare

    pushed = asyncio.create_task(sender.pushing.push(to, records(NOW, 24)))
    await asyncio.wait_for(keeper.came.wait(), DEADLINE_S)
    await asyncio.sleep(0.2)
    assert not pushed.done()
    keeper.may_keep.set()
    await asyncio.wait_for(pushed, DEADLINE_S)

    assert len(keeper.records) == 24
    assert [*keeper.counts] == [sender.bare]


async def test_pushes_to_missing_accounts_and_oversized_ones_fail_at_once(
    server: Host, new_node: MakeNode
) -> None:
    sender = await new_node(server)
    with pytest.raises(OtherError) as refused:
        await sender.pushing.push("nobody@one.test", records(NOW, 1))
    assert refused.value.condition == "service-unavailable"
    with pytest.raises(Malformed, check=says("1001 records are too many")):
        await sender.pushing.push("a@one.test", records(NOW, 1001))
