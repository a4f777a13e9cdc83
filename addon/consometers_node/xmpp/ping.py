"""Answers whether this node is there (XEP-0199)."""

from slixmpp.stanza import Iq

from .connection import PING, Connection
from .replies import reply


class Ping:
    """Answers pings."""

    def __init__(self, connection: Connection) -> None:
        connection.on_iq(PING, self._answer)

    def _answer(self, iq: Iq) -> None:
        reply(iq)
