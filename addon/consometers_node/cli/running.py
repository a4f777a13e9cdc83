"""`run`: this node, a household's or a collective's, until it is told to stop."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
import gc
from importlib.metadata import PackageNotFoundError, version as version_of
import logging
import signal
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from consometers_node.backoff import Backoff
from consometers_node.quoalise import Text
from consometers_node.quoalise.text import printed, text
from consometers_node.xmpp import Connection, Identity

from .control_socket import Status
from .errors import misused
from .locale import say
from .options import Common, SettingsFile
from .output import Output
from .usage import Commands

if TYPE_CHECKING:
    from consometers_node.collective.node import CollectiveNode
    from consometers_node.household.node import HomeNode

_NO_PAGE = text("belongs to a household's node: a collective's settings say where its pages are.")
_RUNS = text("The node runs as {jid}.")

_LOGGER = logging.getLogger("consometers_node")

commands = Commands()


@commands.add(
    "run",
    text(
        "A household's node reads Home Assistant, answers its peers and tells them what they were"
        " granted, and nothing else. A collective's gathers what its members granted, sums it, and"
        " tells what may be known. What it does is written to stderr."
    ),
)
def run(
    common: Common,
    *,
    role: Annotated[
        Literal["household", "collective"],
        typer.Option(
            metavar="household|collective",
            envvar="CONSOMETERS_ROLE",
            help=say("Whose node this is."),
        ),
    ] = "household",
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        typer.Option(
            metavar="debug|info|warning|error",
            help=say("How much the log says."),
        ),
    ] = "info",
    page: Annotated[
        str | None,
        typer.Option(
            metavar=say("HOST:PORT"),
            help=say(
                "Serve the page and the API of a household there: the page through Home Assistant's"
                " ingress alone. Without it, an account must be there already."
            ),
        ),
    ] = None,
    settings: SettingsFile = None,
    ingress: Annotated[
        list[str] | None, typer.Option(envvar="CONSOMETERS_INGRESS", hidden=True)
    ] = None,
    haste: Annotated[float, typer.Option(envvar="CONSOMETERS_HASTE", hidden=True, min=1)] = 1,
) -> None:
    """Run until SIGTERM or Ctrl-C.

    For tests: `ingress` are addresses that are let in as Home Assistant's is; with haste, all
    waits are that many times shorter.
    """
    logging.basicConfig(
        level=log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    # A role takes memory that the other one can do without.
    if role == "collective":
        if page is not None:
            raise misused("--page", _NO_PAGE)
        from . import running_collective  # noqa: PLC0415

        running_collective.run(common, settings, haste)
    else:
        from . import running_home  # noqa: PLC0415

        running_home.run(common, haste, page, ingress)


def version() -> str:
    """Return the version of the node that is installed."""
    try:
        return version_of("consometers-node")
    except PackageNotFoundError:
        return "checkout"


def connecting(output: Output, haste: float) -> Callable[[Identity], Connection]:
    """Return what makes the connection of a node, and tells of it."""
    backoff = Backoff().hurried(haste)

    def connect(who: Identity) -> Connection:
        _LOGGER.info("%s", output.translated(_RUNS, jid=who.account.jid))
        return Connection(who.account, server=who.server, language=output.language, backoff=backoff)

    return connect


def status(node: CollectiveNode | HomeNode, home_problem: Text | None, language: str) -> Status:
    """Return the status of a node that runs, for `status`."""

    def translated(words: Text | None) -> str | None:
        return None if words is None else printed(words, language)

    network, problem = node.network, node.network_problem
    deliveries = network.sharing.deliveries.values() if network else ()
    return {
        "account": network.connection.jid if network else None,
        "online": network is not None and network.connection.is_online,
        "network": translated(None if problem is None else problem.text),
        "clock": translated(node.clock.problem),
        "database": translated(node.database_problem),
        "home_assistant": translated(home_problem),
        "peers": {delivery.peer.jid: translated(delivery.problem) for delivery in deliveries},
    }


async def until_stopped(works: Iterable[Coroutine[None, None, None]]) -> None:
    """Do all of this until the process is told to stop, or something fails."""
    # Most objects are the program's own: to look through them for garbage would hold a page up.
    gc.freeze()
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(work) for work in works]

        def stop() -> None:
            for task in running:
                task.cancel()

        for signal_number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(signal_number, stop)
