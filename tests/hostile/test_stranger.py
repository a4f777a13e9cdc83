"""A stranger: anybody with an account somewhere on the network, who was granted nothing."""

import asyncio
from collections.abc import AsyncIterator
from time import thread_time

import pytest

from consometers_node.quoalise import Data
from consometers_node.xmpp import Account, Answerer, Server, features
from consometers_node.xmpp.stream import Stream
from demo.prosody import Prosody
from tests.node.xmpp.conftest import PASSWORD, MakeNode, MakePlain, Node
from tests.node.xmpp.home import NOW, Collective, Home, records
from tests.node.xmpp.plain import Plain

from .line import SEGMENT, Line

SOON_S = 10
"""Within that honest peers are answered, on a machine that does other things too."""
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


class Kept:
    """Keeps what is pushed, at once."""

    def __init__(self) -> None:
        self.senders: list[str] = []

    async def keep(self, sender: str, told: Data) -> None:
        self.senders.append(sender)


@pytest.fixture
async def line(one: Prosody) -> AsyncIterator[Line]:
    async with Line.to(one) as line:
        yield line


@pytest.fixture(params=[Home, Collective])
def answerer(request: pytest.FixtureRequest) -> Answerer:
    """Either role."""
    made: Answerer = request.param()
    return made


@pytest.fixture
async def new_stranger(new_plain: MakePlain) -> AsyncIterator[MakePlain]:
    """Strangers go without a word: a server that still reads what they sent would not answer."""
    strangers: list[Plain] = []

    async def make(
        server: Prosody, *, jid: str | None = None, language: str = "en", priority: int = 1
    ) -> Plain:
        new = await new_plain(server, jid=jid, language=language, priority=priority)
        strangers.append(new)
        return new

    yield make
    for stranger in strangers:
        stranger.abort()


def bare(node: Node) -> str:
    return node.connection.stream.boundjid.bare


async def answers(node: Node, peer: Node) -> None:
    """Check that a node answers an honest peer, and acknowledges what that pushes, soon."""
    async with asyncio.timeout(SOON_S):
        assert await features(peer.connection, node.connection.jid)
        await peer.pushing.push(bare(node), records(NOW, 1))


async def test_two_messages_of_a_stranger_do_not_take_a_node_off_the_network(
    one: Prosody, line: Line, new_node: MakeNode, new_stranger: MakePlain, answerer: Answerer
) -> None:
    node = await new_node(one, answerer, keep=Kept().keep, through=line)
    peer, stranger = await new_node(one), await new_stranger(one)
    await answers(node, peer)
    session = await node.connection.online()
    for size in (90_000, 90_000, 90_000, 90_000, 90_000, 150_000, 150_000):
        stranger.send_raw(MESSAGE.format(to=node.connection.jid) + f' a="{"x" * size}"/>')
        await answers(node, peer)
    assert not session.ended.done()
    assert not line.cuts


async def test_a_stanza_that_costs_much_does_not_come_again_when_the_session_is_resumed(
    one: Prosody, line: Line, new_node: MakeNode, new_stranger: MakePlain, answerer: Answerer
) -> None:
    node = await new_node(one, answerer, keep=Kept().keep, through=line)
    peer, stranger = await new_node(one), await new_stranger(one)
    session = await node.connection.online()
    stanza = SHAPES["a long attribute"].format(to=node.connection.jid)
    # The first is cut in the middle, and comes again; the second is not.
    line.cut_after(len(stanza) // 2)
    for cuts in (1, 2):
        stranger.send_raw(stanza)
        await answers(node, peer)
        handled = node.connection.stream.plugin["xep_0198"].handled
        line.cut()
        await answers(node, peer)
        assert line.cuts >= cuts
        # The question, its message and a ping or two: nothing else has come.
        again = node.connection.stream.plugin["xep_0198"].handled - handled
        assert 0 < again < 5
    assert not session.ended.done()


async def test_no_stanza_that_costs_much_ends_a_stream_or_keeps_others_waiting(
    one: Prosody, line: Line, new_node: MakeNode, new_stranger: MakePlain
) -> None:
    node = await new_node(one, keep=Kept().keep, through=line)
    peer, stranger = await new_node(one), await new_stranger(one)
    session = await node.connection.online()
    for shape in SHAPES.values():
        stranger.send_raw(shape.format(to=node.connection.jid))
        await answers(node, peer)
    assert not session.ended.done()
    assert not line.cuts


async def test_no_stanza_costs_much_more_time_than_records_of_its_size() -> None:
    honest = "<senml t='1790000000' v='1234'/>"
    wanted = f"{MESSAGE}><quoalise xmlns='urn:quoalise:0'>{filled(honest)}</quoalise></message>"
    most_s = MOST_TIMES * min(seconds_of(wanted) for _ in range(3))
    for name, shape in SHAPES.items():
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
