"""Modbus over TCP, as far as one needs it to read a device: functions 3 and 4.

It is our own because of what is to go wrong: answers that do not come, come late, or break off.
Source: Modbus Application Protocol V1.1b3 §6.3, §6.4, §7; Modbus Messaging on TCP/IP V1.0b §3.1.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from enum import IntEnum
import struct
from typing import Final

from demo.world.noise import unit

from .faults import Stranger, WireFaults
from .image import Image

HOST: Final = "127.0.0.1"

_HEADER: Final = struct.Struct(">HHHB")
_READ: Final = struct.Struct(">BHH")
_READ_FUNCTIONS: Final = (3, 4)
_MOST_REGISTERS: Final = 125
_LONGEST_PDU: Final = 253
_SILENT, _BUSY, _ILLEGAL, _DROPPED, _MISTAKEN = 921, 922, 923, 924, 925


class Refusal(IntEnum):
    """Exception codes."""

    ILLEGAL_FUNCTION = 1
    ILLEGAL_DATA_ADDRESS = 2
    ILLEGAL_DATA_VALUE = 3
    SERVER_DEVICE_BUSY = 6
    GATEWAY_TARGET_DEVICE_FAILED_TO_RESPOND = 11


class Server:
    """A TCP port on this machine that answers for units.

    `image` gives the registers of a unit, None if there is no such unit. `mute` tells whether
    nobody answers at the moment. Which requests a fault hits is the same for the same seed.
    """

    def __init__(
        self,
        image: Callable[[int], Image | None],
        mute: Callable[[], bool],
        port: int = 0,
        *,
        seed: int = 1,
    ) -> None:
        self.port = port
        self.faults = WireFaults()
        self.requests = 0
        """How many have come so far."""
        self._image = image
        self._mute = mute
        self._seed = seed
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
            if not (self.faults.lonely and len(self._readers) > 1):
                # A reader that goes away is nobody's fault.
                with suppress(ConnectionError, asyncio.IncompleteReadError):
                    while await self._obey(reader, writer):
                        pass
        finally:
            self._readers.discard(task)
            writer.close()

    async def _obey(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; tell whether to go on."""
        transaction, protocol, length, unit_id = _HEADER.unpack(
            await reader.readexactly(_HEADER.size)
        )
        if protocol != 0 or not 2 <= length <= _LONGEST_PDU + 1:
            return False
        pdu = await reader.readexactly(length - 1)
        self.requests += 1
        if self.faults.delay_s:
            await asyncio.sleep(self.faults.delay_s)
        answer = self._answer(unit_id, pdu)
        if answer is None:
            return True
        if self._hits(self.faults.mistaken, _MISTAKEN):
            transaction = (transaction + 1) % (1 << 16)
        frame = _HEADER.pack(transaction, 0, len(answer) + 1, unit_id) + answer
        dropped = self._hits(self.faults.dropped, _DROPPED)
        writer.write(frame[: len(frame) // 2] if dropped else frame)
        await writer.drain()
        return not dropped

    def _answer(self, unit_id: int, pdu: bytes) -> bytes | None:
        faults, function = self.faults, pdu[0]
        if self._mute() or self._hits(faults.silent, _SILENT):
            return None
        image = self._image(unit_id)
        if image is None:
            if faults.stranger is Stranger.SILENT:
                return None
            return _refused(function, Refusal.GATEWAY_TARGET_DEVICE_FAILED_TO_RESPOND)
        if self._hits(faults.busy, _BUSY):
            return _refused(function, Refusal.SERVER_DEVICE_BUSY)
        if function not in _READ_FUNCTIONS:
            return _refused(function, Refusal.ILLEGAL_FUNCTION)
        if len(pdu) != _READ.size:
            return _refused(function, Refusal.ILLEGAL_DATA_VALUE)
        _, address, count = _READ.unpack(pdu)
        if not 1 <= count <= _MOST_REGISTERS:
            return _refused(function, Refusal.ILLEGAL_DATA_VALUE)
        words = image.read(address, count)
        if words is None or self._hits(faults.illegal, _ILLEGAL):
            return _refused(function, Refusal.ILLEGAL_DATA_ADDRESS)
        return struct.pack(f">BB{count}H", function, 2 * count, *words)

    def _hits(self, rate: float, fault: int) -> bool:
        return unit(self._seed + fault, self.requests) < rate


def _refused(function: int, refusal: Refusal) -> bytes:
    return bytes((function | 0x80, refusal))
