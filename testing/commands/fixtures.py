"""The command line as a process of its own, among real servers.

Commands are forks of a program that is loaded already. Tests that are marked `cold`, and all with
CI_FULL=1, start them as people do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
import json
import os
from pathlib import Path
import pty
import signal
import subprocess
import sys
from typing import Any

import pytest
import pytest_socket

from demo.processes.warm import Warm
from demo.servers import program
from demo.servers.prosody import LOOPBACK, Prosody
from testing.checkout import ROOT
from testing.run import DEADLINE_S, FULL

HASTE = "100"


@dataclass(frozen=True)
class Result:
    """How a command ended, and what it printed."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def condition(self) -> object:
        return self.document["error"]["condition"]

    @property
    def message(self) -> str:
        return str(self.document["error"]["message"])


type Start = Callable[..., Awaitable[asyncio.subprocess.Process]]
"""Of `start`."""


@dataclass(frozen=True)
class Run:
    """Runs commands to their end."""

    start: Start

    async def __call__(self, *arguments: object, typed: str = "", **variables: str) -> Result:
        return await ended(await self.start(*arguments, **variables), typed)

    async def ok(self, *arguments: object, **options: str) -> Result:
        """Run a command that succeeds."""
        result = await self(*arguments, **options)
        assert result.status == 0, result
        return result

    async def json(self, *arguments: object, **options: str) -> Any:
        """Run a command that succeeds, and return its document."""
        return (await self.ok(*arguments, "--json", **options)).document

    async def condition(self, *arguments: object, **options: str) -> object:
        """Run a command that fails, and return why."""
        result = await self(*arguments, "--json", **options)
        assert result.status != 0, result
        return result.condition


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """What a person's environment holds."""
    return {
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT / "addon"),
        "TZ": "Europe/Paris",
        "XDG_DATA_HOME": str(tmp_path / "share"),
        **{name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")},
    }


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    pytest_socket.enable_socket()
    with program.warm("testing.commands.measured") as warm:
        yield warm


@pytest.fixture
def command_line(request: pytest.FixtureRequest) -> Callable[..., Sequence[str]]:
    """The command line of a command."""
    if FULL or request.node.get_closest_marker("cold"):
        return lambda *arguments: (sys.executable, "-P", "-m", "consometers_node", *arguments)
    warm: Warm = request.getfixturevalue("warm")
    return warm.command


@pytest.fixture
def start(environment: dict[str, str], command_line: Callable[..., Sequence[str]]) -> Start:
    async def make(
        *arguments: object, language: str = "en_GB.UTF-8", **variables: str
    ) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *command_line(*map(str, arguments)),
            env={**environment, "LANG": language, **variables},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    return make


@pytest.fixture
def run(start: Start) -> Run:
    return Run(start)


async def ended(process: asyncio.subprocess.Process, typed: str = "") -> Result:
    """Wait for the end of a command."""
    async with asyncio.timeout(DEADLINE_S):
        out, err = await process.communicate(typed.encode())
    assert process.returncode is not None
    result = Result(process.returncode, out.decode(), err.decode())
    assert "Traceback" not in result.err, result.err
    return result


def at_a_terminal(
    environment: dict[str, str], language: str, arguments: Sequence[str], typed: Sequence[str]
) -> tuple[int, str]:
    """Run a command at a terminal and answer its questions; return its status and output."""
    person, terminal = pty.openpty()
    program = subprocess.Popen(
        (sys.executable, "-P", "-m", "consometers_node", *arguments),
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env={**environment, "LANG": language},
        start_new_session=True,
    )
    os.close(terminal)
    shown, asked, answers = b"", 0, list(typed)
    # The terminal is gone with the program.
    with suppress(OSError):
        while chunk := os.read(person, 4096):
            shown += chunk
            # A question ends with a space, and nothing comes after it.
            if answers and len(shown) > asked and shown.endswith(b" "):
                asked = len(shown)
                os.write(person, f"{answers.pop(0)}\n".encode())
    os.close(person)
    return program.wait(DEADLINE_S), shown.decode()


@asynccontextmanager
async def running(
    start: Start, run: Run, *options: object, until: str = "running", **variables: str
) -> AsyncIterator[Any]:
    """Run a node until the end of this, and return its status once it runs."""
    process = await start("run", *options, CONSOMETERS_HASTE=HASTE, **variables)
    try:
        async with asyncio.timeout(DEADLINE_S):
            status: dict[str, object] = {}
            while not status.get(until):
                assert process.returncode is None, await ended(process)
                status = await run.json("status", *options, **variables)
        yield status
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        result = await ended(process)
    assert result.status == 0, result.err


def at(server: Prosody) -> tuple[object, ...]:
    """The options that lead to a server."""
    place = ("--host", LOOPBACK, "--port", server.port, "--security", "starttls")
    return (*place, "--ca-file", server.ca_file)
