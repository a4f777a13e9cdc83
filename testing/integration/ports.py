"""The serial ports of a machine, its clock, and the lines from meters to its ports.

`Ports.open` stands where serialx begins; beyond it everything is real.
"""

import asyncio
import errno

from homeassistant.core import HomeAssistant
import serialx

from consometers_tic import Mode
from consometers_tic_virtual.port.uart import Mistuned
from packages.tic.tests.samples import frame_bytes
from testing.integration.frames import Kind

DEVICE = "/dev/ttyTIC"
OTHER_DEVICE = "/dev/ttyTIC2"
_TURNS = 12
SPEEDS = {Mode.STANDARD: 9600, Mode.HISTORIQUE: 1200}


class LoopClock:
    """The clock of the event loop, which goes as the test says."""

    def __init__(self, hass: HomeAssistant) -> None:
        self._real, self._ahead_s = hass.loop.time, 0.0
        # For the rest of the loop's life: what is scheduled while it goes must end by it.
        hass.loop.time = self.now  # type: ignore[method-assign]
        # What jumps is not slow.
        hass.loop.slow_callback_duration = float("inf")

    def now(self) -> float:
        return self._real() + self._ahead_s

    async def forward(self, seconds: float) -> None:
        """Advance, a second at a time."""
        while seconds > 0:
            self._ahead_s += min(1.0, seconds)
            seconds -= 1.0
            await self.settle()

    def jump(self, seconds: float) -> None:
        """Advance before anybody notices."""
        self._ahead_s += seconds

    async def settle(self) -> None:
        """Run what is due; the test waits for what takes a thread."""
        for _ in range(_TURNS):
            await asyncio.sleep(0)


class Port:
    """A port. Like a real one it hears nonsense at another speed than the meter's."""

    def __init__(self) -> None:
        self.refusal: Exception | None = None
        """What a program gets that opens it."""
        self.lost: Exception | None = None
        """What a program gets that changes its speed."""
        self.holds = True
        """Whether it can keep what comes for a moment; one of ESPHome cannot."""
        self.speeds: list[int] = []
        """All the speeds at which it was opened or to which it was set."""
        self.settings: dict[str, object] = {}
        self._reader: asyncio.StreamReader | None = None
        self._mistuned: Mistuned | None = None
        self._held: bytes | None = None

    @property
    def is_open(self) -> bool:
        return self._reader is not None

    def open(self, baudrate: int, **settings: object) -> tuple[asyncio.StreamReader, Writer]:
        if self.refusal is not None:
            raise self.refusal
        if self.is_open:
            raise OSError(errno.EBUSY, "Device or resource busy")
        self.settings = settings
        self.tune(baudrate)
        self._reader, self._held = asyncio.StreamReader(), None
        return self._reader, Writer(self)

    def tune(self, baudrate: int) -> None:
        if self.lost is not None:
            raise self.lost
        self.speeds.append(baudrate)
        self._mistuned = None

    def close(self) -> None:
        self._reader = None

    def hold(self) -> None:
        """Keep what comes until it is asked for."""
        self._held = b""

    def release(self) -> None:
        data, self._held = self._held, None
        if data and self._reader is not None:
            self._reader.feed_data(data)

    def put(self, data: bytes, baudrate: int | None = None) -> None:
        """Send bytes to the reader of the port; without a speed, as they are."""
        if self._reader is None:
            return
        if baudrate is not None and baudrate != self.speeds[-1]:
            self._mistuned = self._mistuned or Mistuned(baudrate, self.speeds[-1])
            data = self._mistuned.hear(data)
        if self._held is None:
            self._reader.feed_data(data)
        else:
            self._held += data

    def unplug(self, error: Exception | None = None) -> None:
        """Take it away from the program that has it open."""
        assert self._reader is not None
        self.release()
        if error is None:
            self._reader.feed_eof()
        else:
            self._reader.set_exception(error)


class Writer:
    """What serialx gives to close a port, to hold it, and to change its speed."""

    def __init__(self, port: Port) -> None:
        self._port = port
        self.transport = self

    def is_closing(self) -> bool:
        return not self._port.is_open

    def pause_reading(self) -> None:
        if not self._port.holds:
            raise NotImplementedError
        self._port.hold()

    def resume_reading(self) -> None:
        self._port.release()

    def close(self) -> None:
        self._port.close()

    async def wait_closed(self) -> None:
        if isinstance(self._port.lost, serialx.SerialException):
            raise self._port.lost

    async def reconfigure_port(self, *, baudrate: int) -> None:
        self._port.tune(baudrate)


class Ports:
    """All ports of the machine, by device."""

    def __init__(self) -> None:
        self.by_device: dict[str, Port] = {}

    def plug(self, device: str) -> Port:
        return self.by_device.setdefault(device, Port())

    async def open(
        self, device: str, *, baudrate: int, **settings: object
    ) -> tuple[asyncio.StreamReader, Writer]:
        # As serialx does, which looks for the kind of port in a thread.
        await asyncio.sleep(0)
        if device not in self.by_device:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", device)
        return self.by_device[device].open(baudrate, **settings)


class MeterLine:
    """The line from a meter to a port: a frame a second."""

    def __init__(self, clock: LoopClock, port: Port) -> None:
        self.clock = clock
        self.port = port

    async def send(self, kind: Kind, times: int = 3, **changes: str | None) -> None:
        """Send a frame some times, with the data of some labels changed or, by None, left out."""
        data = frame_bytes(kind.mode, kind.groups, **changes)
        await self.send_bytes(data, times, SPEEDS[kind.mode])

    async def send_bytes(self, data: bytes, times: int = 1, baudrate: int | None = None) -> None:
        """Send bytes, a second each time; without a speed, they come as they are."""
        await self.clock.settle()
        for _ in range(times):
            self.clock.jump(1)
            self.port.put(data, baudrate)
            await self.clock.settle()
