"""What the nodes of both roles share while they run."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from contextlib import AbstractAsyncContextManager
from copy import copy
import gc
from importlib.metadata import PackageNotFoundError, version as version_of
import logging
import signal
from typing import TYPE_CHECKING, override

from consometers_node.cli.core.control_socket import Status
from consometers_node.cli.core.output import Output
from consometers_node.i18n.protocol import OurWords, sentence
from consometers_node.i18n.text import Text, printed, text
from consometers_quoalise import Notice, ProtocolError
from consometers_quoalise_network import Identity
from consometers_quoalise_network.backoff import Backoff
from consometers_quoalise_xmpp import XmppTransport

if TYPE_CHECKING:
    from consometers_node.collective.node import CollectiveNode
    from consometers_node.household.node import HomeNode

PAGES_LISTEN = text("The pages listen on port {port}.")

_RUNS = text("The node runs as {jid}.")
_NOT_LISTENING = text("Port {port} of {host} cannot be opened: {why}.")

_LOGGER = logging.getLogger("consometers_node")


class LogFormatter(logging.Formatter):
    """Formats texts in a language, and times in the local zone with its name."""

    def __init__(self, language: str) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%d %H:%M:%S %Z")
        self.language = language

    @override
    def format(self, record: logging.LogRecord) -> str:
        shown = copy(record)
        shown.msg = self._translated(record.msg)
        if isinstance(record.args, tuple):
            shown.args = tuple(map(self._translated, record.args))
        return super().format(shown)

    def _translated(self, value: object) -> object:
        match value:
            case Text():
                return printed(value, self.language)
            case ProtocolError() | Notice():
                return printed(sentence(value), self.language)
            case _:
                return value


def log(level: str, language: str) -> LogFormatter:
    """Write the log to stderr, at a level and above. Return what formats it."""
    formatter, handler = LogFormatter(language), logging.StreamHandler()
    handler.setFormatter(formatter)
    logging.basicConfig(level=level.upper(), handlers=[handler])
    return formatter


def version() -> str:
    """Return the version of the node that is installed."""
    try:
        return version_of("consometers-node")
    except PackageNotFoundError:
        return "checkout"


def connecting(output: Output, haste: float) -> Callable[[Identity], XmppTransport]:
    """Return what makes the connection of a node, and logs its state."""
    backoff = Backoff().shortened(haste)

    def connect(who: Identity) -> XmppTransport:
        _LOGGER.info(_RUNS.fill(jid=who.account.jid))
        return XmppTransport(
            who.account,
            server=who.server,
            language=output.language,
            speak=OurWords,
            backoff=backoff,
        )

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
        "network": translated(None if problem is None else sentence(problem)),
        "clock": translated(node.clock.problem),
        "database": translated(node.database_problem),
        "home_assistant": translated(home_problem),
        "peers": {delivery.peer.jid: translated(delivery.problem) for delivery in deliveries},
    }


async def listen(
    listens: Text,
    listening: Callable[[str, int], AbstractAsyncContextManager[int]],
    host: str,
    port: int,
) -> None:
    """Listen until cancelled, and log the port. One in use stops nothing else of the node."""
    try:
        async with listening(host, port) as open_port:
            _LOGGER.info(listens.fill(port=open_port))
            await asyncio.Event().wait()
    except OSError as fault:
        _LOGGER.error(_NOT_LISTENING.fill(host=host, port=port, why=fault.strerror))  # noqa: TRY400


async def until_stopped(works: Iterable[Coroutine[None, None, None]]) -> None:
    """Run these tasks until the process is asked to stop, or one fails."""
    # Most objects are the program's own: collecting them as garbage would delay a page.
    gc.freeze()
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(work) for work in works]

        def stop() -> None:
            for task in running:
                task.cancel()

        for signal_number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(signal_number, stop)
