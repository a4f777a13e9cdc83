"""Pushes new records to a subscriber, until it has them.

    <message to="…" id="…">
      <quoalise xmlns="urn:quoalise:0">…</quoalise>
      <request xmlns="urn:xmpp:receipts"/>
      <no-permanent-store xmlns="urn:xmpp:hints"/>
    </message>

Masked records stand in a `<reports>` instead. The last element keeps a household's records out of
servers' archives (XEP-0334); while the subscriber is away its server may still hold them for it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
import logging
from xml.etree.ElementTree import Element, SubElement

from slixmpp.stanza import Message
from slixmpp.xmlstream.stanzabase import StanzaBase

from consometers_quoalise import (
    MAX_PUSHED,
    Data,
    Event,
    Malformed,
    Notice,
    Problem,
    Reports,
    data,
    protected_sums,
)
from consometers_quoalise.markup import serialise

from .account import bare
from .connection import CLIENT, Connection, error_in, first_of
from .errors import NetworkError, NotAcknowledged
from .replies import NO_ARCHIVE, RECEIVED, REQUEST

_LOGGER = logging.getLogger(__name__)

PUSH_SECONDS = 120
MAX_IN_FLIGHT = 32
MAX_LATE = 64
_ERROR = f"{{{CLIENT}}}error"


type Late = Callable[[str, str], Awaitable[None]]
"""Receives a late receipt: the peer's bare address, the message's id."""
type Knows = Callable[[str], bool]
"""Returns at once whether a peer (bare address) may be a subscriber."""


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


class Pushing:
    """Sends records to subscribers, and receives their receipts."""

    def __init__(
        self,
        connection: Connection,
        late: Late | None = None,
        *,
        knows: Knows = lambda _peer: True,
    ) -> None:
        """Push over a connection.

        `late` hears of receipts of an earlier run, or after time, of the peers that it `knows`.
        """
        self._late = late
        self._knows = knows
        self._late_waiting = 0
        self._connection = connection
        self._stream = connection.stream
        self._pending: dict[str, _Pending] = {}
        self._room = asyncio.Semaphore(MAX_IN_FLIGHT)
        connection.on_message(RECEIVED, self._received)
        connection.on_message(_ERROR, self._bounced)
        self._stream.add_event_handler("stanza_acked", self._acked)

    def new_id(self) -> str:
        """Return an id for a message, to be noted before it is pushed."""
        return self._stream.new_id()

    async def push(
        self,
        peer: str,
        records: Data | Reports,
        *,
        message_id: str | None = None,
        receipt: bool = True,
        seconds: float = PUSH_SECONDS,
    ) -> None:
        """Send records, plain or masked, to a bare address, and return once it has them.

        They are at most `MAX_PUSHED`. It has them when its receipt comes or, for a subscriber that
        sends none (see `discovery.sends_receipts`), when our server has taken the stanza. If the
        session is lost meanwhile, the same message is sent again. Cancelled, it leaves nothing that
        could still be sent. Raises `NotAcknowledged` when time is over, the `QuoaliseError` that
        came back, `Malformed` and `NotAnAddress` on what cannot be sent.
        """
        if len(records) > MAX_PUSHED:
            raise Malformed("data", Problem.TOO_MANY_RECORDS, found=len(records), most=MAX_PUSHED)
        if isinstance(records, Reports):
            payload = protected_sums.write_reports(records)
        else:
            payload = data.write(records)
        serialise(payload)
        message_id = message_id or self.new_id()
        pending = _Pending(bare(peer), receipt, self._stream.loop.create_future())
        async with self._room:
            self._pending[message_id] = pending
            try:
                async with asyncio.timeout(seconds):
                    await self._until_done(message_id, pending, payload)
            except TimeoutError:
                raise NotAcknowledged(peer=pending.peer) from None
            finally:
                del self._pending[message_id]
                pending.forget()

    async def _until_done(self, message_id: str, pending: _Pending, payload: Element) -> None:
        while not pending.done.done():
            try:
                session = await self._connection.online()
            except NetworkError as problem:
                if problem.lasting:
                    raise
                continue
            self._send(message_id, pending, payload)
            await first_of(pending.done, session.ended)
        await pending.done

    def _send(self, message_id: str, pending: _Pending, payload: Element) -> None:
        message = self._stream.make_message(mto=pending.peer, mtype="normal")
        message["id"] = message_id
        message.xml.append(payload)
        if pending.receipt:
            SubElement(message.xml, REQUEST)
        SubElement(message.xml, NO_ARCHIVE)
        pending.sent = message
        message.send()
        if not pending.receipt:
            self._connection.ask_acknowledgement()

    def _received(self, message: Message) -> None:
        received = message.xml.find(RECEIVED)
        message_id = received.get("id", "") if received is not None else ""
        if not message_id or message["type"] == "error":
            return
        if future := self._find(message, message_id):
            future.set_result(None)
            return
        peer = message["from"].bare
        if not self._late or message_id in self._pending or not self._knows(peer):
            return
        if self._late_waiting < MAX_LATE:
            self._late_waiting += 1
            self._connection.spawn(self._notify_late(self._late, peer, message_id))

    async def _notify_late(self, late: Late, peer: str, message_id: str) -> None:
        try:
            await late(peer, message_id)
        except Exception:
            _LOGGER.exception(Notice(Event.RECEIPT_UNSTORED))
        finally:
            self._late_waiting -= 1

    def _bounced(self, message: Message) -> None:
        future = self._find(message, message["id"])
        if future and message["type"] == "error":
            future.set_exception(error_in(message.xml))

    def _acked(self, stanza: StanzaBase) -> None:
        pending = self._pending.get(stanza["id"])
        if pending and not pending.receipt and not pending.done.done():
            pending.done.set_result(None)

    def _find(self, message: Message, message_id: str) -> asyncio.Future[None] | None:
        """Return the pending message of a receipt, if it comes from the recipient."""
        pending = self._pending.get(message_id)
        if pending and pending.peer == message["from"].bare and not pending.done.done():
            return pending.done
        return None
