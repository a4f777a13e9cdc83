"""The node as a program, asked on its command line as a person asks it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from datetime import timedelta
import json
import os
from pathlib import Path
import subprocess
import sys
import time
from types import MappingProxyType
from typing import Any, Final, NoReturn, Protocol

from demo.hass.folder import PATHS, ROOT
from demo.processes.child import Child, killed_with_its_parent, runner_in
from demo.processes.warm import Warm

from .prosody import LOOPBACK, Prosody

# Like that of Home Assistant: servers are on loopback, and what they have is made up.
PASSWORD: Final = "kersabiec"

_MODULE: Final = "consometers_node"
_CLI: Final = f"{_MODULE}.cli"
"""Its texts are in the language of the environment in which it is loaded."""


class NodeError(Exception):
    """A node refuses a request, or has ended by itself; the text says why."""


class Program(Child):
    """The node of one folder: commands, each run to its end, and the one that runs on."""

    def __init__(
        self,
        folder: Path,
        log: Path,
        warm: Warm,
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Prepare; `variables` are those of the environment, for all that it does."""
        super().__init__(log)
        self.folder = folder
        self._warm = warm
        self._environment = {**environment(folder), **variables}

    async def json(self, *arguments: str) -> Any:
        return json.loads(await self.do(*arguments, "--json"))

    async def do(self, *arguments: str, answer: str = "") -> str:
        """Run a command to its end, and return its output."""
        result = await self._warm.run(arguments, self._environment, f"{answer}\n")
        if result.code:
            why = (result.stderr or result.stdout).strip()
            raise NodeError(f"consometers-node {arguments[0]}: {why}")
        return result.stdout

    async def run(self, *options: str, **variables: str) -> None:
        """Start it; its output goes into its log."""
        environment = {**self._environment, **variables}
        # A home's node becomes another program, without the thread that watches its parent.
        runner = killed_with_its_parent([*runner_in(sys.executable)])
        await self.launch(_MODULE, "run", *options, environment=environment, runner=runner)

    async def live(self) -> NoReturn:
        """Wait until it ends.

        Raises:
            NodeError: it has ended by itself.
        """
        await self.wait()
        raise NodeError(f"The node has ended: {self.log} may say why.")


def warm(*also: str) -> Warm:
    """Return the runner of all nodes' commands, which loads other modules also."""
    addon = ROOT / "addon"
    loaded = [
        ".".join(file.relative_to(addon).with_suffix("").parts)
        for file in sorted((addon / _MODULE).rglob("*.py"))
        if "migrations" not in file.parts and not file.stem.startswith("__")
    ]
    return Warm(_MODULE, [*loaded, "alembic.command", "rich.console", *also], fresh=_CLI)


def environment(folder: Path) -> Mapping[str, str]:
    """Return the environment of a node in that folder, without variables of another one."""
    inherited = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith("CONSOMETERS_") and key != "SUPERVISOR_TOKEN"
    }
    return {
        **inherited,
        "PYTHONPATH": PATHS,
        "CONSOMETERS_DATA": str(folder),
    }


def clock_behind(by: timedelta) -> Mapping[str, str]:
    """Return the environment of a program whose clock is behind, by the library faketime.

    Nothing, where that is not there, or where the clock of all programs is another one already.
    """
    library = faketime()
    if library is None or "FAKETIME" in os.environ:
        return {}
    # Timeouts and pauses are as long as ever.
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME": f"-{by.total_seconds():.0f}",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        # With its correction of waits, threads that wait for another keep a processor busy.
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",
        # Shared memory of a program that is killed would stay.
        "FAKETIME_DISABLE_SHM": "1",
    }


def faketime() -> Path | None:
    """Return the library that sets the clock of a program, if it is there."""
    return next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


class Threaded:
    """A server that starts and ends in a thread."""

    def __init__(self, server: Prosody) -> None:
        """Prepare; nothing starts yet."""
        self.server = server
        self._starting: asyncio.Future[None] | None = None

    async def open(self, *accounts: str) -> None:
        """Start it with accounts of its host. Raises NodeError."""
        self._starting = asyncio.ensure_future(asyncio.to_thread(self._start, accounts))
        # Cancelling does not stop a thread: close() waits for it, and ends what it started.
        await asyncio.shield(self._starting)

    def _start(self, accounts: Iterable[str]) -> None:
        try:
            self.server.start()
            self.server.register_all([jid.partition("@")[0] for jid in accounts], PASSWORD)
        except (RuntimeError, subprocess.SubprocessError) as error:
            raise NodeError(str(error)) from error

    async def close(self) -> None:
        """End it, leaving no process."""
        if self._starting is not None:
            with suppress(Exception):
                await self._starting
        await asyncio.to_thread(self.server.stop)


async def until[T](
    happens: Callable[[], Awaitable[T]], error: Exception, *, within_s: float, every_s: float = 0.5
) -> T:
    """Retry until a result is true, and return it; else raise the error."""
    end = time.monotonic() + within_s
    while not (result := await happens()):
        if time.monotonic() > end:
            raise error
        await asyncio.sleep(every_s)
    return result


class _Opened(Protocol):
    async def close(self) -> None: ...


async def closed(*some: _Opened) -> None:
    """Close all of them at the same time, despite failures; then raise these."""
    ends = await asyncio.gather(*(part.close() for part in some), return_exceptions=True)
    for end_of_it in ends:
        if end_of_it is not None:
            raise end_of_it


def reach(port: int, ca_file: Path, password_file: Path) -> tuple[str, ...]:
    """Return the options that say where a server is, and who asks."""
    server = ("--host", LOOPBACK, "--port", str(port), "--ca-file", str(ca_file))
    return (*server, "--password-file", str(password_file))


def write_private(file: Path, text: str) -> None:
    """Write a file that its owner alone may read."""
    file.touch(mode=0o600)
    file.write_text(text)
