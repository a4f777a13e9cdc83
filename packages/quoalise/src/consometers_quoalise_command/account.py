"""The account with which a command asks."""

from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import getpass
import os
from pathlib import Path
import sys

from consometers_quoalise_network import Account, Identity, PatientAsking, Security, Server
from consometers_quoalise_network.address import bare, full
from consometers_quoalise_xmpp import Discovery, XmppTransport
from consometers_quoalise_xmpp.trial import aside, online

from .errors import CommandError, refusals_of, unusable
from .output import Output, Progress
from .words import Language, say

PASSWORD = "PASSWORD"  # noqa: S105  # the name of a variable
_DIRECT_PORT = 5223
_PORT = 5222


def connection_of(typed: Namespace, output: Output) -> XmppTransport:
    """Prepare a connection under an address of its own; other programs of the account go on."""
    jid = bare(typed.account)
    server = _server(jid, typed, output.language)
    account = Account(jid, _password(jid, typed.password_file, output.language))
    connection = aside(Identity(account, server), output.language)
    # The receiver of a subscription's records acknowledges them.
    Discovery(connection, None, receives=True)
    return connection


@asynccontextmanager
async def asking(
    typed: Namespace, output: Output, progress: Progress | None = None
) -> AsyncIterator[PatientAsking]:
    """Connect for the duration of a block. What the peer refuses becomes a `CommandError`."""

    def waits(peer: str, seconds: int) -> None:
        if progress:
            progress.clear()
        output.note("waiting", peer=peer, seconds=seconds)

    full(typed.peer)
    connection = connection_of(typed, output)
    async with online(connection):
        with refusals_of(typed.peer, output.language):
            yield PatientAsking(connection, waits)


def _password(jid: str, file: Path | None, language: Language) -> str:
    """Read the password: from a file, the environment, or the person."""
    if file == Path("-"):
        line = sys.stdin.readline()
    elif file is not None:
        line = file.read_text(encoding="utf-8", errors="replace").partition("\n")[0]
    elif PASSWORD in os.environ:
        line = os.environ[PASSWORD]
    elif sys.stdin.isatty():
        line = getpass.getpass(say("ask_password", language, jid=jid))
    else:
        line = ""
    password = line.strip("\r\n")
    if not password:
        raise CommandError("no-password", say("no_password", language, jid=jid))
    return password


def _server(jid: str, typed: Namespace, language: Language) -> Server:
    """Return the server of an address, with a port if there is a host and the other way round."""
    security, host, port = Security(typed.security), typed.host, typed.port
    if host or port:
        host = host or jid.partition("@")[2]
        port = port or (_DIRECT_PORT if security is Security.DIRECT else _PORT)
    server = Server(host=host, port=port, security=security, ca_file=typed.ca_file)
    try:
        server.tls()
    except OSError as error:
        sentence = unusable(str(typed.ca_file), error, language)
        raise CommandError("file", sentence) from None
    return server
