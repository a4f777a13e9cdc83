"""The keys of a collective's settings: what may stand at each, and what to do where it does not."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
import os
from pathlib import Path
import re
import shlex
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from ..quoalise import Text
from ..quoalise.text import text
from ..series import Interval
from ..xmpp import Security
from ..xmpp.account import bare
from ..xmpp.errors import NotAnAddress
from .disclosure.sdc_rules import LEAST_MINIMUM

_MAX_DIGITS = 10
_MAX_NAME = 100
_MAX_IDENTIFIER = 40
_IDENTIFIER = re.compile(r"[a-z0-9]+(?:\.[a-z0-9]+)*")
_MAX_HOST = 253
_HOST_NAME = re.compile(r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*")
_DATABASES = ("postgresql", "sqlite")

_WORDS = text("write some words in quotes.")
_SLUG = text('write lower-case letters, digits and dots, such as "kersabiec".')
_PATH = text("write a path in quotes.")
_PATHS = text('write paths in quotes, in brackets: ["needs/roof.toml"].')
_URL = text('write the URL of a database, such as "postgresql://node@localhost/collective".')
_ZONE = text('write the name of a time zone, such as "Europe/Paris".')
_ADDRESS = text('write an XMPP address, such as "collective@example.org".')
_HOST = text("write the name of a machine in quotes.")
_PORT = text("write a number from 1 to 65535.")
_COMMAND = text(
    "write a command in brackets, each word in quotes:"
    ' ["prosodyctl", "shell", "invite", "create_account", "example.org"].'
)
_NAMES = text(
    'write names in quotes, in brackets: ["energies.example.org"]. In the variable, commas stand'
    " between them."
)
_NETWORKS = text(
    'write networks or addresses in quotes, in brackets: ["127.0.0.1", "172.31.250.0/24"]. In the'
    " variable, commas stand between them."
)
_ONE_OF = text("write one of {words}.")
_MEMBERS = text("write a number from {least} up: a sum of fewer members tells too much of each.")
_YES_OR_NO = text("write true or false.")
_MINUTES = text("write minutes, from 1 to 1440.")
_LONGEST_WAIT = text("write minutes, from 1 to 2880.")


type Network = IPv4Network | IPv6Network


class Basis(StrEnum):
    """On what sums are published."""

    AGREED = "agreed"
    """Members agreed to sums of so many of them."""
    LAW = "law"
    """What the law lets anybody publish."""


class Step(StrEnum):
    """The interval at which sums are published, beside days."""

    PT5M = Interval.PT5M
    PT30M = Interval.PT30M
    PT1H = Interval.PT1H


class Wrong(Exception):
    """A value cannot be that of its key."""


type _Read = Callable[[object, Path], Any]


@dataclass(frozen=True, slots=True)
class Key:
    """A key: what it is for, how its value is read (raises Wrong), what to do if it cannot be."""

    name: str
    what: Text
    read: _Read
    hint: Text
    required: bool = False

    @property
    def variable(self) -> str:
        """The variable of the environment that counts more."""
        return f"CONSOMETERS_{self.name.upper().replace('.', '_')}"


def _words(found: object, _: Path) -> str:
    if not isinstance(found, str) or not 0 < len(found.strip()) <= _MAX_NAME:
        raise Wrong
    return found.strip()


def _slug(found: object, _: Path) -> str:
    if not isinstance(found, str) or not _IDENTIFIER.fullmatch(found):
        raise Wrong
    if len(found) > _MAX_IDENTIFIER:
        raise Wrong
    return found


def _path(found: object, folder: Path) -> Path:
    if not isinstance(found, str) or not found:
        raise Wrong
    try:
        return folder / Path(found).expanduser()
    except RuntimeError:  # Nobody of that name has a home here.
        raise Wrong from None


def _paths(found: object, folder: Path) -> tuple[Path, ...]:
    listed = found.split(os.pathsep) if isinstance(found, str) else found
    if not isinstance(listed, list):
        raise Wrong
    return tuple(_path(one, folder) for one in listed)


def _url(found: object, _: Path) -> str:
    try:
        if not isinstance(found, str) or make_url(found).get_backend_name() not in _DATABASES:
            raise Wrong
    except ArgumentError, ValueError:
        raise Wrong from None
    return found


def _zone(found: object, _: Path) -> ZoneInfo:
    if not isinstance(found, str):
        raise Wrong
    try:
        return ZoneInfo(found)
    except KeyError, OSError, ValueError:
        raise Wrong from None


def _address(found: object, _: Path) -> str:
    if not isinstance(found, str):
        raise Wrong
    try:
        return bare(found)
    except NotAnAddress:
        raise Wrong from None


def _command(found: object, _: Path) -> tuple[str, ...]:
    try:
        words = shlex.split(found) if isinstance(found, str) else found
    except ValueError:  # A quotation mark is missing.
        raise Wrong from None
    if not isinstance(words, list) or not words or not all(isinstance(one, str) for one in words):
        raise Wrong
    return tuple(words)


def _number(least: int, most: int | None = None) -> _Read:
    def read(found: object, _: Path) -> int:
        if isinstance(found, str) and found.isdecimal() and len(found) <= _MAX_DIGITS:
            found = int(found)
        if not isinstance(found, int) or isinstance(found, bool):
            raise Wrong
        if found < least or (most is not None and found > most):
            raise Wrong
        return found

    return read


def _names(found: object, _: Path) -> tuple[str, ...]:
    listed = found.split(",") if isinstance(found, str) else found
    if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
        raise Wrong
    names = tuple(name.strip().lower() for name in listed)
    if not all(len(name) <= _MAX_HOST and _HOST_NAME.fullmatch(name) for name in names):
        raise Wrong
    return names


def _networks(found: object, _: Path) -> tuple[Network, ...]:
    listed = found.split(",") if isinstance(found, str) else found
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        raise Wrong
    try:
        networks = tuple(ip_network(one.strip()) for one in listed)
    except ValueError:
        raise Wrong from None
    # Whoever believes everybody believes whoever lies.
    if not all(one.prefixlen for one in networks):
        raise Wrong
    return networks


def _yes_or_no(found: object, _: Path) -> bool:
    told = {"true": True, "false": False}.get(found) if isinstance(found, str) else found
    if not isinstance(told, bool):
        raise Wrong
    return told


def _one_of(words: type[Enum]) -> _Read:
    def read(found: object, _: Path) -> Enum:
        try:
            return words(found)
        except ValueError:
            raise Wrong from None

    return read


def _choices(words: type[Enum]) -> Text:
    return _ONE_OF.fill(words=", ".join(f'"{one.value}"' for one in words))


KEYS = {
    key.name: key
    for key in (
        Key(
            "name",
            text("What people call this collective."),
            _words,
            _WORDS,
            required=True,
        ),
        Key(
            "identifier",
            text("What its sums are called in the federation; it never changes."),
            _slug,
            _SLUG,
            required=True,
        ),
        Key(
            "data",
            text("Where the node keeps its things."),
            _path,
            _PATH,
        ),
        Key(
            "database",
            text("PostgreSQL in place of SQLite."),
            _url,
            _URL,
        ),
        Key(
            "location",
            text("Where the data lies, as anybody is told: the place, and whose machine it is."),
            _words,
            _WORDS,
        ),
        Key(
            "time_zone",
            text("Of its days and months."),
            _zone,
            _ZONE,
        ),
        Key(
            "needs",
            text("What it asks its members for, offered when the node starts."),
            _paths,
            _PATHS,
        ),
        Key(
            "xmpp.account",
            text("The account of the node."),
            _address,
            _ADDRESS,
            required=True,
        ),
        Key(
            "xmpp.host",
            text("Where its server is, if DNS does not say it."),
            _words,
            _HOST,
        ),
        Key("xmpp.port", text("Its port."), _number(1, 65535), _PORT),
        Key(
            "xmpp.security",
            text("How encryption begins."),
            _one_of(Security),
            _choices(Security),
        ),
        Key(
            "xmpp.ca_file",
            text("The certificate authority of a private server."),
            _path,
            _PATH,
        ),
        Key(
            "xmpp.password_file",
            text("A file with its password, in place of the one that “login” kept."),
            _path,
            _PATH,
        ),
        Key(
            "xmpp.account_command",
            text(
                "Makes an invitation to an account of the collective’s own server, for members who"
                " have none."
            ),
            _command,
            _COMMAND,
        ),
        Key(
            "page.host",
            text("Where its pages are served."),
            _words,
            _HOST,
        ),
        Key("page.port", text("Their port."), _number(1, 65535), _PORT),
        Key(
            "page.names",
            text(
                "The names under which browsers ask for the pages, and Prometheus for the metrics."
                " Under another one nothing is shown, so that no other site reads the pages through"
                " a visitor’s browser. Addresses and names of a local network always hold."
            ),
            _names,
            _NAMES,
        ),
        Key(
            "page.proxies",
            text(
                "Where the reverse proxy asks from: its word is believed of who asks it, and"
                " nobody else’s. Without this, it is on this machine."
            ),
            _networks,
            _NETWORKS,
        ),
        Key(
            "publication.basis",
            text(
                "On what sums are published: what members agreed to, or what the law lets anybody"
                " publish."
            ),
            _one_of(Basis),
            _choices(Basis),
        ),
        Key(
            "publication.minimum",
            text("How many homes a published sum holds at least, where they agreed."),
            _number(LEAST_MINIMUM),
            _MEMBERS.fill(least=LEAST_MINIMUM),
        ),
        Key(
            "publication.interval",
            text("The step of published sums, beside days."),
            _one_of(Step),
            _choices(Step),
        ),
        Key(
            "publication.wait_minutes",
            text("An interval closes once nothing new has come for so long."),
            _number(1, 1440),
            _MINUTES,
        ),
        Key(
            "publication.longest_wait_minutes",
            text("How long after its end an interval closes at the latest (48 hours at most)."),
            _number(1, 2880),
            _LONGEST_WAIT,
        ),
        Key(
            "publication.members",
            text("Whether each member reads the sums of all, in its own Home Assistant."),
            _yes_or_no,
            _YES_OR_NO,
        ),
        Key(
            "metrics.host",
            text("Where Prometheus may ask."),
            _words,
            _HOST,
        ),
        Key(
            "metrics.port",
            text("Its port; without it, nobody may ask."),
            _number(1, 65535),
            _PORT,
        ),
    )
}
