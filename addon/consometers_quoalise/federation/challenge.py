"""The challenge of the asker's group, in the answer to `list_series`.

It stands beside what all members consume together, in fields of its own. All of it is public.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
import re

from consometers_quoalise import iso8601
from consometers_quoalise.elements import forms
from consometers_quoalise.elements.forms import Column
from consometers_quoalise.errors import Malformed
from consometers_quoalise.problems import Problem


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


def _percent(sent: str, place: str) -> Decimal:
    if not _PERCENT.fullmatch(sent):
        raise Malformed(place, Problem.NOT_A_CHANGE, found=sent)
    return Decimal(sent)


CHALLENGE = "challenge_fr"
"""The field that every challenge has."""
_CHALLENGE = (
    Column(CHALLENGE, "name_fr", forms.words),
    Column("challenge_en", "name_en", forms.words),
    Column("challenge_from", "first_day", iso8601.day),
    Column("challenge_to", "last_day", iso8601.day),
    Column("objective", "objective", forms.number),
    Column("participant", "participant", forms.words),
    Column("participants", "participants", forms.number),
)
_CHANGE = (
    Column("change", "change", _percent),
    Column("change_low", "low", _percent),
    Column("change_high", "high", _percent),
    Column("rank_first", "rank_first", forms.number),
    Column("rank_last", "rank_last", forms.number),
)
COLUMNS = (*_CHALLENGE, *_CHANGE)
_PERCENT = re.compile(r"-?[0-9]{1,6}(?:\.[0-9])?")


def row(challenge: Challenge) -> dict[str, str | None]:
    """Return the fields of a challenge."""
    return forms.row(_CHALLENGE, challenge) | forms.row(_CHANGE, challenge.standing)


def read(fields: Mapping[str, str], place: str) -> Challenge:
    """Read the fields of a challenge. Raises `Malformed`."""
    standing = Change(**forms.read_row(_CHANGE, fields, place)) if "change" in fields else None
    return Challenge(**forms.read_row(_CHALLENGE, fields, place), standing=standing)
