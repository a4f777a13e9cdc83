"""The types of settings, each with how its values are written in a file or a variable."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from enum import Enum
from ipaddress import IPv4Network, IPv6Network, ip_network
import os
from pathlib import Path
import re
import shlex
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from sqlalchemy import make_url

from consometers_node.i18n.catalogue import LANGUAGES
from consometers_node.i18n.text import Text, text, verbatim
from consometers_quoalise_network import Security
from consometers_quoalise_network.address import bare, parts

from .schema import BadValue, Format, Input, Parse

_MAX_DIGITS = 10
_PHRASE = r"(?s).{1,100}"
_HOST_NAME = r"(?!.{254})[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*"
_MAIL = r"[^\s@,;<>]{1,64}@[^\s@,;<>]{1,253}"
_PROSE = r"(?s).{1,500}"
_PHONE = r"\+?[0-9][0-9 ().-]{3,29}"
_LOCAL = ("localhost", "127.0.0.1", "::1")
_DATABASES = ("postgresql", "sqlite")

type Network = IPv4Network | IPv6Network


def string(value: object, pattern: str = r"(?s).*") -> str:
    """Return a string that matches a pattern as a whole. Raises BadValue."""
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise BadValue
    return value


def _words(value: object, _: Path) -> str:
    return string(string(value).strip(), _PHRASE)


def _path(value: object, folder: Path) -> Path:
    return folder / Path(string(value, r"(?s).+")).expanduser()


def _url(value: object, _: Path) -> str:
    url = string(value)
    if make_url(url).get_backend_name() not in _DATABASES:
        raise BadValue
    return url


def _webhook(value: object, _: Path) -> str:
    """Return the URL of a webhook. It holds a secret: only this machine reads it in clear."""
    url = string(value).strip()
    parts = urlsplit(url)
    if parts.scheme != "https" and (parts.scheme != "http" or parts.hostname not in _LOCAL):
        raise BadValue
    if not parts.hostname:
        raise BadValue
    return url


def _prose(value: object, _: Path) -> str:
    """Return sentences on one line."""
    return string(" ".join(string(value).split()), _PROSE)


def _web_page(value: object, _: Path) -> str:
    url = string(value, r"\S{1,300}")
    if urlsplit(url).scheme not in {"https", "http"} or not urlsplit(url).hostname:
        raise BadValue
    return url


def _network(value: object, _: Path) -> Network:
    network = ip_network(string(value).strip())
    # Trusting every proxy lets clients forge their address.
    if not network.prefixlen:
        raise BadValue
    return network


def _list(
    parse: Parse,
    split: Callable[[str], list[str]] = lambda listed: listed.split(","),
    least: int = 0,
) -> Parse:
    """Return what parses a list, which a variable has in one string."""

    def parse_list(value: object, folder: Path) -> tuple[Any, ...]:
        listed = split(value) if isinstance(value, str) else value
        if not isinstance(listed, list) or len(listed) < least:
            raise BadValue
        return tuple(parse(item, folder) for item in listed)

    return parse_list


def _domain(value: object, _: Path) -> str:
    name, domain, resource = parts(string(value).strip())
    if name or resource or not domain:
        raise BadValue
    return domain


def _boolean(value: object, _: Path) -> bool:
    boolean = {"true": True, "false": False}.get(value) if isinstance(value, str) else value
    if not isinstance(boolean, bool):
        raise BadValue
    return boolean


def whole_number(allowed: range, hint: Text, placeholder: Text | None = None) -> Format:
    """Return how one of some whole numbers is written."""

    def parse(value: object, _: Path) -> int:
        if isinstance(value, str) and value.isdecimal() and len(value) <= _MAX_DIGITS:
            value = int(value)
        if type(value) is not int or value not in allowed:
            raise BadValue
        return value

    return Format(parse, hint, Input.WHOLE, placeholder)


def one_of(choices: Iterable[Enum]) -> Format:
    """Return how a member of an enumeration is written: by its value."""
    return _one_word_of({choice.value: choice for choice in choices})


def _one_word_of(by_word: Mapping[str, object]) -> Format:
    words = ", ".join(f'"{word}"' for word in by_word)
    return Format(
        lambda value, _: by_word[string(value)],
        text("write one of {words}.").fill(words=words),
        placeholder=verbatim("|".join(by_word)),
        choices=tuple(by_word),
    )


_JID, _HOST_NAMED, _FILE_NAMED = verbatim("JID"), text("HOST"), text("FILE")

Words = Annotated[str, Format(_words, text("write some words in quotes."))]
File = Annotated[Path, Format(_path, text("write a path in quotes."), placeholder=_FILE_NAMED)]
Files = Annotated[
    tuple[Path, ...],
    Format(
        _list(_path, lambda listed: listed.split(os.pathsep)),
        text('write paths in quotes, in brackets: ["needs/roof.toml"].'),
    ),
]
DatabaseUrl = Annotated[
    str,
    Format(
        _url,
        text('write the URL of a database, such as "postgresql://node@localhost/collective".'),
        placeholder=verbatim("URL"),
    ),
]
Zone = Annotated[
    ZoneInfo,
    Format(
        lambda value, _: ZoneInfo(string(value)),
        text('write the name of a time zone, such as "Europe/Paris".'),
        placeholder=verbatim("Europe/Paris"),
    ),
]
Address = Annotated[
    str,
    Format(
        lambda value, _: bare(string(value)),
        text('write an XMPP address, such as "collective@example.org".'),
        placeholder=_JID,
    ),
]
Addresses = Annotated[
    tuple[str, ...],
    Format(
        _list(lambda value, _: bare(string(value)), least=1),
        text(
            'write XMPP addresses in quotes, in brackets: ["collective@example.org"]. In the'
            " variable, commas stand between them."
        ),
    ),
]
Domain = Annotated[
    str,
    Format(
        _domain,
        text('write a domain, such as "example.org".'),
        placeholder=text("DOMAIN"),
    ),
]
"""The part of XMPP addresses after the @, prepared as in these."""
Host = Annotated[
    str, Format(_words, text("write the name of a machine in quotes."), placeholder=_HOST_NAMED)
]
Port = Annotated[
    int,
    whole_number(
        range(1, 65536), text("write a number from 1 to 65535."), placeholder=verbatim("PORT")
    ),
]
Encryption = Annotated[Security, one_of(Security)]
Command = Annotated[
    tuple[str, ...],
    Format(
        _list(lambda value, _: string(value), shlex.split, least=1),
        text(
            "write a command in brackets, each word in quotes:"
            ' ["prosodyctl", "shell", "invite", "create_account", "example.org"].'
        ),
    ),
]
MailAddress = Annotated[
    str,
    Format(
        lambda value, _: string(string(value).strip(), _MAIL),
        text('write an e-mail address, such as "contact@example.org".'),
        Input.MAIL,
    ),
]
MailAddresses = Annotated[
    tuple[str, ...],
    Format(
        _list(lambda value, _: string(string(value).strip(), _MAIL), least=1),
        text(
            'write e-mail addresses in quotes, in brackets: ["contact@example.org"]. In the'
            " variable, commas stand between them."
        ),
    ),
]
WebhookUrl = Annotated[
    str, Format(_webhook, text("write an address that begins with https://."), Input.URL)
]
HostNames = Annotated[
    tuple[str, ...],
    Format(
        _list(lambda value, _: string(string(value).strip().lower(), _HOST_NAME)),
        text(
            'write names in quotes, in brackets: ["energies.example.org"]. In the variable, commas'
            " stand between them."
        ),
    ),
]
Networks = Annotated[
    tuple[Network, ...],
    Format(
        _list(_network),
        text(
            'write networks or addresses in quotes, in brackets: ["127.0.0.1",'
            ' "172.31.250.0/24"]. In the variable, commas stand between them.'
        ),
    ),
]
LanguageTag = Annotated[str, _one_word_of({tag: tag for tag in LANGUAGES})]
"""One of our languages."""
YesNo = Annotated[bool, Format(_boolean, text("write true or false."))]
Days = Annotated[
    int, whole_number(range(1, 36_501), text("write a number of days, from 1 to 36500."))
]

_AT_MOST = text("write at most 500 characters.")
Sentences = Annotated[str, Format(_prose, _AT_MOST)]
Paragraph = Annotated[Text, Format(_prose, _AT_MOST, Input.LINES, is_translated=True)]
"""Sentences in each of our languages."""
Source = Annotated[Text, Format(_prose, _AT_MOST, is_translated=True)]
"""Where a figure comes from, in each of our languages."""
WEB_PAGE = Format(
    _web_page, text('write the address of a web page, such as "https://example.org".'), Input.URL
)
WebPage = Annotated[str, WEB_PAGE]
Phone = Annotated[
    str,
    Format(
        lambda value, _: string(string(value).strip(), _PHONE),
        text('write a telephone number, such as "+33 2 97 00 00 00".'),
        Input.PHONE,
    ),
]
Day = Annotated[
    date,
    Format(
        lambda value, _: date.fromisoformat(string(value, r"\d{4}-\d\d-\d\d")),
        text('write a day, such as "2026-12-01".'),
        Input.DAY,
    ),
]
