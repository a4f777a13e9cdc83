"""The virtual inverter: units behind one port, at the pace of the sun or faster."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from time import time
from typing import Self

from .answers import Answers
from .faults import Faults, Night, WireFaults
from .image import Image
from .inverter import Inverter
from .line import BAUD, Line
from .server import HOST, Server

_LOOKS_OUT_S = 0.1
"""How often to check whether the inverter sleeps."""


class VirtualInverter:
    """Inverters and recorded images behind one host: use it as an async context manager.

    One alone is unit 1. `start` is the inverters' time (Unix), by default now; with a `speed` of 0
    it stands still until `at` is set. Methods act at once, on all inverters. On a `line` they are
    on a serial port instead, under the given path.
    """

    host = HOST

    def __init__(
        self,
        units: Inverter | Image | Mapping[int, Inverter | Image],
        *,
        port: int = 0,
        line: Path | None = None,
        baud: int = BAUD,
        speed: float = 1.0,
        start: float | None = None,
        seed: int = 1,
    ) -> None:
        if not isinstance(units, Mapping):
            units = {1: units}
        self.units: dict[int, Inverter | Image] = dict(units)
        self._answers = Answers(self._image, self._mute, seed=seed)
        self._line = None if line is None else Line(self._answers, line, baud=baud)
        self._server = Server(self._answers, port)
        self._speed = speed
        self._at = time() if start is None else start
        self._since = 0.0
        self._plugged = False
        self._moving = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def port(self) -> int:
        """The TCP port, known once it has started."""
        return self._server.port

    @property
    def device(self) -> str | None:
        """The serial port, if it has one."""
        return None if self._line is None else self._line.device

    @property
    def inverters(self) -> tuple[Inverter, ...]:
        return tuple(unit for unit in self.units.values() if isinstance(unit, Inverter))

    @property
    def second(self) -> int:
        """The inverters' time, Unix."""
        return int(self._now())

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(self._now(), UTC)

    @at.setter
    def at(self, at: datetime) -> None:
        self._at, self._since = at.timestamp(), asyncio.get_running_loop().time()

    @property
    def wire(self) -> WireFaults:
        """Faults of the transport."""
        return self._answers.faults

    @property
    def requests(self) -> int:
        """How many requests have come so far."""
        return self._answers.requests

    @property
    def asleep(self) -> bool:
        return bool(self.inverters) and all(unit.asleep(self.second) for unit in self.inverters)

    async def start(self) -> None:
        asked = asyncio.get_running_loop().time()
        # Years of production are added up once, which takes seconds.
        for inverter in self.inverters:
            await asyncio.to_thread(inverter.readings, int(self._at))
        self._since = asked
        # Even one that sleeps has its port from now on.
        await self._outlet.plug()
        await self.plug()
        self._task = asyncio.create_task(self._look_out())

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
        """Put the cable in (again): the port is the same."""
        self._plugged = True
        await self._follow()

    async def unplug(self) -> None:
        """Pull it out: connections break, and others are refused. The sun goes on."""
        self._plugged = False
        await self._follow()

    def set_faults(self, **faults: object) -> None:
        """Set faults by name: of the wire, or of all inverters."""
        for name, value in faults.items():
            for target in (self.wire, *(inverter.faults for inverter in self.inverters)):
                if hasattr(target, name):
                    setattr(target, name, value)

    def no_faults(self) -> None:
        """End all faults of data and transport."""
        self._answers.faults = WireFaults()
        for inverter in self.inverters:
            inverter.faults = Faults()

    def dump(self, path: Path) -> None:
        """Write the registers of the first unit as they are now: JSON, or CSV if named so."""
        image = self._image(next(iter(self.units)))
        assert image is not None
        image.dump(path)

    def _now(self) -> float:
        if self._task is None:
            return self._at
        return self._at + (asyncio.get_running_loop().time() - self._since) * self._speed

    def _image(self, unit_id: int) -> Image | None:
        unit = self.units.get(unit_id)
        return unit.image(self.second) if isinstance(unit, Inverter) else unit

    @property
    def _outlet(self) -> Line | Server:
        return self._server if self._line is None else self._line

    def _mute(self) -> bool:
        # Nobody can refuse on a line.
        silent = self.wire.night is Night.SILENT or self._line is not None
        return silent and self.wire.night is not Night.ANSWERS and self.asleep

    async def _look_out(self) -> None:
        while True:
            await asyncio.sleep(_LOOKS_OUT_S)
            await self._follow()

    async def _follow(self) -> None:
        """Listen, or do not, as cable and sleep require."""
        async with self._moving:
            sleeps = self._line is None and self.wire.night is Night.REFUSES and self.asleep
            if self._plugged and not sleeps:
                await self._outlet.plug()
            else:
                await self._outlet.unplug()
