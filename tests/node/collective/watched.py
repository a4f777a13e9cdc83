"""A collective's node that is watched: it is on no network, and its town was made by hand."""

from collections.abc import Callable
from datetime import timedelta
from typing import NoReturn

from consometers_node.collective.monitoring.certificates import Certificate
from consometers_node.collective.monitoring.health import Watch
from consometers_node.collective.node import CollectiveNode
from consometers_quoalise_network import Account, Identity, Server
from consometers_quoalise_xmpp import XmppTransport
from tests.node.web.public.town import Town

VERSION = "1.2.3"


def alone(_: Identity) -> NoReturn:
    raise AssertionError("nobody connects")


def node_of(town: Town) -> CollectiveNode:
    connect: Callable[[Identity], XmppTransport] = alone
    return CollectiveNode(
        town.store, town.settings, Identity(Account("coop@example.org", "x"), Server()), connect
    )


def watch_of(town: Town, node: CollectiveNode | None = None) -> Watch:
    """Look at it at the time of the town."""
    watch = Watch(node or node_of(town), VERSION, lambda: town.now)
    begins, ends = town.now - timedelta(days=1), town.now + timedelta(days=89)
    watch.certificates.seen[""] = Certificate("energies.test", begins, ends)
    return watch
