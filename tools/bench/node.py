"""A household's node as a process, and what the system tells of a process."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
import json
import os
from pathlib import Path
import sys
from typing import Any

from demo.hass.folder import ROOT
from demo.prosody import LOOPBACK, Prosody

_MIB = 1024 * 1024


@dataclass(frozen=True)
class Memory:
    """What a process holds in MiB: at its most, now, and now without the files that it maps."""

    peak: float
    resident: float
    anonymous: float

    @classmethod
    def of(cls, pid: int) -> Memory:
        status = Path(f"/proc/{pid}/status").read_text()

        def mib(name: str) -> float:
            return int(status.partition(f"\n{name}:")[2].split()[0]) / 1024

        return cls(mib("VmHWM"), mib("VmRSS"), mib("RssAnon"))


def cpu_s(pid: int) -> float:
    """Return the CPU time that a process has had."""
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")


class Node:
    """A node in its folder. It has no past when its folder is new."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self._environment: Mapping[str, str] = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "addon"))),
            "CONSOMETERS_DATA": str(folder),
            "LC_ALL": "en_GB.UTF-8",
        }

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def database(self) -> Path:
        return self.folder / "node.db"

    @property
    def database_mib(self) -> float:
        """Return the size of the database, with what waits to be put into it."""
        files = self.folder.glob(f"{self.database.name}*")
        return sum(file.stat().st_size for file in files) / _MIB

    async def do(self, *arguments: str, answer: str = "") -> str:
        """Run a command to its end, and give what it printed."""
        process = await asyncio.create_subprocess_exec(
            *_command(*arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._environment,
        )
        printed, complained = await process.communicate(f"{answer}\n".encode())
        if process.returncode:
            raise RuntimeError(complained.decode())
        return printed.decode()

    async def tell(self, *arguments: str) -> Any:
        """Run a command, and give the JSON that it printed."""
        return json.loads(await self.do(*arguments, "--json"))

    async def log_in(self, server: Prosody, jid: str, password: str) -> None:
        place = ("--host", LOOPBACK, "--port", str(server.port), "--ca-file", str(server.ca_file))
        await self.do("login", jid, *place, "--security", "starttls", answer=password)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run it. It is on its way to be online when this begins."""
        with (self.folder / "log").open("a") as log:
            self._process = await asyncio.create_subprocess_exec(
                *_command("run"), stdout=log, stderr=log, env=self._environment
            )
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                self._process.terminate()
            await self._process.wait()


def _command(*arguments: str) -> tuple[str, ...]:
    return sys.executable, "-m", "consometers_node", *arguments
