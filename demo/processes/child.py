"""A program that ends with its parent, however that ends.

`python -m demo.processes.child MODULE [ARGUMENT...]` runs one of Python. Its standard input is for
nothing else: its end, which a killed parent causes too, terminates the program, or kills it if it
stays. The kernel does this for any other program.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
import os
from pathlib import Path
import runpy
import shutil
import signal
import sys
from threading import Thread
import time

_ENDS_WITHIN_S = 30


class Child:
    """A module as a process that ends with this one, and writes into a log."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether it has ended by itself."""
        return self._process is not None and self._process.returncode is not None

    async def launch(
        self,
        *command: str,
        environment: Mapping[str, str],
        stdout: int | None = None,
        runner: Sequence[str] | None = None,
    ) -> asyncio.subprocess.Process:
        """Start a module with its arguments; its output goes into the log, or the given file."""
        with self.log.open("a") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(runner or runner_in(sys.executable)),
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=log if stdout is None else stdout,
                stderr=log,
                env=environment,
                start_new_session=True,  # A Ctrl-C in the terminal is its parent's to handle.
            )
        return self._process

    async def wait(self) -> int:
        """Wait until it has ended by itself, and return its exit code."""
        assert self._process is not None
        return await self._process.wait()

    async def close(self, within_s: float = 20) -> None:
        """End it if it runs, and kill it if it does not end."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.terminate()
            try:
                async with asyncio.timeout(within_s):
                    await process.wait()
            except TimeoutError:
                process.kill()
        await process.wait()


def runner_in(python: str) -> Sequence[str]:
    """Return the command that runs a module of an environment, and ends it with its parent."""
    return (python, "-P", "-m", "demo.processes.child")


def killed_with_its_parent(command: list[str]) -> list[str]:
    """Return the command that Linux kills with the thread that starts it, else the command.

    The kernel sends nothing if the parent died before `setpriv` asked it to: hence the check.
    """
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return command
    check = f'[ "$PPID" = {os.getpid()} ] && exec "$@"'
    return [setpriv, "--pdeathsig=KILL", "--", "sh", "-c", check, "sh", *command]


def _watch() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_ENDS_WITHIN_S)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    Thread(target=_watch, daemon=True).start()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
