"""Messages that are sent until their peer has them: with receipts (XEP-0184), over each session.

    <message to="…" id="…">
      <quoalise xmlns="urn:quoalise:0">…</quoalise>
      <request xmlns="urn:xmpp:receipts"/>
      <no-permanent-store xmlns="urn:xmpp:hints"/>
    </message>

The last element keeps a household's records out of servers' archives (XEP-0334); while the
subscriber is away its server may still hold them for it.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement

from slixmpp.stanza import Message

from consometers_quoalise_network.errors import NetworkError
from consometers_quoalise_network.transport import first_of

from .connection import CLIENT, Endpoint, error_in
from .replies import NO_ARCHIVE, RECEIVED, REQUEST

_ERROR = f"{{{CLIENT}}}error"


@dataclass(slots=True)
class _Pending:
    peer: str
    receipt: bool
    done: asyncio.Future[None]
    sent: Message | None = None

    def forget(self) -> None:
        """Remove what could still be sent, when the stream resumes for instance.

        The stanza itself stays, empty: both sides count stanzas (XEP-0198).
        """
        self.done.cancel()
        if self.sent is not None:
            self.sent.xml[:] = []


class Deliveries:
    """The messages under way over a connection; `unexpected` gets receipts of others."""

    def __init__(self, connection: Endpoint) -> None:
        self.unexpected: Callable[[str, str], None] = lambda _peer, _message: None
        self._connection = connection
        self._stream = connection.stream
        self._pending: dict[str, _Pending] = {}
        connection.on_message(RECEIVED, self._received)
        connection.on_message(_ERROR, self._bounced)
        connection.on_taken(self._acked)

    async def deliver(self, peer: str, payload: Element, message: str, *, receipt: bool) -> None:
        """Send as `Transport.deliver` has it."""
        pending = _Pending(peer, receipt, self._stream.loop.create_future())
        self._pending[message] = pending
        try:
            while not pending.done.done():
                try:
                    session = await self._connection.online()
                except NetworkError as problem:
                    if problem.lasting:
                        raise
                    continue
                self._send(message, pending, payload)
                await first_of(pending.done, session.ended)
            await pending.done
        finally:
            del self._pending[message]
            pending.forget()

    def _send(self, message_id: str, pending: _Pending, payload: Element) -> None:
        message = self._stream.make_message(
            mto=pending.peer, mtype="normal", mfrom=self._connection.sender
        )
        message["id"] = message_id
        message.xml.append(payload)
        if pending.receipt:
            SubElement(message.xml, REQUEST)
        SubElement(message.xml, NO_ARCHIVE)
        pending.sent = message
        message.send()
        if not pending.receipt:
            self._connection.ask_acknowledgement(message_id)

    def _received(self, message: Message) -> None:
        received = message.xml.find(RECEIVED)
        message_id = received.get("id", "") if received is not None else ""
        if not message_id or message["type"] == "error":
            return
        if future := self._find(message, message_id):
            future.set_result(None)
        elif message_id not in self._pending:
            self.unexpected(message["from"].bare, message_id)

    def _bounced(self, message: Message) -> None:
        future = self._find(message, message["id"])
        if future and message["type"] == "error":
            future.set_exception(error_in(message.xml))

    def _acked(self, message_id: str) -> None:
        pending = self._pending.get(message_id)
        if pending and not pending.receipt and not pending.done.done():
            pending.done.set_result(None)

    def _find(self, message: Message, message_id: str) -> asyncio.Future[None] | None:
        """Return the pending message of a receipt, if it comes from the recipient."""
        pending = self._pending.get(message_id)
        if pending and pending.peer == message["from"].bare and not pending.done.done():
            return pending.done
        return None
