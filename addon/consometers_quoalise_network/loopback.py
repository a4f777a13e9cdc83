"""A network in memory, for programs on one loop: tests of nodes need no server.

    network = Loopback()
    async with network.transport("home@one.test") as home:
        await home.online()

It does what nodes rely on servers for: a peer is the account that it logged in as, a push to an
account that is away waits for it, and requests to nobody are answered with an error. What is sent
is serialised and parsed on its way, so that nobody holds an object of a peer.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
import secrets
from typing import override
from xml.etree.ElementTree import Element

from consometers_quoalise import ErrorType, OtherError, QuoaliseError, Role, Words, stanza_errors
from consometers_quoalise.elements.markup import parse, serialise

from .address import RESOURCE, account_of, bare
from .connected import Connected
from .errors import NetworkError, NoAnswer, TakenOver
from .transport import DataPolicy, Incoming, Session, Speak, first_of, memory_of

type _Handler = Callable[[Incoming], None]


class Loopback:
    """The accounts of a network."""

    def __init__(self) -> None:
        self._online: dict[str, LoopbackTransport] = {}
        self._accounts: dict[str, _Account] = {}

    def register(self, account: str) -> None:
        """Make an account."""
        self._accounts.setdefault(bare(account), _Account())

    def transport(
        self,
        account: str,
        *,
        resource: str = RESOURCE,
        language: str = "en",
        speak: Speak = Words,
    ) -> LoopbackTransport:
        """Return a transport of an account, which is made if there is none."""
        self.register(account)
        return LoopbackTransport(self, f"{bare(account)}/{resource}", language, speak)

    def drop(self, account: str, problem: NetworkError) -> None:
        """Take an account off the network until `restore`, for good if the problem lasts."""
        self._accounts[account].is_served.clear()
        for transport in self._of(account):
            transport.lose(problem)

    def restore(self, account: str) -> None:
        """Have an account come back."""
        self._accounts[account].is_served.set()

    def at(self, jid: str) -> LoopbackTransport | None:
        """Return what is online at a full address."""
        return self._online.get(jid)

    async def enter(self, transport: LoopbackTransport) -> None:
        """Put a transport online, in place of another one with its address."""
        await self._accounts[account_of(transport.jid)].is_served.wait()
        if (earlier := self.at(transport.jid)) is not None:
            earlier.lose(TakenOver(jid=transport.jid))
        self._online[transport.jid] = transport

    def leave(self, transport: LoopbackTransport) -> None:
        """Forget a transport, unless another one took its place."""
        if self.at(transport.jid) is transport:
            del self._online[transport.jid]

    def ask(self, request: _Request) -> None:
        """Pass a request to the full address that it is for."""
        if (peer := self.at(request.to)) is None:
            request.refuse(_unavailable())
        elif (handler := peer.requests.get(request.payload.tag)) is None:
            request.refuse(OtherError("feature-not-implemented", ErrorType.CANCEL))
        else:
            request.speak = peer.speak
            handler(request)

    def push(self, push: _Push) -> None:
        """Pass a push to its account, once that receives."""
        if (account := self._accounts.get(push.to)) is None:
            push.refuse(_unavailable())
            return
        account.mail.append(push)
        for transport in self._of(push.to):
            self.collect(transport)

    def collect(self, transport: LoopbackTransport) -> None:
        """Pass a transport what waits for its account, if it receives."""
        mail = self._accounts[account_of(transport.jid)].mail
        while mail and transport.pushes and self.at(transport.jid) is transport:
            push = mail.popleft()
            if (handler := transport.pushes.get(push.payload.tag)) is not None:
                push.speak = transport.speak
                handler(push)

    def _of(self, account: str) -> list[LoopbackTransport]:
        return [online for jid, online in self._online.items() if account_of(jid) == account]


class LoopbackTransport(Connected):
    """One account of a `Loopback`: a `Transport`."""

    def __init__(self, network: Loopback, jid: str, language: str, speak: Speak) -> None:
        super().__init__(language, speak)
        self.requests: dict[str, _Handler] = {}
        self.pushes: dict[str, _Handler] = {}
        self.announcement = _Announcement()
        self.network = network
        self._jid = jid
        self._lost = asyncio.get_running_loop().create_future()
        self._under_way: dict[str, tuple[str, asyncio.Future[None]]] = {}
        self._receipt: Callable[[str, str], None] = lambda _peer, _message: None

    @property
    @override
    def jid(self) -> str:
        return self._jid

    def lose(self, problem: NetworkError) -> None:
        """End the session: the account comes back unless the problem lasts."""
        if not self._lost.done():
            self._lost.set_result(problem)
        self.network.leave(self)

    async def renew(self) -> None:
        """Log in again."""
        self._logged_in()

    def announce(self, _role: Role | None) -> _Announcement:
        """Announce what `sends_receipts` reads."""
        return self.announcement

    def on_request(self, tag: str, handler: _Handler) -> None:
        """Register a handler for requests with an element of that name."""
        self.requests[tag] = handler

    def on_push(self, tag: str, handler: _Handler) -> None:
        """Register a handler for pushes with an element of that name."""
        self.pushes[tag] = handler
        asyncio.get_running_loop().call_soon(self.network.collect, self)

    def on_receipt(self, handler: Callable[[str, str], None]) -> None:
        """Register a handler for receipts for which nothing waits."""
        self._receipt = handler

    async def ask(self, peer: str, command: Element, seconds: float) -> Element:
        """Return a peer's answer to a command."""
        session, loop = await self.online(seconds), asyncio.get_running_loop()
        request = _Request(self, peer, secrets.token_hex(4), _copy(command), loop.create_future())
        loop.call_soon(self.network.ask, request)
        try:
            async with asyncio.timeout(seconds):
                await first_of(request.answer, session.ended)
            if not request.answer.done():
                raise NoAnswer(peer=peer)
            return request.answer.result()
        except TimeoutError:
            raise NoAnswer(peer=peer) from None
        finally:
            request.answer.cancel()

    async def deliver(self, peer: str, payload: Element, message: str, *, receipt: bool) -> None:
        """Push to a bare address; return once it has it, as `Transport.deliver` says."""
        loop = asyncio.get_running_loop()
        push = _Push(self, peer, message, _copy(payload), receipt)
        done: asyncio.Future[None] = loop.create_future()
        self._under_way[message] = peer, done
        try:
            while not done.done():
                try:
                    session = await self.online()
                except NetworkError as problem:
                    if problem.lasting:
                        raise
                    continue
                loop.call_soon(self.network.push, push)
                if not receipt:
                    return
                await first_of(done, session.ended)
            done.result()
        finally:
            del self._under_way[message]
            done.cancel()

    def acknowledge(self, peer: str, message: str) -> None:
        """Receive a receipt."""
        if (done := self._done(peer, message)) is not None:
            done.set_result(None)
        elif message not in self._under_way:
            self._receipt(peer, message)

    def bounce(self, peer: str, message: str, error: QuoaliseError) -> None:
        """Receive an error in place of a receipt."""
        if (done := self._done(peer, message)) is not None:
            done.set_exception(error)

    async def sends_receipts(self, peer: str) -> bool | None:
        """Return whether a full address acknowledges pushes; None if nobody is there."""
        await self.online()
        asked = self.network.at(peer)
        return None if asked is None else asked.announcement.receives

    def _done(self, peer: str, message: str) -> asyncio.Future[None] | None:
        """Return what waits for a receipt of this peer."""
        to, done = self._under_way.get(message, (None, None))
        return done if to == peer and done is not None and not done.done() else None

    @override
    async def _run(self) -> None:
        try:
            while not (self.problem and self.problem.lasting):
                await self.network.enter(self)
                self._lost = asyncio.get_running_loop().create_future()
                self._session = Session()
                self._logged_in()
                self._set(online=True, problem=None)
                self.network.collect(self)
                problem = await self._lost
                self._session.end()
                self._set(online=False, problem=problem)
        finally:
            self.network.leave(self)
            self._set(online=False, problem=self.problem)
            self._session.end()


