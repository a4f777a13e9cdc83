"""Where the bytes come from: a file, standard input, a serial port or URL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import FileIO
import os
from pathlib import Path
import select
import stat
from typing import Protocol

from consometers_tic import Counters, Mode

WAIT_S = 0.25
"""Longest wait for bytes: a table of ages is drawn again at least this often."""
_READ_SIZE = 1 << 16


class Source(Protocol):
    """Bytes as they come."""

    @property
    def live(self) -> bool:
        """Whether they come at the pace of a meter."""

    @property
    def baud(self) -> int | None:
        """The speed of the port, if there is one."""

    def chunks(self, counters: Counters) -> AsyncIterator[bytes]:
        """Yield bytes, or none of them when none have come for a while.

        `counters` are those of the decoder that reads them.
        """


@asynccontextmanager
async def open_source(name: str, mode: Mode | None) -> AsyncIterator[Source]:
    """Open what a name on the command line stands for. Raises OSError or LinkError."""
    path = Path(name)
    if "://" in name or path.is_char_device() or (name.startswith("/dev/") and not path.exists()):
        from .serial import open_serial

        async with open_serial(name, mode) as port:
            yield port
    else:
        with open(0 if name == "-" else path, "rb", buffering=0, closefd=name != "-") as file:
            yield FileSource(file)


class FileSource:
    """A file, a pipe, or standard input."""

    baud: int | None = None

    def __init__(self, file: FileIO) -> None:
        """Take an open file."""
        self._file = file
        self.live = not stat.S_ISREG(os.fstat(file.fileno()).st_mode)

    async def chunks(self, counters: Counters) -> AsyncIterator[bytes]:
        while True:
            # The event loop has nothing else to do, so it may as well wait here.
            if self.live and not select.select([self._file], [], [], WAIT_S)[0]:
                yield b""
            elif data := self._file.read(_READ_SIZE):
                yield data
            else:
                return
