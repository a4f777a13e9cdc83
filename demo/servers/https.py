"""An HTTPS address on loopback, before pages that speak HTTP, as a reverse proxy is.

Bytes pass both ways as they are.
"""

import asyncio
from contextlib import suppress
import ssl
from typing import Final

from .program import NodeError
from .prosody import LOOPBACK, Authority

HOST: Final = "localhost"
"""The one name that leads to this machine without any DNS."""
_AT_ONCE: Final = 2**16


class Https:
    """Listens on a port, with a key of its own, and forwards bytes to another port."""

    def __init__(self, port: int, target_port: int) -> None:
        """Prepare; nothing listens yet."""
        self.port = port
        self._target_port = target_port
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}"

    async def start(self, authority: Authority) -> None:
        """Listen, with a certificate of that authority. Raises NodeError."""
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(*authority.issue(HOST, authority.file.parent))
        try:
            self._server = await asyncio.start_server(self._serve, LOOPBACK, self.port, ssl=tls)
        except OSError as fault:
            raise NodeError(f"Nothing can listen at {self.url}: {fault}") from fault

    async def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            self._server.close_clients()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            inside = await asyncio.open_connection(LOOPBACK, self._target_port)
            async with asyncio.TaskGroup() as both:
                both.create_task(_pass_on(reader, inside[1]))
                both.create_task(_pass_on(inside[0], writer))
        writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Forward bytes until the connection ends, and end there too."""
    with suppress(OSError):
        while data := await reader.read(_AT_ONCE):
            writer.write(data)
            await writer.drain()
    writer.close()
