"""One host, many homes: nothing of one reaches another, and none is woken by who does not know it.

Each home is a real node's answers and database on a component of a real server.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from consometers_node.host.homes.register import HomeRegister, HostedHome
from consometers_node.host.homes.waking import HomeBroken, Homes
from consometers_quoalise_network import Answering, Pushing, Receiving
from consometers_quoalise_xmpp import Component
from consometers_quoalise_xmpp.component import ComponentTransport
from demo.servers.prosody import Prosody
from testing.homes.hosted import SmallHome, SmallHomes
from testing.run import DEADLINE_S
from testing.waiting import eventually
from testing.xmpp.answerers import NOW as TIME, MemoryHome, RecordKeeper, records
from testing.xmpp.fixtures import HOMES, MakeComponent, MakeNode, MakePlain
from testing.xmpp.plain_peer import EMPTY, PlainPeer, refusal

NOW = datetime(2026, 12, 3, tzinfo=UTC)
LIST = EMPTY.format(node="list_series")
A, B = f"a@{HOMES}", f"b@{HOMES}"


@dataclass
class Street:
    """A host with two homes, whose peers differ."""

    homes: Homes[SmallHome]
    register: HomeRegister
    small: SmallHomes
    keepers: dict[str, RecordKeeper]
    transports: dict[str, ComponentTransport] = field(default_factory=dict)

    def lets(self, address: str, peer: str) -> None:
        """Have a home know a peer, and sleep."""
        self.small.acquainted[address] = {peer}
        self.register.rest(address, NOW, None, [peer])

    async def sleeps(self) -> None:
        async def awake() -> int:
            return self.homes.awake_count

        await eventually(awake, lambda count: not count)
        self.small.opened.clear()


@pytest.fixture
async def street(new_component: MakeComponent, tmp_path: Path) -> AsyncIterator[Street]:
    register = HomeRegister.open(tmp_path)
    small = SmallHomes()
    transports: dict[str, ComponentTransport] = {}
    keepers = {address: RecordKeeper() for address in (A, B)}
    for address in keepers:
        register.add(address, NOW)

    @asynccontextmanager
    async def open_home(home: HostedHome) -> AsyncIterator[SmallHome]:
        async with small.open(home) as node:
            transport = transports[home.address] = component.transport(home.address)
            answerer = MemoryHome(*node.acquainted)
            transport.announce(answerer.role).receives = True
            Answering(transport, answerer, knows=node.knows)
            Receiving(transport, keepers[home.address].keep, may_push=node.knows)
            async with transport:
                yield node

    async with Homes(register, open_home, idle_s=0.2, idle_after_peer_s=1.0) as homes:
        component: Component = new_component(unclaimed=homes.unclaimed, knows=homes.knows)
        async with component:
            await component.online(DEADLINE_S)
            yield Street(homes, register, small, keepers, transports)
            # A home leaves the network before the component does.
            await homes.__aexit__()
    register.close()


@pytest.fixture
async def peer(other_server: Prosody, new_plain: MakePlain) -> PlainPeer:
    return await new_plain(other_server)


async def test_a_stanza_for_one_home_wakes_and_reaches_no_other(
    street: Street, other_server: Prosody, new_node: MakeNode
) -> None:
    sender = await new_node(other_server)
    street.lets(A, sender.bare)
    await asyncio.wait_for(sender.pushing.push(A, records(TIME, 3)), DEADLINE_S)
    assert street.small.opened == [A]
    assert street.keepers[A].counts == {sender.bare: 1}
    assert street.keepers[B].counts == {}


async def test_who_is_known_to_one_home_wakes_no_other(street: Street, peer: PlainPeer) -> None:
    street.lets(A, peer.boundjid.bare)
    street.lets(B, "coop@two.test")
    answers = [
        refusal(await peer.ask(f"{address}/quoalise", LIST)) for address in (B, f"none@{HOMES}")
    ]
    assert answers[0] == answers[1]
    assert street.small.opened == []
    assert (await peer.ask(f"{A}/quoalise", LIST)).get("type") == "result"
    # Nor is it served by one that is awake.
    async with street.homes.awake(B):
        assert refusal(await peer.ask(f"{B}/quoalise", LIST)) == answers[1]


@pytest.mark.parametrize(
    "address",
    [
        f"{A}/quoalise",
        f"{A.upper()}/quoalise",
        f"{HOMES}/a",
        f"%61@{HOMES}/quoalise",
        f"a%@{HOMES}/quoalise",
        f"..\\2f..\\2fb@{HOMES}/quoalise",
    ],
)
async def test_no_spelling_of_an_address_leads_a_stranger_in(
    street: Street, peer: PlainPeer, address: str
) -> None:
    street.lets(A, "coop@two.test")
    answer = await peer.ask(address, LIST)
    assert answer.get("type") == "error"
    assert street.small.opened == []


async def test_a_receipt_of_another_home_s_peer_confirms_nothing(
    street: Street, other_server: Prosody, new_plain: MakePlain
) -> None:
    """Both homes are on one stream, and a peer of one guesses the number of the other's message."""
    peer, thief = await new_plain(other_server), await new_plain(other_server)
    street.lets(A, peer.boundjid.bare)
    street.lets(B, thief.boundjid.bare)
    async with street.homes.awake(A), street.homes.awake(B):
        pushing = Pushing(street.transports[A])
        jid = peer.boundjid.bare
        pushed = asyncio.create_task(pushing.push(jid, records(TIME, 1), message_id="m-1"))
        await peer.receive()
        receipt = '<received xmlns="urn:xmpp:receipts" id="m-1"/>'
        for to in (A, B):
            thief.send_raw(f'<message to="{to}">{receipt}</message>')
        peer.send_raw(f'<message to="{B}">{receipt}</message>')
        await asyncio.sleep(0.5)
        assert not pushed.done()
        peer.send_raw(f'<message to="{A}">{receipt}</message>')
        await asyncio.wait_for(pushed, DEADLINE_S)


async def test_a_damaged_file_stops_its_home_alone(
    street: Street, other_server: Prosody, new_plain: MakePlain
) -> None:
    peer = await new_plain(other_server)
    for address in (A, B):
        street.lets(address, peer.boundjid.bare)
        assert (await peer.ask(f"{address}/quoalise", LIST)).get("type") == "result"
    await street.sleeps()
    (street.register.of(A).folder / "node.db").write_bytes(b"no database" * 1_000)
    with pytest.raises(HomeBroken):
        async with street.homes.awake(A):
            pass
    assert refusal(await peer.ask(f"{A}/quoalise", LIST))[0] == "service-unavailable"
    assert (await peer.ask(f"{B}/quoalise", LIST)).get("type") == "result"
    assert street.register.of(A).problem is not None
    assert street.register.of(B).problem is None


async def test_many_strangers_wake_nobody(
    street: Street, other_server: Prosody, new_plain: MakePlain
) -> None:
    strangers = [await new_plain(other_server) for _ in range(4)]
    for address in (A, B):
        street.lets(address, "coop@two.test")
    asked = [each.ask(f"{address}/quoalise", LIST) for each in strangers for address in (A, B)]
    assert {refusal(answer)[0] for answer in await asyncio.gather(*asked)} == {
        "service-unavailable"
    }
    assert street.small.opened == []
