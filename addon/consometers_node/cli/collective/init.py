"""Setting a collective up: `init` writes its settings, by asking or from options."""

from collections.abc import Callable
from dataclasses import dataclass, fields
import getpass
from pathlib import Path
import re
import sys
from typing import Annotated
import unicodedata

import typer

from consometers_node.collective.about import FIELDS, REQUIRED, Notice, key_of
from consometers_node.collective.settings import read, write
from consometers_node.collective.settings_schema import KEYS, BadValue
from consometers_node.i18n.text import around, text

from ..core.errors import CliError, misused, system_reason
from ..core.locale import say
from ..core.options import Ours
from ..core.output import Output, write_private
from ..core.usage import Commands
from .command import settings_file

_PASSWORD_FILE = "password"  # noqa: S105  # its name
_PASSWORD_KEY = "xmpp.password_file"  # noqa: S105  # its name
_ABOUT = "about"
_OTHERS = re.compile(r"[^a-z0-9]+")

_FILE = text("{file}: {said}.")
_NOT_ABOUT = text("write one of these, then = and the words: {names}.")
_FOR_THE_PUBLIC = text(
    "What follows stands on the public pages. Press Enter to skip a line: the administration can"
    " fill it in later."
)
_EXISTS = text(
    "{file} exists: “init” is not needed. Change the settings there, or in .env on a server that"
    " ./install set up."
)
_NOT_GIVEN = text("there is no terminal to ask on: pass it as an option.")
_QUESTION = text("{what} [{usual}] ")
_OPEN_QUESTION = text("{what} ")
_ASK_PASSWORD = text("Password of {jid} (empty if saved by “login”): ")
_WRITTEN = text(
    "{file} is written; comments in it explain the other settings.\nNext: "
    "“consometers-node needs offer” creates a data request, “consometers-node "
    "invitations make” creates invitations, “consometers-node run --role collective” "
    "starts the node.\nNothing is published before “consometers-node publication "
    "open”. That command publishes, once, the history that your members allowed. Homes "
    "that join later count from then on: wait until the history of your founders has "
    "arrived."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsOptions:
    """The settings that were given as options, by the names of their keys."""

    name: Annotated[
        str | None,
        typer.Option(help=say("The name of the collective.")),
    ] = None
    identifier: Annotated[
        str | None,
        typer.Option(help=say("The identifier of its sums in the federation.")),
    ] = None
    account: Annotated[
        str | None,
        typer.Option(metavar="JID", help=say("The XMPP account of the node.")),
    ] = None
    host: Annotated[
        str | None,
        typer.Option(
            metavar=say("HOST"),
            help=say("The address of its server."),
        ),
    ] = None
    port: Annotated[
        str | None,
        typer.Option(metavar="PORT", help=say("Its port.")),
    ] = None
    security: Annotated[
        str | None,
        typer.Option(
            metavar="either|direct|starttls",
            help=say("The encryption mode."),
        ),
    ] = None
    ca_file: Annotated[
        str | None,
        typer.Option(
            metavar=say("FILE"),
            help=say("The certificate authority of a private server."),
        ),
    ] = None
    password_file: Annotated[
        str | None,
        typer.Option(
            metavar=say("FILE"),
            help=say("A file with the password."),
        ),
    ] = None
    time_zone: Annotated[
        str | None,
        typer.Option(
            metavar="Europe/Paris",
            help=say("The title for its days and months."),
        ),
    ] = None
    database: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help=say("PostgreSQL instead of SQLite."),
        ),
    ] = None
    minimum: Annotated[
        str | None,
        typer.Option(
            metavar=say("HOMES"),
            help=say("Minimum number of homes in a published sum."),
        ),
    ] = None
    about: Annotated[
        list[str] | None,
        typer.Option(
            metavar=say("KEY=WORDS"),
            help=say("A line of the public pages, such as mail=contact@example.org."),
        ),
    ] = None


