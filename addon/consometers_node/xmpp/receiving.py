"""Records that peers push to us: handed over one by one, and acknowledged once they are kept."""

import asyncio
from collections.abc import Awaitable, Callable
import logging
from weakref import WeakValueDictionary
from xml.etree.ElementTree import SubElement

from slixmpp.stanza import Message

from consometers_node.quoalise import MAX_PUSHED, Data, QuoaliseError, data

from .connection import Connection
from .receipts import RECEIVED, REQUEST
from .replies import refuse

_LOGGER = logging.getLogger(__name__)

MAX_WAITING = 256
"""Messages that are being kept, or wait for it. More are dropped: their sender sends them again."""

type Handler = Callable[[str, Data], Awaitable[None]]
"""Keeps what a peer (bare address) pushed. It returns after its commit, and raises a
`QuoaliseError` to refuse, or `NotKept`. The same records may come again."""


class NotKept(Exception):
    """Neither kept nor refused: the peer hears nothing, and will tell it again."""


class Receiving:
    """Hears what is pushed: the node's presence says so to its server."""

    def __init__(self, connection: Connection, keep: Handler) -> None:
        self._connection = connection
        self._keep = keep
        self._waiting = 0
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        connection.hear()
        connection.on_message(data.QUOALISE, self._came)

    def _came(self, message: Message) -> None:
        if message["type"] == "error" or self._waiting >= MAX_WAITING:
            return
        self._waiting += 1
        self._connection.spawn(self._receive(message))

    async def _receive(self, message: Message) -> None:
        sender = message["from"].bare
        try:
            quoalise = message.xml.find(data.QUOALISE)
            assert quoalise is not None
            told = data.read(quoalise, MAX_PUSHED)
            # One after the other, in the order in which they came.
            async with self._turns.setdefault(sender, asyncio.Lock()):
                await self._keep(sender, told)
            self._acknowledge(message)
        except QuoaliseError as error:
            refuse(message, error)
        except NotKept:
            pass
        except Exception:
            _LOGGER.exception("What a peer pushed could not be kept")
        finally:
            self._waiting -= 1

    def _acknowledge(self, message: Message) -> None:
        if message.xml.find(REQUEST) is None or not message["id"]:
            return
        receipt = self._connection.stream.make_message(mto=message["from"], mtype=message["type"])
        SubElement(receipt.xml, RECEIVED, {"id": message["id"]})
        receipt.send()
