"""The settings of a collective as written: one TOML file, and variables of the environment over it.

    name = "Énergies de Kersabiec"
    identifier = "kersabiec"
    [xmpp]
    account = "collectif@kersabiec.example"

A refusal names its line.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from itertools import groupby
import json
import os
from pathlib import Path
from textwrap import wrap
import tomllib
from typing import Any

from consometers_node.i18n.text import Text, TranslatedError, around, text

from .settings import KEYS, MailSettings, Settings
from .settings_formats import SmtpSecurity
from .settings_schema import BadValue, Key, fill, keys_of, written

_MAX_BYTES = 64 * 1024
_DATABASE = "node.db"
_WIDTH = 100
_SECTIONS = {key.section for key in KEYS.values() if key.section}
_REQUIRED = frozenset(key.name for key in KEYS.values() if key.required)
_MAIL = keys_of(MailSettings, "alerts.")
SMTP_PASSWORD = "CONSOMETERS_SMTP_PASSWORD"  # noqa: S105  # the name of a variable

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


class BadSettings(TranslatedError):
    """The error in the settings, and its place: `text` says what to do."""

    def __init__(self, words: Text, place: Path | str, line: int | None = None) -> None:
        if line is None:
            super().__init__(around(_WHOLE, words, place=place))
        else:
            super().__init__(around(_PLACE, words, file=place, line=line))


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
    required = _REQUIRED
    if any(key.name in values for key in _MAIL):
        required |= {key.name for key in _MAIL if key.required}
    for name, key in KEYS.items():
        if name in required and name not in values:
            missing = around(_MISSING, key.format.hint, key=name, variable=key.variable)
            raise BadSettings(missing, file)
    if values.get("alerts.smtp_security") is SmtpSecurity.NONE and "alerts.smtp_user" in values:
        raise BadSettings(_IN_CLEAR, file)
    if values["xmpp.account"] in values.get("witness.for", ()):
        raise BadSettings(_OWN_WITNESS, file, _line(source, "witness.for"))
    folder = data or values.get("data", file.parent)
    settings = fill(Settings, {"database": folder / _DATABASE} | values | {"data": folder})
    if settings.mail is None:
        return settings
    password = environment.get(SMTP_PASSWORD)
    return replace(settings, mail=replace(settings.mail, smtp_password=password))


def write(values: Mapping[str, object], language: str) -> str:
    """Return a settings file with these values, and comments on the other keys."""
    lines = []
    for section, keys in groupby(KEYS.values(), lambda key: key.section):
        lines += [f"[{section}]"] if section else []
        for key in keys:
            comment = f"{key.what.say(language)} {key.format.sentence.say(language)}"
            lines += wrap(comment, _WIDTH, initial_indent="# ", subsequent_indent="# ")
            if key.name in values:
                lines.append(f"{key.last_name} = {toml(values[key.name])}")
            else:
                default = toml(written(key.default)) if key.default else ""
                lines.append(f"# {key.last_name} = {default}".rstrip())
        lines.append("")
    return "\n".join(lines)


def toml(value: object) -> str:
    """Return a value in TOML's notation, which for these is JSON's too."""
    return json.dumps(value, ensure_ascii=False)


def unknown(name: str) -> Text:
    """Return the words for an unknown key, with a similar one if there is one."""
    last_names = [key.last_name for key in KEYS.values()]
    near = get_close_matches(name, KEYS, 1) or get_close_matches(
        name.rpartition(".")[2], last_names, 1
    )
    if near:
        return _NEARLY.fill(key=name, near=next(key for key in KEYS if key.endswith(near[0])))
    return _UNKNOWN.fill(key=name, known=", ".join(KEYS))


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
            raise BadSettings(unknown(name), file, _line(source, name))
    return document


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
