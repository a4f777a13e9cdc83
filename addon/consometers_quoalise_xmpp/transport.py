"""What a node needs of a network, over XMPP: `consometers_quoalise_network.Transport`."""

from collections.abc import Callable
from functools import cached_property
from xml.etree.ElementTree import Element

from slixmpp.stanza import Iq, Message

from consometers_quoalise import Role
from consometers_quoalise_network import Incoming

from .connection import Connection, Endpoint
from .deliveries import Deliveries
from .discovery import Discovery, sends_receipts
from .replies import Push, Request


class Transporting(Endpoint):
    """An address by which a node asks, answers, pushes and receives."""

    @cached_property
    def _deliveries(self) -> Deliveries:
        return Deliveries(self)

    def announce(self, role: Role | None) -> Discovery:
        """Announce a role, or a program that only asks and receives."""
        return Discovery(self, role)

    def on_request(self, tag: str, handler: Callable[[Incoming], None]) -> None:
        """Register a handler for iqs with an element of that name."""

        def handle(iq: Iq) -> None:
            handler(Request(iq, tag, self.speak))

        self.on_iq(tag, handle)

    def on_push(self, tag: str, handler: Callable[[Incoming], None]) -> None:
        """Register a handler for messages with an element of that name, and ask for them."""

        def handle(message: Message) -> None:
            if message["type"] != "error":
                handler(Push(message, tag, self.speak))

        self.raise_priority()
        self.on_message(tag, handle)

    async def deliver(self, peer: str, payload: Element, message: str, *, receipt: bool) -> None:
        """Push to a bare address; return once it has it, as `Transport.deliver` says."""
        await self._deliveries.deliver(peer, payload, message, receipt=receipt)

    def on_receipt(self, handler: Callable[[str, str], None]) -> None:
        """Register a handler (bare address, number) for receipts for which nothing waits."""
        self._deliveries.unexpected = handler

    async def sends_receipts(self, peer: str) -> bool | None:
        """Return whether a full address acknowledges pushes; None if it did not say."""
        return await sends_receipts(self, peer)


class XmppTransport(Transporting, Connection):
    """A connection over which a node asks, answers, pushes and receives."""
