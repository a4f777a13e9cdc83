"""What the kit needs of a session on the network; tests have one in memory."""

from typing import Protocol
from xml.etree.ElementTree import Element


class Ended(Exception):
    """The session is over, or the user has seen enough of it."""


class Transport(Protocol):
    """Sends and receives stanzas of `jabber:client`, and has a clock."""

    jid: str
    """The kit's full address."""

    def send(self, stanza: Element) -> None:
        """Send a stanza."""

    async def receive(self, seconds: float | None) -> Element:
        """Return the next iq or message. Raises TimeoutError or `Ended`."""

    def now(self) -> float:
        """Return seconds since 1970."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""
