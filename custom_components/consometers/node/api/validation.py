"""Parses JSON into frozen dataclasses, as the types of their fields say. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime
from types import NoneType
from typing import Any, Final, TypeAliasType, get_args, get_origin, get_type_hints

import probatio as vol

MOST_WH: Final = 10**15
"""Nobody draws or makes more: it is what all of France does in two years."""

type Wh = int
type Positive = int
type Ratio = float
"""A share of something, or a multiple of it."""
type Percent = float
"""A change."""
type Hours = float
"""The hours of a civil day that a figure covers."""
type Cents = float
"""The price of a kWh."""
type Month = str
type Statistic = str
"""The id of a statistic of the node's."""
type PlantId = str
type NodeId = str


def schema(kind: Any) -> Any:
    """Return what validates a value of a type.

    An object may have more fields than its dataclass, and lack those that have a default. A field
    whose key in JSON is no name in Python has it in its metadata. What is not valid is unknown
    (None) where it may be, and is left out of a list: the rest of the answer stands.
    """
    if kind in _KINDS:
        return _KINDS[kind]
    if isinstance(kind, TypeAliasType):
        return schema(kind.__value__)
    if is_dataclass(kind):
        return _object(kind)
    origin, args = get_origin(kind), get_args(kind)
    if origin is tuple:
        return _valid_ones(schema(args[0]))
    if origin is Mapping:
        return vol.Schema({schema(args[0]): schema(args[1])})
    assert NoneType in args
    return _or_unknown(schema(args[0]))


def _or_unknown(kind: Any) -> Callable[[object], Any]:
    """Return what validates a value that is None where it is not valid."""
    validate = vol.Schema(kind)

    def valid(value: object) -> Any:
        try:
            return None if value is None else validate(value)
        except vol.Invalid:
            return None

    return valid


def _valid_ones(kind: Any) -> Callable[[object], tuple[Any, ...]]:
    """Return what validates a list, without the items that are not valid."""
    valid = _or_unknown(kind)

    def items(values: object) -> tuple[Any, ...]:
        if not isinstance(values, list):
            raise vol.Invalid("not a list")
        return tuple(item for item in map(valid, values) if item is not None)

    return items


def _object(kind: Any) -> vol.All[Any]:
    types = get_type_hints(kind)
    names = {field.metadata.get("key", field.name): field.name for field in fields(kind)}
    keys = {
        vol.Required(key) if field.default is MISSING else vol.Optional(key, default=None): schema(
            types[field.name]
        )
        for key, field in zip(names, fields(kind), strict=True)
    }
    return vol.All(
        vol.Schema(keys, extra=vol.REMOVE_EXTRA),
        lambda read: kind(**{names[key]: value for key, value in read.items()}),
    )


def _day(text: object) -> date:
    return date.fromisoformat(vol.Schema(str)(text))


def _moment(text: object) -> datetime:
    moment = datetime.fromisoformat(vol.Schema(str)(text))
    if moment.tzinfo is None:
        raise vol.Invalid("a time without its zone")
    return moment


def _number(least: float, most: float) -> vol.All[Any]:
    """Validate a number within bounds: JSON in Python has some that are none."""
    return vol.All(vol.Any(float, int), vol.Range(min=least, max=most), vol.Coerce(float))


def _text(pattern: str) -> vol.All[Any]:
    return vol.All(str, vol.Match(rf"{pattern}\Z"))


_KINDS: Final[Mapping[Any, Any]] = {
    str: str,
    bool: bool,
    int: vol.All(int, vol.Range(min=0)),
    Positive: vol.All(int, vol.Range(min=1)),
    Wh: vol.All(int, vol.Range(min=0, max=MOST_WH)),
    Ratio: _number(0, MOST_WH),
    Percent: _number(-1_000_000, 1_000_000),
    Hours: _number(0, 25),
    Cents: _number(0, 1_000),
    Month: _text(r"\d{4}-\d{2}"),
    Statistic: _text(r"consometers:[a-z0-9_]{1,200}"),
    PlantId: _text(r"[a-z0-9_]{1,200}"),
    NodeId: vol.All(str, vol.Length(min=1)),
    date: _day,
    datetime: _moment,
}
