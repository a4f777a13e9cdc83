"""How values of the domain stand in columns: the same in SQLite and in PostgreSQL."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from enum import StrEnum
import json
from typing import Any, override

from sqlalchemy import BigInteger, Date, Dialect, Integer, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

from consometers_node.series import Interval

from .errors import DAMAGED, Unusable

Whole = BigInteger().with_variant(Integer(), "sqlite")
"""A whole number. SQLite numbers rows by themselves only where the type is INTEGER, of any size."""


class Stored[T](TypeDecorator[T]):
    """Values that a column has in another form; `values` are the only ones, where they are few.

    What cannot be read is Unusable: whatever was written could be read.
    """

    impl: TypeEngine[Any] | type[TypeEngine[Any]] = Text
    cache_ok = True

    def __init__(
        self,
        impl: TypeEngine[Any],
        write: Callable[[T], Any],
        read: Callable[[Any], T],
        values: tuple[int | str, ...] = (),
    ) -> None:
        super().__init__()
        self.impl = impl
        self.write = write
        self.read = read
        self.values = values

    @override
    def process_bind_param(self, value: T | None, dialect: Dialect) -> Any:
        return None if value is None else self.write(value)

    @override
    def process_result_value(self, value: Any | None, dialect: Dialect) -> T | None:
        try:
            return None if value is None else self.read(value)
        except (LookupError, OSError, OverflowError, TypeError, ValueError) as fault:
            raise Unusable(DAMAGED) from fault


def words[E: StrEnum](enum: type[E]) -> Stored[E]:
    """Return the type of columns that have a member of an enumeration, as its word."""
    values = tuple(member.value for member in enum)
    return Stored(Text(), lambda member: enum(member).value, enum, values)


def _seconds(instant: datetime) -> int:
    if instant.tzinfo is None:
        raise ValueError("an instant has a time zone")
    return int(instant.timestamp())


Instant = Stored(Whole, _seconds, lambda seconds: datetime.fromtimestamp(int(seconds), UTC))
"""An instant as whole seconds since 1970, UTC: triggers compare it alike in both databases."""

Day = Stored(
    Date().with_variant(Text(), "sqlite"),
    date.isoformat,
    lambda day: day if isinstance(day, date) else date.fromisoformat(day),
)
"""A UTC day: a date in PostgreSQL, ISO 8601 in SQLite, whose strict tables know no date."""

_INTERVALS = {interval.minutes: interval for interval in Interval}
Minutes = Stored(
    Whole, lambda interval: interval.minutes, lambda stored: _INTERVALS[stored], tuple(_INTERVALS)
)
"""An interval as its nominal minutes, so that a coarser one is a greater one."""

Translations = Stored[dict[str, str]](
    Text(),
    lambda translations: json.dumps(dict(translations), ensure_ascii=False, sort_keys=True),
    json.loads,
)
"""A text by language, as JSON."""
