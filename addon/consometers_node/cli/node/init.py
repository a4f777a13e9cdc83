"""Setting a collective or a host up: `init` writes its settings, by asking or from options."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
import getpass
from pathlib import Path
import re
import secrets
import sys
from typing import Annotated, Any, Literal
import unicodedata

import typer

from consometers_node.cli.core.errors import CliError, misused, system_reason
from consometers_node.cli.core.locale import read, say
from consometers_node.cli.core.options import Ours
from consometers_node.cli.core.output import Output, write_private
from consometers_node.cli.core.paths import SETTINGS_FILES, Role, settings_file
from consometers_node.cli.core.usage import Commands
from consometers_node.collective import (
    about,
    settings as of_collective,
    settings_file as written_of_collective,
)
from consometers_node.host import settings as of_host
from consometers_node.i18n.text import around, text
from consometers_node.settings_file.file import SettingsFile
from consometers_node.settings_file.schema import BadValue, Key, written

_OTHERS = re.compile(r"[^a-z0-9]+")
_PASSWORD_FILE = "password"  # noqa: S105  # its name
_SECRET_BYTES = 32
_SECRET_FILE = "component-secret"  # noqa: S105  # its name

_FILE = text("{file}: {said}.")
_FOR_THE_PUBLIC = text(
    "What follows stands on the public pages. Press Enter to skip a line: the administration can"
    " fill it in later."
)
_EXISTS = text(
    "{file} exists: “init” is not needed. Change the settings there, or in .env on a server that"
    " ./install set up."
)
_OTHER_ROLE = text("{file} exists: one folder is for one node. Choose another one with --data.")
_NOT_GIVEN = text("there is no terminal to ask on: pass it as an option.")
_NOT_OF_ROLE = text("is not an option of --role {role}.")
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
_WRITTEN_OF_HOST = text(
    "{file} is written; comments in it explain the other settings.\nNext: let the XMPP server"
    " accept a component for {domain}, with the secret in {secret}; “consometers-node admins add”"
    " names who administers the pages, “consometers-node run --role host” starts the node."
)


def _dashed(name: str) -> str:
    """Return the option of a name."""
    return f"--{name.replace('_', '-')}"


def _slug(values: Mapping[str, object]) -> str:
    """Return an identifier made of the name."""
    name = str(values["name"]).lower()
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return _OTHERS.sub(".", plain).strip(".")[:40].strip(".")


def _parent_domain(values: Mapping[str, object]) -> str:
    """Return the domain of which that of the homes is a part: often a server's accounts have it."""
    domain = str(values["domain"])
    parent = domain.partition(".")[2]
    return parent if "." in parent else domain


@dataclass(frozen=True, slots=True)
class _Setup:
    """What `init` does for a role.

    Keys of `options` have options of their own. `proposals` make a usual answer from those before.
    `private` is the key of a file with a secret, `result` the key that programs get to know.
    """

    file: SettingsFile
    keys: Mapping[str, Key]
    options: tuple[str, ...]
    asked: tuple[str, ...]
    proposals: Mapping[str, Callable[[Mapping[str, object]], str]]
    private: str
    result: str

    @property
    def by_option(self) -> dict[str, Key]:
        """The keys that have options of their own, by their last names."""
        return {self.keys[name].last_name: self.keys[name] for name in self.options}

    def option_of(self, name: str) -> str:
        """Return the option by which a key is given."""
        key = self.keys[name]
        return _dashed(key.last_name) if name in self.options else f"--set {name}"

    def usual(self, name: str, values: Mapping[str, object]) -> str:
        """Return what is proposed for a key."""
        if (propose := self.proposals.get(name)) is not None:
            return propose(values)
        default = self.keys[name].default
        return "" if default is None else str(written(default))


_SETUPS = {
    Role.COLLECTIVE: _Setup(
        written_of_collective.FILE,
        of_collective.KEYS,
        options=(
            *("name", "identifier", "xmpp.account", "xmpp.host", "xmpp.port", "xmpp.security"),
            *("xmpp.ca_file", "xmpp.password_file", "time_zone", "database"),
            "publication.minimum",
        ),
        asked=("name", "identifier", "xmpp.account", "time_zone", "publication.minimum"),
        proposals={"identifier": _slug},
        private="xmpp.password_file",
        result="identifier",
    ),
    Role.HOST: _Setup(
        of_host.FILE,
        of_host.KEYS,
        options=("name", "domain", "time_zone", "database"),
        asked=(
            *("name", "domain", "operator.name", "operator.address", "operator.contact"),
            *("operator.location", "component.proof", "page.url", "time_zone"),
        ),
        proposals={
            "operator.name": lambda values: str(values["name"]),
            "component.proof": _parent_domain,
            "page.url": lambda values: f"https://{values['domain']}",
        },
        private="component.secret_file",
        result="domain",
    ),
}


