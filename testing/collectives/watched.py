"""A collective's node that is watched: it is on no network, and its town was made by hand."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import NoReturn

from aiohttp import ClientSession

from consometers_node.collective.monitoring.certificates import Certificate
from consometers_node.collective.monitoring.health import Watch
from consometers_node.collective.node import CollectiveNode
from consometers_node.web.api.metrics import Metrics
from consometers_quoalise_network import Account, Identity, Server
from consometers_quoalise_xmpp import XmppTransport
from testing.pages.town import ReleasedTown

VERSION = "1.2.3"


def alone(_: Identity) -> NoReturn:
    raise AssertionError("nobody connects")


def node_of(town: ReleasedTown) -> CollectiveNode:
    connect: Callable[[Identity], XmppTransport] = alone
    return CollectiveNode(
        town.store, town.settings, Identity(Account("coop@example.org", "x"), Server()), connect
    )


def watch_of(town: ReleasedTown, node: CollectiveNode | None = None) -> Watch:
    """Look at it at the time of the town."""
    watch = Watch(node or node_of(town), VERSION, lambda: town.now)
    begins, ends = town.now - timedelta(days=1), town.now + timedelta(days=89)
    watch.certificates.seen[""] = Certificate("energies.test", begins, ends)
    return watch


@asynccontextmanager
async def serving(watch: Watch) -> AsyncIterator[tuple[ClientSession, str]]:
    async with (
        Metrics(watch).listening("127.0.0.1", 0) as port,
        ClientSession() as session,
    ):
        yield session, f"http://127.0.0.1:{port}"


async def metrics_of(watch: Watch, accept: str | None = None) -> tuple[str, str]:
    async with serving(watch) as (session, root):
        headers = {} if accept is None else {"Accept": accept}
        async with session.get(f"{root}/metrics", headers=headers) as response:
            assert response.status == 200
            assert response.headers["Cache-Control"] == "no-store"
            return await response.text(), response.headers["Content-Type"]
