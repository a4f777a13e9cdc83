"""A node's connection to the network: it stays, or comes back, until it is stopped.

    async with Connection(account, server=server) as connection:
        await connection.online()

The features of this room stand on it, each in its module.
"""

import asyncio
from collections.abc import Callable
import logging
from typing import Literal, override
from xml.etree.ElementTree import Element

from slixmpp.exceptions import IqError, IqTimeout
from slixmpp.plugins.xep_0198.stanza import RequestAck
from slixmpp.stanza import Iq, Message
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher.base import MatcherBase
from slixmpp.xmlstream.stanzabase import StanzaBase

from consometers_quoalise import ErrorType, OtherError, QuoaliseError, Words, stanza_errors
from consometers_quoalise.elements.reading import Reader
from consometers_quoalise_network import RESOURCE, Account, Server, Session
from consometers_quoalise_network.backoff import Backoff
from consometers_quoalise_network.connected import Connected
from consometers_quoalise_network.errors import Interrupted, NetworkError, NoAnswer
from consometers_quoalise_network.transport import Speak, first_of

from .stream import Stream, quiet

_LOGGER = logging.getLogger(__name__)

CLIENT = "jabber:client"
PING = "{urn:xmpp:ping}ping"
PING_EVERY_SECONDS = 60
PING_SECONDS = 30
STEADY_SECONDS = 60
"""A connection of at least this length resets the backoff."""
LISTENING = 1
"""Priority of a node that receives messages to its bare address (RFC 6121 §8.5.2.1.1)."""
UNSEEN = -1
"""Priority of a node that only answers: people's messages to the address go to them."""


class Connection(Connected):
    """A stream that stays, or comes back."""

    def __init__(
        self,
        account: Account,
        *,
        server: Server | None = None,
        resource: str = RESOURCE,
        language: str = "en",
        speak: Speak = Words,
        backoff: Backoff | None = None,
    ) -> None:
        """Prepare a connection; `speak` has the words for peers who read what this node answers.

        Raises OSError on an authority's file.
        """
        quiet()
        super().__init__(language, speak)
        self.priority = UNSEEN
        self.stream = Stream(account, server or Server(), resource, language, speak)
        self.stream.add_event_handler("session_start", self._session_started)
        self.stream.add_event_handler("session_end", self._session_ended)
        self._backoff = backoff or Backoff()

    @property
    @override
    def jid(self) -> str:
        """The full address for peers' requests."""
        return self.stream.boundjid.full

    async def request(
        self, kind: Literal["get", "set"], to: str, payload: Element, seconds: float
    ) -> Element:
        """Send an iq (kind get or set) and return the `<iq>` that answers it.

        Raises what the peer or a server answered, `NoAnswer`, or why we are not online.
        """
        session = await self.online(seconds)
        iq: Iq = self.stream.make_iq(ito=to, itype=kind)
        iq["lang"] = self.language
        iq.xml.append(payload)
        answer: asyncio.Future[Iq] = iq.send(timeout=seconds)  # type: ignore[no-untyped-call]
        try:
            await first_of(answer, session.ended)
            if not answer.done():
                raise NoAnswer(peer=to)
            answered: Element = answer.result().xml
        except IqTimeout:
            raise NoAnswer(peer=to) from None
        except IqError as refusal:
            raise error_in(refusal.iq.xml) from None
        finally:
            answer.cancel()
        return answered

    async def ask(self, peer: str, command: Element, seconds: float) -> Element:
        """Return the answer of a peer's full address to a command. Raises as `request` does."""
        answer = await self.request("set", peer, command, seconds)
        return Reader(answer, "iq").only(command.tag).element

    def on_iq(self, tag: str, handler: Callable[[Iq], None]) -> None:
        """Register a handler for requests (get or set) with an element of that name."""

        def handle(stanza: StanzaBase) -> None:
            # A request holds one element (RFC 6120 §8.2.3). A server elsewhere may pass on one
            # that holds several: each would be answered.
            if not isinstance(stanza, Iq) or stanza["type"] not in {"get", "set"}:
                return
            if stanza.xml[0].tag == tag:
                handler(stanza)

        matcher = _Holding(("iq", tag))
        self.stream.register_handler(Callback(tag, matcher, handle))

    def on_message(self, tag: str, handler: Callable[[Message], None]) -> None:
        """Register a handler for messages with an element of that name."""

        def handle(stanza: StanzaBase) -> None:
            if isinstance(stanza, Message):
                handler(stanza)

        matcher = _Holding(("message", tag))
        self.stream.register_handler(Callback(tag, matcher, handle))

    async def renew(self) -> None:
        """Log in on another stream, which resumes the session where the server can."""
        await self.stream.drop()

    def ask_acknowledgement(self) -> None:
        """Ask the server to acknowledge our stanzas, after those that wait to leave."""
        if self.stream.managed:
            self.stream.send(RequestAck(self.stream))

    def raise_priority(self) -> None:
        """Announce that this resource receives what is sent to the bare address."""
        is_higher, self.priority = self.priority < LISTENING, LISTENING
        if is_higher and self._online:
            self.stream.send_presence(ppriority=self.priority)

    @override
    async def _run(self) -> None:
        """Connect repeatedly, until a person must act or the connection is left."""
        clock = asyncio.get_running_loop().time
        failures = 0
        try:
            while True:
                began = clock()
                try:
                    await self.stream.open()
                    self._logged_in()
                    self._set(online=True, problem=None)
                    problem = await self._until_lost()
                except NetworkError as failure:
                    problem = failure
                self._set(online=False, problem=problem)
                _LOGGER.info(problem)
                if problem.lasting:
                    return
                failures = 0 if clock() - began > STEADY_SECONDS else failures + 1
                await asyncio.sleep(self._backoff.seconds(max(0, failures - 1)))
        finally:
            self._set(online=False, problem=self.problem)
            await self.stream.close()
            self._session.end()

    async def _until_lost(self) -> NetworkError:
        lost = self.stream.lost
        while True:
            await asyncio.wait({lost}, timeout=PING_EVERY_SECONDS)
            if not lost.done():
                ping = asyncio.create_task(self._ping())
                try:
                    await first_of(ping, lost)
                    if ping.done() and not ping.result():
                        await self.stream.drop()
                        host = self.stream.default_domain
                        return Interrupted(host=host, why="no answer to a ping")
                finally:
                    ping.cancel()
            if lost.done():
                return lost.result()

    async def _ping(self) -> bool:
        """Return whether the server responds. One that refuses a ping does."""
        try:
            await self.request("get", self.stream.default_domain, Element(PING), PING_SECONDS)
        except QuoaliseError:
            return True
        except NetworkError:
            return False
        return True

    def _session_started(self, _event: object) -> None:
        self._session.end()
        self._session = Session()
        # A session lasts as long as its stream until the server offers to resume it.
        self.stream.end_session_on_disconnect = True
        self.stream.send_presence(ppriority=self.priority)

    def _session_ended(self, _event: object) -> None:
        self._session.end()


class _Holding(MatcherBase):
    """Stanzas of a kind that hold an element: `MatchXPath` takes ten times as long."""

    def match(self, xml: StanzaBase) -> bool:
        kind, tag = self._criteria
        return xml.name == kind and xml.xml.find(tag) is not None


def error_in(stanza: Element) -> QuoaliseError:
    """Return the error in a stanza of type error."""
    error = stanza.find(stanza_errors.ERROR)
    if error is None:
        return OtherError("undefined-condition", ErrorType.CANCEL)
    return stanza_errors.read(error)
