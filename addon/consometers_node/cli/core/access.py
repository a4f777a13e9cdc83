"""Which account a command uses."""

import getpass
import os
from pathlib import Path
import sys

from consometers_node.i18n.text import around, text
from consometers_quoalise_network import Account, Identity, Security, Server

from .errors import CliError, system_reason
from .options import Reach
from .output import Output

PASSWORD = "CONSOMETERS_PASSWORD"  # noqa: S105  # the name of a variable
_DIRECT_PORT = 5223
_PORT = 5222

_NO_PASSWORD = text(
    "No password was given for {jid}: write it into the file, the variable or the standard input."
)
_ASK_PASSWORD = text("Password of {jid}: ")
_AUTHORITY = text("{name} cannot be used: {said}.")


def password_for(jid: str, file: Path | None, output: Output) -> str:
    """Read the password: from a file, the environment, the person, or the standard input."""
    if file == Path("-"):
        line = sys.stdin.readline()
    elif file is not None:
        line = file.read_text(encoding="utf-8", errors="replace").partition("\n")[0]
    elif PASSWORD in os.environ:
        line = os.environ[PASSWORD]
    elif sys.stdin.isatty():
        line = getpass.getpass(output.translated(_ASK_PASSWORD, jid=jid))
    else:
        line = sys.stdin.readline()
    password = line.strip("\r\n")
    if not password:
        raise CliError("no-password", _NO_PASSWORD.fill(jid=jid))
    return password


def identity(jid: str, reach: Reach, output: Output) -> Identity:
    """Return the account of this address, with its password. Raises `NotAnAddress`."""
    unkeyed = Account(jid, "")
    account = Account(unkeyed.jid, password_for(unkeyed.jid, reach.password_file, output))
    return Identity(account, server_for(unkeyed.jid, reach))


def server_for(jid: str, reach: Reach) -> Server:
    """Return the server of an address, with a port if there is a host and the other way round."""
    host, port = reach.host, reach.port
    if host or port:
        host = host or jid.partition("@")[2]
        port = port or (_DIRECT_PORT if reach.security == Security.DIRECT.value else _PORT)
    ca_file = reach.ca_file.absolute() if reach.ca_file else None
    server = Server(host=host, port=port, security=Security(reach.security), ca_file=ca_file)
    try:
        server.tls()
    except OSError as error:
        words = around(_AUTHORITY, system_reason(error), name=ca_file)
        raise CliError("file", words) from None
    return server


async def stored_account(data: Path | None) -> Identity | None:
    """Return the stored account, without making a database."""
    # A database takes 20 MB, and login of a first account needs none.
    from consometers_node.sharing.account import load  # noqa: PLC0415

    from .paths import is_there, opened  # noqa: PLC0415

    if not is_there(data):
        return None
    async with opened(data) as store:
        return await load(store)
