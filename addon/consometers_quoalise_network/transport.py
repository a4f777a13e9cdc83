"""What a node needs of a network: one account that connects, asks, answers, pushes and receives.

`consometers_quoalise_xmpp` implements it over XMPP, `loopback` in memory. The tasks that stand on
it (`asking`, `answering`, `pushing`, `receiving`) hold for any. Elements are those of the protocol;
an address is the one under which the network authenticated its account.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol, Self
from xml.etree.ElementTree import Element

from consometers_quoalise import ByLanguage, QuoaliseError, Role, Words

from .errors import NetworkError

ONLINE_SECONDS = 30
_ELEMENT_SIZE = 500
"""Bytes of memory of an element with two attributes, without their values."""

type Speak = Callable[[str], Words]
"""Returns the words for a reader, by language tag."""


class Session:
    """A session on the network, over resumed streams. `ended` says that it is gone."""

    def __init__(self) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def end(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPolicy:
    """The processing of received data: its purpose, its retention, its place."""

    purpose: ByLanguage
    retention: ByLanguage
    location: ByLanguage


class Announcement(Protocol):
    """What a node says of itself to anybody. It may change: peers get it as it is then."""

    receives: bool
    """Whether the account acknowledges what it receives, as `Receiving` does."""
    policy: DataPolicy | None


class Incoming(Protocol):
    """A request or a push of a peer."""

    @property
    def sender(self) -> str:
        """The full address."""

    @property
    def id(self) -> str:
        """The sender's number for it."""

    @property
    def language(self) -> str:
        """The sender's language tag."""

    @property
    def payload(self) -> Element: ...

    @property
    def size(self) -> int:
        """The approximate memory that it takes, in bytes."""

    def accept(self, answer: Element | None = None) -> None:
        """Answer a request; acknowledge a push to a sender that wants that.

        Raises `Malformed` where the answer is too large.
        """

    def refuse(self, error: QuoaliseError) -> None:
        """Answer with an error."""


class Requests(Protocol):
    """Sends requests."""

    async def ask(self, peer: str, command: Element, seconds: float) -> Element:
        """Return a peer's answer to a command, from its full address.

        Raises what the peer or a server answered (`QuoaliseError`), `NoAnswer`, or why we are not
        online (`NetworkError`).
        """


class Transport(Requests, Protocol):
    """One account on the network: it stays, or comes back, while it is entered."""

    language: str
    """In which we ask."""
    speak: Speak
    """The words for peers who read what this node answers."""

    @property
    def jid(self) -> str:
        """The full address for peers' requests."""

    @property
    def is_online(self) -> bool:
        """Whether something can be sent now."""

    @property
    def problem(self) -> NetworkError | None:
        """Why it is not online, once something failed."""

    async def __aenter__(self) -> Self:
        """Start to connect."""

    async def __aexit__(self, *raised: object) -> None:
        """Leave the network, and no task."""

    async def online(self, seconds: float = ONLINE_SECONDS, *, patient: bool = True) -> Session:
        """Wait until something can be sent. Raises the `NetworkError` that stands in the way.

        A lasting one is raised at once, any at once to who is not patient.
        """

    async def renew(self) -> None:
        """Log in again, within the same session where that can be."""

    def on_login(self, handler: Callable[[], None]) -> None:
        """Register a callback for each login on a server that proved who it is."""

    def announce(self, role: Role | None) -> Announcement:
        """Announce a role, or a program that only asks and receives."""

    def on_request(self, tag: str, handler: Callable[[Incoming], None]) -> None:
        """Register a handler for requests with an element of that name."""

    def on_push(self, tag: str, handler: Callable[[Incoming], None]) -> None:
        """Register a handler for pushes with an element of that name: they come from then on."""

    async def deliver(self, peer: str, payload: Element, message: str, *, receipt: bool) -> None:
        """Push to a bare address, under this number, and return once the peer has it.

        That is when its receipt comes or, for a peer that sends none, once our server has taken it.
        If the session is lost meanwhile, the same message is sent again. Cancelled, it leaves
        nothing that could still be sent. Raises the `QuoaliseError` that came back, and a
        `NetworkError` that lasts.
        """

    def on_receipt(self, handler: Callable[[str, str], None]) -> None:
        """Register a handler (bare address, number) for receipts for which nothing waits."""

    async def sends_receipts(self, peer: str) -> bool | None:
        """Return whether a full address acknowledges pushes; None if it did not say.

        Raises `NetworkError` if nobody answers.
        """

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """Start a task that ends with the connection at the latest. It must not raise."""


def memory_of(element: Element) -> int:
    """Return the approximate memory of an element, in bytes."""
    size = 0
    for each in element.iter():
        size += _ELEMENT_SIZE + len(each.text or "") + len(each.tail or "")
        for value in each.attrib.values():
            size += len(value)
    return size


async def first_of(future: asyncio.Future[Any], other: asyncio.Future[Any]) -> None:
    """Wait until one is done. None is cancelled when this is."""
    await asyncio.wait({future, other}, return_when=asyncio.FIRST_COMPLETED)
