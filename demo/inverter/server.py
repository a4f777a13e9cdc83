"""Modbus over TCP, as far as reading a device needs it.

It is our own because of what is to go wrong: answers that do not come, come late, or break off.
Source: Modbus Messaging on TCP/IP V1.0b §3.1.
"""

import asyncio
from contextlib import suppress
import socket
import struct
from typing import Final

from .answers import LONGEST_PDU, Answers

HOST: Final = "127.0.0.1"

_HEADER: Final = struct.Struct(">HHHB")


class Server:
    """A TCP port on this machine that answers for units.

    It accepts connections itself: `asyncio.Server` fails on one that arrives while it closes.
    """

    def __init__(self, answers: Answers, port: int = 0) -> None:
        self.port = port
        self._answers = answers
        self._listening: socket.socket | None = None
        self._readers: set[asyncio.Task[None]] = set()

    async def plug(self) -> None:
        """Listen; from the second time on, on the same port."""
        if self._listening is None:
            self._listening = listening = socket.create_server((HOST, self.port))
            listening.setblocking(False)
            self.port = listening.getsockname()[1]
            asyncio.get_running_loop().add_reader(listening, self._accept, listening)

    async def unplug(self) -> None:
        """Close all connections, and refuse others."""
        if self._listening is None:
            return
        listening, self._listening = self._listening, None
        asyncio.get_running_loop().remove_reader(listening)
        listening.close()
        readers = tuple(self._readers)
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)

    def _accept(self, listening: socket.socket) -> None:
        # A reader may have gone again.
        with suppress(BlockingIOError, ConnectionError):
            connection, _ = listening.accept()
            connection.setblocking(False)
            serving = asyncio.get_running_loop().create_task(self._serve(connection))
            self._readers.add(serving)
            serving.add_done_callback(lambda _: connection.close())
            serving.add_done_callback(self._readers.discard)

    async def _serve(self, connection: socket.socket) -> None:
        reader, writer = await asyncio.open_connection(sock=connection)
        try:
            if not (self._answers.faults.lonely and len(self._readers) > 1):
                # A reader that goes away is nobody's fault.
                with suppress(ConnectionError, asyncio.IncompleteReadError):
                    while await self._obey(reader, writer):
                        pass
        finally:
            writer.transport.abort()

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
