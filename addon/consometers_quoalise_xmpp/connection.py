"""A node's connection to the network: it stays, or comes back, until it is stopped.

    async with Connection(account, server=server) as connection:
        Discovery(connection, …)
        await connection.online()

The features of this room stand on it, each in its module.
"""

import asyncio
from collections.abc import Callable, Coroutine
import logging
from typing import Any, Literal, Self
from xml.etree.ElementTree import Element

from slixmpp.exceptions import IqError, IqTimeout
from slixmpp.plugins.xep_0198.stanza import RequestAck
from slixmpp.stanza import Iq, Message
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher.base import MatcherBase
from slixmpp.xmlstream.stanzabase import StanzaBase

from consometers_quoalise import ErrorType, OtherError, QuoaliseError, Words, stanza_errors

from .account import RESOURCE, Account, Server
from .backoff import Backoff
from .errors import Interrupted, NetworkError, NoAnswer, Unreachable
from .replies import Speak
from .stream import Stream, quiet

_LOGGER = logging.getLogger(__name__)

CLIENT = "jabber:client"
PING = "{urn:xmpp:ping}ping"
PING_EVERY_SECONDS = 60
PING_SECONDS = 30
ONLINE_SECONDS = 30
STEADY_SECONDS = 60
"""A connection of at least this length resets the backoff."""
LISTENING = 1
"""Priority of a node that receives messages to its bare address (RFC 6121 §8.5.2.1.1)."""
UNSEEN = -1
"""Priority of a node that only answers: people's messages to the address go to them."""


class Session:
    """The session on the server, over resumed streams. `ended` says that it is gone."""

    def __init__(self) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def end(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)


class Connection:
    """Owns the stream, its task, and every task that a stanza starts."""

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
        self.language = language
        self.speak = speak
        self.priority = UNSEEN
        self.problem: NetworkError | None = None
        self.stream = Stream(account, server or Server(), resource, language, speak)
        self.stream.add_event_handler("session_start", self._session_started)
        self.stream.add_event_handler("session_end", self._session_ended)
        self._backoff = backoff or Backoff()
        self._session = Session()
        self._online = False
        self._changed = asyncio.Event()
        self._tasks = asyncio.TaskGroup()
        self._owned: set[asyncio.Task[None]] = set()
        self._is_left = False
        self._logged_in: Callable[[], None] | None = None

    async def __aenter__(self) -> Self:
        """Start to connect."""
        await self._tasks.__aenter__()
        self._owned.add(self._tasks.create_task(self._run()))
        return self

    async def __aexit__(self, *_raised: object) -> None:
        """Stop: log out at the server, and leave no task."""
        self._is_left = True
        for task in self._owned:
            task.cancel()
        # The group gets no error: it would wrap it.
        await self._tasks.__aexit__(None, None, None)

    @property
    def jid(self) -> str:
        """The full address for peers' requests."""
        return self.stream.boundjid.full

    @property
    def is_online(self) -> bool:
        """Whether stanzas can be sent now. If not, `problem` says why, once something failed."""
        return self._online

    async def online(self, seconds: float = ONLINE_SECONDS, *, patient: bool = True) -> Session:
        """Wait until stanzas can be sent. Raises the `NetworkError` that stands in the way.

        A lasting one is raised at once, any at once to who is not patient.
        """
        try:
            async with asyncio.timeout(seconds):
                while not self._online:
                    if self.problem and (self.problem.lasting or not patient):
                        raise self.problem
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            unknown = Unreachable(host=self.stream.default_domain, why="no answer")
            raise self.problem or unknown from None
        return self._session

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

    def on_login(self, handler: Callable[[], None]) -> None:
        """Register a callback for each stream whose server is verified and took our password."""
        self._logged_in = handler

    async def renew(self) -> None:
        """Log in on another stream, which resumes the session where the server can."""
        await self.stream.drop()

    def ask_acknowledgement(self) -> None:
        """Ask the server to acknowledge our stanzas, after those that wait to leave."""
        if self.stream.managed:
            self.stream.send(RequestAck(self.stream))

    def raise_priority(self) -> None:
        """Announce that this resource receives what is sent to the bare address."""
        self.priority = LISTENING
        if self._online:
            self.stream.send_presence(ppriority=self.priority)

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """Start a task that ends with the connection at the latest. It must not raise."""
        task = self._tasks.create_task(work)
        if self._is_left:
            # A stanza may come while the stream closes, after its handler has ended.
            task.cancel()
        self._owned.add(task)
        task.add_done_callback(self._owned.discard)

    async def _run(self) -> None:
        """Connect repeatedly, until a person must act or the connection is left."""
        clock = asyncio.get_running_loop().time
        failures = 0
        try:
            while True:
                began = clock()
                try:
                    await self.stream.open()
                    if self._logged_in is not None:
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

    def _set(self, *, online: bool, problem: NetworkError | None) -> None:
        self._online = online
        self.problem = problem
        self._changed.set()

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


async def first_of(future: asyncio.Future[Any], other: asyncio.Future[Any]) -> None:
    """Wait until one is done. None is cancelled when this is."""
    await asyncio.wait({future, other}, return_when=asyncio.FIRST_COMPLETED)


def error_in(stanza: Element) -> QuoaliseError:
    """Return the error in a stanza of type error."""
    error = stanza.find(stanza_errors.ERROR)
    if error is None:
        return OtherError("undefined-condition", ErrorType.CANCEL)
    return stanza_errors.read(error)
