"""How a collective is set up: one TOML file, and variables of the environment that count more.

    name = "Énergies de Kersabiec"
    identifier = "kersabiec"
    [xmpp]
    account = "collectif@kersabiec.example"

`keys.KEYS` has every key once, with what may stand there. What is wrong is told with its line.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from difflib import get_close_matches
from functools import partial
from ipaddress import ip_network
import json
import os
from pathlib import Path
from textwrap import wrap
import tomllib
from typing import Any
from zoneinfo import ZoneInfo

from ..quoalise import Device, Text
from ..quoalise.identifier import organisation
from ..quoalise.text import around, text
from ..series import Interval
from ..xmpp import Server
from .disclosure.sdc_rules import DEFAULT_MINIMUM, Agreed, ByLaw, Publication
from .settings_schema import KEYS, Basis, Key, Network, Wrong

_MAX_BYTES = 64 * 1024
_DATABASE = "node.db"
_LONGEST_WAIT = 120
"""Minutes."""
_WIDTH = 100
_THIS_MACHINE = ip_network("127.0.0.0/8"), ip_network("::1")

_PLACE = text("{file}, line {line}: {said}")
_WHOLE = text("{place}: {said}")
_NOT_TOML = text("this cannot be read as TOML: {why}.")
_NOT_UTF_8 = text("this is not UTF-8: save the file in it.")
_TOO_LONG = text("the file is longer than {most} bytes.")
_UNKNOWN = text("“{key}” is not known. Known are: {known}.")
_NEARLY = text("“{key}” is not known: is “{near}” meant?")
_MISSING = text("“{key}” is missing, here or in {variable}: {said}")
_WRONG = text("“{key}”: {said}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Xmpp:
    """The account of this collective, and its server where DNS does not tell.

    `account_command` makes an invitation to an account of the collective's own server, and prints
    its link. Without a file with the password, the one that `login` kept is used.
    """

    account: str
    server: Server = field(default_factory=Server)
    password_file: Path | None = None
    account_command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Where the pages are served, under which `names`, and from where `proxies` ask for others."""

    host: str = "127.0.0.1"
    port: int = 8080
    names: tuple[str, ...] = ()
    proxies: tuple[Network, ...] = _THIS_MACHINE


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """Where `/metrics` is served, beside the pages."""

    port: int
    host: str = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that is to be known before the database is opened.

    `identifier` names this collective's series in the federation. `database` is a URL, or the
    file in the folder. `location` says where that lies, for people.
    """

    name: str
    identifier: str
    folder: Path
    database: Path | str = field(repr=False)
    time_zone: ZoneInfo
    needs: tuple[Path, ...]
    xmpp: Xmpp
    page: Page
    publication: Publication
    tells_members: bool = True
    location: str | None = None
    metrics: Metrics | None = None

    @property
    def device(self) -> Device:
        """What measures the sums of all members."""
        return organisation(self.identifier)


class BadSettings(Exception):
    """What is wrong with the settings, and where: `text` says what to do."""

    def __init__(self, words: Text) -> None:
        super().__init__(words.say())
        self.text = words


_SECTIONS = dict.fromkeys(name.partition(".")[0] for name in KEYS if "." in name)


def read(
    file: Path, environment: Mapping[str, str] = os.environ, data: Path | None = None
) -> Settings:
    """Read the settings; without a file, the environment must have all. Raises BadSettings.

    Paths in the file are seen from its folder. `data` is the node's folder, if it was chosen.
    """
    written = file.read_bytes() if file.exists() else b""
    found: dict[str, Any] = {}
    for name, value in _told(written, file).items():
        place = partial(_at, file, written, name)
        found[name] = _value(KEYS[name], value, file.parent, place)
    for name, key in KEYS.items():
        if said := environment.get(key.variable):
            found[name] = _value(key, said, Path(), partial(_whole, key.variable))
    for key in KEYS.values():
        if key.required and key.name not in found:
            missing = around(_MISSING, key.hint, key=key.name, variable=key.variable)
            raise BadSettings(_whole(file, missing))
    return _settings(found, data or found.get("data", file.parent))


def write(told: Mapping[str, object], language: str) -> str:
    """Return a file that says this, and shows what else can be said."""
    lines = []
    for section in ("", *_SECTIONS):
        lines += [f"[{section}]"] if section else []
        for name, key in KEYS.items():
            if name.rpartition(".")[0] != section:
                continue
            hint = key.hint.say(language)
            said = f"{key.what.say(language)} {hint[0].upper()}{hint[1:]}"
            lines += wrap(said, _WIDTH, initial_indent="# ", subsequent_indent="# ")
            last = name.rpartition(".")[2]
            # What JSON writes of these values is TOML too.
            lines.append(
                f"{last} = {json.dumps(told[name], ensure_ascii=False)}"
                if name in told
                else f"# {last} ="
            )
        lines.append("")
    return "\n".join(lines)


def _settings(found: Mapping[str, Any], folder: Path) -> Settings:
    def section(name: str, *keys: str) -> dict[str, Any]:
        return {key: found[f"{name}.{key}"] for key in keys if f"{name}.{key}" in found}

    return Settings(
        name=found["name"],
        identifier=found["identifier"],
        folder=folder,
        database=found.get("database", folder / _DATABASE),
        location=found.get("location"),
        time_zone=found.get("time_zone", ZoneInfo("Europe/Paris")),
        needs=found.get("needs", ()),
        xmpp=Xmpp(
            **section("xmpp", "account", "password_file", "account_command"),
            server=Server(**section("xmpp", "host", "port", "security", "ca_file")),
        ),
        page=Page(**section("page", "host", "port", "names", "proxies")),
        publication=publication(found),
        tells_members=found.get("publication.members", True),
        metrics=Metrics(**section("metrics", "host", "port")) if "metrics.port" in found else None,
    )


def publication(found: Mapping[str, Any]) -> Publication:
    """Return how sums are published, of what was read of the keys of `publication`."""
    by_law = found.get("publication.basis") is Basis.LAW
    told: dict[str, Any] = {
        "basis": ByLaw() if by_law else Agreed(found.get("publication.minimum", DEFAULT_MINIMUM))
    }
    if "publication.interval" in found:
        told["interval"] = Interval(found["publication.interval"])
    if "publication.wait_minutes" in found:
        told["wait"] = timedelta(minutes=found["publication.wait_minutes"])
    longest = timedelta(minutes=found.get("publication.longest_wait_minutes", _LONGEST_WAIT))
    told["longest_wait"] = max(longest, told.get("wait", longest))
    return Publication(**told)


def _value(key: Key, found: object, folder: Path, place: Callable[[Text], Text]) -> object:
    try:
        return key.read(found, folder)
    except Wrong:
        raise BadSettings(place(around(_WRONG, key.hint, key=key.name))) from None


def _told(written: bytes, file: Path) -> dict[str, object]:
    """Return what a file says, by the full name of its keys."""
    if len(written) > _MAX_BYTES:
        raise BadSettings(_whole(file, _TOO_LONG.fill(most=_MAX_BYTES)))
    try:
        document = tomllib.loads(written.decode())
    except tomllib.TOMLDecodeError as fault:
        said = _NOT_TOML.fill(why=fault.msg)
        raise BadSettings(around(_PLACE, said, file=file, line=fault.lineno)) from fault
    except RecursionError as fault:
        raise BadSettings(_whole(file, _NOT_TOML.fill(why=fault))) from fault
    except UnicodeDecodeError as fault:
        line = written[: fault.start].count(b"\n") + 1
        raise BadSettings(around(_PLACE, _NOT_UTF_8, file=file, line=line)) from fault
    told = dict(_flat(document))
    for name in told:
        if name not in KEYS:
            raise BadSettings(_at(file, written, name, _strange(name)))
    return told


def _strange(name: str) -> Text:
    near = get_close_matches(name, KEYS, 1) or get_close_matches(
        name.rpartition(".")[2], [key.rpartition(".")[2] for key in KEYS], 1
    )
    if near:
        full = next(key for key in KEYS if key.endswith(near[0]))
        return _NEARLY.fill(key=name, near=full)
    return _UNKNOWN.fill(key=name, known=", ".join(KEYS))


def _flat(document: Mapping[str, object], before: str = "") -> Iterator[tuple[str, object]]:
    for key, value in document.items():
        name = f"{before}{key}"
        if isinstance(value, dict) and name in _SECTIONS:
            yield from _flat(value, f"{name}.")
        else:
            yield name, value


def _whole(place: Path | str, said: Text) -> Text:
    return around(_WHOLE, said, place=place)


def _at(file: Path, written: bytes, name: str, said: Text) -> Text:
    return around(_PLACE, said, file=file, line=_line(written.decode(), name))


def _line(written: str, name: str) -> int:
    """Return the line in which a key begins: where the beginning of the file comes to have it."""
    lines = written.splitlines()
    begins = 1
    for end in range(1, len(lines) + 1):
        try:
            document = tomllib.loads("\n".join(lines[:end]))
        except tomllib.TOMLDecodeError:
            continue
        if name in dict(_flat(document)):
            return begins
        begins = end + 1
    return begins
