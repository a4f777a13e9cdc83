"""Pushed records of peers: handed over one by one, and acknowledged once they are stored.

A peer that may not push is refused before anything of it waits. What a peer pushes waits behind
what it pushed before, and behind nobody else's. One that pushes too often is slowed, and what it
pushes beyond its room is dropped: it hears nothing, and will send it again. Where all room is
taken, the newest of the peer that holds most makes way.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
import logging

from consometers_quoalise import (
    MAX_PUSHED,
    Code,
    Data,
    Event,
    NotAuthorized,
    Notice,
    QuoaliseError,
    Reports,
)
from consometers_quoalise.federation import protected_sums
from consometers_quoalise.records import data

from .address import account_of
from .rate_limit import SlidingWindow
from .traffic import Traffic
from .transport import Incoming, Transport

_LOGGER = logging.getLogger(__name__)

MAX_OF_ONE = 32
"""Messages of one peer that are being stored, or wait for it."""
MAX_SIZE_OF_ONE = 20_000_000
"""Bytes of memory that these take: as many messages as one peer has under way, all full."""
MAX_SIZE = 100_000_000
"""Bytes of those of all peers."""
PER_MINUTE = 120
"""Messages of one peer. A year of 5 minutes fits into one minute."""
REFUSALS_PER_MINUTE = 600
"""Of peers that may not push, all together: excess messages get no answer."""

type Handler = Callable[[str, Data], Awaitable[None]]
"""Stores a push of a peer (bare address). It returns after its commit, and raises a
`QuoaliseError` to refuse, or `NotStored`. The same records may come again."""

type ReportsHandler = Callable[[str, Reports], Awaitable[None]]
"""Stores masked records alike."""


type MayPush = Callable[[str], bool]
"""Returns at once whether a peer (bare address) may push at all. In doubt it returns true."""


class NotStored(Exception):
    """Neither stored nor refused: the peer gets no receipt, and sends it again."""


@dataclass(slots=True)
class _Queue:
    """The pushes of one peer, in order. The first is being stored, or waits for its turn."""

    messages: deque[tuple[Incoming, int]] = field(default_factory=deque)
    size: int = 0
    is_keeping: bool = False

    @property
    def may_make_way(self) -> bool:
        return len(self.messages) > self.is_keeping


class Receiving:
    """Receives pushes: the node's presence announces that to its server."""

    def __init__(
        self,
        transport: Transport,
        keep: Handler,
        traffic: Traffic | None = None,
        *,
        may_push: MayPush = lambda _peer: True,
        keep_reports: ReportsHandler | None = None,
    ) -> None:
        self._spawn = transport.spawn
        self._keep = keep
        self._keep_reports = keep_reports
        self._may_push = may_push
        self._traffic = traffic or Traffic()
        clock = asyncio.get_running_loop().time
        self._rate = SlidingWindow(clock, PER_MINUTE)
        self._refusals = SlidingWindow(clock, REFUSALS_PER_MINUTE)
        self._queues: dict[str, _Queue] = {}
        self._size = 0
        transport.on_push(data.QUOALISE, self._came)
        if keep_reports is not None:
            transport.on_push(protected_sums.REPORTS, self._came)

    @property
    def waiting(self) -> int:
        """Count the messages that are being stored, or wait for it."""
        return sum(len(queue.messages) for queue in self._queues.values())

    def _came(self, message: Incoming) -> None:
        sender = account_of(message.sender)
        if not self._may_push(sender):
            self._turn_away(message)
            return
        size = message.size
        queue_before = self._queues.get(sender)
        queue = queue_before or _Queue()
        if not self._make_room(queue, size):
            self._traffic.dropped += 1
            return
        queue.messages.append((message, size))
        queue.size += size
        self._size += size
        if queue_before is None:
            self._queues[sender] = queue
            self._spawn(self._receive_all(sender, queue))

    def _make_room(self, queue: _Queue, size: int) -> bool:
        """Return whether there is room for one more message, after evicting others."""
        of_one = queue.size + size
        if len(queue.messages) >= MAX_OF_ONE or of_one > MAX_SIZE_OF_ONE:
            return False
        while self._size and self._size + size > MAX_SIZE:
            others = (other for other in self._queues.values() if other.may_make_way)
            largest = max(others, key=lambda other: other.size, default=queue)
            if largest.size <= of_one:
                return False
            self._take_off(largest, newest=True)
            self._traffic.dropped += 1
        return True

    def _take_off(self, queue: _Queue, *, newest: bool = False) -> None:
        _, size = queue.messages.pop() if newest else queue.messages.popleft()
        queue.size -= size
        self._size -= size

    async def _receive_all(self, sender: str, queue: _Queue) -> None:
        """Store the pushes of a peer, in the order in which they came."""
        try:
            while queue.messages:
                await self._rate.turn(sender)
                if not queue.messages:
                    return
                queue.is_keeping = True
                message, _ = queue.messages[0]
                if self._may_push(sender):
                    await self._receive(sender, message)
                else:
                    self._turn_away(message)
                queue.is_keeping = False
                self._take_off(queue)
        finally:
            self._size -= queue.size
            del self._queues[sender]

    def _turn_away(self, message: Incoming) -> None:
        self._traffic.refused += 1
        if self._refusals.take(""):
            message.refuse(NotAuthorized(code=Code.NOT_EXPECTED))

    async def _receive(self, sender: str, message: Incoming) -> None:
        try:
            await self._keep_payload(sender, message)
            self._traffic.acknowledged += 1
            message.accept()
        except QuoaliseError as error:
            self._traffic.refused += 1
            message.refuse(error)
        except NotStored:
            self._traffic.unkept += 1
        except Exception:
            self._traffic.unkept += 1
            _LOGGER.exception(Notice(Event.RECORDS_UNSTORED))

    async def _keep_payload(self, sender: str, message: Incoming) -> None:
        payload = message.payload
        if payload.tag == data.QUOALISE:
            await self._keep(sender, data.read(payload, MAX_PUSHED))
        elif self._keep_reports is not None:
            await self._keep_reports(sender, protected_sums.read_reports(payload))