def _option(option: str, role: Role = Role.COLLECTIVE, words: str | None = None) -> Any:
    key = _SETUPS[role].by_option[option]
    placeholder = key.format.placeholder
    metavar = None if placeholder is None else read(placeholder)
    return typer.Option(metavar=metavar, help=words or read(key.what))


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsOptions:
    """The settings that were given as options, by the last names of their keys."""

    name: Annotated[
        str | None, _option("name", words=say("The name of this collective or host."))
    ] = None
    identifier: Annotated[str | None, _option("identifier")] = None
    account: Annotated[str | None, _option("account")] = None
    host: Annotated[str | None, _option("host")] = None
    port: Annotated[str | None, _option("port")] = None
    security: Annotated[str | None, _option("security")] = None
    ca_file: Annotated[str | None, _option("ca_file")] = None
    password_file: Annotated[str | None, _option("password_file")] = None
    domain: Annotated[str | None, _option("domain", Role.HOST)] = None
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

    def typed(self, role: Role) -> Iterator[tuple[str, str, str]]:
        """Yield keys, with what was typed and the option.

        Raises CliError for an unknown key, and for an option of another role.
        """
        setup = _SETUPS[role]
        lines = [("--about", f"{about.SECTION}{line}") for line in self.about or ()]
        lines += [("--set", line) for line in self.others or ()]
        for option, line in lines:
            name, _, words = line.partition("=")
            if name not in setup.keys:
                raise misused(option, setup.file.unknown(name))
            yield name, words, f"{option} {name.removeprefix(about.SECTION)}"
        for name in dict.fromkeys(key for each in _SETUPS.values() for key in each.by_option):
            if (words := getattr(self, name)) is not None:
                option = _dashed(name)
                if name not in setup.by_option:
                    raise misused(option, _NOT_OF_ROLE.fill(role=role))
                yield setup.by_option[name].name, words, option


commands = Commands()


@commands.add(
    "init",
    text("Without options, ask each question. Existing files stay unchanged."),
)
def init(
    common: Ours,
    options: SettingsOptions,
    *,
    role: Annotated[
        Literal["collective", "host"],
        typer.Option(
            metavar="collective|host",
            help=say("Who the node is for: a host runs the nodes of many households."),
        ),
    ] = "collective",
) -> None:
    """Write the settings of a collective or a host."""
    asking = _Asking(Role(role), common.output)
    file = _new_file(asking.role, common)
    for name, typed, option in options.typed(asking.role):
        asking.values[name] = asking.checked(name, typed, option)
    asking.ask_missing()
    if asking.role is Role.COLLECTIVE:
        asking.ask_about()
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if asking.role is Role.COLLECTIVE:
        asking.keep_password(file.parent)
        words = _WRITTEN.fill(file=file)
    else:
        asking.make_secret(file.parent)
        secret = file.parent / str(asking.values[asking.setup.private])
        words = _WRITTEN_OF_HOST.fill(file=file, secret=secret, domain=asking.values["domain"])
    in_file = asking.setup.file.write(asking.values, common.output.catalogue_language)
    write_private(file, in_file.encode())
    result = asking.setup.result
    common.output.result({"file": str(file), result: str(asking.values[result])}, words)


def _new_file(role: Role, common: Ours) -> Path:
    """Return where the settings will be. Raises `CliError` if there are some."""
    file = settings_file(role, common.data, common.settings)
    if file.exists():
        raise CliError("exists", _EXISTS.fill(file=file))
    if common.settings is None:
        for other in SETTINGS_FILES.values():
            if (there := file.with_name(other)).exists():
                raise CliError("exists", _OTHER_ROLE.fill(file=there))
    return file


class _Asking:
    """The values that were given or typed so far, as they are written, by the names of keys."""

    def __init__(self, role: Role, output: Output) -> None:
        self.role = role
        self.setup = _SETUPS[role]
        self.values: dict[str, object] = {}
        self._output = output
        self._asks = sys.stdin.isatty() and not output.as_json

    def checked(self, name: str, typed: str, option: str) -> object:
        """Return the typed value as it is written. Raises `CliError`."""
        key = self.setup.keys[name]
        try:
            meant = key.read(typed, Path.cwd())
        except BadValue:
            raise misused(option, key.format.hint) from None
        if isinstance(meant, Path) and name == self.setup.private:
            _check_readable(meant, option)
        return written(meant)

    def ask_missing(self) -> None:
        """Ask for what has no value yet. Raises `CliError` if that is required, without asking."""
        for name in self.setup.asked:
            if name in self.values:
                continue
            if self._asks:
                self.values[name] = self._ask(name, self.setup.usual(name, self.values))
            elif self.setup.keys[name].required:
                raise misused(self.setup.option_of(name), _NOT_GIVEN)

    def ask_about(self) -> None:
        """Ask for what the law requires on public pages."""
        if not self._asks:
            return
        self._output.note(_FOR_THE_PUBLIC)
        for key in about.NEEDED:
            if key.name not in self.values and (typed := self._ask(key.name, "")):
                self.values[key.name] = typed

    def keep_password(self, folder: Path) -> None:
        """Ask for the password of the account, and write it to a file."""
        if not self._asks or self.setup.private in self.values:
            return
        words = self._output.translated(_ASK_PASSWORD, jid=self.values["xmpp.account"])
        if password := getpass.getpass(words):
            self._write(folder, _PASSWORD_FILE, password)

    def make_secret(self, folder: Path) -> None:
        """Write a new secret of the component to a file, unless one was given or is there."""
        if self.setup.private in self.values:
            return
        if (folder / _SECRET_FILE).exists():
            self.values[self.setup.private] = _SECRET_FILE
        else:
            self._write(folder, _SECRET_FILE, secrets.token_hex(_SECRET_BYTES))

    def _write(self, folder: Path, name: str, line: str) -> None:
        write_private(folder / name, f"{line}\n".encode())
        self.values[self.setup.private] = name

    def _ask(self, name: str, usual: str) -> object:
        """Return the typed value, or the default; empty where that may be left out."""
        key = self.setup.keys[name]
        asked = _QUESTION if usual else _OPEN_QUESTION
        question = self._output.translated(asked, what=key.what, usual=usual)
        while True:
            typed = input(question).strip() or usual
            if not typed and not key.required:
                return ""
            try:
                return self.checked(name, typed, name)
            except CliError:
                self._output.note(key.format.sentence)


def _check_readable(file: Path, option: str) -> None:
    try:
        file.read_bytes()
    except OSError as error:
        raise misused(option, around(_FILE, system_reason(error), file=file)) from None
