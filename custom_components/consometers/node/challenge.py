"""The challenge of this home's commune, as a node answers it. Pure: JSON in, frozen values out."""

from dataclasses import dataclass
from datetime import date
import math
from typing import Any, Final

import probatio as vol

_FARTHEST: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A change in percent relative to all others: negative is a saving.

    It lies between `low` and `high`, and the rank between `rank_first` and `rank_last`.
    """

    change: float
    low: float
    high: float
    rank_first: int
    rank_last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """A challenge in which this home's commune takes part; `objective` is so many percent less.

    `standing` is None until enough weeks are over.
    """

    name: dict[str, str]
    first_day: date
    last_day: date
    objective: int
    participant: str
    participants: int
    standing: Standing | None

    @property
    def change(self) -> float | None:
        """How much less the commune used than the year before, relative to the others."""
        return None if self.standing is None else self.standing.change

    @property
    def attributes(self) -> dict[str, str | float | None]:
        """Its other known facts."""
        standing = self.standing
        ranks: dict[str, float | None] = {
            name: None if standing is None else getattr(standing, name)
            for name in ("low", "high", "rank_first", "rank_last")
        }
        return {
            "name_en": self.name.get("en"),
            "name_fr": self.name.get("fr"),
            "participant": self.participant,
            "participants": self.participants,
            "objective": -self.objective,
            "first_day": self.first_day.isoformat(),
            "last_day": self.last_day.isoformat(),
            **ranks,
        }


def _day(text: object) -> date:
    return date.fromisoformat(vol.Schema(str)(text))


def _percent(value: object) -> float:
    percent = vol.Schema(vol.Any(float, int))(value)
    if not (math.isfinite(percent) and abs(percent) <= _FARTHEST):
        raise vol.Invalid("no change in percent")
    return float(percent)


_COUNT = vol.All(int, vol.Range(min=1))
_STANDING = vol.All(
    vol.Schema(
        {
            **{vol.Required(name): _percent for name in ("change", "low", "high")},
            **{vol.Required(name): _COUNT for name in ("rank_first", "rank_last")},
        },
        extra=vol.REMOVE_EXTRA,
    ),
    lambda read: Standing(**read),
)


def _read(fields: dict[str, Any]) -> Challenge:
    return Challenge(first_day=fields.pop("from"), last_day=fields.pop("to"), **fields)


CHALLENGE = vol.All(
    vol.Schema(
        {
            vol.Required("name"): {str: str},
            vol.Required("from"): _day,
            vol.Required("to"): _day,
            vol.Required("objective"): _COUNT,
            vol.Required("participant"): str,
            vol.Required("participants"): _COUNT,
            vol.Required("standing"): vol.Any(None, _STANDING),
        },
        extra=vol.REMOVE_EXTRA,
    ),
    _read,
)
"""Reads a fact of a challenge."""
