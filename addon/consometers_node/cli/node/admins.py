"""Who may administer a collective or a host on its pages: `admins add`, `list` and so on."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
import getpass
from pathlib import Path
import sys
from typing import Annotated, Protocol

import typer

from consometers_node.cli.core.errors import CliError
from consometers_node.cli.core.locale import say
from consometers_node.cli.core.options import Ours
from consometers_node.cli.core.output import Columns, Json, Output
from consometers_node.cli.core.paths import Role, role_of
from consometers_node.cli.core.times import shown
from consometers_node.cli.core.usage import Commands
from consometers_node.i18n.text import Text, text
from consometers_node.store import Store
from consometers_node.store.engine.connection import AsyncConnection

try:
    from consometers_node.accounts import administrators, passwords
except ModuleNotFoundError as missing:
    raise CliError(
        "not-installed",
        text("Administration needs {package}: install consometers-node[collective].").fill(
            package=missing.name
        ),
    ) from None

_ADDED = text("{name} is now an administrator.")
_CHANGED = text("{name} has a new password: all sessions are closed.")
_REMOVED = text("{name} is no longer an administrator: all sessions are closed.")
_ONCE = text(
    "Password, shown this once:\n{password}\nIt can be changed on the page, under the name."
)
_NONE = text("There is no administrator: “consometers-node admins add NAME” adds one.")
_ASK = text("New password of {name}: ")
_AGAIN = text("Once more: ")
_TWICE = text("The two are not the same: nothing was changed.")
_NO_TERMINAL = text(
    "A password can only be typed on a terminal. Leave out --ask to generate one, shown once, or"
    " use --password-file."
)
_COLUMNS: Columns[administrators.Administrator] = {
    text("Name"): lambda account: account.name,
    text("Since", context="list on the command line"): lambda account: account.created_at,
    text("Last connection"): lambda account: account.seen_at,
    text("Sessions"): lambda account: account.sessions,
}

Name = Annotated[
    str,
    typer.Argument(
        metavar=say("NAME"),
        help=say("The name they log in with."),
    ),
]
Ask = Annotated[
    bool,
    typer.Option(
        "--ask",
        help=say("Ask for the password; otherwise one is generated and shown once."),
    ),
]
PasswordFile = Annotated[
    Path | None,
    typer.Option(
        metavar=say("FILE"),
        help=say("A file whose first line is the password; - is the standard input."),
    ),
]


class Session(Protocol):
    """What these commands need of a collective's or a host's."""

    @property
    def store(self) -> Store: ...

    @property
    def output(self) -> Output: ...


def _run(common: Ours, work: Callable[[Session], Awaitable[None]]) -> None:
    # A role never loads the other one's modules.
    if role_of(common.data, common.settings) is Role.HOST:
        from consometers_node.cli.host import command as of_host  # noqa: PLC0415

        of_host.run(common, work)
    else:
        from consometers_node.cli.collective import command as of_collective  # noqa: PLC0415

        of_collective.run(common, work)


commands = Commands(_run, Ours)


@commands.add("add", text("Add an administrator."))
def add(common: Ours, name: Name, ask: Ask = False, password_file: PasswordFile = None) -> None:
    """Add an administrator."""

    async def keep(connection: AsyncConnection, password_hash: str) -> None:
        await administrators.add(connection, name, password_hash, _now())

    _with_password(common, name, keep, _ADDED, ask=ask, file=password_file)


@commands.add(
    "password",
    text("Set a new password for an administrator. Their open sessions end."),
)
def password(
    common: Ours, name: Name, ask: Ask = False, password_file: PasswordFile = None
) -> None:
    """Set a new password for an administrator."""

    async def keep(connection: AsyncConnection, password_hash: str) -> None:
        await administrators.change_password(connection, name, password_hash)

    _with_password(common, name, keep, _CHANGED, ask=ask, file=password_file)


@commands.add("list", text("List the administrators."))
async def list_administrators(session: Session) -> None:
    """List the administrators."""
    async with session.store.reading() as connection:
        accounts = await administrators.administrators(connection, _now())
    session.output.listing(accounts, _document, _COLUMNS, _NONE)


@commands.add(
    "remove",
    text("Remove an administrator."),
)
async def remove(session: Session, name: Name) -> None:
    """Remove an administrator."""
    async with session.store.writing() as connection:
        await administrators.remove(connection, name)
    _report(session.output, _REMOVED, name, None)


def _with_password(
    common: Ours,
    name: str,
    keep: Callable[[AsyncConnection, str], Awaitable[None]],
    message: Text,
    *,
    ask: bool,
    file: Path | None,
) -> None:
    typed = _read(file) if file is not None else _typed(name, common.output) if ask else None
    chosen = passwords.new_password() if typed is None else typed

    async def work(session: Session) -> None:
        passwords.check_password(name, chosen)
        password_hash = await passwords.Passwords().hash(chosen)
        async with session.store.writing() as connection:
            await keep(connection, password_hash)

    _run(common, work)
    _report(common.output, message, name, chosen if typed is None else None)


def _report(output: Output, message: Text, name: str, made: str | None) -> None:
    if output.as_json:
        output.document({"name": name} | ({"password": made} if made else {}))
        return
    output.say(message, name=name)
    if made:
        output.say(_ONCE, password=made)


def _document(account: administrators.Administrator) -> Json:
    return {
        "name": account.name,
        "made_at": shown(account.created_at),
        "seen_at": shown(account.seen_at),
        "sessions": account.sessions,
    }


def _read(file: Path) -> str:
    content = sys.stdin.readline() if file == Path("-") else file.read_text(encoding="utf-8")
    return content.partition("\n")[0].strip("\r")


def _typed(name: str, output: Output) -> str:
    if not sys.stdin.isatty():
        raise CliError("no-password", _NO_TERMINAL)
    typed = getpass.getpass(output.translated(_ASK, name=name))
    if getpass.getpass(output.translated(_AGAIN)) != typed:
        raise CliError("no-password", _TWICE)
    return typed


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
