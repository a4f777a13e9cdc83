"""The serial link to a meter: open, read, change speed. It never writes to the meter."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import errno
from socket import gaierror

import serialx
from serialx.common import UnknownUriScheme

from .values import Mode

SPEEDS = {Mode.STANDARD: 9600, Mode.HISTORIQUE: 1200}
"""Bauds of each mode; in both a character is 7E1. Source: Enedis-NOI-CPT_54E §5.3.1."""

OPEN_TIMEOUT_S = 10
GATHER_S = 0.2
"""How long bytes are left to gather before they are read. A dongle hands them over fifty times a
second, and taking them one handful at a time costs a Pi five times the decoding."""
_READ_SIZE = 4096
_CLOSE_TIMEOUT_S = 2


class LinkError(Exception):
    """The link cannot be used. `key` is the translation key of the message."""

    key = "cannot_open"


class NoSuchPort(LinkError):
    """There is no such port, or no such host."""

    key = "no_such_port"


class PortBusy(LinkError):
    """Something else has the port open."""

    key = "port_busy"


class LinkLost(LinkError):
    """The port went away while it was open."""

    key = "link_lost"


def not_opened(error: Exception) -> LinkError:
    """Return why a port could not be opened."""
    if isinstance(error, FileNotFoundError | UnknownUriScheme | gaierror | ValueError):
        return NoSuchPort()
    is_busy = isinstance(error, OSError) and error.errno == errno.EBUSY
    return PortBusy() if is_busy else LinkError()


class Link:
    """An open link. Use `open_link` to make one."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: serialx.SerialStreamWriter[serialx.BaseSerialTransport],
    ) -> None:
        """Take an open pair of streams."""
        self._reader = reader
        self._writer = writer

    async def read(self, timeout_s: float) -> bytes:
        """Return the bytes that have come, or none if there are none in that time.

        Raises LinkLost when the port is gone.
        """
        await self._gather()
        try:
            async with asyncio.timeout(timeout_s):
                data = await self._reader.read(_READ_SIZE)
        except TimeoutError:
            return b""
        except (OSError, serialx.SerialException) as error:
            raise LinkLost from error
        if not data:
            raise LinkLost
        return data

    async def _gather(self) -> None:
        """Wait while bytes gather: the port buffers many more than come in that time."""
        transport = self._writer.transport
        try:
            transport.pause_reading()
        except NotImplementedError:
            return
        try:
            await asyncio.sleep(GATHER_S)
        finally:
            transport.resume_reading()

    async def listen_for(self, mode: Mode) -> None:
        """Change to the speed of another mode. A network port may ignore it."""
        try:
            async with asyncio.timeout(OPEN_TIMEOUT_S):
                await self._writer.transport.reconfigure_port(baudrate=SPEEDS[mode])
        except (OSError, serialx.SerialException) as error:
            raise LinkLost from error

    async def close(self) -> None:
        """Close the port. A port that is gone already is closed."""
        self._writer.close()
        try:
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await self._writer.wait_closed()
        except OSError, serialx.SerialException:
            return


@asynccontextmanager
async def open_link(device: str, mode: Mode) -> AsyncIterator[Link]:
    """Open a port or serial URL at the speed of a mode, and close it in the end.

    Raises NoSuchPort, PortBusy or LinkError.
    """
    link = await connect(device, mode)
    try:
        yield link
    finally:
        await link.close()


async def connect(device: str, mode: Mode) -> Link:
    """Open a port or serial URL; the caller closes it. Raises as `open_link`."""
    try:
        async with asyncio.timeout(OPEN_TIMEOUT_S):
            reader, writer = await serialx.open_serial_connection(
                device,
                baudrate=SPEEDS[mode],
                byte_size=7,
                parity=serialx.Parity.EVEN,
                stopbits=serialx.StopBits.ONE,
            )
    except (OSError, ValueError, serialx.SerialException) as error:
        raise not_opened(error) from error
    return Link(reader, writer)
