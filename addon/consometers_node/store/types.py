"""How values of the domain stand in columns: the same in SQLite and in PostgreSQL."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import wraps
import json
from typing import Any, override

from sqlalchemy import BigInteger, Date, Dialect, Integer, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

from ..series import Interval
from .errors import DAMAGED, Unusable


def _damaged_if_unreadable[S, T](
    read: Callable[[S, Any | None, Dialect], T],
) -> Callable[[S, Any | None, Dialect], T]:
    """Raise Unusable where a value is none of its column: whatever was written could be read."""

    @wraps(read)
    def checked(self: S, value: Any | None, dialect: Dialect) -> T:
        try:
            return read(self, value, dialect)
        except (LookupError, OSError, OverflowError, TypeError, ValueError) as fault:
            raise Unusable(DAMAGED) from fault

    return checked


Whole = BigInteger().with_variant(Integer(), "sqlite")
"""A whole number. SQLite numbers rows by themselves only where the type is INTEGER, of any size."""


class Instant(TypeDecorator[datetime]):
    """An instant as whole seconds since 1970, UTC: triggers compare it alike in both databases."""

    impl = Whole
    cache_ok = True

    @override
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant has a time zone")
        return int(value.timestamp())

    @override
    @_damaged_if_unreadable
    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromtimestamp(int(value), UTC)


class Day(TypeDecorator[date]):
    """A UTC day: a date in PostgreSQL, ISO 8601 in SQLite, whose strict tables know no date."""

    impl = Text
    cache_ok = True

    @override
    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else Date())

    @override
    def process_bind_param(self, value: date | None, dialect: Dialect) -> str | date | None:
        return value.isoformat() if value is not None and dialect.name == "sqlite" else value

    @override
    @_damaged_if_unreadable
    def process_result_value(self, value: Any | None, dialect: Dialect) -> date | None:
        return date.fromisoformat(value) if isinstance(value, str) else value


class Minutes(TypeDecorator[Interval]):
    """An interval as its nominal minutes, so that a coarser one is a greater one."""

    impl = Whole
    cache_ok = True

    @override
    def process_bind_param(self, value: Interval | None, dialect: Dialect) -> int | None:
        return None if value is None else value.minutes

    @override
    @_damaged_if_unreadable
    def process_result_value(self, value: Any | None, dialect: Dialect) -> Interval | None:
        return None if value is None else _INTERVALS[int(value)]


class Word[E: StrEnum](TypeDecorator[E]):
    """A member of an enumeration, as its word."""

    impl = Text
    cache_ok = True

    def __init__(self, words: type[E]) -> None:
        super().__init__()
        self.words = words

    @override
    def process_bind_param(self, value: E | None, dialect: Dialect) -> str | None:
        return None if value is None else self.words(value).value

    @override
    @_damaged_if_unreadable
    def process_result_value(self, value: Any | None, dialect: Dialect) -> E | None:
        return None if value is None else self.words(value)


class Translations(TypeDecorator[Mapping[str, str]]):
    """A text by language, as JSON."""

    impl = Text
    cache_ok = True

    @override
    def process_bind_param(self, value: Mapping[str, str] | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        return json.dumps(dict(value), ensure_ascii=False, sort_keys=True)

    @override
    @_damaged_if_unreadable
    def process_result_value(self, value: Any | None, dialect: Dialect) -> dict[str, str] | None:
        return None if value is None else json.loads(value)


_INTERVALS = {interval.minutes: interval for interval in Interval}
