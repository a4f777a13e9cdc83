"""However script/demo is ended, and whenever, nothing that it started goes on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
import os
from pathlib import Path
import pty
import shutil
import signal
from typing import Final
from uuid import uuid4

import pytest

from testing.checkout import ROOT
from testing.programs.demo import name_of

pytestmark = pytest.mark.skipif(not shutil.which("prosody"), reason="script/setup gets Prosody")

MARK: Final = "DEMO_OF_THIS_TEST"
"""A variable of the environment, which everything inherits that the demo starts."""
ALL: Final = {"demo.hass", "prosody"}
_OPENS_WITHIN_S: Final = 800
_ENDS_WITHIN_S: Final = 240


class Opening:
    """A demo in a terminal, that was started and is not yet open."""

    def __init__(self, folder: Path, *, by_a_shell: bool) -> None:
        """Start it, as what the terminal runs or as a child of a shell there."""
        self._mark = f"{MARK}={uuid4()}".encode()
        command = [str(ROOT / "script" / "demo"), "--school", "--json", "--folder", str(folder)]
        if by_a_shell:
            command = ["bash", "-c", '"$@"; true', "bash", *command]
        name, _, value = self._mark.partition(b"=")
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, {**os.environb, name: value})

    @property
    def processes(self) -> dict[int, str]:
        """All that it has started and is still there, by number, with names."""
        there = {}
        for file in Path("/proc").glob("[0-9]*/environ"):
            with suppress(OSError):
                if self._mark in file.read_bytes().split(b"\0"):
                    there[int(file.parent.name)] = name_of(int(file.parent.name))
        return {pid: name for pid, name in there.items() if name}

    @property
    def house(self) -> int:
        """The number of the demo's own process."""
        (number,) = (
            pid
            for pid in self.processes
            if b"demo.house" in Path(f"/proc/{pid}/cmdline").read_bytes()
        )
        return number

    def signal(self, *numbers: signal.Signals) -> None:
        house = self.house
        for number in numbers:
            with suppress(ProcessLookupError):
                os.kill(house, number)

    async def until(self, happened: Callable[[], bool], seconds: float) -> None:
        async with asyncio.timeout(seconds):
            while not happened():
                await asyncio.sleep(0.05)


@pytest.fixture
async def opening(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Opening]:
    demo = Opening(tmp_path / "demo", by_a_shell=getattr(request, "param", False))
    try:
        await demo.until(lambda: set(demo.processes.values()) >= ALL, _OPENS_WITHIN_S)
        yield demo
    finally:
        for pid in demo.processes:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(demo.pid, 0)
        with suppress(OSError):
            os.close(demo.terminal)


async def ends(demo: Opening) -> None:
    """Wait until nothing is left, and say what is."""
    try:
        await demo.until(lambda: _reaped(demo.pid) and not demo.processes, _ENDS_WITHIN_S)
    except TimeoutError:
        pytest.fail(f"left behind: {demo.processes}")


def _reaped(pid: int) -> bool:
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    return True


@pytest.mark.full
@pytest.mark.parametrize(
    "numbers",
    [
        (signal.SIGTERM,),
        (signal.SIGTERM, signal.SIGTERM),
        (signal.SIGINT, signal.SIGTERM),
        # A shell that is killed hangs up, too, and one of which a server is frozen is killed below.
        (signal.SIGHUP,),
        (signal.SIGHUP, signal.SIGHUP),
        (signal.SIGKILL,),
    ],
    ids=lambda numbers: "-".join(number.name for number in numbers),
)
async def test_signals_in_a_row_leave_no_process(
    opening: Opening, numbers: tuple[signal.Signals, ...]
) -> None:
    opening.signal(*numbers)
    await ends(opening)


@pytest.mark.parametrize(
    "times", [*(pytest.param(times, marks=pytest.mark.full) for times in (1, 2)), 3]
)
async def test_ctrl_c_leaves_no_process(opening: Opening, times: int) -> None:
    for _ in range(times):
        os.write(opening.terminal, b"\x03")
        await asyncio.sleep(0.1)
    await ends(opening)


@pytest.mark.parametrize("opening", [True], indirect=True)
async def test_a_killed_shell_leaves_no_process(opening: Opening) -> None:
    os.kill(opening.pid, signal.SIGKILL)
    await ends(opening)


@pytest.mark.full
async def test_an_open_demo_that_is_killed_leaves_no_process(opening: Opening) -> None:
    output = b""
    async with asyncio.timeout(_OPENS_WITHIN_S):
        while b'"command"' not in output:
            output += await asyncio.to_thread(os.read, opening.terminal, 4096)
    assert set(opening.processes.values()) >= {*ALL, "consometers_node"}
    opening.signal(signal.SIGKILL)
    await ends(opening)


async def test_a_killed_demo_leaves_no_frozen_server(
    opening: Opening,
) -> None:
    (prosody,) = (pid for pid, name in opening.processes.items() if name == "prosody")
    os.kill(prosody, signal.SIGSTOP)
    opening.signal(signal.SIGKILL)
    await ends(opening)
