"""The challenge of this home's commune in the API: docs/node-api.md."""

from ...quoalise import Challenge, Change
from .sums import Json


def challenge(current: Challenge | None) -> Json:
    """Return the challenge of a collective in which this home's commune takes part."""
    if current is None:
        return None
    return {
        "name": {"en": current.name_en, "fr": current.name_fr},
        "from": current.first_day.isoformat(),
        "to": current.last_day.isoformat(),
        "objective": current.objective,
        "participant": current.participant,
        "participants": current.participants,
        "standing": None if current.standing is None else _standing(current.standing),
    }


def _standing(standing: Change) -> Json:
    return {
        "change": float(standing.change),
        "low": float(standing.low),
        "high": float(standing.high),
        "rank_first": standing.rank_first,
        "rank_last": standing.rank_last,
    }
