"""Setting a collective up: `init` writes its settings, by asking or from options."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
import getpass
from pathlib import Path
import re
import sys
from typing import Annotated, Any
import unicodedata

import typer

from consometers_node.cli.core.errors import CliError, misused, system_reason
from consometers_node.cli.core.locale import read, say
from consometers_node.cli.core.options import Ours
from consometers_node.cli.core.output import Output, write_private
from consometers_node.cli.core.usage import Commands
from consometers_node.collective import about, settings_file
from consometers_node.collective.settings import KEYS
from consometers_node.i18n.text import around, text
from consometers_node.settings_file.schema import BadValue, Key, written

from . import command

_PASSWORD_FILE = "password"  # noqa: S105  # its name
_PASSWORD_KEY = "xmpp.password_file"  # noqa: S105  # its name
_OTHERS = re.compile(r"[^a-z0-9]+")

_FILE = text("{file}: {said}.")
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


_GIVEN = {
    KEYS[name].last_name: KEYS[name]
    for name in (
        *("name", "identifier", "xmpp.account", "xmpp.host", "xmpp.port", "xmpp.security"),
        *("xmpp.ca_file", "xmpp.password_file", "time_zone", "database", "publication.minimum"),
    )
}
"""The keys that have options of their own."""
_ASKED = ("name", "identifier", "xmpp.account", "time_zone", "publication.minimum")
"""The keys that an interactive session asks for."""


def _option(name: str) -> Any:
    key = _GIVEN[name]
    placeholder = key.format.placeholder
    metavar = None if placeholder is None else read(placeholder)
    return typer.Option(metavar=metavar, help=read(key.what))


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsOptions:
    """The settings that were given as options, by the last names of their keys."""

    name: Annotated[str | None, _option("name")] = None
    identifier: Annotated[str | None, _option("identifier")] = None
    account: Annotated[str | None, _option("account")] = None
    host: Annotated[str | None, _option("host")] = None
    port: Annotated[str | None, _option("port")] = None
    security: Annotated[str | None, _option("security")] = None
    ca_file: Annotated[str | None, _option("ca_file")] = None
    password_file: Annotated[str | None, _option("password_file")] = None
    time_zone: Annotated[str | None, _option("time_zone")] = None
    database: Annotated[str | None, _option("database")] = None
    minimum: Annotated[str | None, _option("minimum")] = None
    about: Annotated[
        list[str] | None,
        typer.Option(
            metavar=say("KEY=WORDS"),
            help=say("A line of the public pages, such as mail=contact@example.org."),
        ),
    ] = None
    others: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar=say("KEY=VALUE"),
            help=say("Any key of the settings file, such as page.port=8123."),
        ),
    ] = None

    def typed(self) -> Iterator[tuple[str, str, str]]:
        """Yield keys, with what was typed and the option. Raises CliError for an unknown key."""
        lines = [("--about", f"{about.SECTION}{line}") for line in self.about or ()]
        lines += [("--set", line) for line in self.others or ()]
        for option, line in lines:
            name, _, words = line.partition("=")
            if name not in KEYS:
                raise misused(option, settings_file.FILE.unknown(name))
            yield name, words, f"{option} {name.removeprefix(about.SECTION)}"
        for name, key in _GIVEN.items():
            if (words := getattr(self, name)) is not None:
                yield key.name, words, f"--{name.replace('_', '-')}"


commands = Commands()


@commands.add(
    "init",
    text("Without options, ask each question. Existing files stay unchanged."),
)
def init(common: Ours, options: SettingsOptions) -> None:
    """Write the settings of a collective."""
    output, file = common.output, command.settings_file(common)
    if file.exists():
        raise CliError("exists", _EXISTS.fill(file=file))
    asks = sys.stdin.isatty() and not output.as_json
    values: dict[str, object] = {}
    for name, typed, option in options.typed():
        values[name] = _checked(name, typed, option)
    for name in _ASKED:
        if name in values:
            continue
        if asks:
            values[name] = _ask(name, _usual(KEYS[name], values), output)
        elif KEYS[name].required:
            raise misused(f"--{KEYS[name].last_name}", _NOT_GIVEN)
    if asks:
        _ask_about(values, output)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if asks and _PASSWORD_KEY not in values:
        password = getpass.getpass(output.translated(_ASK_PASSWORD, jid=values["xmpp.account"]))
        if password:
            write_private(file.parent / _PASSWORD_FILE, f"{password}\n".encode())
            values[_PASSWORD_KEY] = _PASSWORD_FILE
    write_private(file, settings_file.FILE.write(values, output.catalogue_language).encode())
    identifier = settings_file.read(file, {}).identifier
    output.result({"file": str(file), "identifier": identifier}, _WRITTEN, file=file)


def _checked(key: str, typed: str, option: str) -> object:
    """Return the typed value as it is written. Raises `CliError`."""
    try:
        meant = KEYS[key].read(typed, Path.cwd())
    except BadValue:
        raise misused(option, KEYS[key].format.hint) from None
    if isinstance(meant, Path) and key == _PASSWORD_KEY:
        _check_readable(meant, option)
    return written(meant)


def _check_readable(file: Path, option: str) -> None:
    try:
        file.read_bytes()
    except OSError as error:
        raise misused(option, around(_FILE, system_reason(error), file=file)) from None


def _ask_about(values: dict[str, object], output: Output) -> None:
    """Ask for what the law requires on public pages."""
    output.note(_FOR_THE_PUBLIC)
    for key in about.NEEDED:
        if key.name not in values and (typed := _ask(key.name, "", output)):
            values[key.name] = typed


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


def _usual(key: Key, values: Mapping[str, object]) -> str:
    """Return what is proposed for a key; an identifier comes from the name."""
    if key.name == "identifier":
        return _slug(str(values["name"]))
    return "" if key.default is None else str(written(key.default))


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    return _OTHERS.sub(".", plain).strip(".")[:40].strip(".")
