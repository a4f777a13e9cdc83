"""The node of a household on its command line, each command a process."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
import json
import os
from pathlib import Path
import signal
import sys
from typing import Any, Final

from demo.hass.folder import PATHS
from demo.servers.prosody import LOOPBACK, Prosody
from testing.commands.collective import need_toml
from testing.run import DEADLINE_S
from testing.waiting import eventually

HASTE: Final = 40
"""How many times faster than usual the node goes about it: a receipt has 3 s instead of 120."""


async def python(
    module: str, *arguments: str, log: Path, variables: Mapping[str, str]
) -> asyncio.subprocess.Process:
    """Start a module of this checkout, which writes into a log."""
    with log.open("a") as file:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module, *arguments),
            stderr=file,
            env={**os.environ, "PYTHONPATH": PATHS, **variables},
        )


class Program:
    """A module of this checkout that runs as a process, and can be killed at any time."""

    def __init__(self, module: str, *arguments: str, log: Path, **variables: str) -> None:
        self.log = log
        self._start = partial(python, module, *arguments, log=log, variables=variables)
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await self._start()

    async def kill(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()


class NodeProgram:
    """A node in its folder. What commands complained of is in `errors`."""

    def __init__(
        self, folder: Path, role: str = "household", variables: Mapping[str, str] | None = None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.data = folder / "data"
        self.errors = ""
        self._process: asyncio.subprocess.Process | None = None
        self._environment: Mapping[str, str] = {
            **os.environ,
            "PYTHONPATH": PATHS,
            "CONSOMETERS_DATA": str(self.data),
            "CONSOMETERS_HASTE": str(HASTE),
            "CONSOMETERS_ROLE": role,
            "LC_ALL": "en_GB.UTF-8",
            **(variables or {}),
        }

    @property
    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text() if path.exists() else ""

    @staticmethod
    def command(*arguments: str) -> Sequence[str]:
        return (sys.executable, "-m", "consometers_node", *arguments)

    async def do(self, *arguments: str, answer: str = "") -> str:
        """Run a command to its end, and return what it printed."""
        process = await asyncio.create_subprocess_exec(
            *self.command(*arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._environment,
        )
        printed, complained = await process.communicate(f"{answer}\n".encode())
        self.errors += complained.decode()
        assert process.returncode == 0, complained.decode()
        return printed.decode()

    async def log_in(self, server: Prosody, jid: str, password: str) -> None:
        place = ("--host", LOOPBACK, "--port", str(server.port), "--ca-file", str(server.ca_file))
        await self.do("login", jid, *place, "--security", "starttls", answer=password)

    async def be_asked(
        self,
        peer: str,
        need: str,
        *directions: str,
        interval: str = "PT1H",
        history_days: int,
        identification: str = "pseudonym",
    ) -> str:
        """Put a data need before the household, and return the permission's id."""
        file = self.folder / f"{need}.toml"
        file.write_text(
            need_toml(
                need,
                interval=interval,
                history=f"P{history_days}D",
                identification=identification,
                directions=directions,
            )
        )
        answer = json.loads(await self.do("peer", "add", peer, "--need", str(file), "--json"))
        (asked,) = answer["asked"]
        return str(asked["permission"])

    async def grant(self, permission_id: str, *series: str, options: tuple[str, ...] = ()) -> None:
        chosen = (word for name in series for word in ("--series", name))
        await self.do("grant", permission_id, *chosen, *options, "--yes")

    async def withdraw(self, permission_id: str) -> None:
        await self.do("withdraw", permission_id, "--yes")

    async def start(self) -> None:
        """Start it. It is on its way to be online when this returns."""
        self._process = await python(
            *("consometers_node", "run", "--log-level", "debug"),
            log=self.folder / "log",
            variables=self._environment,
        )

    async def kill(self) -> None:
        """End it as a power cut would."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        await self._end(signal.SIGTERM)

    @property
    def ended(self) -> bool:
        """Whether it was started, and has ended by itself."""
        return self._process is not None and self._process.returncode is not None

    async def status(self) -> dict[str, Any]:
        status = json.loads(await self.do("status", "--json"))
        assert isinstance(status, dict)
        return status

    async def has_read_all(self) -> None:
        """Wait until it is online and has read all of the past that was granted."""

        async def left() -> list[Any]:
            status = await self.status()
            if not status.get("online"):
                return [status]
            return [
                series
                for peer in status["peers"]
                for series in peer["series"]
                if series["read"] < 1
            ]

        await eventually(left, lambda unread: not unread)

    async def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(number)
        async with asyncio.timeout(DEADLINE_S):
            await process.wait()
