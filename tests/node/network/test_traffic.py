"""What comes from peers is counted: how often, never who."""

import asyncio

import pytest

from consometers_quoalise import BadRequest, ItemNotFound, QuoaliseError
from consometers_quoalise_network import NotStored, Traffic, receiving
from consometers_quoalise_network.errors import NotAcknowledged
from testing.networks import Host
from testing.run import DEADLINE_S
from testing.xmpp.answerers import NOW, SERIES, MemoryHome, RecordKeeper, records
from testing.xmpp.fixtures import MakeNode, XmppNode


async def push(sender: XmppNode, receiver: XmppNode, seconds: float = DEADLINE_S) -> None:
    await sender.pushing.push(receiver.bare, records(NOW, 1), seconds=seconds)


async def until(traffic: Traffic, wanted: Traffic) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while traffic != wanted:
            await asyncio.sleep(0.01)


async def test_messages_are_counted_by_outcome(
    server: Host,
    new_node: MakeNode,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # Room for one message: a push that was not stored must free it.
    monkeypatch.setattr(receiving, "MAX_SIZE", 1)
    keeper, traffic = RecordKeeper(), Traffic()
    sender, receiver = (
        await new_node(server),
        await new_node(server, keep=keeper.keep, traffic=traffic),
    )
    await push(sender, receiver)
    await until(traffic, Traffic(acknowledged=1))
    keeper.fault = BadRequest()
    with pytest.raises(QuoaliseError):
        await push(sender, receiver)
    for fault in (NotStored(), RuntimeError()):
        keeper.fault = fault
        with pytest.raises(NotAcknowledged):
            await push(sender, receiver, 0.5)
    await until(traffic, Traffic(acknowledged=1, refused=1, unkept=2))
    (logged,) = [each for each in caplog.records if each.levelname == "ERROR"]
    assert logged.exc_info is not None
    keeper.fault = None
    keeper.hold()
    pushes = [asyncio.create_task(push(sender, receiver)) for _ in range(3)]
    await until(traffic, Traffic(acknowledged=1, refused=1, unkept=2, dropped=2))
    keeper.may_keep.set()
    await next(asyncio.as_completed(pushes))
    for dropped in pushes:
        dropped.cancel()
    assert traffic == Traffic(acknowledged=2, refused=1, unkept=2, dropped=2)


async def test_requests_are_counted_by_outcome(server: Host, new_node: MakeNode) -> None:
    household, traffic = MemoryHome(), Traffic()
    asker, answerer = await new_node(server), await new_node(server, household, traffic=traffic)
    with pytest.raises(QuoaliseError):
        await asker.asking.subscribe(answerer.bare, SERIES)
    household.readers.add(asker.bare)
    await asker.asking.subscribe(answerer.bare, SERIES)
    assert traffic == Traffic(answered=1, turned_down=1)
    with pytest.raises(ItemNotFound):
        await asker.asking.get_data_needs(answerer.bare)
    assert traffic == Traffic(answered=1, turned_down=2)
