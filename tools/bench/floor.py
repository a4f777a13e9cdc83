"""What the network and XML alone cost: two bare slixmpp clients, and answers made in advance."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

from slixmpp import ClientXMPP
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatcherId, MatchXPath
from slixmpp.xmlstream.stanzabase import StanzaBase

from demo.prosody import LOOPBACK, Prosody

_COMMAND = "{http://jabber.org/protocol/commands}command"
_ASK = '<command xmlns="http://jabber.org/protocol/commands" node="get_history"/>'


class Bare(ClientXMPP):
    """A client that says what it is given, and looks into nothing."""

    def __init__(self, jid: str, password: str, ca_file: Path, *, priority: int = -1) -> None:
        super().__init__(jid, password)
        self.ca_certs = ca_file
        self.enable_direct_tls = False
        self.started = asyncio.Event()
        self._priority = priority
        self._ids = count(1)
        self.add_event_handler("session_start", self._start)

    def _start(self, _event: object) -> None:
        self.send_presence(ppriority=self._priority)
        self.started.set()

    def answer(self, prepared: Sequence[bytes]) -> None:
        """Answer each question with the next of these elements."""
        left = iter(prepared)

        def answer(stanza: StanzaBase) -> None:
            asked = stanza.xml
            head = f'<iq type="result" to="{asked.get("from")}" id="{asked.get("id")}">'
            self.send_raw(f"{head}{next(left).decode()}</iq>")

        self.register_handler(
            Callback("asked", MatchXPath(f"{{jabber:client}}iq/{_COMMAND}"), answer)
        )

    async def ask(self, whom: str) -> None:
        """Ask, and wait for the answer."""
        stanza_id = f"bare-{next(self._ids)}"
        answered = asyncio.Event()
        self.register_handler(
            Callback(stanza_id, MatcherId(stanza_id), lambda _: answered.set(), once=True)
        )
        self.send_raw(f'<iq type="set" to="{whom}" id="{stanza_id}">{_ASK}</iq>')
        async with asyncio.timeout(30):
            await answered.wait()


@asynccontextmanager
async def connected(jid: str, password: str, server: Prosody) -> AsyncIterator[Bare]:
    client = Bare(jid, password, server.ca_file)
    client.connect(LOOPBACK, server.port)
    async with asyncio.timeout(30):
        await client.started.wait()
    try:
        yield client
    finally:
        await client.disconnect()
        for name in list(client.scheduled_events):
            client.cancel_schedule(name)


async def floor_s(
    server: Prosody, asker: str, answerer: str, password: str, prepared: Sequence[bytes]
) -> float:
    """Return how long it takes to be answered so, one question after the other."""
    async with (
        connected(asker, password, server) as asking,
        connected(answerer, password, server) as answering,
    ):
        answering.answer(prepared)
        clock = asyncio.get_running_loop().time
        began = clock()
        for _ in prepared:
            await asking.ask(answering.boundjid.full)
        return clock() - began
