"""Settings as the fields of dataclasses: a field declares a setting once, and all else derives.

    port: Annotated[Port, text("The port of its pages.")] = 8080

`Port` is a type with its `Format`. The key is the name of the field, behind that of its section;
a field of a dataclass is a section. A setting without a default is required.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from datetime import timedelta
from enum import Enum, StrEnum
from pathlib import Path
from types import NoneType
from typing import Any, get_args

from sqlalchemy.exc import ArgumentError

from consometers_node.i18n.text import Text, text
from consometers_quoalise_network.errors import NotAnAddress

_LANGUAGES = {"fr": text("French"), "en": text("English")}
"""The languages of translated settings, in the order in which they are written."""
_MINUTE = timedelta(minutes=1)

type Parse = Callable[[object, Path], Any]


class BadValue(ValueError):
    """A value is not legal for its key."""


class Input(StrEnum):
    """How a browser asks for a value: a type of `<input>`, its `inputmode`, or `<textarea>`."""

    TEXT = "text"
    LINES = "textarea"
    MAIL = "email"
    PHONE = "tel"
    URL = "url"
    DAY = "date"
    WHOLE = "numeric"
    DECIMAL = "decimal"


@dataclass(frozen=True, slots=True)
class Format:
    """How values are written: `parse` reads one, seen from a folder; `hint` says what to write.

    `choices` are all values where they are few; `placeholder` stands for one in the command line's
    help.
    """

    parse: Parse
    hint: Text
    input: Input = Input.TEXT
    placeholder: Text | None = None
    choices: tuple[str, ...] = ()
    is_translated: bool = False

    @property
    def sentence(self) -> Text:
        """The hint as a sentence of its own."""
        return Text(
            {tag: hint[0].upper() + hint[1:] for tag, hint in self.hint.by_language.items()}
        )


@dataclass(frozen=True, slots=True)
class Name:
    """The key of a field, or the name of its section, where it is not the field's name."""

    name: str


@dataclass(frozen=True, slots=True)
class Via[S]:
    """The class that declares the keys of a section, and what makes the field's value of it."""

    section: type[S]
    make: Callable[[S], Any]


@dataclass(frozen=True, slots=True)
class Key:
    """A key: its full name, what it is for, how its value is written, and where it is stored.

    A translated field has a key for each `language`. `marks` are the metadata of its annotation.
    """

    name: str
    what: Text
    format: Format
    field: str
    language: str | None = None
    required: bool = False
    default: Any = None
    marks: tuple[object, ...] = ()

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

    def value(self, section: object) -> Any:
        """Return the value that a section has; None where it has none."""
        value = getattr(section, self.field)
        return value if self.language is None else value.by_language.get(self.language)


def _as_it_is(section: object) -> object:
    return section


@dataclass(frozen=True, slots=True)
class _Declaration:
    """A field with its keys: a setting, or a section of several, declared by a class."""

    field: str
    keys: tuple[Key, ...]
    section: type[Any] | None = None
    at: str = ""
    make: Callable[[Any], Any] = _as_it_is


def keys_of(section: type[Any], at: str = "") -> tuple[Key, ...]:
    """Return the keys that a dataclass declares, in its order. Its section is `at`, with a dot."""
    return tuple(key for declared in _declarations(section, at) for key in declared.keys)


def fill[S](section: type[S], values: Mapping[str, Any], at: str = "") -> S:
    """Return a section with values by key; what has none, or None, keeps its default.

    An optional section is left out unless all of its required keys have values.
    """
    arguments: dict[str, Any] = {}
    for declared in _declarations(section, at):
        if declared.section is not None:
            inner = keys_of(declared.section, declared.at)
            if all(key.name in values for key in inner if key.required):
                filled = fill(declared.section, values, declared.at)
                arguments[declared.field] = declared.make(filled)
            continue
        given = [key for key in declared.keys if values.get(key.name) is not None]
        if by_language := {key.language: values[key.name] for key in given if key.language}:
            arguments[declared.field] = Text(by_language)
        elif given:
            arguments[declared.field] = values[given[0].name]
    return section(**arguments)


def written(value: object) -> Any:
    """Return a value as it is written in TOML, a string, a number or a list."""
    match value:
        case int():
            return value
        case timedelta():
            return value // _MINUTE
        case tuple():
            return [written(item) for item in value]
        case Enum():
            return value.value
        case _:
            return str(value)


def _declarations(section: type[Any], at: str) -> Iterator[_Declaration]:
    for field in fields(section):
        parts = tuple(_parts(field.type))
        name = at + next((part.name for part in parts if isinstance(part, Name)), field.name)
        written_as = next((part for part in parts if isinstance(part, Format)), None)
        if written_as is not None:
            key = Key(
                name,
                next(part for part in parts if isinstance(part, Text)),
                written_as,
                field.name,
                required=field.default is MISSING,
                default=None if field.default is MISSING else field.default,
                marks=getattr(field.type, "__metadata__", ()),
            )
            keys = tuple(_translated(key)) if written_as.is_translated else (key,)
            yield _Declaration(field.name, keys)
            continue
        via = next((part for part in parts if isinstance(part, Via)), None)
        inner = via.section if via else next(filter(_is_section, parts), None)
        if inner is None or not (keys := keys_of(inner, f"{name}.")):
            continue
        if NoneType in parts:
            keys = tuple(replace(key, required=False) for key in keys)
        make = _as_it_is if via is None else via.make
        yield _Declaration(field.name, keys, inner, f"{name}.", make)


def _translated(key: Key) -> Iterator[Key]:
    """Yield the keys of a translated field."""
    for tag, language in _LANGUAGES.items():
        what = key.what.fill(language=language)
        yield replace(key, name=f"{key.name}_{tag}", what=what, language=tag, default=None)


def _parts(hint: object) -> Iterator[Any]:
    """Yield an annotation and all that it has, such as `Annotated[Port | None, text("Port.")]`."""
    yield hint
    for part in get_args(hint):
        yield from _parts(part)


def _is_section(part: object) -> bool:
    return isinstance(part, type) and is_dataclass(part)
