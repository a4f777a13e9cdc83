"""The command `quoalise` as a process of its own, among real servers."""

from collections.abc import Callable, Iterator, Sequence
import sys

import pytest
import pytest_socket

from demo.hass.folder import PATHS
from demo.processes.warm import Warm
from demo.servers.prosody import Prosody
from testing.commands.fixtures import environment as environment_of_commands, run, start
from testing.commands.quoalise import CommandReader
from testing.networks import PASSWORD
from testing.run import FULL
from testing.xmpp.answerers import MemoryHome
from testing.xmpp.fixtures import MakeNode, NewAccount

_MODULE = "consometers_quoalise_command"


@pytest.fixture
def environment(environment_of_commands: dict[str, str]) -> dict[str, str]:
    return {**environment_of_commands, "PYTHONPATH": PATHS, "PASSWORD": PASSWORD}


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    pytest_socket.enable_socket()
    with Warm(_MODULE, [f"{_MODULE}.program", "testing.commands.measured_quoalise"]) as warm:
        yield warm


@pytest.fixture
def command_line(request: pytest.FixtureRequest) -> Callable[..., Sequence[str]]:
    """The command line of a command."""
    if FULL or request.node.get_closest_marker("cold"):
        return lambda *arguments: (sys.executable, "-P", "-m", _MODULE, *arguments)
    warm: Warm = request.getfixturevalue("warm")
    return warm.command


@pytest.fixture
async def reader(
    server: Prosody, other_server: Prosody, new_node: MakeNode, new_account: NewAccount
) -> CommandReader:
    """A home on one server, and on another someone who may read it."""
    jid = new_account(other_server)
    home = MemoryHome(jid)
    return CommandReader(home, await new_node(server, home), jid, other_server)
