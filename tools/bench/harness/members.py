"""Many members over one connection: a component of the server, which may speak for each of them.

They push as homes do: each has one message under way, and the next leaves once that was
acknowledged. No more of them push at a time than a collective has room for.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from hashlib import sha1
from itertools import islice
from typing import Self, cast
from xml.etree.ElementTree import Element, XMLPullParser

from demo.hass import free_port
from demo.servers.prosody import LOOPBACK, Authority, Prosody

HOST = "homes.test"
STRANGERS = "strangers.test"

_HOSTS = (HOST, STRANGERS)
_SECRET = "a component"
_ACCEPT = "jabber:component:accept"
_RECEIVED = "{urn:xmpp:receipts}received"
_AT_ONCE = 65_536
_PUSHING = 5_000
"""Members at a time. What waits beyond 100 MB, of some 15 kB a day, a node drops."""
NO_ARCHIVE = '<no-permanent-store xmlns="urn:xmpp:hints"/>'
"""As homes have it: else the server archives each message, which is most of its work."""

type Messages = Sequence[bytes]
"""What one member pushes, one after the other: each a `<quoalise>`."""


@contextmanager
def admitting(
    authority: Authority, host: str = "one.test", kind: type[Prosody] = Prosody
) -> Iterator[tuple[Prosody, int]]:
    """Yield a server that runs, and the port on which it accepts components, strangers' too."""
    port = free_port()
    server = kind(host, authority)
    config = server.folder / "prosody.cfg.lua"
    # One that is left is still there for a moment when the next connects.
    options = f'  component_secret = "{_SECRET}"\n  component_conflict_resolve = "kick_old"\n'
    components = (f'Component "{host}"\n{options}' for host in _HOSTS)
    config.write_text(
        f'component_ports = {{ {port} }}\ncomponent_interfaces = {{ "{LOOPBACK}" }}\n'
        f"{config.read_text()}{''.join(components)}"
    )
    with server:
        yield server, port


def jid(member: int) -> str:
    return f"m{member}@{HOST}"


class Members:
    """What all members do."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.refused = 0
        self._reader = reader
        self._writer = writer
        self._parser: XMLPullParser[Element] = XMLPullParser(("start", "end"))
        self._parser.feed(b"<all>")
        self._left: dict[str, Iterator[bytes]] = {}
        self._to = ""
        self._to_come: Iterator[str] = iter(())
        self._pushing = 0
        self._done = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def connected(cls, port: int, host: str = HOST) -> AsyncIterator[Self]:
        """Connect the component of a host, and let members answer."""
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        stream = "http://etherx.jabber.org/streams"
        writer.write(
            f"<stream:stream xmlns='{_ACCEPT}' xmlns:stream='{stream}' to='{host}'>".encode()
        )
        opened = (await reader.readuntil(b">")).decode()
        while "id=" not in opened:
            opened = (await reader.readuntil(b">")).decode()
        stream_id = opened.partition("id=")[2][1:].partition(opened.partition("id=")[2][0])[0]
        proof = sha1(f"{stream_id}{_SECRET}".encode(), usedforsecurity=False).hexdigest()
        writer.write(f"<handshake>{proof}</handshake>".encode())
        await reader.readuntil(b"/>")
        members = cls(reader, writer)
        hearing = asyncio.create_task(members._hear())
        try:
            yield members
        finally:
            hearing.cancel()
            await asyncio.wait({hearing})
            writer.close()

    async def push(self, to: str, pushed: Sequence[Messages]) -> float:
        """Push as members, many at the same time; return how long it took."""
        clock = asyncio.get_running_loop().time
        self._to = to
        self._left = {jid(number): iter(some) for number, some in enumerate(pushed)}
        self._to_come = iter(self._left)
        self._pushing = min(_PUSHING, len(self._left))
        self._done.clear()
        began = clock()
        for peer in islice(self._to_come, _PUSHING):
            self._next(peer)
        await self._done.wait()
        return clock() - began

    def _next(self, peer: str) -> None:
        message = next(self._left[peer], None)
        if message is None:
            if (another := next(self._to_come, None)) is not None:
                self._next(another)
                return
            self._pushing -= 1
            if not self._pushing:
                self._done.set()
            return
        self._writer.write(
            b'<message from="%b" to="%b" id="%b">%b<request xmlns="urn:xmpp:receipts"/>%b</message>'
            % (peer.encode(), self._to.encode(), peer.encode(), message, NO_ARCHIVE.encode())
        )

    async def say(self, stanzas: bytes) -> None:
        """Send what is written already, as fast as the server reads it."""
        self._writer.write(stanzas)
        await self._writer.drain()

    async def _hear(self) -> None:
        depth = 0
        while chunk := await self._reader.read(_AT_ONCE):
            self._parser.feed(chunk)
            events = cast("Iterator[tuple[str, Element]]", self._parser.read_events())
            for event, element in events:
                depth += 1 if event == "start" else -1
                if event == "end" and depth == 1:
                    self._heard(element)
                    element.clear()
            await self._writer.drain()

    def _heard(self, stanza: Element) -> None:
        peer = stanza.get("to", "").partition("/")[0]
        if stanza.tag == "message":
            if stanza.find(_RECEIVED) is None:
                self.refused += 1
            self._next(peer)
