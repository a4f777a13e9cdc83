"""The settings of a collective: one TOML file, and variables of the environment over it.

    name = "Énergies de Kersabiec"
    identifier = "kersabiec"
    [xmpp]
    account = "collectif@kersabiec.example"

`settings_schema.KEYS` has every key once, with what may stand there. A refusal names its line.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from inspect import signature
from ipaddress import ip_network
from itertools import groupby
import json
import os
from pathlib import Path
from textwrap import wrap
import tomllib
from typing import Any
from zoneinfo import ZoneInfo

from consometers_quoalise import Device
from consometers_quoalise.identifier import organisation
from consometers_quoalise_network import Server

from ..i18n.text import Text, TranslatedError, around, text
from .about import About
from .disclosure.sdc_rules import DEFAULT_MINIMUM, Publication
from .settings_schema import KEYS, BadValue, Basis, Key, Network, SmtpSecurity

_MAX_BYTES = 64 * 1024
_DATABASE = "node.db"
_TIME_ZONE = ZoneInfo("Europe/Paris")
_WIDTH = 100
_OF_MAIL = ("alerts.mail_", "alerts.smtp_")
_NEEDED_FOR_MAIL = frozenset({"alerts.mail_to", "alerts.smtp_host"})
SMTP_PASSWORD = "CONSOMETERS_SMTP_PASSWORD"  # noqa: S105  # the name of a variable
_THIS_MACHINE = ip_network("127.0.0.0/8"), ip_network("::1")

_PLACE = text("{file}, line {line}: {said}")
_WHOLE = text("{place}: {said}")
_NOT_TOML = text("this cannot be read as TOML: {why}.")
_NOT_UTF_8 = text("this is not UTF-8: save the file in it.")
_TOO_LONG = text("the file is longer than {most} bytes.")
_UNKNOWN = text("“{key}” is unknown. Known keys: {known}.")
_NEARLY = text("“{key}” is unknown. Did you mean “{near}”?")
_MISSING = text("“{key}” is missing, here or in {variable}: {said}")
_WRONG = text("“{key}”: {said}")
_IN_CLEAR = text(
    "“alerts.smtp_security”: with “none”, the password would be sent in clear. Choose “starttls”"
    " or “tls”, or remove alerts.smtp_user."
)
_OWN_WITNESS = text(
    "“witness.for”: a collective cannot be its own witness. Name other collectives."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Xmpp:
    """The account of this collective, and its server where DNS does not name it.

    `account_command` makes an invitation to an account of the collective's own server, and prints
    its link; `account_removal_command` removes the one whose address it is given. Without a file
    with the password, the one that `login` kept is used.
    """

    account: str
    server: Server = field(default_factory=Server)
    password_file: Path | None = None
    account_command: tuple[str, ...] = ()
    account_removal_command: tuple[str, ...] = ()

    def removes(self, address: str) -> bool:
        """Return whether an account can be removed: it is on the collective's own server."""
        domain = self.account.rpartition("@")[2]
        return bool(self.account_removal_command) and address.endswith(f"@{domain}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSettings:
    """Where the pages are served, under which `names`, and from where `proxies` ask for others."""

    host: str = "127.0.0.1"
    port: int = 8080
    names: tuple[str, ...] = ()
    proxies: tuple[Network, ...] = _THIS_MACHINE


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsSettings:
    """Where `/metrics` is served, beside the pages."""

    port: int
    host: str = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSettings:
    """The recipients of alerts by e-mail, and the mail server."""

    mail_to: tuple[str, ...]
    smtp_host: str
    mail_from: str | None = None
    smtp_port: int | None = None
    smtp_security: SmtpSecurity = SmtpSecurity.STARTTLS
    smtp_user: str | None = None
    smtp_password_file: Path | None = None
    smtp_password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings, read before the database is opened.

    `identifier` names this collective's series in the federation. `witness_for` are the bare
    addresses of collectives whose protected sums this node opens. `database` is a URL, or the
    file in the folder. `location` says where that lies, for people.
    """

    name: str
    identifier: str
    folder: Path
    database: Path | str = field(repr=False)
    time_zone: ZoneInfo = _TIME_ZONE
    needs: tuple[Path, ...] = ()
    witness_for: tuple[str, ...] = ()
    xmpp: Xmpp
    page: PageSettings
    publication: Publication
    tells_members: bool = True
    location: str | None = None
    about: About = field(default_factory=About)
    metrics: MetricsSettings | None = None
    mail: MailSettings | None = None
    webhook: str | None = field(default=None, repr=False)
    backups_kept_days: int | None = None

    @property
    def device(self) -> Device:
        """The device of the sums of all members."""
        return organisation(self.identifier)


class BadSettings(TranslatedError):
    """The error in the settings, and its place: `text` says what to do."""

    def __init__(self, words: Text, place: Path | str, line: int | None = None) -> None:
        if line is None:
            super().__init__(around(_WHOLE, words, place=place))
        else:
            super().__init__(around(_PLACE, words, file=place, line=line))


_SECTIONS = {key.section for key in KEYS.values() if key.section}


def read(
    file: Path, environment: Mapping[str, str] = os.environ, data: Path | None = None
) -> Settings:
    """Read the settings; without a file, the environment must have all. Raises BadSettings.

    Paths in the file are seen from its folder. `data` is the node's folder, if it was chosen.
    """
    source = file.read_bytes() if file.exists() else b""
    values: dict[str, Any] = {}
    for name, value in _document(source, file).items():
        try:
            values[name] = KEYS[name].read(value, file.parent)
        except BadValue:
            raise BadSettings(_wrong(KEYS[name]), file, _line(source, name)) from None
    for name, key in KEYS.items():
        if value := environment.get(key.variable):
            try:
                values[name] = key.read(value, Path())
            except BadValue:
                raise BadSettings(_wrong(key), key.variable) from None
    has_mail = any(name.startswith(_OF_MAIL) for name in values)
    for name, key in KEYS.items():
        if (key.required or (has_mail and name in _NEEDED_FOR_MAIL)) and name not in values:
            missing = around(_MISSING, key.format.hint, key=name, variable=key.variable)
            raise BadSettings(missing, file)
    if values.get("alerts.smtp_security") is SmtpSecurity.NONE and "alerts.smtp_user" in values:
        raise BadSettings(_IN_CLEAR, file)
    if values["xmpp.account"] in values.get("witness.for", ()):
        raise BadSettings(_OWN_WITNESS, file, _line(source, "witness.for"))
    values["alerts.smtp_password"] = environment.get(SMTP_PASSWORD)
    return _settings(values, data or values.get("data", file.parent))


def write(values: Mapping[str, object], language: str) -> str:
    """Return a settings file with these values, and comments on the other keys."""
    lines = []
    for section, keys in groupby(KEYS.values(), lambda key: key.section):
        lines += [f"[{section}]"] if section else []
        for key in keys:
            hint = key.format.hint.say(language)
            comment = f"{key.what.say(language)} {hint[0].upper()}{hint[1:]}"
            lines += wrap(comment, _WIDTH, initial_indent="# ", subsequent_indent="# ")
            # JSON's notation of these values is TOML too.
            lines.append(
                f"{key.last_name} = {json.dumps(values[key.name], ensure_ascii=False)}"
                if key.name in values
                else f"# {key.last_name} ="
            )
        lines.append("")
    return "\n".join(lines)


def _settings(values: Mapping[str, Any], folder: Path) -> Settings:
    def section[T](make: Callable[..., T], prefix: str, **others: object) -> T:
        names = [name for name in signature(make).parameters if f"{prefix}{name}" in values]
        return make(**{name: values[f"{prefix}{name}"] for name in names} | others)

    return section(
        Settings,
        "",
        folder=folder,
        database=values.get("database", folder / _DATABASE),
        xmpp=section(Xmpp, "xmpp.", server=section(Server, "xmpp.")),
        page=section(PageSettings, "page."),
        about=section(About, "about."),
        witness_for=values.get("witness.for", ()),
        publication=publication(values),
        tells_members=values.get("publication.members", True),
        metrics=section(MetricsSettings, "metrics.") if "metrics.port" in values else None,
        mail=section(MailSettings, "alerts.") if "alerts.mail_to" in values else None,
        webhook=values.get("alerts.webhook"),
        backups_kept_days=values.get("backups.kept_days"),
    )


def publication(values: Mapping[str, Any]) -> Publication:
    """Return how sums are published, of what was read of the keys of `publication`."""
    by_law = values.get("publication.basis") is Basis.LAW
    minimum = values.get("publication.minimum", DEFAULT_MINIMUM)
    usual = Publication(minimum=None if by_law else minimum)
    wait = values.get("publication.wait_minutes", usual.wait)
    return replace(
        usual,
        interval=values.get("publication.interval", usual.interval),
        wait=wait,
        longest_wait=max(wait, values.get("publication.longest_wait_minutes", usual.longest_wait)),
    )


def _wrong(key: Key) -> Text:
    return around(_WRONG, key.format.hint, key=key.name)


def _document(source: bytes, file: Path) -> dict[str, object]:
    """Return what a file says, by the full name of its keys."""
    if len(source) > _MAX_BYTES:
        raise BadSettings(_TOO_LONG.fill(most=_MAX_BYTES), file)
    try:
        document = dict(_flat(tomllib.loads(source.decode())))
    except tomllib.TOMLDecodeError as fault:
        raise BadSettings(_NOT_TOML.fill(why=fault.msg), file, fault.lineno) from fault
    except RecursionError as fault:
        raise BadSettings(_NOT_TOML.fill(why=fault), file) from fault
    except UnicodeDecodeError as fault:
        line = source[: fault.start].count(b"\n") + 1
        raise BadSettings(_NOT_UTF_8, file, line) from fault
    for name in document:
        if name not in KEYS:
            raise BadSettings(_unknown(name), file, _line(source, name))
    return document


def _unknown(name: str) -> Text:
    last_names = [key.last_name for key in KEYS.values()]
    near = get_close_matches(name, KEYS, 1) or get_close_matches(
        name.rpartition(".")[2], last_names, 1
    )
    if near:
        return _NEARLY.fill(key=name, near=next(key for key in KEYS if key.endswith(near[0])))
    return _UNKNOWN.fill(key=name, known=", ".join(KEYS))


def _flat(document: Mapping[str, object], section: str = "") -> Iterator[tuple[str, object]]:
    for key, value in document.items():
        name = f"{section}{key}"
        if isinstance(value, dict) and name in _SECTIONS:
            yield from _flat(value, f"{name}.")
        else:
            yield name, value


def _line(source: bytes, name: str) -> int:
    """Return the line in which a key begins: where its start in the file would be."""
    lines = source.decode().splitlines()
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
