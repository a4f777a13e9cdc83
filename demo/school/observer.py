"""Somebody who may read a node, by the library that everybody has: `consometers_quoalise_xmpp`."""

from collections.abc import Mapping
import shlex

from consometers_quoalise import ProtocolError, answers
from consometers_quoalise_network import Account, Asking, Identity, Security, Server
from consometers_quoalise_xmpp.trial import aside, online
from demo.servers.program import PASSWORD, NodeError
from demo.servers.prosody import LOOPBACK, Prosody


async def readable(node: str, observer: str, server: Prosody) -> list[Mapping[str, str | None]]:
    """Return the series that an account of a server may read of a node. Raises NodeError."""
    place = Server(
        host=LOOPBACK, port=server.port, security=Security.STARTTLS, ca_file=server.ca_file
    )
    connection = aside(Identity(Account(observer, PASSWORD), place), "en")
    try:
        async with online(connection):
            listed = await Asking(connection).list_series(node)
    except ProtocolError as error:
        raise NodeError(f"{node} does not list its series: {error}") from error
    return [answers.row(series) for series in listed]


def command(node: str, series: str, observer: str, *place: str) -> str:
    """Return the command that reads a series, as typed in the checkout."""
    words = ("script/quoalise", "history", node, series, "--account", observer)
    return shlex.join((*words, *place))
