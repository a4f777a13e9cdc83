"""A peer of plain slixmpp and of stanzas typed from the description of Quoalise. No module of ours.

It stands for the programs that speak the protocol today.
"""

import asyncio
from itertools import count
from pathlib import Path
from typing import Protocol, Self
from xml.etree.ElementTree import Element

from slixmpp import ClientXMPP
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatcherId, MatchXPath
from slixmpp.xmlstream.stanzabase import StanzaBase

from demo.servers.prosody import LOOPBACK
from testing.run import DEADLINE_S

COMMAND = "{http://jabber.org/protocol/commands}command"
QUOALISE = "{urn:quoalise:0}quoalise"
ERROR = "{jabber:client}error"
STANZAS = "{urn:ietf:params:xml:ns:xmpp-stanzas}"
SENML = "{urn:ietf:params:xml:ns:senml}senml"
FIELD = "{jabber:x:data}field"

GET_HISTORY = """
  <command xmlns="http://jabber.org/protocol/commands" node="get_history" action="execute">
    <x xmlns="jabber:x:data" type="submit">
      <field var="identifier" type="text-single"><value>{identifier}</value></field>
      <field var="start_time" type="text-single"><value>{start}</value></field>
      <field var="end_time" type="text-single"><value>{end}</value></field>
    </x>
  </command>"""
SUBSCRIBE = """
  <command xmlns="http://jabber.org/protocol/commands" node="{node}" action="execute">
    <x xmlns="jabber:x:data" type="submit">
      <field var="identifier" type="text-single"><value>{identifier}</value></field>
    </x>
  </command>"""
EMPTY = '<command xmlns="http://jabber.org/protocol/commands" node="{node}" action="execute"/>'


class Reachable(Protocol):
    """A server on loopback, and the authority that it is known by."""

    @property
    def port(self) -> int: ...

    @property
    def ca_file(self) -> Path: ...


class PlainPeer(ClientXMPP):
    """Asks, and stores the answers."""

    def __init__(
        self, server: Reachable, jid: str, password: str, *, language: str = "en", priority: int = 1
    ) -> None:
        super().__init__(jid, password, lang=language)
        self._place = LOOPBACK, server.port
        self._priority = priority
        self.ca_certs = server.ca_file
        self.enable_direct_tls = False
        self.heard: asyncio.Queue[Element] = asyncio.Queue()
        self.errors: asyncio.Queue[Element] = asyncio.Queue()
        self._ids = count(1)
        self._ready = asyncio.Event()
        self.add_event_handler("session_start", self._start)
        pushed = MatchXPath(f"{{jabber:client}}message/{QUOALISE}")
        self.register_handler(Callback("pushed", pushed, self._receive))
        refused = MatchXPath(f"{{jabber:client}}message/{ERROR}")
        self.register_handler(Callback("refused", refused, self._receive_error))

    async def __aenter__(self) -> Self:
        self.connect(*self._place)
        async with asyncio.timeout(DEADLINE_S):
            await self._ready.wait()
        return self

    async def __aexit__(self, *_raised: object) -> None:
        await self.disconnect()
        self.cancel_connection_attempt()
        for name in list(self.scheduled_events):
            self.cancel_schedule(name)
        if self._run_out_filters is not None:
            self._run_out_filters.cancel()

    def begin(
        self, to: str, payload: str, *, kind: str = "set", language: str | None = None
    ) -> asyncio.Future[Element]:
        """Send an iq as it was typed, and return what will be its answer."""
        stanza_id = f"plain-{next(self._ids)}"
        answer: asyncio.Future[Element] = self.loop.create_future()

        def receive(stanza: StanzaBase) -> None:
            if not answer.done():
                answer.set_result(stanza.xml)

        self.register_handler(Callback(stanza_id, MatcherId(stanza_id), receive, once=True))
        tagged = f' xml:lang="{language}"' if language else ""
        self.send_raw(f'<iq type="{kind}" to="{to}" id="{stanza_id}"{tagged}>{payload}</iq>')
        return answer

    async def ask(
        self, to: str, payload: str, *, kind: str = "set", language: str | None = None
    ) -> Element:
        async with asyncio.timeout(DEADLINE_S):
            return await self.begin(to, payload, kind=kind, language=language)

    async def receive(self) -> Element:
        async with asyncio.timeout(DEADLINE_S):
            return await self.heard.get()

    async def error(self) -> Element:
        async with asyncio.timeout(DEADLINE_S):
            return await self.errors.get()

    def _start(self, _event: object) -> None:
        self.send_presence(ppriority=self._priority)
        self._ready.set()

    def _receive(self, stanza: StanzaBase) -> None:
        self.heard.put_nowait(stanza.xml)

    def _receive_error(self, stanza: StanzaBase) -> None:
        self.errors.put_nowait(stanza.xml)


def values(stanza: Element) -> list[tuple[str, str]]:
    """What stands in the records of a stanza, as it stands there."""
    return [(record.get("t", ""), record.get("v", "")) for record in stanza.iter(SENML)]


def refusal(iq: Element) -> tuple[str, str, str]:
    """Condition, type and words of an error."""
    error = iq.find(ERROR)
    assert iq.get("type") == "error"
    assert error is not None
    condition = next(child for child in error if child.tag != f"{STANZAS}text")
    return (
        condition.tag.removeprefix(STANZAS),
        error.get("type", ""),
        error.findtext(f"{STANZAS}text", ""),
    )


INFO = "http://jabber.org/protocol/disco#info"


async def disco(peer: PlainPeer, to: str, what: str, node: str = "") -> Element:
    at = f' node="{node}"' if node else ""
    return await peer.ask(to, f'<query xmlns="{what}"{at}/>', kind="get")
