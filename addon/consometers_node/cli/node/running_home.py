"""Assembles and runs a household's node: a program of its own, without typer."""

from collections.abc import Callable, Collection
import json
from pathlib import Path
import sys

import aiohttp

from consometers_node.household.node import HomeNode, HouseholdPace
from consometers_node.household.recorder.home_assistant import (
    BACKOFF,
    HomeAssistant,
    HomeAssistantAccess,
)
from consometers_node.quoalise.text import text
from consometers_node.sharing.account import load
from consometers_node.sharing.names import load_naming
from consometers_node.store import Store
from consometers_node.xmpp import Connection, Identity

from ..core import control_socket, paths
from ..core.ending import exit_status
from ..core.errors import CliError
from ..core.output import Output, prepare_streams
from ..household import home_assistant
from ..household.command import run_in
from . import pages
from .pages import Serving
from .running import connecting, log, status, until_stopped

_NO_ACCOUNT = text(
    "This node has no XMPP account: create one with “consometers-node join INVITATION”, or log"
    " in with “consometers-node login name@server”."
)


def main() -> None:
    """Run as the program that `run` becomes: its one argument has the options, in JSON."""
    prepare_streams()
    options = json.loads(sys.argv[1])
    sys.exit(exit_status(lambda: run(**options), Output(as_json=options["as_json"])))


def run(
    *,
    data: str | None,
    as_json: bool,
    log_level: str,
    page: str | None,
    ingress: Collection[str] | None,
    haste: float,
) -> None:
    """Run a household's node until SIGTERM or Ctrl-C."""
    log(log_level)
    folder = None if data is None else Path(data)

    async def work(store: Store) -> None:
        if page is None and await load(store) is None:
            raise CliError("no-account", _NO_ACCOUNT)
        serving = None if page is None else Serving(*pages.place(page), ingress)
        home = await home_assistant.load(store)
        socket = control_socket.socket_in(paths.folder(folder))
        connect = connecting(Output(as_json=as_json), haste)
        await _run(store, home, connect, socket, haste=haste, serving=serving)

    run_in(folder, work)


async def _run(
    store: Store,
    access: HomeAssistantAccess,
    connect: Callable[[Identity], Connection],
    socket: Path,
    *,
    haste: float,
    serving: Serving | None,
) -> None:
    """Put everything together, and run it."""
    async with aiohttp.ClientSession() as session:
        source = HomeAssistant(access, session, backoff=BACKOFF.hurried(haste))
        naming = await load_naming(store)
        node = HomeNode(store, naming, source, connect, pace=HouseholdPace().hurried(haste))
        # Leave a running node alone: a second login would end its own.
        async with control_socket.listening(
            socket,
            node.look_again,
            lambda language: status(node, node.home_problem, language),
        ):
            works = [node.run()]
            if serving is not None:
                works.append(pages.serve(node, session, serving))
            await until_stopped(works)


if __name__ == "__main__":
    main()
