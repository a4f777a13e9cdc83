"""The keys of a collective's settings: the legal values of each, and hints on the others."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
import os
from pathlib import Path
import re
import shlex
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from consometers_quoalise_network import Security
from consometers_quoalise_network.address import bare
from consometers_quoalise_network.errors import NotAnAddress

from ..i18n.text import Text, text
from ..series import Interval
from .disclosure.sdc_rules import LEAST_MINIMUM

_MAX_DIGITS = 10
_PHRASE = r"(?s).{1,100}"
_IDENTIFIER = r"(?!.{41})[a-z0-9]+(?:\.[a-z0-9]+)*"
_HOST_NAME = r"(?!.{254})[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*"
_MAIL = r"[^\s@,;<>]{1,64}@[^\s@,;<>]{1,253}"
_PROSE = r"(?s).{1,500}"
_PHONE = r"\+?[0-9][0-9 ().-]{3,29}"
_LOCAL = ("localhost", "127.0.0.1", "::1")
_DATABASES = ("postgresql", "sqlite")

STEPS = (Interval.PT5M, Interval.PT30M, Interval.PT1H)
"""The intervals at which sums may be published, beside days."""

type Network = IPv4Network | IPv6Network
type _Parse = Callable[[object, Path], Any]


class Basis(StrEnum):
    """On what sums are published."""

    AGREED = "agreed"
    """Members agreed to sums of so many of them."""
    LAW = "law"
    """What the law lets anybody publish."""


class SmtpSecurity(StrEnum):
    """How TLS begins on the way to the mail server."""

    STARTTLS = "starttls"
    TLS = "tls"
    """At once."""
    NONE = "none"
    """For a mail server on the same machine, without a password."""


class BadValue(ValueError):
    """A value is not legal for its key."""


@dataclass(frozen=True, slots=True)
class Format:
    """How values are written: `parse` reads one, seen from a folder; `hint` says what to write."""

    parse: _Parse
    hint: Text

    @property
    def sentence(self) -> Text:
        """The hint as a sentence of its own."""
        return Text(
            {tag: hint[0].upper() + hint[1:] for tag, hint in self.hint.by_language.items()}
        )


@dataclass(frozen=True, slots=True)
class Key:
    """A key: its full name, what it is for, and how its value is written."""

    name: str
    what: Text
    format: Format
    required: bool = False

    @property
    def variable(self) -> str:
        """The variable of the environment that takes precedence."""
        return f"CONSOMETERS_{self.name.upper().replace('.', '_')}"

    @property
    def section(self) -> str:
        """The section of the file; empty for the keys before the first one."""
        return self.name.rpartition(".")[0]

    @property
    def last_name(self) -> str:
        """The name within the section."""
        return self.name.rpartition(".")[2]

    def read(self, value: object, folder: Path) -> Any:
        """Return the value that is written in a file of this folder. Raises BadValue."""
        try:
            return self.format.parse(value, folder)
        except ArgumentError, KeyError, NotAnAddress, OSError, RuntimeError, ValueError:
            raise BadValue from None


def _string(value: object, pattern: str = r"(?s).*") -> str:
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise BadValue
    return value


def _price(value: object, _: Path) -> Decimal:
    return Decimal(_string(str(value).strip().replace(",", "."), r"\d{1,3}(\.\d{1,3})?"))


def _words(value: object, _: Path) -> str:
    return _string(_string(value).strip(), _PHRASE)


def _path(value: object, folder: Path) -> Path:
    return folder / Path(_string(value, r"(?s).+")).expanduser()


def _url(value: object, _: Path) -> str:
    url = _string(value)
    if make_url(url).get_backend_name() not in _DATABASES:
        raise BadValue
    return url


def _webhook(value: object, _: Path) -> str:
    """Return the URL of a webhook. It holds a secret: only this machine reads it in clear."""
    url = _string(value).strip()
    parts = urlsplit(url)
    if parts.scheme != "https" and (parts.scheme != "http" or parts.hostname not in _LOCAL):
        raise BadValue
    if not parts.hostname:
        raise BadValue
    return url


def _prose(value: object, _: Path) -> str:
    """Return sentences on one line."""
    return _string(" ".join(_string(value).split()), _PROSE)


def _web_page(value: object, _: Path) -> str:
    url = _string(value, r"\S{1,300}")
    if urlsplit(url).scheme not in {"https", "http"} or not urlsplit(url).hostname:
        raise BadValue
    return url


def _network(value: object, _: Path) -> Network:
    network = ip_network(_string(value).strip())
    # Trusting every proxy lets clients forge their address.
    if not network.prefixlen:
        raise BadValue
    return network


def _list(
    parse: _Parse,
    split: Callable[[str], list[str]] = lambda listed: listed.split(","),
    least: int = 0,
) -> _Parse:
    """Return what parses a list, which a variable has in one string."""

    def parse_list(value: object, folder: Path) -> tuple[Any, ...]:
        listed = split(value) if isinstance(value, str) else value
        if not isinstance(listed, list) or len(listed) < least:
            raise BadValue
        return tuple(parse(item, folder) for item in listed)

    return parse_list


def _boolean(value: object, _: Path) -> bool:
    boolean = {"true": True, "false": False}.get(value) if isinstance(value, str) else value
    if not isinstance(boolean, bool):
        raise BadValue
    return boolean


def _number(allowed: range, hint: Text) -> Format:
    def parse(value: object, _: Path) -> int:
        if isinstance(value, str) and value.isdecimal() and len(value) <= _MAX_DIGITS:
            value = int(value)
        if type(value) is not int or value not in allowed:
            raise BadValue
        return value

    return Format(parse, hint)


def _minutes(most: int, hint: Text) -> Format:
    number = _number(range(1, most + 1), hint)
    return Format(lambda value, folder: timedelta(minutes=number.parse(value, folder)), hint)


def _choice(choices: Iterable[Enum]) -> Format:
    by_word = {choice.value: choice for choice in choices}
    words = ", ".join(f'"{word}"' for word in by_word)
    return Format(
        lambda value, _: by_word[_string(value)], text("write one of {words}.").fill(words=words)
    )


_WORDS = Format(_words, text("write some words in quotes."))
_SLUG = Format(
    lambda value, _: _string(value, _IDENTIFIER),
    text('write lower-case letters, digits and dots, such as "kersabiec".'),
)
_PATH = Format(_path, text("write a path in quotes."))
_PATHS = Format(
    _list(_path, lambda listed: listed.split(os.pathsep)),
    text('write paths in quotes, in brackets: ["needs/roof.toml"].'),
)
_URL = Format(
    _url, text('write the URL of a database, such as "postgresql://node@localhost/collective".')
)
_ZONE = Format(
    lambda value, _: ZoneInfo(_string(value)),
    text('write the name of a time zone, such as "Europe/Paris".'),
)
_ADDRESS = Format(
    lambda value, _: bare(_string(value)),
    text('write an XMPP address, such as "collective@example.org".'),
)
_ADDRESSES = Format(
    _list(lambda value, _: bare(_string(value)), least=1),
    text(
        'write XMPP addresses in quotes, in brackets: ["collective@example.org"]. In the variable,'
        " commas stand between them."
    ),
)
_HOST = Format(_words, text("write the name of a machine in quotes."))
_PORT = _number(range(1, 65536), text("write a number from 1 to 65535."))
_COMMAND = Format(
    _list(lambda value, _: _string(value), shlex.split, least=1),
    text(
        "write a command in brackets, each word in quotes:"
        ' ["prosodyctl", "shell", "invite", "create_account", "example.org"].'
    ),
)
_MAIL_ADDRESS = Format(
    lambda value, _: _string(_string(value).strip(), _MAIL),
    text('write an e-mail address, such as "contact@example.org".'),
)
_MAIL_ADDRESSES = Format(
    _list(lambda value, _: _string(_string(value).strip(), _MAIL), least=1),
    text(
        'write e-mail addresses in quotes, in brackets: ["contact@example.org"]. In the variable,'
        " commas stand between them."
    ),
)
_WEBHOOK = Format(_webhook, text("write an address that begins with https://."))
_NAMES = Format(
    _list(lambda value, _: _string(_string(value).strip().lower(), _HOST_NAME)),
    text(
        'write names in quotes, in brackets: ["energies.example.org"]. In the variable, commas'
        " stand between them."
    ),
)
_NETWORKS = Format(
    _list(_network),
    text(
        'write networks or addresses in quotes, in brackets: ["127.0.0.1", "172.31.250.0/24"]. In'
        " the variable, commas stand between them."
    ),
)
_SENTENCES = Format(_prose, text("write at most 500 characters."))
WEB_PAGE = Format(
    _web_page, text('write the address of a web page, such as "https://example.org".')
)
_PHONE_NUMBER = Format(
    lambda value, _: _string(_string(value).strip(), _PHONE),
    text('write a telephone number, such as "+33 2 97 00 00 00".'),
)
_DATE = Format(
    lambda value, _: date.fromisoformat(_string(value, r"\d{4}-\d\d-\d\d")),
    text('write a day, such as "2026-12-01".'),
)
_SHARE = _number(range(101), text("write a whole number from 0 to 100."))
_GRAMS = _number(range(1, 2_001), text("write a whole number of grams, from 1 to 2000."))
_YEAR = _number(range(1990, 2100), text("write a year, such as 2025."))
_PRICE = Format(_price, text('write euro cents, such as "12.5".'))
_MEMBERS = _number(
    range(LEAST_MINIMUM, 2**63),
    text(
        "write a number from {least} up: a sum of fewer members reveals too much about each."
    ).fill(least=LEAST_MINIMUM),
)
_BOOLEAN = Format(_boolean, text("write true or false."))
_DAYS = _number(range(1, 36_501), text("write a number of days, from 1 to 36500."))
_WAIT = _minutes(1440, text("write minutes, from 1 to 1440."))
_LONGEST_WAIT = _minutes(2880, text("write minutes, from 1 to 2880."))

_ALL = (
    Key("name", text("The name of this collective."), _WORDS, required=True),
    Key(
        "identifier",
        text("The identifier of its sums in the federation; it never changes."),
        _SLUG,
        required=True,
    ),
    Key("data", text("The folder of the node."), _PATH),
    Key("database", text("PostgreSQL instead of SQLite."), _URL),
    Key(
        "location",
        text(
            "The location of the data, for the privacy notice: the place, and the owner of the"
            " machine."
        ),
        _WORDS,
    ),
    Key("time_zone", text("The title for its days and months."), _ZONE),
    Key("needs", text("Its data requests, created when the node starts."), _PATHS),
    Key("xmpp.account", text("The account of the node."), _ADDRESS, required=True),
    Key("xmpp.host", text("The address of its server, if DNS does not give it."), _HOST),
    Key("xmpp.port", text("Its port."), _PORT),
    Key("xmpp.security", text("The encryption mode."), _choice(Security)),
    Key("xmpp.ca_file", text("The certificate authority of a private server."), _PATH),
    Key(
        "xmpp.password_file",
        text("A file with its password, instead of the password saved by “login”."),
        _PATH,
    ),
    Key(
        "xmpp.account_command",
        text(
            "Creates an invitation to an account on the collective’s own server, for members who"
            " have none."
        ),
        _COMMAND,
    ),
    Key(
        "xmpp.account_removal_command",
        text(
            "Removes an account from the collective’s own server, once its member is erased; it"
            " takes the address of the account as its last argument."
        ),
        _COMMAND,
    ),
    Key("page.host", text("The address of its pages."), _HOST),
    Key("page.port", text("Their port."), _PORT),
    Key(
        "page.names",
        text(
            "The host names that browsers use for the pages, and Prometheus for the metrics."
            " Requests under any other name are refused, so that no other site can read the"
            " pages through a visitor’s browser. Addresses and names of a local network are"
            " always accepted."
        ),
        _NAMES,
    ),
    Key(
        "page.proxies",
        text(
            "The address of the reverse proxy: the node trusts only this proxy for client"
            " addresses. By default, this machine."
        ),
        _NETWORKS,
    ),
    Key(
        "publication.basis",
        text(
            "The basis for publishing sums: the members’ agreement, or the thresholds of the law."
        ),
        _choice(Basis),
    ),
    Key(
        "publication.minimum",
        text("Minimum number of homes in a published sum, if members agreed."),
        _MEMBERS,
    ),
    Key(
        "publication.interval",
        text("The resolution of published sums, in addition to days."),
        _choice(STEPS),
    ),
    Key(
        "publication.wait_minutes",
        text("An interval closes after this time without new data."),
        _WAIT,
    ),
    Key(
        "publication.longest_wait_minutes",
        text("Latest closing after the end of an interval (at most 48 hours)."),
        _LONGEST_WAIT,
    ),
    Key(
        "publication.members",
        text("Let each member read the sums of all, in its own Home Assistant."),
        _BOOLEAN,
    ),
    Key(
        "witness.for",
        text(
            "The collectives whose protected sums this node opens, as their witness. It holds the"
            " keys of their members’ homes, and no values."
        ),
        _ADDRESSES,
    ),
    Key(
        "alerts.mail_to",
        text("Who receives an e-mail when a problem begins, and when it is over."),
        _MAIL_ADDRESSES,
    ),
    Key(
        "alerts.mail_from",
        text("The sender of these e-mails. By default, the first who receives them."),
        _MAIL_ADDRESS,
    ),
    Key("alerts.smtp_host", text("The mail server that sends them."), _HOST),
    Key(
        "alerts.smtp_port",
        text("Its port. By default 587, 465 with “tls”, 25 with “none”."),
        _PORT,
    ),
    Key(
        "alerts.smtp_security",
        text("The encryption mode of the mail server; “none” is for one on this machine."),
        _choice(SmtpSecurity),
    ),
    Key("alerts.smtp_user", text("The user name at the mail server."), _WORDS),
    Key(
        "alerts.smtp_password_file",
        text("A file with its password, instead of the variable CONSOMETERS_SMTP_PASSWORD."),
        _PATH,
    ),
    Key(
        "alerts.webhook",
        text("An address to which the same messages are posted as JSON."),
        _WEBHOOK,
    ),
    Key(
        "backups.kept_days",
        text("For how many days backups are kept, for the data policy."),
        _DAYS,
    ),
    Key(
        "about.sentence_fr",
        text("One sentence in French: who you are, and where."),
        _SENTENCES,
    ),
    Key(
        "about.sentence_en",
        text("One sentence in English: who you are, and where."),
        _SENTENCES,
    ),
    Key("about.join_fr", text("How to take part, in French."), _SENTENCES),
    Key("about.join_en", text("How to take part, in English."), _SENTENCES),
    Key("about.join_link", text("The web page where people sign up."), WEB_PAGE),
    Key("about.mail", text("The e-mail address for the public."), _MAIL_ADDRESS),
    Key("about.phone", text("The telephone number for the public."), _PHONE_NUMBER),
    Key("about.address", text("The postal address of the registered office."), _SENTENCES),
    Key("about.legal_name", text("The registered name of the publisher."), _SENTENCES),
    Key("about.legal_form", text("The legal form of the publisher."), _SENTENCES),
    Key(
        "about.registration",
        text("The registration number (SIREN, RNA), and the share capital of a company."),
        _SENTENCES,
    ),
    Key(
        "about.publisher",
        text("The publication director: by law, who represents the publisher."),
        _SENTENCES,
    ),
    Key("about.host_name", text("The name of the host."), _SENTENCES),
    Key("about.host_address", text("The postal address of the host."), _SENTENCES),
    Key("about.host_phone", text("The telephone number of the host."), _PHONE_NUMBER),
    Key("about.dpo", text("The contact of the data protection officer, if any."), _SENTENCES),
    Key("about.audit_on", text("The day of the accessibility audit (RGAA)."), _DATE),
    Key("about.audit_by", text("Who made the accessibility audit."), _SENTENCES),
    Key("about.audit_percent", text("The share of the RGAA criteria that are met, in %."), _SHARE),
    Key("about.audit_gaps_fr", text("What is not accessible, in French."), _SENTENCES),
    Key("about.audit_gaps_en", text("What is not accessible, in English."), _SENTENCES),
    Key(
        "about.co2_grams",
        text("The CO₂ factor of electricity from elsewhere, in g per kWh."),
        _GRAMS,
    ),
    Key("about.co2_source_fr", text("The source of that CO₂ factor, in French."), _SENTENCES),
    Key("about.co2_source_en", text("The source of that CO₂ factor, in English."), _SENTENCES),
    Key("about.co2_year", text("The year of that CO₂ factor."), _YEAR),
    Key(
        "about.local_price",
        text("The price of a kWh between members, in euro cents, grid charges and taxes included."),
        _PRICE,
    ),
    Key(
        "about.grid_price",
        text("The price of a kWh from the grid, in euro cents, taxes included."),
        _PRICE,
    ),
    Key(
        "about.price_source_fr", text("The source and date of these prices, in French."), _SENTENCES
    ),
    Key(
        "about.price_source_en",
        text("The source and date of these prices, in English."),
        _SENTENCES,
    ),
    Key("metrics.host", text("The address for Prometheus."), _HOST),
    Key("metrics.port", text("Its port; without it, no service listens."), _PORT),
)
KEYS = {key.name: key for key in _ALL}
