"""What a node relies on of its network."""

import asyncio

import pytest

from consometers_quoalise import NotAuthorized, OtherError
from consometers_quoalise_network import Pushing, Transport
from consometers_quoalise_network.address import account_of
from consometers_quoalise_network.errors import NotAcknowledged, TakenOver
from testing.networks import Host, transport
from testing.run import DEADLINE_S
from testing.xmpp.answerers import NOW, MemoryHome, RecordKeeper, records
from testing.xmpp.fixtures import MakeNode, NewAccount


async def test_a_push_to_an_account_that_is_away_waits_for_it(
    server: Host, other_server: Host, new_node: MakeNode, new_account: NewAccount
) -> None:
    keeper, jid, sender = RecordKeeper(), new_account(other_server), await new_node(server)
    pushed = asyncio.create_task(sender.pushing.push(jid, records(NOW, 3)))
    await asyncio.sleep(0.2)
    assert not pushed.done()
    await new_node(other_server, jid=jid, keep=keeper.keep)
    await asyncio.wait_for(pushed, DEADLINE_S)
    assert keeper.counts == {sender.bare: 1}


async def test_the_refusal_of_a_push_reaches_its_sender(
    server: Host, other_server: Host, new_node: MakeNode
) -> None:
    keeper = RecordKeeper()
    keeper.fault = NotAuthorized()
    sender, receiver = await new_node(server), await new_node(other_server, keep=keeper.keep)
    with pytest.raises(NotAuthorized):
        await sender.pushing.push(receiver.bare, records(NOW, 3))


async def test_a_late_receipt_is_reported_with_its_peer_and_number(
    server: Host, other_server: Host, new_node: MakeNode
) -> None:
    keeper, receipts = RecordKeeper(), asyncio.Queue[tuple[str, str]]()
    keeper.hold()
    sender, receiver = await new_node(server), await new_node(other_server, keep=keeper.keep)

    async def late(peer: str, message: str) -> None:
        receipts.put_nowait((peer, message))

    pushing = Pushing(sender.connection, late)
    number = pushing.new_id()
    with pytest.raises(NotAcknowledged):
        await pushing.push(receiver.bare, records(NOW, 3), message_id=number, seconds=0.2)
    await asyncio.wait_for(keeper.came.wait(), DEADLINE_S)
    keeper.may_keep.set()
    assert await asyncio.wait_for(receipts.get(), DEADLINE_S) == (receiver.bare, number)


async def test_a_push_without_a_receipt_returns_once_the_server_has_it(
    server: Host, other_server: Host, new_node: MakeNode
) -> None:
    keeper = RecordKeeper()
    keeper.hold()
    sender, receiver = await new_node(server), await new_node(other_server, keep=keeper.keep)
    push = sender.pushing.push(receiver.bare, records(NOW, 3), receipt=False)
    await asyncio.wait_for(push, DEADLINE_S)
    await asyncio.wait_for(keeper.came.wait(), DEADLINE_S)


async def test_a_request_to_a_peer_that_is_away_is_answered_by_its_server(
    server: Host, other_server: Host, new_node: MakeNode, new_account: NewAccount
) -> None:
    asker, jid = await new_node(server), new_account(other_server)
    with pytest.raises(OtherError) as refused:
        await asker.asking.list_series(jid)
    assert refused.value.condition == "service-unavailable"
    assert await asker.connection.sends_receipts(f"{jid}/quoalise") is None


async def test_a_node_says_whether_it_acknowledges(
    server: Host, other_server: Host, new_node: MakeNode
) -> None:
    asker = await new_node(server)
    receiver = await new_node(other_server, keep=RecordKeeper().keep)
    answers = await new_node(other_server)
    assert await asker.connection.sends_receipts(receiver.connection.jid) is True
    assert await asker.connection.sends_receipts(answers.connection.jid) is False


async def test_a_second_login_ends_the_first_for_good(server: Host, new_node: MakeNode) -> None:
    first = await new_node(server)
    session = await first.connection.online()
    second = await new_node(server, jid=first.bare)
    with pytest.raises(TakenOver):
        await asyncio.wait_for(first.connection.stay(), DEADLINE_S)
    assert session.ended.done()
    assert second.connection.is_online


async def test_each_login_is_reported(server: Host, new_account: NewAccount) -> None:
    connection: Transport = transport(server, new_account(server))
    logins = asyncio.Queue[None]()
    connection.on_login(lambda: logins.put_nowait(None))
    async with connection:
        await asyncio.wait_for(logins.get(), DEADLINE_S)
        await connection.online(DEADLINE_S)
        await connection.renew()
        await asyncio.wait_for(logins.get(), DEADLINE_S)


async def test_a_peer_is_the_account_that_it_logged_in_as(
    server: Host, other_server: Host, new_node: MakeNode
) -> None:
    household = MemoryHome()
    home, asker = await new_node(server, household), await new_node(other_server, language="fr")
    household.readers.add(asker.bare)
    assert len(await asker.asking.list_series(home.bare)) == 1
    stranger = await new_node(other_server)
    assert await stranger.asking.list_series(home.bare) == ()
    assert account_of(home.connection.jid) == home.bare
