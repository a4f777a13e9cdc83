"""A line between a node and its server, which carries in packets, as networks do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Self

from demo.servers.prosody import LOOPBACK, Prosody

SEGMENT = 1_400
"""Bytes of a segment: what fits into a packet."""
_PACE_S = 0.0005
"""Between two segments: what comes is read before the next has come."""


class PacketLine:
    """Reaches a server on another port. It can be cut, now or once it has carried so much."""

    def __init__(self, server: Prosody) -> None:
        self.ca_file: Path = server.ca_file
        self.port = 0
        self.cuts = 0
        self.connections = 0
        """How many it has carried: more than one where either side lost or ended the first."""
        self.carried = 0
        """Bytes that came towards the node."""
        self._server = server
        self._left: int | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._carrying: set[asyncio.Task[None]] = set()

    @classmethod
    @asynccontextmanager
    async def to(cls, server: Prosody) -> AsyncIterator[Self]:
        line = cls(server)
        listening = await asyncio.start_server(line._carry, LOOPBACK, 0)
        line.port = listening.sockets[0].getsockname()[1]
        try:
            yield line
        finally:
            listening.close()
            line.cut()
            if line._carrying:
                await asyncio.wait(line._carrying)

    def cut(self) -> None:
        """End what is connected now, without a word to either side."""
        self.cuts += bool(self._writers)
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def cut_after(self, size: int) -> None:
        """Cut it once it has carried so many bytes more towards the node."""
        self._left = size

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._carrying.add(task)
        task.add_done_callback(self._carrying.discard)
        from_server, to_server = await asyncio.open_connection(LOOPBACK, self._server.port)
        self._writers |= {writer, to_server}
        with suppress(OSError):
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(reader, to_server))
                both.create_task(self._pump(from_server, writer, towards_node=True))

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        towards_node: bool = False,
    ) -> None:
        try:
            while segment := await reader.read(SEGMENT):
                self.carried += len(segment) * towards_node
                if towards_node and self._left is not None:
                    self._left -= len(segment)
                    if self._left <= 0:
                        self._left = None
                        self.cut()
                        return
                writer.write(segment)
                await writer.drain()
                await asyncio.sleep(_PACE_S)
        finally:
            writer.close()
