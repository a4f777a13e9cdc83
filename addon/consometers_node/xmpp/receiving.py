"""Records that peers push to us: handed over one by one, and acknowledged once they are kept.

What a peer pushes waits behind what it pushed before, and behind nobody else's. One that pushes
too often is slowed, and what it pushes beyond its room is dropped: it hears nothing, and will send
it again.
"""

from collections import deque
from collections.abc import Awaitable, Callable
import logging
from xml.etree.ElementTree import SubElement

from slixmpp.stanza import Message

from consometers_node.quoalise import MAX_PUSHED, Data, QuoaliseError, data

from .connection import Connection
from .limits import Rate
from .receipts import NO_ARCHIVE, RECEIVED, REQUEST
from .replies import refuse
from .traffic import Traffic

_LOGGER = logging.getLogger(__name__)

MAX_OF_ONE = 32
"""Messages of one peer that are being kept, or wait for it."""
MAX_WAITING = 200_000
"""Elements of the messages of all peers, some 100 MB."""
PER_MINUTE = 120
"""Messages of one peer. A year of 5 minutes fits into one minute."""

type Handler = Callable[[str, Data], Awaitable[None]]
"""Keeps what a peer (bare address) pushed. It returns after its commit, and raises a
`QuoaliseError` to refuse, or `NotKept`. The same records may come again."""


class NotKept(Exception):
    """Neither kept nor refused: the peer hears nothing, and will tell it again."""


class Receiving:
    """Hears what is pushed: the node's presence says so to its server."""

    def __init__(
        self, connection: Connection, keep: Handler, traffic: Traffic | None = None
    ) -> None:
        self._connection = connection
        self._keep = keep
        self._traffic = traffic or Traffic()
        self._rate = Rate(connection.stream.loop.time, PER_MINUTE)
        self._queues: dict[str, deque[tuple[Message, int]]] = {}
        self._waiting = 0
        connection.hear()
        connection.on_message(data.QUOALISE, self._came)

    @property
    def waiting(self) -> int:
        """Count the messages that are being kept, or wait for it."""
        return sum(map(len, self._queues.values()))

    def _came(self, message: Message) -> None:
        if message["type"] == "error":
            return
        sender = message["from"].bare
        size = sum(1 for _ in message.xml.iter())
        queue = self._queues.get(sender)
        full = queue is not None and len(queue) >= MAX_OF_ONE
        if full or (self._waiting and self._waiting + size > MAX_WAITING):
            self._traffic.dropped += 1
            return
        self._waiting += size
        if queue is not None:
            queue.append((message, size))
            return
        self._queues[sender] = deque([(message, size)])
        self._connection.spawn(self._receive_all(sender))

    async def _receive_all(self, sender: str) -> None:
        """Take what a peer pushed, in the order in which it came."""
        queue = self._queues[sender]
        try:
            while queue:
                await self._rate.turn(sender)
                message, size = queue[0]
                await self._receive(sender, message)
                queue.popleft()
                self._waiting -= size
        finally:
            self._waiting -= sum(size for _, size in queue)
            del self._queues[sender]

    async def _receive(self, sender: str, message: Message) -> None:
        try:
            quoalise = message.xml.find(data.QUOALISE)
            assert quoalise is not None
            await self._keep(sender, data.read(quoalise, MAX_PUSHED))
            self._traffic.acknowledged += 1
            self._acknowledge(message)
        except QuoaliseError as error:
            self._traffic.refused += 1
            refuse(message, error)
        except NotKept:
            self._traffic.unkept += 1
        except Exception:
            self._traffic.unkept += 1
            _LOGGER.exception("What a peer pushed could not be kept")

    def _acknowledge(self, message: Message) -> None:
        if message.xml.find(REQUEST) is None or not message["id"]:
            return
        receipt = self._connection.stream.make_message(mto=message["from"], mtype=message["type"])
        SubElement(receipt.xml, RECEIVED, {"id": message["id"]})
        SubElement(receipt.xml, NO_ARCHIVE)
        receipt.send()
