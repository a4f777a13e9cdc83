"""That a server is the one it says: its certificate, verified by this machine's clock.

A component's handshake proves its secret to the server, and nothing of the server to it.
"""

import asyncio
from dataclasses import dataclass
import ssl
from typing import Final

from consometers_quoalise_network import Security, Server
from consometers_quoalise_network.errors import CertificateRefused, NotEncrypted, Unreachable

SECONDS: Final = 30
_MAX_BYTES: Final = 16 * 1024
"""Of what a server says before TLS."""


@dataclass(frozen=True, slots=True)
class Proof:
    """A name, and the server whose certificate for it is verified, on a port for clients."""

    name: str
    server: Server

    async def give(self) -> None:
        """Have the server prove it now. Raises `NetworkError`; OSError on an authority's file."""
        tls = self.server.tls()
        tls.set_alpn_protocols(["xmpp-client"])
        direct = self.server.security is Security.DIRECT
        host, port = self.server.host or self.name, self.server.port or (5223 if direct else 5222)
        try:
            async with asyncio.timeout(SECONDS):
                reader, writer = await asyncio.open_connection(
                    host,
                    port,
                    ssl=tls if direct else None,
                    server_hostname=self.name if direct else None,
                    limit=_MAX_BYTES,
                )
                try:
                    if not direct:
                        await self._start_tls(reader, writer, tls)
                finally:
                    # Nothing is left to say: a server need not answer the end of TLS.
                    writer.transport.abort()
        except ssl.SSLError as why:
            reason = getattr(why, "verify_message", "") or why.reason or "TLS"
            raise CertificateRefused(host=self.name, why=reason) from None
        except TimeoutError:
            raise Unreachable(host=self.name, why="no answer") from None
        except OSError as why:
            raise Unreachable(host=self.name, why=why.strerror or type(why).__name__) from None

    async def _start_tls(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tls: ssl.SSLContext
    ) -> None:
        """Begin TLS within the stream (RFC 6120 §5)."""
        try:
            writer.write(
                f"<?xml version='1.0'?><stream:stream to='{self.name}' version='1.0'"
                " xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>".encode()
            )
            await reader.readuntil(b"</stream:features>")
            writer.write(b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
            if b"proceed" not in await reader.readuntil(b">"):
                raise NotEncrypted(host=self.name)
        except asyncio.IncompleteReadError, asyncio.LimitOverrunError:
            raise NotEncrypted(host=self.name) from None
        await writer.start_tls(tls, server_hostname=self.name)
