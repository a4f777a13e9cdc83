"""The node's XMPP account, in its database."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from consometers_node.store import Store, settings
from consometers_quoalise_network import Account, Identity, Register, Security, Server

JID = "account.jid"
HOST = "server.host"
PORT = "server.port"
SECURITY = "server.security"
CA_FILE = "server.ca_file"
PASSWORD = "account.password"  # noqa: S105  # its name


type RegisterAccount = Callable[[Register, Server], Awaitable[Account]]
"""Makes the account of an invitation on a server. Raises `NetworkError`."""


class HasAccount(Exception):
    """An account, `jid`, exists already: collectives know the home by it."""

    def __init__(self, jid: str) -> None:
        super().__init__(jid)
        self.jid = jid


async def load(store: Store) -> Identity | None:
    """Return the stored account."""
    async with store.reading() as connection:
        values = {
            key: await settings.setting(connection, key)
            for key in (JID, HOST, PORT, SECURITY, CA_FILE)
        }
        password = await settings.secret(connection, PASSWORD)
    jid, port, ca_file = values[JID], values[PORT], values[CA_FILE]
    if jid is None or password is None:
        return None
    server = Server(
        host=values[HOST],
        port=None if port is None else int(port),
        security=Security(values[SECURITY] or Security.EITHER.value),
        ca_file=None if ca_file is None else Path(ca_file),
    )
    return Identity(Account(jid, password.decode()), server)


async def save(store: Store, identity: Identity | None) -> None:
    """Store an account in place of the former one; None forgets it."""
    values: dict[str, str | None] = dict.fromkeys((JID, HOST, PORT, SECURITY, CA_FILE))
    password = None
    if identity is not None:
        server = identity.server
        values[JID] = identity.account.jid
        values[HOST] = server.host
        values[PORT] = None if server.port is None else str(server.port)
        values[SECURITY] = server.security.value
        values[CA_FILE] = None if server.ca_file is None else str(server.ca_file)
        password = identity.account.password.encode()
    async with store.writing() as connection:
        for key, value in values.items():
            await settings.set_setting(connection, key, value)
        await settings.set_secret(connection, PASSWORD, password)


async def take(
    store: Store, invitation: Register, server: Server, register: RegisterAccount
) -> str:
    """Have the account of an invitation made, store it, and return its address.

    Raises HasAccount, `NetworkError`.
    """
    if (identity := await load(store)) is not None:
        raise HasAccount(identity.account.jid)
    account = await register(invitation, server)
    await save(store, Identity(account, server))
    return account.jid
