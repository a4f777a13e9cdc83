"""One connection for all addresses of a domain: a server's component (XEP-0114).

    component = Component("homes.example.org", secret, "localhost", 5347, unclaimed=…, knows=…)
    async with component, component.transport("a@homes.example.org") as transport:
        await transport.online()

Its stream has no TLS: it stays on one machine, or on an inner network of its containers. Nor does
the handshake prove anything of the server, so no transport reports it as a login, but a
`Proof` that the server gives beside it.

An address is served while its transport is entered. To a peer that it does not know, and for an
address that nobody serves, the component answers as a server does for an account that it has not:
who asks learns nothing about which addresses exist.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
import logging
import time
from typing import Final, override

from slixmpp.componentxmpp import ComponentXMPP
from slixmpp.stanza import Iq, Message, StreamError
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath
from slixmpp.xmlstream.stanzabase import StanzaBase

from consometers_quoalise import ErrorType, OtherError, QuoaliseError, ResourceConstraint, Words
from consometers_quoalise_network.address import RESOURCE, bare
from consometers_quoalise_network.backoff import Backoff
from consometers_quoalise_network.errors import NetworkError, TakenOver, WrongPassword
from consometers_quoalise_network.rate_limit import SlidingWindow
from consometers_quoalise_network.transport import Session, Speak, memory_of

from .base_stream import BaseStream
from .connection import CLIENT, PING, Endpoint, Lasting, Meant
from .parsing import Parser
from .proof import Proof
from .replies import refuse, reply
from .transport import Transporting

COMPONENT: Final = "jabber:component:accept"
WAIT_SECONDS: Final = 30
"""An address that was to be served has so long to come."""
MAX_WAITING: Final = 16
"""Stanzas that wait for one address."""
MAX_ADDRESSES: Final = 1_000
"""Addresses for which stanzas wait."""
MAX_SIZE: Final = 20_000_000
"""Bytes of memory of all that waits."""
REFUSALS_PER_MINUTE: Final = 60
"""To one address of a peer. Further stanzas get no answer."""
_SOURCES: Final = 20_000
_STEP_S: Final = 1.0
"""A wall clock that has moved by more than this is no longer the one by which was proven."""

_LOGGER = logging.getLogger(__name__)

type Unclaimed = Callable[[str, str], bool]
"""Given an address that nobody serves and a peer's (both bare): whether it will be served soon."""
type Knows = Callable[[str, str], bool]
"""Given an address that is served and a peer's (both bare): whether they know each other."""


