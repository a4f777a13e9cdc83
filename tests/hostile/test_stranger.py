"""A stranger: anybody with an account somewhere on the network, who was granted nothing."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from random import Random
from time import thread_time
from typing import override
from xml.etree.ElementTree import Element

import pytest
import pytest_socket

from consometers_node.i18n.protocol import sentence
from consometers_node.store import Store
from consometers_quoalise import Data, Listed, OtherError, stanza_errors
from consometers_quoalise.records.data import encode
from consometers_quoalise_network import Account, Answerer, Asker, Pushing, Server, Traffic
from consometers_quoalise_network.answering import MAX_OF_STRANGERS, OF_A_DOMAIN
from consometers_quoalise_network.receiving import PER_MINUTE
from consometers_quoalise_xmpp import base_stream, features
from consometers_quoalise_xmpp.base_stream import HEARD_PER_MINUTE
from consometers_quoalise_xmpp.stream import Stream
from demo.servers.prosody import Authority, Prosody
from testing.collectives.running import Coop, cooperating
from testing.homes.running import bare
from testing.networks import PASSWORD
from testing.run import DEADLINE_S
from testing.waiting import until
from testing.xmpp.answerers import NOW, AskingCollective, MemoryHome, records
from testing.xmpp.fixtures import MakeNode, MakePlain, NewAccount, XmppNode
from testing.xmpp.line import SEGMENT, PacketLine
from testing.xmpp.plain_peer import EMPTY, PlainPeer
from tools.bench.harness.homes import COLLECTIVE, day_of, join
from tools.bench.harness.members import STRANGERS, Members, admitting

MEMBERS = 3
MOST_TIMES = 6
"""What a stanza may cost, as often as one of its size that is all records. Children cost 90."""
MESSAGE = "<message xmlns='jabber:client' type='normal' to='{to}'"
IQ = "<iq xmlns='jabber:client' type='set' id='1' to='{to}'"


def filled(unit: str, size: int = 240_000) -> str:
    return unit * (size // len(unit))


def nested(size: int = 240_000) -> str:
    levels = size // len("<a></a>")
    return "<a>" * levels + "</a>" * levels


SHAPES = {
    "a long attribute": MESSAGE + f' a="{filled("x")}"/>',
    "attributes": MESSAGE + " " + " ".join(f'a{n}=""' for n in range(20_000)) + "/>",
    "attributes of a namespace": (
        MESSAGE + '><a xmlns:p="urn:p" ' + " ".join(f'p:a{n}=""' for n in range(18_000)) + "/>"
        "</message>"
    ),
    "namespaces": (
        MESSAGE + "><a " + " ".join(f'xmlns:a{n}="urn:{n}"' for n in range(10_000)) + "/></message>"
    ),
    "children": f"{MESSAGE}>{filled('<a/>')}</message>",
    "errors": f"{MESSAGE}>{filled('<error/>')}</message>",
    "names": MESSAGE + ">" + "".join(f"<a{n}/>" for n in range(24_000)) + "</message>",
    "levels": f"{MESSAGE}>{nested()}</message>",
    "records": f"{MESSAGE}><quoalise xmlns='urn:quoalise:0'>{filled('<a/>')}</quoalise></message>",
    "a huge text": f"{MESSAGE}><body>{filled('x')}</body></message>",
    "a text of entities": f"{MESSAGE}><body>{filled('&lt;')}</body></message>",
    "a text of lines": MESSAGE + f"><body>{filled(chr(10))}</body></message>",
    "questions": f"{IQ}>{filled('<a/>')}</iq>",
    "rosters": f"{IQ}>{filled('<query xmlns="jabber:iq:roster"/>')}</iq>",
    "a roster of many": f"{IQ}><query xmlns='jabber:iq:roster'>{filled('<item/>')}</query></iq>",
    "presence": f"<presence xmlns='jabber:client' to='{{to}}'>{filled('<show/>')}</presence>",
}
"""Stanzas of 240 kB that cost as much as so many bytes can."""
LONG_NAMES = {
    "a long namespace": (
        f"{MESSAGE}><a xmlns='{'n' * 120_000}'>{filled('<b/>', 120_000)}</a></message>"
    ),
    "attributes of a long namespace": (
        f"{MESSAGE}><a xmlns:p='{'n' * 120_000}'>{filled("<b p:a=''/>", 120_000)}</a></message>"
    ),
    "its own long namespace": (
        f"{MESSAGE} xmlns:p='{'n' * 120_000}'>{filled('<p:b/>', 120_000)}</message>"
    ),
    "a long name": f"{MESSAGE}><{'a' * 120_000}></{'a' * 120_000}></message>",
    "a long name of an attribute": f"{MESSAGE} {'a' * 240_000}=''/>",
}
"""Stanzas of 240 kB that no server passes that bounds names. One that does not, they cost 20 s."""


class Keeper:
    """A receiver that stores each push at once."""

    def __init__(self) -> None:
        self.senders: list[str] = []

    async def keep(self, sender: str, records: Data) -> None:
        self.senders.append(sender)


@pytest.fixture
async def line(server: Prosody) -> AsyncIterator[PacketLine]:
    async with PacketLine.to(server) as line:
        yield line


@pytest.fixture(params=[MemoryHome, AskingCollective])
def answerer(request: pytest.FixtureRequest) -> Answerer:
    """Return one of either role."""
    made: Answerer = request.param()
    return made


@pytest.fixture
async def new_stranger(new_plain: MakePlain) -> AsyncIterator[MakePlain]:
    """Make strangers that go without a word: a server that still reads would not answer."""
    strangers: list[PlainPeer] = []

    async def make(
        server: Prosody, *, jid: str | None = None, language: str = "en", priority: int = 1
    ) -> PlainPeer:
        new = await new_plain(server, jid=jid, language=language, priority=priority)
        strangers.append(new)
        return new

    yield make
    for stranger in strangers:
        stranger.abort()


async def answers(node: XmppNode, peer: XmppNode) -> None:
    """Check that a node answers an honest peer, and acknowledges what that pushes, soon."""
    async with asyncio.timeout(DEADLINE_S):
        assert await features(peer.connection, node.connection.jid)
        await peer.pushing.push(bare(node), records(NOW, 1))


async def handles(node: XmppNode, handled: int) -> None:
    """Wait until a session has handled as many stanzas."""
    session = node.connection.stream.plugin["xep_0198"]
    await until(lambda: session.handled >= handled)


async def test_large_messages_of_a_stranger_do_not_disconnect_a_node(
    server: Prosody,
    line: PacketLine,
    new_node: MakeNode,
    new_stranger: MakePlain,
    answerer: Answerer,
) -> None:
    node = await new_node(server, answerer, keep=Keeper().keep, through=line)
    peer, stranger = await new_node(server), await new_stranger(server)
    await answers(node, peer)
    session = await node.connection.online(DEADLINE_S)
    for size in (90_000, 90_000, 90_000, 90_000, 90_000, 150_000, 150_000):
        stranger.send_raw(MESSAGE.format(to=node.connection.jid) + f' a="{"x" * size}"/>')
        await answers(node, peer)
    assert not session.ended.done()
    assert line.connections == 1


async def test_a_resumed_session_does_not_repeat_an_expensive_stanza(
    server: Prosody,
    line: PacketLine,
    new_node: MakeNode,
    new_stranger: MakePlain,
    answerer: Answerer,
) -> None:
    node = await new_node(server, answerer, keep=Keeper().keep, through=line)
    peer, stranger = await new_node(server), await new_stranger(server)
    session = await node.connection.online(DEADLINE_S)
    # Not one long token, whose end expat may not read before more has come.
    stanza = SHAPES["children"].format(to=node.connection.jid)
    # The first is cut in the middle, and comes again; the second is not.
    line.cut_after(len(stanza) // 2)
    for cuts in (1, 2):
        handled = node.connection.stream.plugin["xep_0198"].handled
        stranger.send_raw(stanza)
        await handles(node, handled + 1)
        before = line.carried
        line.cut()
        await answers(node, peer)
        assert line.cuts >= cuts
        assert line.carried - before < len(stanza) // 4
    assert not session.ended.done()


async def test_expensive_stanzas_end_no_stream_and_delay_no_peer(
    server: Prosody, line: PacketLine, new_node: MakeNode, new_stranger: MakePlain
) -> None:
    node = await new_node(server, keep=Keeper().keep, through=line)
    peer, stranger = await new_node(server), await new_stranger(server)
    session = await node.connection.online(DEADLINE_S)
    for shape in SHAPES.values():
        stranger.send_raw(shape.format(to=node.connection.jid))
        await answers(node, peer)
    assert not session.ended.done()
    assert line.connections == 1


async def test_a_request_that_costs_too_much_is_refused_in_words_and_logged_without_content(
    server: Prosody, new_node: MakeNode, new_plain: MakePlain, caplog: pytest.LogCaptureFixture
) -> None:
    node, stranger = await new_node(server), await new_plain(server)
    await node.connection.online(DEADLINE_S)
    for _ in range(3):
        answer = await stranger.ask(node.connection.jid, f"<a xmlns='urn:{'n' * 200}'/>")
        refused = answer.find(stanza_errors.ERROR)
        assert refused is not None
        error = stanza_errors.read(refused)
        assert isinstance(error, OtherError)
        assert (error.condition, error.type) == ("policy-violation", "modify")
        assert "more complex than this node reads" in sentence(error).say("en")
    logged = [
        record.getMessage() for record in caplog.records if record.name == base_stream.__name__
    ]
    assert logged == ["stanza-name"]


async def test_no_stanza_costs_much_more_time_than_records_of_its_size() -> None:
    honest = "<senml t='1790000000' v='1234'/>"
    wanted = f"{MESSAGE}><quoalise xmlns='urn:quoalise:0'>{filled(honest)}</quoalise></message>"
    most_s = MOST_TIMES * min(seconds_of(wanted) for _ in range(3))
    for name, shape in (SHAPES | LONG_NAMES).items():
        assert min(seconds_of(shape) for _ in range(3)) < most_s, name


def seconds_of(stanza: str) -> float:
    """Measure the CPU time that a stream takes to read a stanza, and to pass it on."""
    stream = Stream(Account("node@one.test", PASSWORD), Server())
    stream.connection_made(Nowhere())
    stream.data_received(
        b"<stream:stream xmlns:stream='http://etherx.jabber.org/streams' version='1.0'"
        b" xmlns='jabber:client' from='one.test'>"
    )
    data = stanza.format(to="node@one.test").encode()
    began = thread_time()
    for at in range(0, len(data), SEGMENT):
        stream.data_received(data[at : at + SEGMENT])
    return thread_time() - began


class Nowhere(asyncio.Transport):
    """Takes what is sent."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        pass

    def is_closing(self) -> bool:
        return False


