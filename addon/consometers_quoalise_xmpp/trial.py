"""Tests an account before it is stored, under an address of its own: its node goes on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import secrets
import ssl
from typing import Any

from consometers_quoalise import Words
from consometers_quoalise_network import Identity
from consometers_quoalise_network.backoff import Backoff
from consometers_quoalise_network.transport import Speak

from .transport import XmppTransport


def aside(who: Identity, language: str, speak: Speak = Words) -> XmppTransport:
    """Prepare a connection of the same account as a node's, which does not disturb it."""
    return XmppTransport(
        who.account,
        server=who.server,
        resource=f"consometers-{secrets.token_hex(4)}",
        language=language,
        speak=speak,
        backoff=Backoff(most_seconds=30),
    )


@asynccontextmanager
async def online(connection: XmppTransport) -> AsyncIterator[XmppTransport]:
    """Connect for the duration of a block. Raises the first error."""
    async with connection:
        await connection.online(patient=False)
        yield connection


async def try_out(who: Identity, language: str) -> None:
    """Log in, and out again. Raises `NetworkError`."""
    async with online(aside(who, language)):
        pass


async def certificate(who: Identity, language: str) -> dict[str, Any]:
    """Return the certificate that the server presents, as `ssl` has it. Raises `NetworkError`.

    A connection that lasts keeps the one with which it began.
    """
    async with online(aside(who, language)) as connection:
        socket = connection.stream.socket
        assert isinstance(socket, ssl.SSLObject | ssl.SSLSocket)
        return dict(socket.getpeercert() or {})
