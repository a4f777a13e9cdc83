"""Times and durations as text (ISO 8601), read in their usual forms and written in one.

    2021-12-01T00:00:00+01:00    a time has an offset; Z is one
    PT30M P1D P1Y6M              a duration is of calendar units and of whole seconds

Nothing here asks what time it is.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
import re

from .errors import Malformed
from .problems import Problem

FIRST = datetime(1978, 7, 5, tzinfo=UTC)
"""From here on a time in seconds is absolute in SenML (RFC 8428 §4.5.3)."""
LAST = datetime(2100, 1, 1, tzinfo=UTC)

_TIME = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.,]\d+)?)?([Zz]|[+-]\d\d:?(\d\d)?)?", re.ASCII
)
_DURATION = re.compile(
    r"P(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?",
    re.ASCII,
)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MAX_DIGITS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """A length of time. Calendar units have no length of their own: P1D is 23, 24 or 25 hours."""

    years: int = 0
    months: int = 0
    days: int = 0
    seconds: int = 0

    def __str__(self) -> str:
        """Return it as ISO 8601 text, without the parts that are zero: PT30M, P1Y6M, PT0S."""
        date = [(self.years, "Y"), (self.months, "M"), (self.days, "D")]
        minutes, seconds = divmod(self.seconds, 60)
        hours, minutes = divmod(minutes, 60)
        time = "".join(
            f"{count}{unit}"
            for count, unit in [(hours, "H"), (minutes, "M"), (seconds, "S")]
            if count
        )
        days = "".join(f"{count}{unit}" for count, unit in date if count)
        return f"P{days}T{time}" if time else f"P{days}" if days else "PT0S"


@lru_cache(32)
def duration(sent: str, place: str = "duration") -> Duration:
    """Read a duration. Weeks are 7 days, PT60M is PT1H, PT24H is not P1D. Raises `Malformed`."""
    match = _DURATION.fullmatch(sent.strip()) if len(sent) <= _MAX_DIGITS else None
    counts = {name: int(count) for name, count in match.groupdict("0").items()} if match else {}
    if match is None or not any(count.isdigit() for count in sent) or sent.strip().endswith("T"):
        raise Malformed(place, Problem.NOT_A_DURATION, found=sent)
    return Duration(
        years=counts["years"],
        months=counts["months"],
        days=7 * counts["weeks"] + counts["days"],
        seconds=3600 * counts["hours"] + 60 * counts["minutes"] + counts["seconds"],
    )


def day(sent: str, place: str = "day") -> date:
    """Read a day. Raises `Malformed`."""
    try:
        day = date.fromisoformat(sent) if _DAY.fullmatch(sent) else None
    except ValueError:
        day = None
    if day is None or not FIRST.date() <= day < LAST.date():
        raise Malformed(place, Problem.NOT_A_DAY, found=sent)
    return day


def moment(sent: str, place: str = "time") -> datetime:
    """Read a time that says its offset from UTC. Raises `Malformed`."""
    shape = _TIME.fullmatch(sent.strip())
    if shape is None:
        raise Malformed(place, Problem.NOT_A_TIME, found=sent)
    if shape[3] is None:
        raise Malformed(place, Problem.NO_OFFSET, found=sent)
    try:
        time = datetime.fromisoformat(shape[0].upper())
    except ValueError:
        raise Malformed(place, Problem.NOT_A_TIME, found=sent) from None
    if not FIRST <= time < LAST:
        raise Malformed(place, Problem.OUT_OF_TIME, found=sent)
    return time


def shown(time: datetime) -> str:
    """Write a time, which must have an offset.

    UTC is +00:00, not Z: the Python of today's proxies (3.7) reads no Z.
    """
    assert time.tzinfo is not None
    return time.isoformat()
