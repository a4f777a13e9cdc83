"""Where the meter's bytes come out: a pseudo-terminal or a TCP port. Nobody is waited for."""

import asyncio
import os
from pathlib import Path
import select
import termios
import tty
from typing import Protocol

from .uart import Mistuned

_OUTPUT_SPEED = 5
_INPUT_SPEED = 4
_UNTOUCHED = termios.B50
"""Speed of a port that no reader has set: no meter has it."""
_SPEEDS = {
    getattr(termios, f"B{baud}"): baud
    for baud in (300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
}
_PENDING_BYTES = 16_384


class Outlet(Protocol):
    """A plug of the meter's. `write` drops what a reader does not take."""

    @property
    def port(self) -> str:
        """The path or URL for a reader."""

    async def plug(self) -> None: ...

    async def unplug(self) -> None: ...

    def write(self, data: bytes, baud: int) -> None: ...


class PtyOutlet:
    """A serial port, under a path of its own where one is given.

    A reader that sets another speed than the meter's hears what a real port would.
    """

    def __init__(self, link: Path | None = None) -> None:
        self._link = link
        self._master: int | None = None
        self._path = ""
        self._poll = select.poll()
        self._mistuned: Mistuned | None = None

    @property
    def port(self) -> str:
        return self._path if self._link is None else str(self._link)

    async def plug(self) -> None:
        if self._master is not None:
            return
        check_link(self._link)
        master, slave = os.openpty()
        tty.setraw(slave)
        attributes = termios.tcgetattr(slave)
        attributes[_INPUT_SPEED] = attributes[_OUTPUT_SPEED] = _UNTOUCHED
        termios.tcsetattr(slave, termios.TCSANOW, attributes)
        self._path = os.ttyname(slave)
        # Without a reader the master reports a hang-up: what is sent meanwhile is lost, as it
        # would be on a port that nobody has open.
        os.close(slave)
        os.set_blocking(master, False)
        self._poll.register(master, select.POLLOUT)
        self._master = master
        point_link(self._link, self._path)

    async def unplug(self) -> None:
        if self._master is None:
            return
        remove_link(self._link, self._path)
        self._poll.unregister(self._master)
        os.close(self._master)
        self._master = None

    def write(self, data: bytes, baud: int) -> None:
        if self._master is None or not data:
            return
        if any(event & select.POLLHUP for _, event in self._poll.poll(0)):
            return
        try:
            os.write(self._master, self._heard(self._master, data, baud))
        except BlockingIOError:
            return

    def _heard(self, master: int, data: bytes, baud: int) -> bytes:
        speed = termios.tcgetattr(master)[_OUTPUT_SPEED]
        read_baud = _SPEEDS.get(speed, baud)
        if speed == _UNTOUCHED or read_baud == baud:
            self._mistuned = None
            return data
        receiver = self._mistuned
        if receiver is None or (receiver.sent_baud, receiver.read_baud) != (baud, read_baud):
            receiver = self._mistuned = Mistuned(baud, read_baud)
        return receiver.hear(data)


def check_link(link: Path | None) -> None:
    """Raise FileExistsError where a file of somebody's would give way to a link."""
    if link is not None and link.exists() and not link.is_symlink():
        raise FileExistsError(f"{link} is there already, and is no link")


def point_link(link: Path | None, path: str) -> None:
    """Point a link, if there is to be one, to a port."""
    if link is not None:
        link.parent.mkdir(parents=True, exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(path)


def remove_link(link: Path | None, path: str) -> None:
    """Remove a link, unless it points to another port by now."""
    if link is not None and link.is_symlink() and str(link.readlink()) == path:
        link.unlink()


class TcpOutlet:
    """A TCP port on this machine, for any number of readers. It says nothing of speed."""

    def __init__(self, port: int = 0) -> None:
        self._number = port
        self._server: asyncio.Server | None = None
        self._readers: set[asyncio.StreamWriter] = set()

    @property
    def port(self) -> str:
        return f"socket://127.0.0.1:{self._number}"

    async def plug(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._number)
            self._number = self._server.sockets[0].getsockname()[1]

    async def unplug(self) -> None:
        if self._server is None:
            return
        server, self._server = self._server, None
        server.close()
        server.close_clients()
        await server.wait_closed()

    def write(self, data: bytes, baud: int) -> None:
        for reader in self._readers:
            if data and reader.transport.get_write_buffer_size() < _PENDING_BYTES:
                reader.write(data)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._readers.add(writer)
        try:
            # A meter does not listen: this ends when the reader goes.
            while await reader.read(1024):
                pass
        except ConnectionError:
            return
        finally:
            self._readers.discard(writer)
            writer.close()
