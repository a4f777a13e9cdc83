"""What the commands of a collective share: settings, database, and waking the node."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
import logging
import os
import sqlite3

from sqlalchemy.exc import InterfaceError, OperationalError

from consometers_node.accounts.errors import AccountFault
from consometers_node.cli.core import control_socket
from consometers_node.cli.core.access import PASSWORD, password_for
from consometers_node.cli.core.errors import CliError, run_to_end
from consometers_node.cli.core.locale import who
from consometers_node.cli.core.node_settings import read_settings
from consometers_node.cli.core.options import Ours
from consometers_node.cli.core.output import Output
from consometers_node.cli.core.paths import Role
from consometers_node.collective.errors import CollectiveFault, database_problem
from consometers_node.collective.members.members import Member, Members
from consometers_node.collective.services import Actions
from consometers_node.collective.settings import Settings
from consometers_node.collective.settings_file import read
from consometers_node.i18n.text import text
from consometers_node.sharing.account import load
from consometers_node.sharing.error_messages import message_of
from consometers_node.sharing.names import keep_collective
from consometers_node.store import Store, Unusable
from consometers_quoalise_network import Account, Identity
from consometers_quoalise_network.backoff import Backoff

_DATABASE = Backoff(1, 30, least=1)
_LOGGER = logging.getLogger(__name__)

_NO_PASSWORD = text(
    "The password of {jid} is missing: set xmpp.password_file or {variable}, or save it with"
    " “consometers-node login {jid}”."
)


def settings_of(common: Ours) -> Settings:
    """Read the settings. Raises `CliError`."""
    return read_settings(Role.COLLECTIVE, common, lambda file: read(file, data=common.data))


@dataclass(frozen=True, slots=True)
class CollectiveSession:
    """A collective's database and settings, as long as a command lasts, and its output."""

    store: Store
    settings: Settings
    output: Output

    @property
    def actions(self) -> Actions:
        """Administrative actions in the name of the person who typed the command."""
        return Actions(
            store=self.store, settings=self.settings, who=who(), at=now(), wake=self.look_again
        )

    async def member(self, named: str) -> Member:
        """Return the member of a pseudonym, a name or an address. Raises `NotFound`."""
        async with self.store.reading() as connection:
            return await Members(connection, self.settings.time_zone).named(named)

    async def look_again(self) -> bool:
        """Wake the running node, if there is one."""
        return await control_socket.wake(self.settings.folder)

    async def account(self) -> Identity:
        """Return the account of the settings, with its password. Raises `CliError`."""
        xmpp = self.settings.xmpp
        if xmpp.password_file is not None or PASSWORD in os.environ:
            password = password_for(xmpp.account, xmpp.password_file, self.output)
            return Identity(Account(xmpp.account, password), xmpp.server)
        stored = await load(self.store)
        if stored is None or stored.account.jid != xmpp.account:
            raise CliError("no-account", _NO_PASSWORD.fill(jid=xmpp.account, variable=PASSWORD))
        return Identity(stored.account, xmpp.server)


def run[T](
    common: Ours, work: Callable[[CollectiveSession], Awaitable[T]], *, waits: bool = False
) -> T:
    """Do something with a collective's database; what goes wrong becomes a `CliError`.

    With `waits`, a database server that is away is waited for.
    """
    settings = settings_of(common)

    async def opening() -> T:
        await asyncio.to_thread(settings.folder.mkdir, mode=0o700, parents=True, exist_ok=True)
        store = await _open(settings, waits=waits)
        try:
            await keep_collective(store, settings.identifier)
            return await work(CollectiveSession(store, settings, common.output))
        finally:
            await store.close()

    return run_to_end(opening(), _collective_error)


async def _open(settings: Settings, *, waits: bool) -> Store:
    """Open a database. With `waits`, a server that is away is waited for, and never given up.

    The log says the reason, once until that changes. Raises `Unusable`.
    """
    logged = ""
    for delay_s in _DATABASE.delays():
        try:
            return await Store.open(settings.database, folder=settings.folder)
        except Unusable as fault:
            cause = fault.__cause__
            if not waits or not isinstance(cause, InterfaceError | OperationalError):
                raise
            if isinstance(cause.orig, sqlite3.Error):
                raise  # A file comes from nowhere.
            words = database_problem(cause)
            if words.say() != logged:
                _LOGGER.warning(words)
                logged = words.say()
        await asyncio.sleep(delay_s)
    raise AssertionError


def _collective_error(error: Exception) -> CliError | None:
    """Return the message for an error of a collective's packages."""
    if isinstance(error, AccountFault | CollectiveFault):
        return CliError(error.condition, error.text)
    words = message_of(error)
    return None if words is None else CliError("not-possible", words)


def now() -> datetime:
    """Return the current time, for the database."""
    return datetime.now(UTC).replace(microsecond=0)
