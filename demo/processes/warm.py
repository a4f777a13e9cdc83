"""Commands of a program that is loaded already.

    python -m demo.processes.warm MODULE SOCKET FRESH LOADED...

Loading a node takes a second of a processor, and a demo asks its nodes sixty things. So one process
loads it once, and each command is a fork of it. `demo/processes/fork.py` is a small program that
stands for a fork, as a process of its own with the same environment, folder, streams, signals and
end:

    with Warm("consometers_node", loaded) as warm:
        process = await asyncio.create_subprocess_exec(*warm.command("status", "--json"), …)
        result = await warm.run(["status", "--json"], environment)
"""

import asyncio
from asyncio.subprocess import PIPE
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
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from typing import Self

_ENDS_WITHIN_S = 5
_MOST = 2**20


@dataclass(frozen=True, slots=True)
class CommandResult:
    """A finished command: its exit code, and its output."""

    code: int
    stdout: str
    stderr: str


class Warm:
    """A module that is run again and again, in processes that have loaded what it needs."""

    def __init__(self, module: str, loaded: Sequence[str], fresh: str = "-") -> None:
        """Prepare to load modules; commands load again those whose names begin with `fresh`."""
        self._arguments = (module, fresh, *loaded)
        self._folder = tempfile.TemporaryDirectory(prefix="warm", ignore_cleanup_errors=True)
        self._socket = Path(self._folder.name) / "socket"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
            listening.bind(str(self._socket))
            listening.listen()
            program = (sys.executable, "-P", "-m", "demo.processes.warm", str(listening.fileno()))
            self._process = subprocess.Popen(
                (*program, *self._arguments),
                stdin=subprocess.PIPE,
                pass_fds=[listening.fileno()],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                start_new_session=True,  # A Ctrl-C in the terminal is its parent's to handle.
            )
        return self

    def __exit__(self, *_: object) -> None:
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            process.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                process.wait(_ENDS_WITHIN_S)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._folder.cleanup()

    def command(self, *arguments: str) -> Sequence[str]:
        """Return the command line of a process that stands for one of the module."""
        fork = Path(__file__).with_name("fork.py")
        return (sys.executable, "-I", "-S", str(fork), str(self._socket), *arguments)

    async def run(
        self, arguments: Sequence[str], environment: Mapping[str, str], answer: str = ""
    ) -> CommandResult:
        """Run it to its end, with an answer on its standard input."""
        process = await asyncio.create_subprocess_exec(
            *self.command(*arguments), env=environment, stdin=PIPE, stdout=PIPE, stderr=PIPE
        )
        stdout, stderr = await process.communicate(answer.encode())
        assert process.returncode is not None
        return CommandResult(process.returncode, stdout.decode(), stderr.decode())


def main(listening: int, module: str, fresh: str, *loaded: str) -> None:
    """Fork for each that connects, until the standard input ends; then end all forks."""
    for name in loaded:
        import_module(name)
    for name in [name for name in sys.modules if name.startswith(fresh)]:
        del sys.modules[name]
    gc.freeze()
    server = socket.socket(fileno=listening)
    events = selectors.DefaultSelector()
    events.register(0, selectors.EVENT_READ)
    events.register(server, selectors.EVENT_READ)
    while (key := events.select()[0][0]).fd != 0:
        match key.data:
            case None:
                asker, _ = server.accept()
                asked, files, _, _ = socket.recv_fds(asker, _MOST, 3)
                child = os.fork()
                if child == 0:
                    status = _run(module, files, *json.loads(asked))
                    # What Python does besides when it ends takes longer than most commands.
                    os._exit(status)
                for file in files:
                    os.close(file)
                _send(asker, child)
                events.register(asker, selectors.EVENT_READ, child)
                events.register(os.pidfd_open(child), selectors.EVENT_READ, (child, asker))
            case (child, asker):
                _, status = os.waitpid(child, 0)
                _send(asker, os.waitstatus_to_exitcode(status))
                for done in (key.fd, asker):
                    with suppress(KeyError):
                        events.unregister(done)
                os.close(key.fd)
                asker.close()
            case child:
                # What stood for it was killed.
                os.kill(child, signal.SIGKILL)
                events.unregister(key.fd)
    # Who started this may have been killed, and removed nothing.
    shutil.rmtree(Path(server.getsockname()).parent, ignore_errors=True)
    # The session is its own: nobody else is in this group.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(0, signal.SIGTERM)


def _send(asker: socket.socket, number: int) -> None:
    """Send it, unless nobody is there any more."""
    with suppress(BrokenPipeError):
        asker.send(str(number).encode())


def _run(
    module: str,
    files: Sequence[int],
    arguments: Sequence[str],
    environment: Mapping[str, str],
    folder: str,
) -> int:
    """Be the requested program, and return its status."""
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(folder)
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    sys.stdin = os.fdopen(0)
    sys.stdout = os.fdopen(1, "w")
    sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace")
    sys.argv = [module, *arguments]
    status = 0
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        if status and ended.code is not status:
            print(ended.code, file=sys.stderr)
    except Exception:  # noqa: BLE001  # as Python ends a program
        traceback.print_exc()
        status = 1
    for stream in (sys.stdout, sys.stderr):
        if not stream.closed:
            stream.flush()
    return status


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
