"""The node's XMPP account, in its database."""

from pathlib import Path

from ..store import Store, settings
from ..xmpp import Account, Identity, Register, Security, Server, register

JID = "account.jid"
HOST = "server.host"
PORT = "server.port"
SECURITY = "server.security"
CA_FILE = "server.ca_file"
PASSWORD = "account.password"  # noqa: S105  # its name


class HasAccount(Exception):
    """There is an account already, `jid`: collectives know the home by it."""

    def __init__(self, jid: str) -> None:
        super().__init__(jid)
        self.jid = jid


async def load(store: Store) -> Identity | None:
    """Return the account that is kept."""
    async with store.reading() as connection:
        told = {
            key: await settings.setting(connection, key)
            for key in (JID, HOST, PORT, SECURITY, CA_FILE)
        }
        password = await settings.secret(connection, PASSWORD)
    jid, port, ca_file = told[JID], told[PORT], told[CA_FILE]
    if jid is None or password is None:
        return None
    server = Server(
        host=told[HOST],
        port=None if port is None else int(port),
        security=Security(told[SECURITY] or Security.EITHER.value),
        ca_file=None if ca_file is None else Path(ca_file),
    )
    return Identity(Account(jid, password.decode()), server)


async def save(store: Store, who: Identity | None) -> None:
    """Keep an account in place of the one before; None forgets it."""
    told: dict[str, str | None] = dict.fromkeys((JID, HOST, PORT, SECURITY, CA_FILE))
    password = None
    if who is not None:
        server = who.server
        told[JID] = who.account.jid
        told[HOST] = server.host
        told[PORT] = None if server.port is None else str(server.port)
        told[SECURITY] = server.security.value
        told[CA_FILE] = None if server.ca_file is None else str(server.ca_file)
        password = who.account.password.encode()
    async with store.writing() as connection:
        for key, value in told.items():
            await settings.set_setting(connection, key, value)
        await settings.set_secret(connection, PASSWORD, password)


async def take(store: Store, invitation: Register, server: Server) -> str:
    """Make the account of an invitation, keep it, and give its address.

    Raises HasAccount, `NetworkError`.
    """
    if (known := await load(store)) is not None:
        raise HasAccount(known.account.jid)
    account = await register(invitation, server=server)
    await save(store, Identity(account, server))
    return account.jid
