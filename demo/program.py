"""The node as a program, asked on its command line as a person asks it."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
import json
import os
from pathlib import Path
import sys
from types import MappingProxyType
from typing import Any, Final, NoReturn, Protocol

from demo.hass.folder import ROOT
from demo.prosody import LOOPBACK
from demo.warm import Warm

_MODULE: Final = "consometers_node"
_STOP_SECONDS: Final = 20
_CLI: Final = f"{_MODULE}.cli"
"""Its texts are in the language of the environment in which it is loaded."""


class NodeError(Exception):
    """A node does not do what is asked of it, or has ended by itself; the text says why."""


class Program:
    """The node of one folder: commands, each run to its end, and the one that runs on."""

    def __init__(
        self,
        folder: Path,
        log: Path,
        warm: Warm,
        variables: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Prepare; `variables` are those of the environment, for all that it does."""
        self.folder = folder
        self.log = log
        self._warm = warm
        self._environment = {**environment(folder), **variables}
        self._running: asyncio.subprocess.Process | None = None

    async def json(self, *arguments: str) -> Any:
        return json.loads(await self.do(*arguments, "--json"))

    async def do(self, *arguments: str, answer: str = "") -> str:
        """Run a command to its end, and give what it prints."""
        result = await self._warm.run(arguments, self._environment, f"{answer}\n")
        if result.code:
            why = (result.stderr or result.stdout).strip()
            raise NodeError(f"consometers-node {arguments[0]}: {why}")
        return result.stdout

    async def run(self, *options: str, **variables: str) -> None:
        """Start it; what it says goes into its log."""
        with self.log.open("a") as log:
            self._running = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "demo.child", _MODULE, "run", *options),
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**self._environment, **variables},
                start_new_session=True,  # A Ctrl-C in the terminal is its parent's to handle.
            )

    @property
    def has_ended(self) -> bool:
        """Whether it has ended by itself."""
        return self._running is not None and self._running.returncode is not None

    async def live(self) -> NoReturn:
        """Wait until it ends.

        Raises:
            NodeError: it has ended by itself.
        """
        assert self._running is not None
        await self._running.wait()
        raise NodeError(f"The node has ended: {self.log} may say why.")

    async def close(self) -> None:
        """End it, if it runs."""
        process, self._running = self._running, None
        if process is not None:
            await end(process)


def warm(*also: str) -> Warm:
    """Return what runs the commands of all nodes, and loads other modules also."""
    addon = ROOT / "addon"
    loaded = [
        ".".join(file.relative_to(addon).with_suffix("").parts)
        for file in sorted((addon / _MODULE).rglob("*.py"))
        if "migrations" not in file.parts and not file.stem.startswith("__")
    ]
    return Warm(_MODULE, [*loaded, "alembic.command", "rich.console", *also], fresh=_CLI)


def environment(folder: Path) -> Mapping[str, str]:
    """Return what a node of that folder is started with, and nothing of another one."""
    inherited = {key: value for key, value in os.environ.items() if not _is_of_a_node(key)}
    return {
        **inherited,
        "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "addon"))),
        "CONSOMETERS_DATA": str(folder),
    }


class _Opened(Protocol):
    async def close(self) -> None: ...


async def closed(*some: _Opened) -> None:
    """Close all of them at the same time, whatever becomes of one; then raise what went wrong."""
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


async def end(process: asyncio.subprocess.Process) -> None:
    """End a process that may have ended, and kill it if it does not."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
    await process.wait()


def _is_of_a_node(variable: str) -> bool:
    """Whether it would lead to another node, or to another Home Assistant."""
    return variable.startswith("CONSOMETERS_") or variable == "SUPERVISOR_TOKEN"
