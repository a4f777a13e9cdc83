"""A node's connection to the network: it stays, or comes back, until it is stopped.

    async with Connection(account, server=server) as connection:
        await connection.online()

The features of this room stand on an `Endpoint`, each in its module: that is an address, whether a
connection is its own, as this one, or speaks for others too (`component`).
"""

from abc import abstractmethod
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

from .base_stream import BaseStream, quiet
from .stream import Stream

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


class Endpoint(Connected):
    """An address on a stream: it asks and is asked, sends messages and hears them."""

    stream: BaseStream
    sender: str | None = None
    """The address that stanzas name as their sender; None where the server does."""

    def __init__(self, language: str, speak: Speak) -> None:
        """Prepare; `speak` has the words for peers who read what this node answers."""
        super().__init__(language, speak)
        self._asked: dict[str, Callable[[Iq], None]] = {}
        self._heard: dict[str, Callable[[Message], None]] = {}
        self._taken: Callable[[str], None] = lambda _message: None

    @abstractmethod
    def ask_acknowledgement(self, message: str) -> None:
        """Ask the server to acknowledge a message (its id), which has just been sent."""

    @abstractmethod
    def raise_priority(self) -> None:
        """Have what is sent to the bare address come here."""

    def on_taken(self, handler: Callable[[str], None]) -> None:
        """Register the handler of the ids of messages that the server has acknowledged."""
        self._taken = handler

    def note_taken(self, message: str) -> None:
        """Hear that the server has acknowledged a message."""
        self._taken(message)

    async def request(
        self, kind: Literal["get", "set"], to: str, payload: Element, seconds: float
    ) -> Element:
        """Send an iq (kind get or set) and return the `<iq>` that answers it.

        Raises what the peer or a server answered, `NoAnswer`, or why we are not online.
        """
        session = await self.online(seconds)
        iq: Iq = self.stream.make_iq(ito=to, itype=kind, ifrom=self.sender)
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
        """Register the handler of requests (get or set) with an element of that name."""
        self._asked[tag] = handler

    def on_message(self, tag: str, handler: Callable[[Message], None]) -> None:
        """Register the handler of messages with an element of that name."""
        self._heard[tag] = handler

    def _is_asked(self, stanza: StanzaBase) -> bool:
        """Return whether an iq is a request for which there is a handler."""
        return stanza["type"] in {"get", "set"} and any(
            child.tag in self._asked for child in stanza.xml
        )

    def _hear_iq(self, iq: StanzaBase) -> None:
        # A request holds one element (RFC 6120 §8.2.3). A server elsewhere may pass on one that
        # holds several: each would be answered.
        if isinstance(iq, Iq) and (handler := self._asked.get(iq.xml[0].tag)) is not None:
            handler(iq)

    def _hear_message(self, message: StanzaBase) -> None:
        if isinstance(message, Message):
            for tag in {child.tag for child in message.xml} & self._heard.keys():
                self._heard[tag](message)


class Lasting(Endpoint):
    """A stream that stays, or comes back, and the address of its own."""

    def __init__(self, language: str, speak: Speak, backoff: Backoff | None) -> None:
        """Prepare; `_carry` follows."""
        quiet()
        super().__init__(language, speak)
        self._backoff = backoff or Backoff()

    def _carry(self, stream: BaseStream) -> None:
        """Hear of the sessions of the stream that was made."""
        stream.add_event_handler("session_start", self._session_started)
        stream.add_event_handler("session_end", self._session_ended)

    async def renew(self) -> None:
        """Log in on another stream, which resumes the session where the server can."""
        await self.stream.drop()

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
                    self._has_logged_in()
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
            await self.request("get", self._pinged, Element(PING), PING_SECONDS)
        except QuoaliseError:
            return True
        except NetworkError:
            return False
        return True

    def _has_logged_in(self) -> None:
        """Report a login on a server that proved who it is."""
        self._logged_in()

    @property
    def _pinged(self) -> str:
        """The address that shows whether the server responds."""
        return self.stream.default_domain

    def _session_started(self, _event: object) -> None:
        self._session.end()
        self._session = Session()

    def _session_ended(self, _event: object) -> None:
        self._session.end()


class Connection(Lasting):
    """The stream of an account."""

    stream: Stream

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
        super().__init__(language, speak, backoff)
        self.priority = UNSEEN
        self.stream = Stream(account, server or Server(), resource, language, speak)
        self._carry(self.stream)
        self.stream.register_handler(Callback("iqs", Meant("iq", self._is_asked), self._hear_iq))
        meant = Meant("message", lambda _message: True)
        self.stream.register_handler(Callback("messages", meant, self._hear_message))
        self.stream.add_event_handler("stanza_acked", lambda stanza: self.note_taken(stanza["id"]))

    @property
    @override
    def jid(self) -> str:
        """The full address for peers' requests."""
        return self.stream.boundjid.full

    @override
    def ask_acknowledgement(self, message: str) -> None:
        # After those that wait to leave.
        if self.stream.managed:
            self.stream.send(RequestAck(self.stream))

    @override
    def raise_priority(self) -> None:
        is_higher, self.priority = self.priority < LISTENING, LISTENING
        if is_higher and self._online:
            self.stream.send_presence(ppriority=self.priority)

    @override
    def _session_started(self, _event: object) -> None:
        super()._session_started(_event)
        # A session lasts as long as its stream until the server offers to resume it.
        self.stream.end_session_on_disconnect = True
        self.stream.send_presence(ppriority=self.priority)


class Meant(MatcherBase):
    """Stanzas of a kind, if they are meant."""

    def __init__(self, kind: str, meant: Callable[[StanzaBase], bool]) -> None:
        super().__init__(kind)
        self._meant = meant

    def match(self, xml: StanzaBase) -> bool:
        return bool(xml.name == self._criteria and self._meant(xml))


def error_in(stanza: Element) -> QuoaliseError:
    """Return the error in a stanza of type error."""
    error = stanza.find(stanza_errors.ERROR)
    if error is None:
        return OtherError("undefined-condition", ErrorType.CANCEL)
    return stanza_errors.read(error)
