"""A settings file: one TOML file, and variables of the environment over it.

    name = "Énergies de Kersabiec"
    [page]
    port = 8080

A refusal names its line.
"""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import groupby
import json
import os
from pathlib import Path
from textwrap import wrap
import tomllib
from typing import Any

from consometers_node.i18n.text import Text, TranslatedError, around, text

from .schema import BadValue, Key, written

_MAX_BYTES = 64 * 1024
_WIDTH = 100

_PLACE = text("{file}, line {line}: {said}")
_WHOLE = text("{place}: {said}")
_NOT_TOML = text("this cannot be read as TOML: {why}.")
_NOT_UTF_8 = text("this is not UTF-8: save the file in it.")
_TOO_LONG = text("the file is longer than {most} bytes.")
_UNKNOWN = text("“{key}” is unknown. Known keys: {known}.")
_NEARLY = text("“{key}” is unknown. Did you mean “{near}”?")
_MISSING = text("“{key}” is missing, here or in {variable}: {said}")
_WRONG = text("“{key}”: {said}")


class BadSettings(TranslatedError):
    """The error in the settings, and its place: `text` says what to do."""

    def __init__(self, words: Text, place: Path | str, line: int | None = None) -> None:
        if line is None:
            super().__init__(around(_WHOLE, words, place=place))
        else:
            super().__init__(around(_PLACE, words, file=place, line=line))


@dataclass(frozen=True, slots=True)
class ReadSettings:
    """The values that were read, by the full names of their keys, and where each is written."""

    values: Mapping[str, Any]
    file: Path
    source: bytes
    variables: Mapping[str, str]
    """The variables that override the file, by the names of their keys."""

    def refusal(self, words: Text, name: str) -> BadSettings:
        """Return the error of the value of a key."""
        if (variable := self.variables.get(name)) is not None:
            return BadSettings(words, variable)
        return BadSettings(words, self.file, _line(self.source, name))


class SettingsFile:
    """The settings file of a role. Once a key of a `whole` section has a value, it needs all."""

    def __init__(self, keys: Mapping[str, Key], *, whole: Sequence[Key] = ()) -> None:
        self._keys = keys
        self._whole = whole

    def read(self, file: Path, environment: Mapping[str, str] = os.environ) -> ReadSettings:
        """Read the values; without a file, the environment must have all. Raises BadSettings.

        Paths in the file are seen from its folder.
        """
        source = file.read_bytes() if file.exists() else b""
        values: dict[str, Any] = {}
        variables: dict[str, str] = {}
        for name, value in self._document(source, file).items():
            try:
                values[name] = self._keys[name].read(value, file.parent)
            except BadValue:
                raise BadSettings(_wrong(self._keys[name]), file, _line(source, name)) from None
        for name, key in self._keys.items():
            if value := environment.get(key.variable):
                variables[name] = key.variable
                try:
                    values[name] = key.read(value, Path())
                except BadValue:
                    raise BadSettings(_wrong(key), key.variable) from None
        is_whole = any(key.name in values for key in self._whole)
        required = {key.name for key in self._whole if key.required and is_whole}
        for name, key in self._keys.items():
            if name not in values and (key.required or name in required):
                missing = around(_MISSING, key.format.hint, key=name, variable=key.variable)
                raise BadSettings(missing, file)
        return ReadSettings(values, file, source, variables)

    def write(self, values: Mapping[str, object], language: str) -> str:
        """Return a settings file with these values, and comments on the other keys."""
        lines = []
        for section, keys in groupby(self._keys.values(), lambda key: key.section):
            lines += [f"[{section}]"] if section else []
            for key in keys:
                comment = f"{key.what.say(language)} {key.format.sentence.say(language)}"
                lines += wrap(comment, _WIDTH, initial_indent="# ", subsequent_indent="# ")
                if key.name in values:
                    lines.append(f"{key.last_name} = {toml(values[key.name])}")
                else:
                    lines.append(f"# {key.last_name} = {default_of(key)}".rstrip())
            lines.append("")
        return "\n".join(lines)

    def unknown(self, name: str) -> Text:
        """Return the words for an unknown key, with a similar one if there is one."""
        last_names = [key.last_name for key in self._keys.values()]
        near = get_close_matches(name, self._keys, 1) or get_close_matches(
            name.rpartition(".")[2], last_names, 1
        )
        if near:
            nearest = next(key for key in self._keys if key.endswith(near[0]))
            return _NEARLY.fill(key=name, near=nearest)
        return _UNKNOWN.fill(key=name, known=", ".join(self._keys))

    def _document(self, source: bytes, file: Path) -> dict[str, object]:
        """Return the values of a file as TOML has them, by the full names of their keys."""
        if len(source) > _MAX_BYTES:
            raise BadSettings(_TOO_LONG.fill(most=_MAX_BYTES), file)
        sections = {key.section for key in self._keys.values() if key.section}
        try:
            document = dict(_flat(tomllib.loads(source.decode()), sections))
        except tomllib.TOMLDecodeError as fault:
            raise BadSettings(_NOT_TOML.fill(why=fault.msg), file, fault.lineno) from fault
        except RecursionError as fault:
            raise BadSettings(_NOT_TOML.fill(why=fault), file) from fault
        except UnicodeDecodeError as fault:
            line = source[: fault.start].count(b"\n") + 1
            raise BadSettings(_NOT_UTF_8, file, line) from fault
        for name in document:
            if name not in self._keys:
                raise BadSettings(self.unknown(name), file, _line(source, name))
        return document


def toml(value: object) -> str:
    """Return a value in TOML's notation, which for these is JSON's too."""
    return json.dumps(value, ensure_ascii=False)


def default_of(key: Key) -> str:
    """Return the default of a key in TOML's notation; empty if there is none."""
    is_empty = key.default is None or key.default in ("", ())
    return "" if is_empty else toml(written(key.default))


def _wrong(key: Key) -> Text:
    return around(_WRONG, key.format.hint, key=key.name)


def _flat(
    document: Mapping[str, object], sections: Container[str], section: str = ""
) -> Iterator[tuple[str, object]]:
    """Yield the values of a document by full name; a table is one value, unless a section."""
    for key, value in document.items():
        name = f"{section}{key}"
        if isinstance(value, dict) and name in sections:
            yield from _flat(value, sections, f"{name}.")
        else:
            yield name, value


def _line(source: bytes, name: str) -> int:
    """Return the line in which a key begins: where its start in the file would be."""
    lines = source.decode().splitlines()
    sections = {name.rpartition(".")[0]}
    begins = 1
    for end in range(1, len(lines) + 1):
        try:
            document = tomllib.loads("\n".join(lines[:end]))
        except tomllib.TOMLDecodeError:
            continue
        if name in dict(_flat(document, sections)):
            return begins
        begins = end + 1
    return begins
