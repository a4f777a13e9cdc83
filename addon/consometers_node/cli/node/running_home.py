"""Puts a household's node together, and runs it."""

from collections.abc import Collection

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

from ..core import control_socket
from ..core.errors import CliError
from ..core.options import Common
from ..household import command, home
from . import pages
from .pages import Serving
from .running import connecting, status, until_stopped

_NO_ACCOUNT = text(
    "This node has no XMPP account: create one with “consometers-node join INVITATION”, or log"
    " in with “consometers-node login name@server”."
)


def run(common: Common, haste: float, page: str | None, ingress: Collection[str] | None) -> None:
    """Run a household's node until SIGTERM or Ctrl-C."""

    async def work(store: Store) -> None:
        if page is None and await load(store) is None:
            raise CliError("no-account", _NO_ACCOUNT)
        serving = None if page is None else Serving(*pages.place(page), ingress)
        await _run(common, store, await home.load(store), haste, serving)

    command.run(common, work)


async def _run(
    common: Common, store: Store, access: HomeAssistantAccess, haste: float, serving: Serving | None
) -> None:
    """Put everything together, and run it."""
    async with aiohttp.ClientSession() as session:
        source = HomeAssistant(access, session, backoff=BACKOFF.hurried(haste))
        naming = await load_naming(store)
        connect = connecting(common.output, haste)
        node = HomeNode(store, naming, source, connect, pace=HouseholdPace().hurried(haste))
        # A node that runs already is left alone: a second login would end its own.
        async with control_socket.listening(
            command.socket(common),
            node.look_again,
            lambda language: status(node, node.home_problem, language),
        ):
            works = [node.run()]
            if serving is not None:
                works.append(pages.serve(node, session, serving))
            await until_stopped(works)
