"""Modbus over TCP, as far as reading a device needs it.

It is our own because of what is to go wrong: answers that do not come, come late, or break off.
Source: Modbus Messaging on TCP/IP V1.0b §3.1.
"""

import asyncio
from contextlib import suppress
import struct
from typing import Final

from .answers import LONGEST_PDU, Answers

HOST: Final = "127.0.0.1"

_HEADER: Final = struct.Struct(">HHHB")


class Server:
    """A TCP port on this machine that answers for units."""

    def __init__(self, answers: Answers, port: int = 0) -> None:
        self.port = port
        self._answers = answers
        self._server: asyncio.Server | None = None
        self._readers: set[asyncio.Task[None]] = set()

    async def plug(self) -> None:
        """Listen; from the second time on, on the same port."""
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, HOST, self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def unplug(self) -> None:
        """Close all connections, and refuse others."""
        if self._server is None:
            return
        server, self._server = self._server, None
        server.close()
        server.abort_clients()
        readers = tuple(self._readers)
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._readers.add(task)
        try:
            if not (self._answers.faults.lonely and len(self._readers) > 1):
                # A reader that goes away is nobody's fault.
                with suppress(ConnectionError, asyncio.IncompleteReadError):
                    while await self._obey(reader, writer):
                        pass
        finally:
            self._readers.discard(task)
            writer.close()

    async def _obey(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; return whether to go on."""
        transaction, protocol, length, unit_id = _HEADER.unpack(
            await reader.readexactly(_HEADER.size)
        )
        if protocol != 0 or not 2 <= length <= LONGEST_PDU + 1:
            return False
        pdu = await reader.readexactly(length - 1)
        answer = await self._answers.to(unit_id, pdu)
        if answer is None:
            return True
        if self._answers.mistakes:
            transaction = (transaction + 1) % (1 << 16)
        frame = _HEADER.pack(transaction, 0, len(answer) + 1, unit_id) + answer
        dropped = self._answers.breaks_off
        writer.write(frame[: len(frame) // 2] if dropped else frame)
        await writer.drain()
        return not dropped
