"""The challenge of the asker's group, in the answer to `list_series`.

It stands beside what all members consume together, in fields of its own. All of it is public.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
import re
from typing import Any, NamedTuple

from . import forms, iso8601
from .errors import Malformed
from .forms import Field
from .problems import Problem
from .reading import whole_number
from .text import Text, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change in percent relative to all others, and its interval; negative is a saving."""

    change: Decimal
    low: Decimal
    high: Decimal
    rank_first: int
    rank_last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """A challenge in which the asker's commune takes part, or the asker itself as a site.

    The `objective` is so many percent less. `standing` is None until there are weeks enough.
    """

    name_fr: str
    name_en: str
    first_day: date
    last_day: date
    objective: int
    participant: str
    participants: int
    standing: Change | None = None


class _Column(NamedTuple):
    """A field of the table, the attribute that it holds, and how it is read."""

    var: str
    attribute: str
    read: Callable[[str, str], object]
    label: Text


def _words(sent: str, _place: str) -> str:
    return sent


def _number(sent: str, place: str) -> int:
    return whole_number(sent, place, 1)


def _percent(sent: str, place: str) -> Decimal:
    if not _PERCENT.fullmatch(sent):
        raise Malformed(place, Problem.NOT_A_CHANGE, found=sent)
    return Decimal(sent)


CHALLENGE = "challenge_fr"
"""The field that every challenge has."""
_CHALLENGE = (
    _Column(CHALLENGE, "name_fr", _words, text("Challenge, in French")),
    _Column("challenge_en", "name_en", _words, text("Challenge, in English")),
    _Column("challenge_from", "first_day", iso8601.day, text("First day")),
    _Column("challenge_to", "last_day", iso8601.day, text("Last day")),
    _Column("objective", "objective", _number, text("Objective (% less)")),
    _Column("participant", "participant", _words, text("Participant")),
    _Column("participants", "participants", _number, text("Participants")),
)
_CHANGE = (
    _Column("change", "change", _percent, text("Change (%)")),
    _Column("change_low", "low", _percent, text("Change, at least (%)")),
    _Column("change_high", "high", _percent, text("Change, at most (%)")),
    _Column("rank_first", "rank_first", _number, text("Best rank")),
    _Column("rank_last", "rank_last", _number, text("Worst rank")),
)
COLUMNS = tuple(Field(var=column.var, label=column.label) for column in (*_CHALLENGE, *_CHANGE))
_PERCENT = re.compile(r"-?[0-9]{1,6}(?:\.[0-9])?")


def row(challenge: Challenge) -> dict[str, str | None]:
    """Return the fields of a challenge."""
    fields: dict[str, str | None] = {}
    for columns, holder in ((_CHALLENGE, challenge), (_CHANGE, challenge.standing)):
        if holder is not None:
            fields |= {column.var: _shown(getattr(holder, column.attribute)) for column in columns}
    return fields


def read(fields: Mapping[str, str], place: str) -> Challenge:
    """Read the fields of a challenge. Raises `Malformed`."""

    def values(columns: Iterable[_Column]) -> dict[str, Any]:
        return {
            column.attribute: column.read(
                forms.required(fields, column.var, place), f"{place}/{column.var}"
            )
            for column in columns
        }

    standing = Change(**values(_CHANGE)) if "change" in fields else None
    return Challenge(**values(_CHALLENGE), standing=standing)


def _shown(value: object) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
