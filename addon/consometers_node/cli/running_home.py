"""Puts a household's node together, and runs it."""

from collections.abc import Collection
from functools import partial

import aiohttp

from consometers_node.household import Access, HomeAssistant
from consometers_node.household.home_assistant import BACKOFF
from consometers_node.household.node import HomeNode, Pace
from consometers_node.quoalise import Text
from consometers_node.quoalise.text import printed, text
from consometers_node.sharing.account import load
from consometers_node.sharing.names import load_naming
from consometers_node.store import Store

from . import control_socket, home, own, pages
from .errors import Complaint
from .options import Common
from .pages import Serving
from .running import connecting, until_stopped

_NO_ACCOUNT = text(
    "This node has no XMPP account: take one with “consometers-node join INVITATION”, or keep one"
    " with “consometers-node login name@server”."
)


def run(common: Common, haste: float, page: str | None, ingress: Collection[str] | None) -> None:
    """Run a household's node until SIGTERM or Ctrl-C."""

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
    async with aiohttp.ClientSession() as session:
        source = HomeAssistant(access, session, backoff=BACKOFF.hurried(haste))
        naming = await load_naming(store)
        connect = connecting(common.output, haste)
        node = HomeNode(store, naming, source, connect, pace=Pace().hurried(haste))
        # Whoever runs already is left alone: a second login would end its own.
        hung = control_socket.hung(own.socket(common), node.look_again, partial(_status, node))
        async with hung:
            works = [node.run()]
            if serving is not None:
                works.append(pages.serve(node, session, serving))
            await until_stopped(works)


def _status(node: HomeNode, language: str) -> control_socket.Status:
    """Return how it is, for `status`."""

    def said(words: Text | None) -> str | None:
        return None if words is None else printed(words, language)

    network, problem = node.network, node.network_problem
    deliveries = network.sharing.deliveries.values() if network else ()
    return {
        "account": network.connection.jid if network else None,
        "online": network is not None and network.connection.is_online,
        "network": said(None if problem is None else problem.text),
        "clock": said(node.clock.problem),
        "database": said(node.database_problem),
        "home_assistant": said(node.home_problem),
        "peers": {one.peer.jid: said(one.problem) for one in deliveries},
    }
