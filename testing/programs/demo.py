"""The demo as a program: where its parts are, and what they recorded."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
import json
from pathlib import Path
import signal
from typing import Any, Final

import aiohttp

from demo.hass import Api
from demo.hass.api import Period
from testing.checkout import ROOT

HOUR: Final = timedelta(hours=1)
LONGEST: Final[Mapping[Period, timedelta]] = {
    "hour": HOUR,
    "day": 25 * HOUR,
    "month": timedelta(days=31, hours=1),
}
"""How long a period may be."""


type Addresses = Mapping[str, Any]
type Records = Mapping[datetime, float]


class Demo:
    """The demo of one folder. What it printed when all was up is in `addresses`."""

    addresses: Addresses

    def __init__(self, folder: Path, *around: str) -> None:
        self._folder = folder
        self._around = around
        self._process: asyncio.subprocess.Process | None = None

    async def open(self) -> None:
        complaints = self._folder.with_suffix(".complaints")
        with complaints.open("wb") as heard:
            self._process = await asyncio.create_subprocess_exec(
                str(ROOT / "script" / "demo"),
                *("--json", *self._around, "--folder", str(self._folder)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=heard,
            )
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        assert line, await self._why(complaints)
        self.addresses = json.loads(line)

    async def _why(self, complaints: Path) -> str:
        """Return how it ended, and its output: of a traceback, the last line says most."""
        assert self._process is not None
        code = await self._process.wait()
        lines = complaints.read_text(errors="replace").splitlines()
        return f"script/demo ended with {code}: " + "\n".join(reversed(lines))

    async def end(self, ending: signal.Signals) -> int:
        assert self._process is not None
        self._process.send_signal(ending)
        async with asyncio.timeout(240):
            return await self._process.wait()

    @property
    def processes(self) -> set[int]:
        assert self._process is not None
        return set(started_by(self._process.pid))

    @property
    def is_open(self) -> bool:
        return self._process is not None and self._process.returncode is None


@dataclass(frozen=True)
class DemoPlace:
    port: int
    ca_file: Path


async def counted(
    addresses: Addresses, statistic: str, start: datetime, end: datetime, period: Period = "hour"
) -> Records:
    """What Home Assistant counted in each hour, in Wh, which is its mean power in W.

    Or in each civil day or month; in none before which it counted nothing.
    """
    async with owner(addresses) as api:
        rows = await api.statistics(statistic, period, start - LONGEST[period], end)
    return {
        datetime.fromtimestamp(row["start"] / 1000, UTC): round(row["sum"]) - round(before["sum"])
        for before, row in pairwise(rows)
        if before["sum"] is not None and row["sum"] is not None
    }


@asynccontextmanager
async def owner(addresses: Addresses) -> AsyncIterator[Api]:
    async with aiohttp.ClientSession() as session:
        api = Api(addresses["url"], session)
        await api.log_in()
        yield api


def started_by(pid: int) -> Iterator[int]:
    """The processes that a process started, and those that these started."""
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(file.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == pid:
            child = int(file.parent.name)
            yield child
            yield from started_by(child)


def name_of(pid: int) -> str:
    """What runs as this process: a module of Python's, or a program; nothing if it has ended."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return ""
    for name in ("consometers_node", "demo.hass", "prosody"):
        if any(name in Path(word).name for word in words):
            return name
    return words[0]
