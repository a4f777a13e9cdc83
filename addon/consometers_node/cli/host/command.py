"""What the commands of a host share: settings and database."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from consometers_node.accounts.errors import AccountFault
from consometers_node.cli.core.errors import CliError, run_to_end
from consometers_node.cli.core.node_settings import read_settings
from consometers_node.cli.core.options import Ours
from consometers_node.cli.core.output import Output
from consometers_node.cli.core.paths import Role
from consometers_node.host.settings import HostSettings, read
from consometers_node.store import Store


@dataclass(frozen=True, slots=True)
class HostSession:
    """A host's own database and settings, as long as a command lasts, and its output."""

    store: Store
    settings: HostSettings
    output: Output


def settings_of(common: Ours) -> HostSettings:
    """Read the settings. Raises `CliError`."""
    return read_settings(Role.HOST, common, lambda file: read(file, data=common.data))


def run[T](common: Ours, work: Callable[[HostSession], Awaitable[T]]) -> T:
    """Do something with a host's database; what goes wrong becomes a `CliError`."""
    settings = settings_of(common)

    async def opening() -> T:
        await asyncio.to_thread(settings.folder.mkdir, mode=0o700, parents=True, exist_ok=True)
        store = await Store.open(settings.database, folder=settings.folder)
        try:
            return await work(HostSession(store, settings, common.output))
        finally:
            await store.close()

    return run_to_end(opening(), _host_error)


def _host_error(error: Exception) -> CliError | None:
    """Return the message for an error of a host's packages."""
    return CliError(error.condition, error.text) if isinstance(error, AccountFault) else None
