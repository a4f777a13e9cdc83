"""What the commands of a household share: database, names, and waking the node."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from consometers_node.cli.core import control_socket
from consometers_node.cli.core.errors import CliError, run_to_end
from consometers_node.cli.core.output import Output
from consometers_node.cli.core.paths import Role, folder, opened, role_of
from consometers_node.household.errors import SourceFault
from consometers_node.household.statistics_import.hours import Unsuitable
from consometers_node.i18n.text import Text, text
from consometers_node.permission import (
    ForbiddenChange,
    NotNarrower,
    OutdatedNeed,
    PermissionFault,
    UnknownPermission,
)
from consometers_node.sharing.account import load
from consometers_node.sharing.error_messages import message_of
from consometers_node.store import NotPermitted, Store
from consometers_node.wire import Unsayable
from consometers_quoalise_network import Identity

from . import home_assistant

if TYPE_CHECKING:
    # A running node never loads the command-line parser.
    from consometers_node.cli.core.options import Common

_NO_ACCOUNT = text(
    "This node has no XMPP account: log in with “consometers-node login name@server”."
)
_AT_HOST = text(
    "This node is a host: the command is for a household's own node. The homes of a host have"
    " pages for this."
)
_CONDITIONS: dict[type[Exception], str] = {
    Unsayable: "not-possible",
    NotNarrower: "not-narrower",
    ForbiddenChange: "forbidden-change",
    PermissionFault: "permission",
    NotPermitted: "not-permitted",
}
_WITH_COMMANDS: dict[type[Exception], Text] = {
    OutdatedNeed: text(
        "There is a newer version of this data request: answer that one (see “permissions”)."
    ),
    UnknownPermission: text(
        "There is no such permission: “permissions” lists them with their numbers."
    ),
}


@dataclass(frozen=True, slots=True)
class HouseholdSession:
    """The database of a household's node, as long as a command lasts, and its output."""

    store: Store
    output: Output
    folder: Path

    async def account(self) -> Identity:
        """Return the node's account. Raises `CliError`."""
        stored = await load(self.store)
        if stored is None:
            raise CliError("no-account", _NO_ACCOUNT)
        return stored

    async def look_again(self) -> bool:
        """Wake the running node, if there is one."""
        return await control_socket.wake(self.folder)


def household_error(error: Exception) -> CliError | None:
    """Return the message for an error of the household's packages."""
    match error:
        case SourceFault():
            return home_assistant.fault(error)
        case Unsuitable():
            return CliError("not-possible", error.text)
        case _:
            pass
    condition = next((name for kind, name in _CONDITIONS.items() if isinstance(error, kind)), None)
    words = message_of(error)
    if condition is None or words is None:
        return None
    return CliError(condition, _WITH_COMMANDS.get(type(error), words))


def run[T](common: Common, work: Callable[[HouseholdSession], Awaitable[T]]) -> T:
    """Do something with the node's database; what goes wrong becomes a `CliError`."""
    if role_of(common.data) is Role.HOST:
        raise CliError("host", _AT_HOST)
    place = folder(common.data)
    return run_in(common.data, lambda store: work(HouseholdSession(store, common.output, place)))


def run_in[T](data: Path | None, work: Callable[[Store], Awaitable[T]]) -> T:
    """Do the same with the database of a folder."""

    async def opening() -> T:
        async with opened(data) as store:
            return await work(store)

    return run_to_end(opening(), household_error)
