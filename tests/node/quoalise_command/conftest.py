"""The command `quoalise` as a process of its own, among real servers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
import sys

import pytest
import pytest_socket

from demo.hass.folder import PATHS
from demo.prosody import Prosody
from demo.warm import Warm
from tests.full import FULL
from tests.node.cli.conftest import at, environment as environment_of_commands, run, start
from tests.node.networks import PASSWORD
from tests.node.xmpp.conftest import MakeNode, NewAccount, Node
from tests.node.xmpp.home import SERIES, Home

__all__ = ["environment_of_commands", "run", "start"]

_MODULE = "consometers_quoalise_command"


@pytest.fixture
def environment(environment_of_commands: dict[str, str]) -> dict[str, str]:
    return {**environment_of_commands, "PYTHONPATH": PATHS, "PASSWORD": PASSWORD}


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    pytest_socket.enable_socket()
    with Warm(_MODULE, [f"{_MODULE}.program", "tests.node.quoalise_command.measured"]) as warm:
        yield warm


@pytest.fixture
def command_line(request: pytest.FixtureRequest) -> Callable[..., Sequence[str]]:
    """The command line of a command."""
    if FULL or request.node.get_closest_marker("cold"):
        return lambda *arguments: (sys.executable, "-P", "-m", _MODULE, *arguments)
    warm: Warm = request.getfixturevalue("warm")
    return warm.command


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
        return self.node.bare

    @property
    def options(self) -> tuple[object, ...]:
        return ("--account", self.jid, *at(self.server))

    def history(self, *arguments: object) -> tuple[object, ...]:
        """The command that asks the home for its past."""
        return ("history", self.peer, SERIES, *arguments, *self.options)


@pytest.fixture
async def reader(
    server: Prosody, other_server: Prosody, new_node: MakeNode, new_account: NewAccount
) -> Reader:
    """A home on one server, and on another someone who may read it."""
    jid = new_account(other_server)
    home = Home(jid)
    return Reader(home, await new_node(server, home), jid, other_server)
