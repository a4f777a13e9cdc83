"""Nodes ask each other."""

import asyncio
from datetime import timedelta

import pytest

from consometers_quoalise import BadRequest, Data, GetHistory, ItemNotFound, State
from consometers_quoalise_network import Asker
from consometers_quoalise_network.errors import NotAnAddress
from packages.quoalise.tests.samples import NEED, PERMISSION
from testing.networks import Host
from testing.sentences import says
from testing.xmpp.answerers import SERIES, START, AskingCollective, MemoryHome
from testing.xmpp.fixtures import MakeNode


async def test_a_household_grants_and_withdraws_and_a_collective_reads_and_terminates(
    server: Host, other_server: Host, new_node: MakeNode
) -> None:
    household, receiver = MemoryHome(), AskingCollective()
    home, collective = await new_node(server, household), await new_node(other_server, receiver)

    peer = collective.bare
    assert await home.asking.get_data_needs(peer, "c2f8") == (NEED,)
    assert receiver.invitations == ["c2f8"]
    assert (await home.asking.grant(peer, PERMISSION)).state is State.GRANTED
    assert receiver.granted == [(home.bare, PERMISSION)]
    receipt = await home.asking.withdraw(peer, PERMISSION.id)
    assert receipt.state is State.WITHDRAWN
    assert [erased.records for erased in receipt.erased] == [24]
    assert not (await home.asking.withdraw(peer, PERMISSION.id, erase=False)).erased

    household.readers.add(collective.bare)
    peer = home.bare
    (listed,) = await collective.asking.list_series(peer)
    assert listed.series == SERIES
    await collective.asking.subscribe(peer, SERIES)
    assert household.subscribers
    await collective.asking.unsubscribe(peer, SERIES)
    assert not household.subscribers
    day = await collective.asking.get_history(peer, SERIES, START, START + timedelta(days=1))
    assert len(day) == 24
    assert day.metadata.measurement is not None
    receipt = await collective.asking.terminate(peer, PERMISSION.id)
    assert receipt.state is State.TERMINATED

    # A home answers no command of a collective.
    with pytest.raises(ItemNotFound, check=says("Unknown command")):
        await collective.asking.get_data_needs(peer)


class Short(MemoryHome):
    """Refuses to answer with more records than that."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most
        self.asked = 0

    async def get_history(self, asker: Asker, request: GetHistory) -> Data:
        self.asked += 1
        data = await super().get_history(asker, request)
        if len(data) > self.most:
            raise BadRequest
        return data


async def test_a_long_history_comes_in_pages_without_a_gap(
    server: Host, new_node: MakeNode
) -> None:
    household = Short(200)
    home, asker = await new_node(server, household), await new_node(server)
    household.readers.add(asker.bare)
    end = START + timedelta(days=30)
    pages = [page async for page in asker.asking.history(home.connection.jid, SERIES, START, end)]
    values = [
        value for page in pages for series in page.records for value in series.values.values()
    ]
    assert values == list(range(24 * 30))
    assert household.asked == 2 + len(pages)

    # The next range of the series is not refused again.
    household.asked = 0
    again = [page async for page in asker.asking.history(home.connection.jid, SERIES, START, end)]
    assert household.asked == len(again) == len(pages)


async def test_history_paging_gives_up_after_repeated_refusals(
    server: Host, new_node: MakeNode
) -> None:
    household = Short(0)
    home, asker = await new_node(server, household), await new_node(server)
    household.readers.add(asker.bare)
    end = START + timedelta(days=1)
    with pytest.raises(BadRequest):
        async for _ in asker.asking.history(home.connection.jid, SERIES, START, end):
            pass
    assert household.asked == 5


async def test_concurrent_requests_to_a_peer_take_turns(server: Host, new_node: MakeNode) -> None:
    home, asker = await new_node(server), await new_node(server)
    asked = [asker.asking.list_series(home.connection.jid) for _ in range(10)]
    assert await asyncio.gather(*asked) == [()] * 10


async def test_invalid_addresses_are_not_asked(server: Host, new_node: MakeNode) -> None:
    node = await new_node(server)
    with pytest.raises(NotAnAddress):
        await node.asking.list_series("a@b@c")
