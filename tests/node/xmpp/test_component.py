"""One connection speaks for a domain: each address gets its own, and strangers learn nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest

from consometers_quoalise import OtherError
from consometers_quoalise_network import Answering, Pushing, Receiving, Security, Server
from consometers_quoalise_network.errors import (
    CertificateRefused,
    Interrupted,
    NetworkError,
    NotEncrypted,
    Unreachable,
    WrongPassword,
)
from consometers_quoalise_xmpp import Component, Proof, component as component_module
from consometers_quoalise_xmpp.component import ComponentTransport
from demo.hass import free_port
from demo.servers.prosody import Authority, Prosody
from testing.networks import reach
from testing.run import DEADLINE_S
from testing.waiting import eventually
from testing.xmpp.answerers import NOW, MemoryHome, RecordKeeper, records
from testing.xmpp.fixtures import HOMES, MakeComponent, MakeNode, MakePlain, fake_server
from testing.xmpp.plain_peer import EMPTY, INFO, PlainPeer, disco, refusal

LIST = EMPTY.format(node="list_series")
PING = '<ping xmlns="urn:xmpp:ping"/>'
A, B = f"a@{HOMES}", f"b@{HOMES}"


@dataclass
class House:
    """Some homes of a host, by address: those that are awake, and those that could be."""

    wakes: set[str] = field(default_factory=set)
    asked: list[tuple[str, str]] = field(default_factory=list)
    peers: set[tuple[str, str]] = field(default_factory=set)
    open: bool = True

    def unclaimed(self, address: str, peer: str) -> bool:
        self.asked.append((address, peer))
        return address in self.wakes

    def knows(self, address: str, peer: str) -> bool:
        return self.open or (address, peer) in self.peers


@asynccontextmanager
async def awake(
    component: Component, address: str, *, keep: RecordKeeper | None = None
) -> AsyncIterator[tuple[ComponentTransport, MemoryHome]]:
    home, transport = MemoryHome(), component.transport(address)
    transport.announce(home.role).receives = keep is not None
    Answering(transport, home)
    if keep is not None:
        Receiving(transport, keep.keep)
    async with transport:
        await transport.online(DEADLINE_S)
        yield transport, home


@pytest.fixture
async def house() -> House:
    return House()


@pytest.fixture
async def homes(new_component: MakeComponent, house: House) -> AsyncIterator[Component]:
    async with new_component(unclaimed=house.unclaimed, knows=house.knows) as component:
        await component.online(DEADLINE_S)
        yield component


@pytest.fixture
async def plain(other_server: Prosody, new_plain: MakePlain) -> PlainPeer:
    return await new_plain(other_server)


async def test_each_address_answers_for_itself(homes: Component, plain: PlainPeer) -> None:
    async with awake(homes, A) as (_, first), awake(homes, B) as (_, second):
        first.readers.add(plain.boundjid.bare)
        for address, count in ((A, 1), (B, 0)):
            answer = await plain.ask(f"{address}/quoalise", LIST)
            assert answer.get("from") == f"{address}/quoalise"
            assert len(list(answer.iter("{jabber:x:data}item"))) == count
        assert second.readers == set()


async def test_a_stranger_cannot_tell_a_home_from_none(
    homes: Component, house: House, plain: PlainPeer
) -> None:
    house.open = False
    questions = [(LIST, "set"), (f'<query xmlns="{INFO}"/>', "get"), (PING, "get")]
    async with awake(homes, A):
        for resource in ("", "/quoalise", "/phone"):
            for payload, kind in questions:
                answers = [
                    refusal(await plain.ask(f"{address}{resource}", payload, kind=kind))
                    for address in (A, f"nobody@{HOMES}")
                ]
                assert answers[0] == answers[1]
                assert answers[0][0] == "service-unavailable"
        for address in (A, f"nobody@{HOMES}"):
            plain.send_raw(f'<message to="{address}"><quoalise xmlns="urn:quoalise:0"/></message>')
            error = await plain.error()
            assert error.get("from") == address
            assert refusal_of(error) == "service-unavailable"
        # Nobody answers a presence: a probe, or a wish to see it.
        for kind in ("probe", "subscribe"):
            plain.send_raw(f'<presence to="{A}" type="{kind}"/>')
        house.peers.add((A, plain.boundjid.bare))
        assert (await disco(plain, f"{A}/quoalise", INFO)).get("type") == "result"
    assert A not in {address for address, _ in house.asked}


def refusal_of(message: Element) -> str:
    error = message.find("{jabber:client}error")
    assert error is not None
    return error[0].tag.rpartition("}")[2]


async def test_other_resources_of_a_home_are_absent(homes: Component, plain: PlainPeer) -> None:
    async with awake(homes, A):
        assert refusal(await plain.ask(f"{A}/phone", LIST))[0] == "service-unavailable"
        assert refusal(await plain.ask(f"{A}/quoalise", "<x xmlns='urn:other'/>"))[0] == (
            "feature-not-implemented"
        )
        assert refusal(await plain.ask(HOMES, PING, kind="get"))[0] == "service-unavailable"


async def test_what_comes_for_a_sleeping_home_waits_until_it_is_awake(
    homes: Component, house: House, plain: PlainPeer, other_server: Prosody, new_node: MakeNode
) -> None:
    house.wakes.add(A)
    keeper = RecordKeeper()
    sender = await new_node(other_server)
    pushed = asyncio.create_task(sender.pushing.push(A, records(NOW, 3)))
    asked = plain.begin(f"{A}/quoalise", LIST)
    async with awake(homes, B) as (_, other):
        await becomes_asked(house, 2)
        assert not asked.done()
        async with awake(homes, A, keep=keeper) as (_, home):
            home.readers.add(plain.boundjid.bare)
            await asyncio.wait_for(pushed, DEADLINE_S)
            assert (await asyncio.wait_for(asked, DEADLINE_S)).get("type") == "result"
        assert other.subscribers == set()
    assert set(house.asked) == {(A, sender.bare), (A, plain.boundjid.bare)}
    assert keeper.counts == {sender.bare: 1}


async def becomes_asked(house: House, count: int) -> None:
    async def asked() -> int:
        return len(house.asked)

    await eventually(asked, lambda seen: seen >= count)


async def test_a_home_that_does_not_come_is_absent(
    homes: Component, house: House, plain: PlainPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(component_module, "WAIT_SECONDS", 0.3)
    house.wakes.add(A)
    assert refusal(await plain.ask(f"{A}/quoalise", LIST))[0] == "service-unavailable"


@pytest.mark.parametrize("bound", ["MAX_WAITING", "MAX_ADDRESSES", "MAX_SIZE"])
async def test_what_waits_is_bounded(
    homes: Component,
    house: House,
    plain: PlainPeer,
    monkeypatch: pytest.MonkeyPatch,
    bound: str,
) -> None:
    most = 3_000 if bound == "MAX_SIZE" else 1
    monkeypatch.setattr(component_module, bound, most)
    house.wakes |= {A, B}
    waits = plain.begin(f"{A}/quoalise", PING, kind="get")
    await becomes_asked(house, 1)
    address = B if bound == "MAX_ADDRESSES" else A
    payload = (
        LIST if bound != "MAX_SIZE" else LIST.replace("/>", f"><x>{'x' * 4_000}</x></command>")
    )
    refused = await plain.ask(f"{address}/quoalise", payload)
    assert refusal(refused)[0] == "resource-constraint"
    async with awake(homes, A):
        assert (await asyncio.wait_for(waits, DEADLINE_S)).get("type") == "result"


async def test_a_peer_that_goes_on_gets_no_more_refusals(
    homes: Component, plain: PlainPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [plain.begin(f"n{n}@{HOMES}/quoalise", PING, kind="get") for n in range(70)]
    async with awake(homes, A):
        assert (await plain.ask(f"{A}/quoalise", PING, kind="get")).get("type") == "result"
    assert sum(answer.done() for answer in asked) == component_module.REFUSALS_PER_MINUTE


async def test_it_comes_back_when_its_server_does(
    own: Prosody, new_component: MakeComponent
) -> None:
    own.stop()
    port = own.component(HOMES, "secret")
    component = new_component(secret="secret", port=port, proof=None)
    async with component, component.transport(A) as home:
        with pytest.raises(Unreachable):
            await home.online(DEADLINE_S, patient=False)
        own.start()
        session = await home.online(DEADLINE_S)
        own.kill()
        await asyncio.wait_for(session.ended, DEADLINE_S)
        assert not home.is_online
        own.start()
        assert await home.online(DEADLINE_S) is not session
        message = asyncio.create_task(Pushing(home).push(f"x@{own.host}", records(NOW, 1)))
        with pytest.raises(OtherError):
            await message


async def test_a_wrong_secret_is_a_wrong_password(new_component: MakeComponent) -> None:
    async with new_component(secret="wrong") as component, component.transport(A) as home:
        with pytest.raises(WrongPassword) as raised:
            await home.online(DEADLINE_S)
        assert raised.value.details["jid"] == HOMES
        with pytest.raises(WrongPassword):
            await home.stay()


async def test_a_second_connection_waits_for_the_first(
    homes: Component, new_component: MakeComponent
) -> None:
    async with new_component() as second:
        with pytest.raises(Interrupted):
            await second.online(DEADLINE_S, patient=False)
        assert homes.is_online
        assert second.problem is not None
        assert not second.problem.lasting


async def test_an_address_elsewhere_is_none_of_its_own(new_component: MakeComponent) -> None:
    with pytest.raises(ValueError, match=r"one\.test"):
        new_component().transport("a@one.test")


async def test_a_handshake_is_no_login(new_component: MakeComponent) -> None:
    """Nothing is known of the server then: it must not vouch for the clock."""
    logins: list[None] = []
    async with new_component(proof=None) as component, component.transport(A) as home:
        home.on_login(lambda: logins.append(None))
        component.on_login(lambda: logins.append(None))
        await home.online(DEADLINE_S)
        await home.renew()
        await asyncio.sleep(0.2)
        assert logins == []


async def test_a_home_that_wakes_later_relies_on_the_proof_unless_the_clock_moved(
    homes: Component, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[None] = []
    give = Proof.give

    async def counted(proof: Proof) -> None:
        given.append(None)
        await give(proof)

    async def wakes() -> None:
        logged_in = asyncio.Event()
        home = homes.transport(A)
        home.on_login(logged_in.set)
        async with home:
            await asyncio.wait_for(logged_in.wait(), DEADLINE_S)

    await wakes()
    monkeypatch.setattr(Proof, "give", counted)
    await wakes()
    assert given == []
    difference = component_module._difference
    monkeypatch.setattr(component_module, "_difference", lambda: difference() + 60)
    await wakes()
    assert given == [None]


@pytest.mark.parametrize("security", [Security.DIRECT, Security.STARTTLS])
async def test_a_proof_is_a_certificate_of_that_name(server: Prosody, security: Security) -> None:
    port = server.direct_tls_port if security is Security.DIRECT else server.port
    place = replace(reach(server), port=port, security=security)
    await Proof(server.host, place).give()
    with pytest.raises(CertificateRefused):
        await Proof(server.host, replace(place, ca_file=None)).give()
    with pytest.raises(CertificateRefused if security is Security.DIRECT else NetworkError):
        await Proof("two.test", place).give()


async def test_a_server_without_tls_proves_nothing(socket_enabled: None) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"streams'>")
        writer.write(b"<stream:stream><stream:features></stream:features>")
        await reader.readuntil(b"tls'/>")
        writer.write(b"<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        writer.close()

    async with fake_server(serve) as place:
        with pytest.raises(NotEncrypted):
            await Proof("one.test", place).give()


async def test_a_proof_needs_a_server(
    authority: Authority, tmp_path: Path, socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = Server(host="127.0.0.1", port=free_port(), security=Security.DIRECT)
    with pytest.raises(Unreachable):
        await Proof("one.test", gone).give()

    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    monkeypatch.setattr("consometers_quoalise_xmpp.proof.SECONDS", 0.2)
    async with fake_server(silent) as place:
        with pytest.raises(Unreachable):
            await Proof("one.test", place).give()