class Component(Lasting):
    """The connection of a domain's component, which stays or comes back."""

    def __init__(
        self,
        domain: str,
        secret: str,
        host: str,
        port: int,
        *,
        unclaimed: Unclaimed = lambda _address, _peer: False,
        knows: Knows = lambda _address, _peer: True,
        proof: Proof | None = None,
        language: str = "en",
        speak: Speak = Words,
        backoff: Backoff | None = None,
    ) -> None:
        """Prepare a component of the server at `host`, in the running loop.

        Both callbacks return at once. Without a `proof`, no transport reports a login.
        """
        super().__init__(language, speak, backoff)
        self.stream: _Stream = _Stream(domain, secret, host, port, speak)
        self.sender = domain
        self._carry(self.stream)
        self._domain = domain
        self._unclaimed = unclaimed
        self._knows = knows
        self._proof = proof
        self._is_proving = False
        self._proven: float | None = None
        """By how much the wall clock was before the monotonic one when it was proven."""
        self._served: dict[str, ComponentTransport] = {}
        self._waiting: dict[str, _Waiting] = {}
        self._size = 0
        self._refusals = SlidingWindow(self.stream.loop.time, REFUSALS_PER_MINUTE)
        self.on_iq(PING, reply)
        iqs = Meant("iq", lambda iq: iq["type"] in {"get", "set"})
        messages = Meant("message", lambda _message: True)
        self.stream.register_handler(Callback("iqs", iqs, self._route))
        self.stream.register_handler(Callback("messages", messages, self._route))

    @property
    @override
    def jid(self) -> str:
        """The domain."""
        return self._domain

    def transport(
        self, address: str, *, language: str | None = None, speak: Speak | None = None
    ) -> ComponentTransport:
        """Return the transport of a bare address of the domain: it is served while entered.

        Raises `NotAnAddress`, and ValueError for an address of another domain.
        """
        prepared = bare(address)
        if prepared.rpartition("@")[2] != self._domain:
            raise ValueError(prepared)
        return ComponentTransport(
            self, prepared, language or self.language, self.speak if speak is None else speak
        )

    @override
    def ask_acknowledgement(self, message: str) -> None:
        """Notify the handler once the server has passed on what was sent before.

        It handles a stream's stanzas in their order, so a ping to ourselves comes after them.
        """
        self.spawn(self._confirm(self, message))

    @override
    def raise_priority(self) -> None:
        """All that is sent to the domain comes here."""

    @override
    async def renew(self) -> None:
        """Have the server prove who it is once more: the stream says nothing of that."""
        self._prove()

    def serve(self, transport: ComponentTransport) -> None:
        """Pass a transport what comes for its address, in place of any before it."""
        if (earlier := self._served.get(transport.address)) is not None:
            earlier.lose(TakenOver(jid=earlier.jid))
        self._served[transport.address] = transport
        transport.follow(online=self._online, problem=self.problem)
        if self._online:
            if self._still_proven():
                transport.report_login()
            else:
                self._prove()
        if (waiting := self._waiting.get(transport.address)) is not None:
            self._forget(transport.address)
            for stanza, _ in waiting.stanzas:
                self._route(stanza)

    def leave(self, transport: ComponentTransport) -> None:
        """Serve an address no more, unless another transport took its place."""
        if self._served.get(transport.address) is transport:
            del self._served[transport.address]

    def confirm(self, transport: ComponentTransport, message: str) -> None:
        """Notify a transport once the server has passed on what it sent before."""
        transport.spawn(self._confirm(transport, message))

    async def _confirm(self, endpoint: Endpoint, message: str) -> None:
        if await self._ping():
            endpoint.note_taken(message)

    @property
    @override
    def _pinged(self) -> str:
        return self._domain

    def _route(self, stanza: StanzaBase) -> None:
        """Pass a stanza to whom it is for, hold it until that is served, or refuse it."""
        to, peer = stanza["to"], str(stanza["from"].bare)
        address = str(to.bare)
        if address == self._domain == peer:
            self._hear_iq(stanza)
        elif (served := self._served.get(address)) is not None:
            if not self._knows(address, peer) or not served.hear(stanza):
                self._refuse(stanza, _absent())
        elif to.user and self._unclaimed(address, peer):
            self._hold(address, stanza)
        else:
            self._refuse(stanza, _absent())

    def _hold(self, address: str, stanza: StanzaBase) -> None:
        """Have a stanza wait. Without room, a request is refused; a message will come again."""
        size = memory_of(stanza.xml)
        waiting = self._waiting.get(address)
        most = len(self._waiting) >= MAX_ADDRESSES if waiting is None else waiting.is_full
        if most or self._size + size > MAX_SIZE:
            if isinstance(stanza, Iq):
                self._refuse(stanza, ResourceConstraint())
            return
        if waiting is None:
            timer = self.stream.loop.call_later(WAIT_SECONDS, self._give_up, address)
            waiting = self._waiting[address] = _Waiting(timer)
        waiting.stanzas.append((stanza, size))
        self._size += size

    def _give_up(self, address: str) -> None:
        """Refuse what waits for an address that was not served in time."""
        for stanza, _ in self._forget(address):
            self._refuse(stanza, _absent())

    def _forget(self, address: str) -> list[tuple[StanzaBase, int]]:
        waiting = self._waiting.pop(address)
        waiting.timer.cancel()
        self._size -= sum(size for _, size in waiting.stanzas)
        return waiting.stanzas

    def _refuse(self, stanza: StanzaBase, error: QuoaliseError) -> None:
        """Refuse a request or a message. An error is not answered, nor a peer that goes on."""
        if stanza["type"] != "error" and self._refusals.take(str(stanza["from"].bare)):
            refuse(stanza, error, self.speak)

    @override
    def _set(self, *, online: bool, problem: NetworkError | None) -> None:
        super()._set(online=online, problem=problem)
        for transport in list(self._served.values()):
            transport.follow(online=online, problem=problem)
        if online:
            self._proven = None
            self._prove()

    @override
    def _has_logged_in(self) -> None:
        """Report nothing: the server has only checked who we are."""

    def _still_proven(self) -> bool:
        return self._proven is not None and abs(_difference() - self._proven) <= _STEP_S

    def _prove(self) -> None:
        """Begin to have the server prove who it is, unless that is under way."""
        if self._proof is not None and not self._is_proving:
            self._is_proving = True
            self.spawn(self._prove_with(self._proof))

    async def _prove_with(self, proof: Proof) -> None:
        try:
            for delay in self._backoff.delays():
                began = _difference()
                try:
                    await proof.give()
                except NetworkError as problem:
                    _LOGGER.info(problem)
                else:
                    if abs(_difference() - began) <= _STEP_S:
                        break
                await asyncio.sleep(delay)
            self._proven = _difference()
        finally:
            self._is_proving = False
        super()._has_logged_in()
        for transport in list(self._served.values()):
            transport.report_login()

    @override
    async def __aexit__(self, *raised: object) -> None:
        for address in list(self._waiting):
            self._forget(address)
        await super().__aexit__(*raised)


