"""The command line as a process of its own, among real servers.

Commands are forks of a program that is loaded already. Tests that are marked `cold`, and all with
CI_FULL=1, start them as people do.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
import json
import os
from pathlib import Path
import sys
from typing import Protocol

import pytest
import pytest_socket

from demo import program
from demo.prosody import LOOPBACK, Prosody
from demo.warm import Warm
from tests.full import FULL

from ..xmpp.conftest import (
    PASSWORD,
    MakeNode,
    NewAccount,
    Node,
    authority,
    new_account,
    new_node,
    new_plain,
    one,
    own,
    servers,
    stack,
    two,
)
from ..xmpp.home import Home

__all__ = ["authority", "new_account", "new_node", "new_plain", "one", "own", "servers"]
__all__ += ["stack", "two"]

ROOT = Path(__file__).parents[3]
SECONDS = 40


@dataclass(frozen=True)
class Said:
    """How a command ended, and what it said."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, object]:
        """The one JSON document on stdout."""
        told: dict[str, object] = json.loads(self.out)
        return told

    @property
    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def condition(self) -> object:
        error = self.document["error"]
        assert isinstance(error, dict)
        return error["condition"]


class Start(Protocol):
    async def __call__(
        self, *arguments: object, language: str = "en_GB.UTF-8", **variables: str
    ) -> asyncio.subprocess.Process: ...


class Run(Protocol):
    async def __call__(
        self,
        *arguments: object,
        language: str = "en_GB.UTF-8",
        typed: str = "",
        **variables: str,
    ) -> Said: ...


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
    with program.warm("tests.node.cli.measured") as warm:
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
    async def make(
        *arguments: object, language: str = "en_GB.UTF-8", typed: str = "", **variables: str
    ) -> Said:
        process = await start(*arguments, language=language, **variables)
        return await ended(process, typed)

    return make


async def ended(process: asyncio.subprocess.Process, typed: str = "") -> Said:
    """Wait for the end of a command."""
    async with asyncio.timeout(SECONDS):
        out, err = await process.communicate(typed.encode())
    assert process.returncode is not None
    said = Said(process.returncode, out.decode(), err.decode())
    assert "Traceback" not in said.err, said.err
    return said


def at(server: Prosody) -> tuple[object, ...]:
    """The options that lead to a server."""
    place = ("--host", LOOPBACK, "--port", server.port, "--security", "starttls")
    return (*place, "--ca-file", server.ca_file)


@dataclass
class Reader:
    """Someone with an account, who may read a home."""

    home: Home
    node: Node
    jid: str
    server: Prosody

    @property
    def peer(self) -> str:
        """The address of the home."""
        return self.node.connection.stream.boundjid.bare

    @property
    def options(self) -> tuple[object, ...]:
        return ("--as", self.jid, *at(self.server))


@pytest.fixture
async def reader(
    one: Prosody,
    two: Prosody,
    new_node: MakeNode,
    new_account: NewAccount,
    environment: dict[str, str],
) -> Reader:
    """A home on one server, and on another someone who may read it."""
    jid = new_account(two)
    environment["CONSOMETERS_PASSWORD"] = PASSWORD
    home = Home(jid)
    return Reader(home, await new_node(one, home), jid, two)
