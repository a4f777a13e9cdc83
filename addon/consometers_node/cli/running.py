"""`run`: a household's node, until it is told to stop."""

import asyncio
from functools import partial
import logging
import signal
from typing import Annotated, Literal

import aiohttp
import typer

from consometers_node.household import Access, HomeAssistant
from consometers_node.household.home_assistant import backoff
from consometers_node.household.node import HomeNode, Pace
from consometers_node.quoalise import Text
from consometers_node.quoalise.text import text
from consometers_node.sharing.account import load
from consometers_node.sharing.names import load_naming
from consometers_node.store import Store
from consometers_node.xmpp import Backoff, Connection, Identity

from . import bell, home, own, pages
from .complaint import Complaint
from .options import Common
from .pages import Serving
from .usage import Commands
from .words import say

_NO_ACCOUNT = text(
    "This node has no XMPP account: take one with “consometers-node join INVITATION”, or keep one"
    " with “consometers-node login name@server”.",
    "Ce nœud n'a pas de compte XMPP : obtenez-en un avec « consometers-node join INVITATION », ou"
    " gardez-en un avec « consometers-node login nom@serveur ».",
)
_RUNS = text("The node runs as {jid}.", "Le nœud tourne sous {jid}.")

_LOGGER = logging.getLogger("consometers_node")

commands = Commands()


@commands.add(
    "run",
    text(
        "It reads Home Assistant, answers its peers and tells them what they were granted, and"
        " nothing else. What it does is written to stderr.",
        "Il lit Home Assistant, répond à ses pairs et leur dit ce qui leur a été accordé, et rien"
        " d'autre. Ce qu'il fait est écrit sur stderr.",
    ),
)
def run(
    common: Common,
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        typer.Option(
            metavar="debug|info|warning|error",
            help=say("How much is told of what happens.", "Ce qui est dit de ce qui se passe."),
        ),
    ] = "info",
    page: Annotated[
        str | None,
        typer.Option(
            metavar=say("HOST:PORT", "HÔTE:PORT"),
            help=say(
                "Serve the page and the API there: the page through Home Assistant's ingress"
                " alone. Without it, an account must be there already.",
                "Servir là la page et l'API : la page uniquement à travers l'ingress de Home"
                " Assistant. Sans cela, il faut déjà un compte.",
            ),
        ),
    ] = None,
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

    async def work(store: Store) -> None:
        if page is None and await load(store) is None:
            raise Complaint("no-account", _NO_ACCOUNT)
        serving = None if page is None else Serving(*pages.place(page), ingress)
        await _run(common, store, await home.load(store), haste, serving)

    own.run(common, work)


async def _run(
    common: Common, store: Store, access: Access, haste: float, serving: Serving | None
) -> None:
    """Put everything together, and run it."""
    output = common.output
    usual = Backoff()

    def connect(who: Identity) -> Connection:
        _LOGGER.info("%s", output.said(_RUNS, jid=who.account.jid))
        return Connection(
            who.account,
            server=who.server,
            language=output.language,
            backoff=Backoff(usual.first_seconds / haste, usual.most_seconds / haste),
        )

    async with aiohttp.ClientSession() as session:
        source = HomeAssistant(
            access, session, delays=lambda: (seconds / haste for seconds in backoff())
        )
        naming = await load_naming(store)
        node = HomeNode(store, naming, source, connect, pace=Pace().hurried(haste))
        # Whoever runs already is left alone: a second login would end its own.
        hung = bell.hung(own.socket(common), node.look_again, partial(_status, node))
        async with hung, asyncio.TaskGroup() as tasks:
            works = [node.run()]
            if serving is not None:
                works.append(pages.serve(node, session, serving))
            running = [tasks.create_task(work) for work in works]

            def stop() -> None:
                for one in running:
                    one.cancel()

            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, stop)


def _status(node: HomeNode, language: str) -> bell.Status:
    """Tell how it is, for `status`."""

    def said(words: Text | None) -> str | None:
        return None if words is None else words.say(language)

    network, problem = node.network, node.network_problem
    deliveries = network.sharing.deliveries.values() if network else ()
    return {
        "account": network.connection.jid if network else None,
        "online": network is not None and network.connection.is_online,
        "network": said(None if problem is None else problem.text),
        "home_assistant": said(node.home_problem),
        "peers": {one.peer.jid: said(one.problem) for one in deliveries},
    }
