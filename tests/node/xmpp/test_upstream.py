"""What our stream does in place of slixmpp: each override once, which fails without it."""

import asyncio
from base64 import b64decode, b64encode
from pathlib import Path
import re

import pytest

from consometers_quoalise_network import Account, NetworkError
from consometers_quoalise_xmpp import Connection
from consometers_quoalise_xmpp.stream import MAX_ROUNDS, Stream
from demo.servers.prosody import Authority, Prosody
from testing.networks import PASSWORD, QUICK
from testing.run import DEADLINE_S
from testing.xmpp.fixtures import MakeNode, certified, fake_server

OPENED = b"version='1.0'>"
HEAD = (
    b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
    b" id='1' version='1.0'>"
)
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
STRANGER = "stranger@two.test"


async def hear(stream: Stream, stanza: str) -> None:
    """Have a stream handle a stanza, as if its server sent it, and all before it."""
    handled = asyncio.Event()
    stream.add_event_handler("message", lambda _message: handled.set(), disposable=True)
    stream.data_received(f"{stanza}<message from='a@one.test'><body>end</body></message>".encode())
    async with asyncio.timeout(DEADLINE_S):
        await handled.wait()


async def test_a_roster_that_a_server_pushes_is_not_built(
    server: Prosody, new_node: MakeNode
) -> None:
    stream = (await new_node(server)).connection.stream
    item = f"<item jid='{STRANGER}' subscription='both'/>"
    await hear(stream, f"<iq type='set' id='r'><query xmlns='jabber:iq:roster'>{item}</query></iq>")
    assert STRANGER not in stream.client_roster


async def test_the_sender_of_a_presence_is_not_stored(server: Prosody, new_node: MakeNode) -> None:
    stream = (await new_node(server)).connection.stream
    await hear(stream, f"<presence from='{STRANGER}/phone' to='{stream.boundjid.bare}'/>")
    assert STRANGER not in stream.client_roster


async def test_stanzas_of_one_turn_of_the_loop_are_written_at_once(
    server: Prosody, new_node: MakeNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = (await new_node(server)).connection.stream
    written: list[bytes] = []
    with monkeypatch.context() as patched:
        patched.setattr(stream.transport, "write", written.append)
        stream.send_raw("<first/>")
        stream.send_raw(b"<second/>")
        assert not written
        await asyncio.sleep(0)
    assert written == [b"<first/><second/>"]


async def test_a_negotiation_ends_with_its_stream(
    authority: Authority, tmp_path: Path, socket_enabled: None
) -> None:
    bind = b"<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(OPENED)
        writer.write(HEAD + b"<stream:features>" + bind + b"</stream:features>")
        await reader.readuntil(b"</iq>")
        writer.close()

    tls = certified(authority, "one.test", tmp_path)
    async with fake_server(serve, tls, authority.file) as place:
        before = asyncio.all_tasks()
        stream = Stream(Account("a@one.test", PASSWORD), place)
        with pytest.raises(NetworkError):
            await stream.open()
        await stream.close()
    left = asyncio.all_tasks() - before
    for task in left:
        async with asyncio.timeout(1):
            await asyncio.gather(task, return_exceptions=True)


async def test_a_login_ends_at_too_many_rounds(
    authority: Authority, tmp_path: Path, socket_enabled: None
) -> None:
    answers = bytearray()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(OPENED)
        offered = "<mechanism>SCRAM-SHA-1</mechanism>"
        writer.write(
            HEAD
            + f"<stream:features><mechanisms xmlns='{SASL}'>{offered}</mechanisms>"
            "</stream:features>".encode()
        )
        first = re.search(rb">([^<]+)</auth>$", await reader.readuntil(b"</auth>"))
        assert first is not None
        nonce = b64decode(first[1]).decode().rpartition("r=")[2]
        challenge = f"r={nonce}server,s=QSXCR+Q6sek8bf92,i={MAX_ROUNDS + 1}"
        encoded = b64encode(challenge.encode()).decode()
        writer.write(f"<challenge xmlns='{SASL}'>{encoded}</challenge>".encode())
        answers.extend(await reader.readuntil(b">"))
        writer.close()

    tls = certified(authority, "one.test", tmp_path)
    async with fake_server(serve, tls, authority.file) as place:
        connection = Connection(Account("a@one.test", PASSWORD), server=place, backoff=QUICK)
        async with connection:
            with pytest.raises(NetworkError):
                await connection.online(DEADLINE_S, patient=False)
    assert b"<abort" in answers
