"""Commands of a program that is loaded already: python -m demo.warm MODULE SOCKET LOADED...

To load a node takes a second of a processor, and a demo asks its nodes sixty things. So one process
loads it once, and each command is a fork of it, asked over a connection to a socket:

    async with Warm("consometers_node", loaded) as warm:
        said = await warm.run(["status", "--json"], environment)
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
import gc
from importlib import import_module
import json
import os
from pathlib import Path
import runpy
import selectors
import signal
import socket
import sys
import tempfile
import traceback
from types import TracebackType
from typing import Self

_ENDS_WITHIN_S = 5
_MOST = 2**26


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended, and what it wrote."""

    code: int
    printed: str
    complained: str


class Warm:
    """A module that is run again and again, in processes that have loaded what it needs."""

    def __init__(self, module: str, loaded: Sequence[str]) -> None:
        """Prepare; `loaded` are the modules that a command would load."""
        self._module = module
        self._loaded = loaded
        self._folder = tempfile.TemporaryDirectory(prefix="warm", ignore_cleanup_errors=True)
        self._socket = Path(self._folder.name) / "socket"
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        listening = socket.socket(socket.AF_UNIX)
        with listening:
            listening.bind(str(self._socket))
            listening.listen()
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "demo.warm"),
                *(self._module, str(listening.fileno()), *self._loaded),
                stdin=asyncio.subprocess.PIPE,
                pass_fds=[listening.fileno()],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                start_new_session=True,  # A Ctrl-C in the terminal is its parent's to handle.
            )
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            with suppress(TimeoutError):
                async with asyncio.timeout(_ENDS_WITHIN_S):
                    await process.wait()
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        self._folder.cleanup()

    async def run(
        self, arguments: Sequence[str], environment: Mapping[str, str], answer: str = ""
    ) -> Said:
        """Run it to its end, with an answer on its standard input."""
        reader, writer = await asyncio.open_unix_connection(self._socket, limit=_MOST)
        try:
            asked = [list(arguments), dict(environment), answer]
            writer.write(json.dumps(asked).encode() + b"\n")
            return Said(*json.loads(await reader.readline()))
        finally:
            writer.close()


def main(module: str, listening: int, *loaded: str) -> None:
    """Fork for each that connects, until the standard input ends; then end all forks."""
    for name in loaded:
        import_module(name)
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(fileno=listening) as server, selectors.DefaultSelector() as either:
        either.register(server, selectors.EVENT_READ)
        either.register(0, selectors.EVENT_READ)
        while [key.fd for key, _ in either.select()] == [server.fileno()]:
            connection, _ = server.accept()
            if os.fork() == 0:
                try:
                    _answer(module, connection)
                finally:
                    os._exit(0)
            connection.close()
    # The session is its own: nobody else is in this group.
    os.killpg(0, signal.SIGTERM)


def _answer(module: str, connection: socket.socket) -> None:
    """Be the program that is asked for over a connection, and tell how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with connection.makefile("rw") as asker:
        arguments, environment, answer = json.loads(asker.readline())
        os.environ.clear()
        os.environ.update(environment)
        files = [os.memfd_create(name) for name in ("stdin", "stdout", "stderr")]
        os.write(files[0], answer.encode())
        os.lseek(files[0], 0, os.SEEK_SET)
        for number, file in enumerate(files):
            os.dup2(file, number)
        code = _run(module, arguments)
        for stream in (sys.stdout, sys.stderr):
            if not stream.closed:
                stream.flush()
        written = [os.pread(file, _MOST, 0).decode() for file in files[1:]]
        asker.write(json.dumps([code, *written]) + "\n")


def _run(module: str, arguments: Sequence[str]) -> int:
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            return ended.code or 0
        print(ended.code, file=sys.stderr)
        return 1
    except Exception:  # noqa: BLE001  # as Python ends a program
        traceback.print_exc()
        return 1
    return 0


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
