"""Pushes new records to a subscriber, until it has them."""

import asyncio
from collections.abc import Awaitable, Callable
import logging
import secrets

from consometers_quoalise import MAX_PUSHED, Data, Event, Malformed, Notice, Problem, Reports
from consometers_quoalise.elements.markup import serialise
from consometers_quoalise.federation import protected_sums
from consometers_quoalise.records import data

from .address import bare
from .errors import NotAcknowledged
from .transport import Transport

_LOGGER = logging.getLogger(__name__)

PUSH_SECONDS = 120
MAX_IN_FLIGHT = 32
MAX_LATE = 64
_ID_BYTES = 16


type Late = Callable[[str, str], Awaitable[None]]
"""Receives a late receipt: the peer's bare address, the message's id."""
type Knows = Callable[[str], bool]
"""Returns at once whether a peer (bare address) may be a subscriber."""


class Pushing:
    """Sends records to subscribers, and receives their receipts."""

    def __init__(
        self,
        transport: Transport,
        late: Late | None = None,
        *,
        knows: Knows = lambda _peer: True,
    ) -> None:
        """Push over a transport.

        `late` hears of receipts of an earlier run, or after time, of the peers that it `knows`.
        """
        self._transport = transport
        self._late = late
        self._knows = knows
        self._late_waiting = 0
        self._room = asyncio.Semaphore(MAX_IN_FLIGHT)
        transport.on_receipt(self._received)

    def new_id(self) -> str:
        """Return an id for a message, to be noted before it is pushed."""
        return secrets.token_hex(_ID_BYTES)

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

        They are at most `MAX_PUSHED`; `Transport.deliver` says when it has them. Raises
        `NotAcknowledged` when time is over, the `QuoaliseError` that came back, `Malformed` and
        `NotAnAddress` on what cannot be sent.
        """
        if len(records) > MAX_PUSHED:
            raise Malformed("data", Problem.TOO_MANY_RECORDS, found=len(records), most=MAX_PUSHED)
        if isinstance(records, Reports):
            payload = protected_sums.write_reports(records)
        else:
            payload = data.write(records)
        serialise(payload)
        peer, message_id = bare(peer), message_id or self.new_id()
        async with self._room:
            try:
                async with asyncio.timeout(seconds):
                    await self._transport.deliver(peer, payload, message_id, receipt=receipt)
            except TimeoutError:
                raise NotAcknowledged(peer=peer) from None

    def _received(self, peer: str, message_id: str) -> None:
        if self._late and self._knows(peer) and self._late_waiting < MAX_LATE:
            self._late_waiting += 1
            self._transport.spawn(self._notify_late(self._late, peer, message_id))

    async def _notify_late(self, late: Late, peer: str, message_id: str) -> None:
        try:
            await late(peer, message_id)
        except Exception:
            _LOGGER.exception(Notice(Event.RECEIPT_UNSTORED))
        finally:
            self._late_waiting -= 1
