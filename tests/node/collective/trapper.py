"""The trapper of a Zabbix server, as far as its protocol goes: it takes values, and says how many.

Header and data length: https://www.zabbix.com/documentation/7.0/en/manual/appendix/protocols
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
import json
import struct

HEADER = struct.Struct("<4sBII")

type Value = tuple[str, str, str, int]
"""Host, key, value, clock."""


@dataclass
class Trapper:
    """Keeps what it takes: all, unless it is told otherwise."""

    port: int = 0
    values: list[Value] = field(default_factory=list)
    takes: Callable[[Value], bool] = lambda _: True
    says: bytes | None = None
    """What it answers instead."""
    server: asyncio.Server | None = None

    async def start(self) -> None:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self.server is not None
        self.server.close()
        await self.server.wait_closed()
        self.server = None

    def of(self, key: str) -> list[tuple[int, str]]:
        """Give what came of an item, by its time."""
        return [(clock, value) for _, of, value, clock in self.values if of == key]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        protocol, flags, length, _ = HEADER.unpack(await reader.readexactly(HEADER.size))
        assert (protocol, flags) == (b"ZBXD", 1)
        asked = json.loads(await reader.readexactly(length))
        assert asked["request"] == "sender data"
        told = [(one["host"], one["key"], one["value"], one["clock"]) for one in asked["data"]]
        taken = [one for one in told if self.takes(one)]
        self.values += taken if self.says is None else []
        info = (
            f"processed: {len(taken)}; failed: {len(told) - len(taken)}; total: {len(told)};"
            " seconds spent: 0.000055"
        )
        answer = self.says
        if answer is None:
            answer = json.dumps({"response": "success", "info": info}).encode()
        writer.write(HEADER.pack(b"ZBXD", 1, len(answer), 0) + answer)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def listening() -> AsyncIterator[Trapper]:
    trapper = Trapper()
    await trapper.start()
    try:
        yield trapper
    finally:
        if trapper.server is not None:
            await trapper.stop()
