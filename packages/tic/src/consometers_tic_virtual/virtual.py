"""The virtual Linky: a line that comes out of a port, at the meter's pace or faster."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from time import time
from typing import Self

from .faults import Faults
from .line import Line, Transmission
from .linky import Linky
from .port.outlet import Outlet, PtyOutlet, TcpOutlet

SLICE_S = 0.02
"""Bytes are handed over every so often, as a USB dongle does."""
_LATE_S = 1.0


def paced(sent: Transmission, speed: float = 1.0) -> Iterator[tuple[float, bytes]]:
    """Yield (seconds to wait, bytes that have arrived then), and last the gap without bytes.

    The waits add up to the duration of the transmission, divided by `speed`.
    """
    byte_s = 10 / sent.baud / speed
    size = max(1, round(SLICE_S / byte_s))
    lost = len(sent.sent) / len(sent.data) if sent.data else 1.0
    for start in range(0, len(sent.data), size):
        piece = sent.data[start : start + size]
        yield len(piece) * byte_s * lost, piece
    silent = sent.seconds / speed - (len(sent.sent) * byte_s if sent.data else 0.0)
    yield silent, b""


class VirtualLinky:
    """A meter on a port: use it as an async context manager, and read `port`.

    Without `tcp` (a port number, 0 for a free one) it is a pseudo-terminal, under the path `link`
    if one is given. `start` is the meter's time (Unix), by default now. Those of its `line`
    act on the next frame, `plug` and `unplug` at once.
    """

    def __init__(
        self,
        linky: Linky,
        *,
        link: Path | None = None,
        tcp: int | None = None,
        speed: float = 1.0,
        start: float | None = None,
        faults: Faults | None = None,
        seed: int = 1,
    ) -> None:
        self._start = start
        self.line = Line(linky, start or time(), faults=faults, seed=seed)
        self.speed = speed
        self._outlet: Outlet = PtyOutlet(link) if tcp is None else TcpOutlet(tcp)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def linky(self) -> Linky:
        return self.line.linky

    @property
    def port(self) -> str:
        """The path or the URL for a reader."""
        return self._outlet.port

    async def start(self) -> None:
        now = time() if self._start is None else self._start
        # Years of registers are added up once, which takes seconds.
        await asyncio.to_thread(self.linky.registers, int(now))
        self.line.at = time() if self._start is None else self._start
        await self.plug()
        self._task = asyncio.create_task(self._send())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        await self.unplug()

    async def wait(self) -> None:
        """Wait until it is stopped; its failure is raised."""
        if self._task is not None:
            await asyncio.shield(self._task)

    async def plug(self) -> None:
        """Put the dongle in (again). A pty is a new one, under the same link."""
        await self._outlet.plug()

    async def unplug(self) -> None:
        """Pull the dongle out: the port is gone. The meter goes on."""
        await self._outlet.unplug()

    async def _send(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        for sent in self.line:
            for wait, data in paced(sent, self.speed):
                due += wait
                await asyncio.sleep(max(0.0, due - loop.time()))
                self._outlet.write(data, sent.baud)
            late = loop.time() - due
            if late > _LATE_S:
                # The machine slept. The meter did not.
                due += late
                self.line.at += late * self.speed
