"""Groups from what is to be said, by label."""

from datetime import datetime
from functools import lru_cache

from consometers_tic import CATALOGUE, Group, Mode, horodate
from consometers_tic_virtual.world.civil import local


@lru_cache(maxsize=2048)
def group(mode: Mode, name: str, raw: str, stamp: str | None = None) -> Group:
    """Return a group as a receiver would: its data as sent, and what they say."""
    label = CATALOGUE[mode][name]
    if len(raw) != label.length or (stamp is not None) is not label.horodated:
        raise ValueError(f"{name} cannot be {raw!r}")
    time = None if stamp is None else horodate(stamp)
    return Group(label, raw, time if label.length == 0 else label.parse(raw), stamp, time)


def stamp(second: int, *, degraded: bool = False) -> str:
    """Return a horodate, with the season's letter in lower case when the clock is degraded."""
    civil = local(second)
    season = "E" if civil.dst() else "H"
    return (season.lower() if degraded else season) + _digits(civil)


def stamp_without_season(second: int) -> str:
    """Return the horodate of a mobile peak."""
    return " " + _digits(local(second))


def _digits(civil: datetime) -> str:
    return f"{civil:%y%m%d%H%M%S}"