class Asking(Members):
    """Addresses of a component, which hear what is answered to them."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__(reader, writer)
        self.heard: Counter[str | None] = Counter()
        self._answers: dict[str, asyncio.Future[str | None]] = {}

    async def ask(self, stanza: str, stanza_id: str) -> str | None:
        """Send a request of that id, and return the type of what answers it."""
        self._answers[stanza_id] = asyncio.get_running_loop().create_future()
        await self.say(stanza.encode())
        async with asyncio.timeout(DEADLINE_S):
            return await self._answers[stanza_id]

    @override
    def _heard(self, stanza: Element) -> None:
        kind = stanza.get("type")
        self.heard[kind] += 1
        if (answer := self._answers.get(stanza.get("id", ""))) is not None:
            answer.set_result(kind)


class Slow(MemoryHome):
    """A home that thinks for long about those that may not read it, until it is released."""

    def __init__(self, *readers: str) -> None:
        super().__init__(*readers)
        self.release = asyncio.Event()

    @override
    async def list_series(self, asker: Asker) -> Iterable[Listed]:
        if asker.jid not in self.readers:
            await self.release.wait()
        return await super().list_series(asker)


@dataclass
class Crowded:
    """A server on which one may have hundreds of addresses, over a port."""

    server: Prosody
    port: int


@pytest.fixture(scope="module")
def crowded_server(authority: Authority) -> Iterator[Crowded]:
    pytest_socket.enable_socket()
    with admitting(authority, "crowd.test") as (server, port):
        yield Crowded(server, port)


@pytest.fixture
def crowded(crowded_server: Crowded, socket_enabled: None) -> Crowded:
    return crowded_server


@pytest.fixture
async def coop(
    crowded: Crowded, file: Store, tmp_path: Path, new_account: NewAccount
) -> AsyncIterator[Coop]:
    await join(file, MEMBERS, 30)
    account = new_account(crowded.server)
    async with cooperating(file, crowded.server, account, tmp_path, COLLECTIVE) as coop:
        yield coop


@pytest.fixture
async def members(crowded: Crowded) -> AsyncIterator[Members]:
    async with Members.connected(crowded.port) as members:
        yield members


@pytest.fixture
async def strangers(crowded: Crowded) -> AsyncIterator[Asking]:
    async with Asking.connected(crowded.port, STRANGERS) as strangers:
        yield strangers


def push(stranger: int, to: str, payload: str) -> str:
    return (
        f"<message from='s{stranger}@{STRANGERS}' to='{to}'><quoalise xmlns='urn:quoalise:0'>"
        f"{payload}</quoalise></message>"
    )


def request(stranger: int, to: str, payload: str, *, identifier: str = "1") -> str:
    address = f"from='s{stranger}@{STRANGERS}' to='{to}' id='{identifier}'"
    return f"<iq type='set' {address}>{payload}</iq>"


def ping(stranger: int, to: str, identifier: str = "1") -> str:
    return request(stranger, to, "<ping xmlns='urn:xmpp:ping'/>", identifier=identifier)


def days(count: int) -> list[list[bytes]]:
    midnight = datetime.combine(datetime.now(UTC).date(), time(), UTC) - timedelta(days=count)
    return [[encode(day_of(member, [midnight], Random(member)))] for member in range(MEMBERS)]


@pytest.mark.parametrize("strong", [1, 300])
async def test_pushes_of_strangers_stop_no_push_of_a_member(
    coop: Coop, members: Members, strangers: Asking, strong: int
) -> None:
    traffic, receiving = coop.node.counts.traffic, coop.network.receiving
    await members.push(coop.jid, days(1))
    acknowledged = traffic.acknowledged
    # 122 tiny messages of one, which is slowed after 120, and then 0.8 MB that would wait with it.
    tiny = "".join(push(n % strong, coop.jid, "<data/>") for n in range(max(122, 2 * strong)))
    large = "".join(push(n % strong, coop.jid, filled("<a/>", 200_000)) for n in range(4))
    await strangers.say((tiny + large).encode())
    # While the node has yet to look who grants, they wait, and most are dropped.
    await until(lambda: traffic.refused + traffic.dropped + receiving.waiting > 100)
    async with asyncio.timeout(DEADLINE_S):
        await members.push(coop.jid, days(2))
    assert not members.refused
    assert traffic.acknowledged == acknowledged + MEMBERS


async def test_pushes_of_strangers_are_refused_unread(
    server: Prosody, new_node: MakeNode, new_stranger: MakePlain
) -> None:
    keeper, traffic = Keeper(), Traffic()
    peer, stranger = await new_node(server), await new_stranger(server)
    knows = {bare(peer)}.__contains__
    node = await new_node(server, keep=keeper.keep, traffic=traffic, knows=knows)
    pushed = f"{MESSAGE}><quoalise xmlns='urn:quoalise:0'><data/></quoalise></message>"
    # One that may push waits from there on.
    count = PER_MINUTE + 2
    stranger.send_raw(count * pushed.format(to=node.connection.jid))
    await stranger.ask(node.connection.jid, "<ping xmlns='urn:xmpp:ping'/>", kind="get")
    assert (traffic.refused, traffic.dropped) == (count, 0)
    await peer.pushing.push(bare(node), records(NOW, 1), seconds=DEADLINE_S)
    assert keeper.senders == [bare(peer)]


async def test_slow_requests_of_strangers_do_not_delay_known_peers(
    crowded: Crowded, new_node: MakeNode, strangers: Asking
) -> None:
    peer = await new_node(crowded.server)
    home, knows = Slow(bare(peer)), {bare(peer)}.__contains__
    node = await new_node(crowded.server, home, knows=knows)
    series = EMPTY.format(node="list_series")
    asked = "".join(request(stranger, node.connection.jid, series) for stranger in range(100))
    await strangers.say(asked.encode())
    await until(lambda: strangers.heard["error"] >= 100 - MAX_OF_STRANGERS)
    async with asyncio.timeout(DEADLINE_S):
        assert await peer.asking.list_series(bare(node))
    assert strangers.heard["error"] == 100 - MAX_OF_STRANGERS


async def test_a_stranger_that_finds_no_room_does_not_use_up_the_limit_of_its_domain(
    crowded: Crowded, new_node: MakeNode, strangers: Asking
) -> None:
    peer = await new_node(crowded.server)
    home = Slow(bare(peer))
    node = await new_node(crowded.server, home, knows=lambda _peer: False)
    series = EMPTY.format(node="list_series")
    turned_down = OF_A_DOMAIN + 1
    asked = "".join(
        request(stranger, node.connection.jid, series)
        for stranger in range(MAX_OF_STRANGERS + turned_down)
    )
    await strangers.say(asked.encode())
    await until(lambda: strangers.heard["error"] == turned_down)
    home.release.set()
    await until(lambda: strangers.heard["result"] == MAX_OF_STRANGERS)
    asked = request(turned_down, node.connection.jid, series, identifier="again")
    assert await strangers.ask(asked, "again") == "result"


async def test_accounts_of_one_domain_share_a_limit_and_others_keep_theirs(
    crowded: Crowded, new_node: MakeNode, strangers: Asking
) -> None:
    newcomer = await new_node(crowded.server)
    home = MemoryHome(bare(newcomer))
    node = await new_node(crowded.server, home, knows=lambda _peer: False)
    series = EMPTY.format(node="list_series")
    for stranger in range(OF_A_DOMAIN):
        name = f"n{stranger}"
        asked = request(stranger, node.connection.jid, series, identifier=name)
        assert await strangers.ask(asked, name) == "result"
    asked = "".join(request(stranger, node.connection.jid, series) for stranger in range(200, 300))
    await strangers.say(asked.encode())
    async with asyncio.timeout(DEADLINE_S):
        assert await newcomer.asking.list_series(bare(node))
    await until(lambda: strangers.heard["error"] == 100)
    assert strangers.heard["result"] == OF_A_DOMAIN


async def test_endless_requests_get_a_bounded_number_of_answers(
    crowded: Crowded, new_node: MakeNode, strangers: Asking
) -> None:
    node = await new_node(crowded.server)
    await strangers.say("".join(ping(1, node.connection.jid) for _ in range(1_000)).encode())
    assert await strangers.ask(ping(2, node.connection.jid, "last"), "last") == "result"
    assert strangers.heard["result"] == HEARD_PER_MINUTE + 1


async def test_receipts_of_strangers_are_ignored(
    server: Prosody, new_node: MakeNode, new_stranger: MakePlain
) -> None:
    late: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    async def note(peer: str, message_id: str) -> None:
        late.put_nowait((peer, message_id))

    node = await new_node(server)
    peer, stranger = await new_stranger(server), await new_stranger(server)
    Pushing(node.connection, note, knows={peer.boundjid.bare}.__contains__)
    receipt = "<received xmlns='urn:xmpp:receipts' id='{}'/></message>"
    message = MESSAGE.format(to=node.connection.jid) + ">"
    stranger.send_raw(message + receipt.format("false"))
    await stranger.ask(node.connection.jid, "<ping xmlns='urn:xmpp:ping'/>", kind="get")
    peer.send_raw(message + receipt.format("true"))
    async with asyncio.timeout(DEADLINE_S):
        assert await late.get() == (peer.boundjid.bare, "true")
    assert late.empty()