class ComponentTransport(Transporting):
    """The transport of one address of a component's."""

    def __init__(self, component: Component, address: str, language: str, speak: Speak) -> None:
        super().__init__(language, speak)
        self.stream = component.stream
        self.address = address
        self.sender = f"{address}/{RESOURCE}"
        self._component = component
        self._lost = asyncio.get_running_loop().create_future()

    @property
    @override
    def jid(self) -> str:
        assert self.sender is not None
        return self.sender

    async def renew(self) -> None:
        """Have the server prove who it is once more."""
        await self._component.renew()

    @override
    def ask_acknowledgement(self, message: str) -> None:
        self._component.confirm(self, message)

    @override
    def raise_priority(self) -> None:
        """All that is sent to the address comes here."""

    def hear(self, stanza: StanzaBase) -> bool:
        """Take a stanza; return false for a request to another resource."""
        if isinstance(stanza, Message):
            self._hear_message(stanza)
        elif stanza["to"].resource != RESOURCE:
            return False
        elif self._is_asked(stanza):
            self._hear_iq(stanza)
        else:
            stanza.unhandled()
        return True

    def follow(self, *, online: bool, problem: NetworkError | None) -> None:
        """Be online as the component is."""
        if not self._lost.done():
            self._session.end()
            if online:
                self._session = Session()
            self._set(online=online, problem=problem)

    def lose(self, problem: NetworkError) -> None:
        """Leave the network for good."""
        if not self._lost.done():
            self._lost.set_result(problem)
            self._session.end()
            self._set(online=False, problem=problem)

    def report_login(self) -> None:
        self._logged_in()

    @override
    async def _run(self) -> None:
        self._component.serve(self)
        try:
            await self._lost
        finally:
            self._component.leave(self)
            self._session.end()
            self._set(online=False, problem=self.problem)


@dataclass(slots=True)
class _Waiting:
    """What waits for an address, with its size, and when it has waited for too long."""

    timer: asyncio.TimerHandle
    stanzas: list[tuple[StanzaBase, int]] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        return len(self.stanzas) >= MAX_WAITING


class _Stream(BaseStream, ComponentXMPP):
    """A component's stream. Its stanzas are named as those of accounts: `jabber:client`."""

    def __init__(self, domain: str, secret: str, host: str, port: int, speak: Speak) -> None:
        super().__init__(domain, secret, host, port, use_jc_ns=True)  # type: ignore[no-untyped-call]
        self.enable_direct_tls = False
        self._govern(speak, sources=_SOURCES)
        accepted = MatchXPath(f"{{{CLIENT}}}handshake")
        self.register_handler(Callback("accepted", accepted, self._accepted))

    @override
    def parser_of_stream(self) -> Parser:
        return Parser({COMPONENT: CLIENT})

    @override
    def _source(self, stanza: StanzaBase) -> str:
        return f"{stanza['to'].bare} {stanza['from'].bare}"

    @override
    def _stream_error(self, error: StreamError) -> None:
        # A conflict passes: a server holds an earlier connection that broke for a while, and the
        # one that it has goes on.
        if error["condition"] == "not-authorized":
            self._fail(WrongPassword(jid=self.boundjid.domain))
        else:
            super()._stream_error(error)

    def _accepted(self, stanza: StanzaBase) -> None:
        self._handle_handshake(stanza)  # type: ignore[no-untyped-call]
        self._succeed()


def _difference() -> float:
    return time.time() - time.monotonic()


def _absent() -> QuoaliseError:
    """Return what a server answers for an account that it has not, or that is away."""
    return OtherError("service-unavailable", ErrorType.CANCEL)