@dataclass(slots=True)
class _Account:
    """An account: whether its server lets it in, and the pushes that wait for it."""

    is_served: asyncio.Event = field(default_factory=asyncio.Event)
    mail: deque[_Push] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.is_served.set()


@dataclass(slots=True)
class _Announcement:
    receives: bool = False
    policy: DataPolicy | None = None


@dataclass(slots=True)
class _Sent:
    """What one account sends another, as that one reads it."""

    by: LoopbackTransport
    to: str
    id: str
    payload: Element
    speak: Speak = field(default=Words, kw_only=True)

    @property
    def sender(self) -> str:
        return self.by.jid

    @property
    def language(self) -> str:
        return self.by.language

    @property
    def size(self) -> int:
        return memory_of(self.payload)

    def read(self, error: QuoaliseError) -> QuoaliseError:
        """Return the error as the sender reads it."""
        return stanza_errors.read(_copy(stanza_errors.write(error, self.speak(self.language))))


@dataclass(slots=True)
class _Request(_Sent):
    answer: asyncio.Future[Element]

    def accept(self, answer: Element | None = None) -> None:
        assert answer is not None
        copy = _copy(answer)
        if not self.answer.done():
            self.answer.set_result(copy)

    def refuse(self, error: QuoaliseError) -> None:
        if not self.answer.done():
            self.answer.set_exception(self.read(error))


@dataclass(slots=True)
class _Push(_Sent):
    receipt: bool

    def accept(self, _answer: Element | None = None) -> None:
        if self.receipt and (sender := self.by.network.at(self.sender)) is not None:
            sender.acknowledge(self.to, self.id)

    def refuse(self, error: QuoaliseError) -> None:
        if (sender := self.by.network.at(self.sender)) is not None:
            sender.bounce(self.to, self.id, self.read(error))


def _copy(element: Element) -> Element:
    return parse(serialise(element))


def _unavailable() -> QuoaliseError:
    return OtherError("service-unavailable", ErrorType.CANCEL)
