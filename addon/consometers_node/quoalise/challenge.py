"""The challenge of the asker's group, in the answer to `list_series`.

It stands beside what all members consume together, in fields of its own. All of it is public.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
import re

from . import forms, iso8601
from .errors import Malformed
from .forms import Field
from .problems import Problem
from .reading import whole_number
from .text import text


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


CHALLENGE = "challenge_fr"
"""The field that every challenge has."""
COLUMNS = (
    Field(var=CHALLENGE, label=text("Challenge, in French")),
    Field(var="challenge_en", label=text("Challenge, in English")),
    Field(var="challenge_from", label=text("First day")),
    Field(var="challenge_to", label=text("Last day")),
    Field(var="objective", label=text("Objective (% less)")),
    Field(var="participant", label=text("Participant")),
    Field(var="participants", label=text("Participants")),
    Field(var="change", label=text("Change (%)")),
    Field(var="change_low", label=text("Change, at least (%)")),
    Field(var="change_high", label=text("Change, at most (%)")),
    Field(var="rank_first", label=text("Best rank")),
    Field(var="rank_last", label=text("Worst rank")),
)


def row(challenge: Challenge) -> dict[str, str | None]:
    """Return the fields of a challenge."""
    fields: dict[str, str | None] = {
        CHALLENGE: challenge.name_fr,
        "challenge_en": challenge.name_en,
        "challenge_from": challenge.first_day.isoformat(),
        "challenge_to": challenge.last_day.isoformat(),
        "objective": str(challenge.objective),
        "participant": challenge.participant,
        "participants": str(challenge.participants),
    }
    if (standing := challenge.standing) is not None:
        fields |= {
            "change": f"{standing.change:f}",
            "change_low": f"{standing.low:f}",
            "change_high": f"{standing.high:f}",
            "rank_first": str(standing.rank_first),
            "rank_last": str(standing.rank_last),
        }
    return fields


def read(fields: Mapping[str, str], place: str) -> Challenge:
    """Read the fields of a challenge. Raises `Malformed`."""

    def value(var: str) -> str:
        return forms.required(fields, var, place)

    def number(var: str) -> int:
        return whole_number(value(var), f"{place}/{var}", 1)

    def percent(var: str) -> Decimal:
        if not _PERCENT.fullmatch(value(var)):
            raise Malformed(f"{place}/{var}", Problem.NOT_A_CHANGE, found=value(var))
        return Decimal(value(var))

    first, last = (
        iso8601.day(value(var), f"{place}/{var}") for var in ("challenge_from", "challenge_to")
    )
    standing = None
    if "change" in fields:
        standing = Change(
            change=percent("change"),
            low=percent("change_low"),
            high=percent("change_high"),
            rank_first=number("rank_first"),
            rank_last=number("rank_last"),
        )
    return Challenge(
        name_fr=value(CHALLENGE),
        name_en=value("challenge_en"),
        first_day=first,
        last_day=last,
        objective=number("objective"),
        participant=value("participant"),
        participants=number("participants"),
        standing=standing,
    )


_PERCENT = re.compile(r"-?[0-9]{1,6}(?:\.[0-9])?")