_SECTIONS = {
    **dict.fromkeys(("account", "host", "port", "security", "ca_file", "password_file"), "xmpp."),
    "minimum": "publication.",
}
_ASKED: dict[str, Callable[[dict[str, object]], str]] = {
    "name": lambda _: "",
    "identifier": lambda typed: _slug(str(typed["name"])),
    "xmpp.account": lambda _: "",
    "time_zone": lambda _: "Europe/Paris",
    "publication.minimum": lambda _: "10",
}
"""Prompts of an interactive session, with their defaults."""

commands = Commands()


@commands.add(
    "init",
    text("Without options, ask each question. Existing files stay unchanged."),
)
def init(common: Ours, options: SettingsOptions) -> None:
    """Write the settings of a collective."""
    output, file = common.output, settings_file(common)
    if file.exists():
        raise CliError("exists", _EXISTS.fill(file=file))
    asks = sys.stdin.isatty() and not output.as_json
    values: dict[str, object] = {}
    for typed in options.about or ():
        name, _, words = typed.partition("=")
        if name not in FIELDS:
            raise misused("--about", _NOT_ABOUT.fill(names=", ".join(FIELDS)))
        key = key_of(name).name
        values[key] = _checked(key, words, f"--about {name}")
    for option in fields(options):
        typed = getattr(options, option.name)
        if typed is not None and option.name != _ABOUT:
            key = f"{_SECTIONS.get(option.name, '')}{option.name}"
            values[key] = _checked(key, typed, f"--{option.name.replace('_', '-')}")
    for key, usual in _ASKED.items():
        if key in values:
            continue
        if asks:
            values[key] = _ask(key, usual(values), output)
        elif KEYS[key].required:
            raise misused(f"--{key.rpartition('.')[2]}", _NOT_GIVEN)
    if asks:
        _ask_about(values, output)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if asks and _PASSWORD_KEY not in values:
        password = getpass.getpass(output.translated(_ASK_PASSWORD, jid=values["xmpp.account"]))
        if password:
            write_private(file.parent / _PASSWORD_FILE, f"{password}\n".encode())
            values[_PASSWORD_KEY] = _PASSWORD_FILE
    write_private(file, write(values, output.catalogue_language).encode())
    identifier = read(file, {}).identifier
    output.result({"file": str(file), "identifier": identifier}, _WRITTEN, file=file)


def _checked(key: str, typed: str, option: str) -> object:
    """Return the settings from the typed values. Raises `CliError`."""
    try:
        meant = KEYS[key].read(typed, Path())
    except BadValue:
        raise misused(option, KEYS[key].format.hint) from None
    match meant:
        case int():
            return meant
        case Path():
            if key == _PASSWORD_KEY:
                _check_readable(meant, option)
            return str(meant.absolute())
        case _:
            return typed


def _check_readable(file: Path, option: str) -> None:
    try:
        file.read_bytes()
    except OSError as error:
        raise misused(option, around(_FILE, system_reason(error), file=file)) from None


def _ask_about(values: dict[str, object], output: Output) -> None:
    """Ask for what the law requires on public pages."""
    output.note(_FOR_THE_PUBLIC)
    for name in (*REQUIRED[Notice.PRESENTATION], *REQUIRED[Notice.LEGAL]):
        key = key_of(name).name
        if key not in values and (typed := _ask(key, "", output)):
            values[key] = typed


def _ask(key: str, usual: str, output: Output) -> object:
    """Return the typed value, or the default; empty where that may be left out."""
    asked = _QUESTION if usual else _OPEN_QUESTION
    question = output.translated(asked, what=KEYS[key].what, usual=usual)
    while True:
        typed = input(question).strip() or usual
        if not typed and not KEYS[key].required:
            return ""
        try:
            return _checked(key, typed, key)
        except CliError:
            output.note(KEYS[key].format.sentence)


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    return _OTHERS.sub(".", plain).strip(".")[:40].strip(".")
