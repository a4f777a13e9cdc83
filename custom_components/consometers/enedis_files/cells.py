"""Times and numbers as they are written in cells."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from math import isfinite
import re
from typing import Final
import unicodedata
from zoneinfo import ZoneInfo

PARIS: Final = ZoneInfo("Europe/Paris")
"""Enedis has no other."""

_ISO: Final = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"
    r"(?:[T ](?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.0+)?)?"
    r"(?P<offset>Z|[+-]\d\d:?\d\d)?)?",
    re.ASCII,
)
_FRENCH: Final = re.compile(
    r"(?P<day>\d\d)/(?P<month>\d\d)/(?P<year>\d{4})"
    r"(?: (?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d))?)?(?P<offset>)",
    re.ASCII,
)
_SERIAL: Final = re.compile(r"\d{5}(?:[.,]\d+)?", re.ASCII)
_SERIAL_ORIGIN: Final = datetime(1899, 12, 30)  # noqa: DTZ001
"""Day 0 of a workbook, whose 1900 has a 29th of February."""
_NUMBER: Final = re.compile(r"[+-]?\d{1,12}(?:[.,]\d{1,20})?(?:[eE][+-]?\d{1,2})?", re.ASCII)
_YEARS: Final = range(2000, 2100)
_MISSING: Final = {"", "-", "na", "n/a", "nd", "nan", "null"}


def plain(cell: str) -> str:
    """Return the words of a cell without case, accents, or spaces and colons around them."""
    letters = unicodedata.normalize("NFKD", cell[:200]).replace("\u2019", "'")
    text = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(text.casefold().split()).strip(" :\ufeff")


def is_missing(cell: str) -> bool:
    """Return whether a cell says that there is no value."""
    return plain(cell) in _MISSING


def number(cell: str) -> float | None:
    """Read a number with a point or a comma, whose thousands may have spaces between them."""
    text = "".join(cell.split())
    if len(text) > 40 or _NUMBER.fullmatch(text) is None:
        return None
    value = float(text.replace(",", "."))
    return value if isfinite(value) else None


def moment(cell: str) -> datetime | None:
    """Read a time: aware if it has an offset, else of the clock in France.

    A date alone is its midnight.
    """
    text = cell.strip()
    if len(text) > 40:
        return None
    if _SERIAL.fullmatch(text):
        minutes = round(float(text.replace(",", ".")) * 24 * 60)
        when = _SERIAL_ORIGIN + timedelta(minutes=minutes)
        return when if when.year in _YEARS else None
    match = _ISO.fullmatch(text) or _FRENCH.fullmatch(text)
    if match is None or int(match["year"]) not in _YEARS:
        return None
    day, hour = "-".join(match.group("year", "month", "day")), match["hour"] or "00"
    # Midnight at the end of a day may be written as its 24th hour.
    clock = f"{'00' if hour == '24' else hour}:{match['minute'] or '00'}:{match['second'] or '00'}"
    try:
        when = datetime.fromisoformat(f"{day}T{clock}")
        if hour == "24":
            when += timedelta(days=1)
        return when.replace(tzinfo=_offset(match["offset"])) if match["offset"] else when
    except ValueError:
        return None


def _offset(text: str) -> timezone:
    if text == "Z":
        return UTC
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[-2:])))


def midnight(day: date) -> datetime:
    """Return when a day begins in France, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=PARIS).astimezone(UTC)


def instants(moments: Sequence[datetime]) -> list[datetime | None]:
    """Return in UTC the times of rows, which go forwards or backwards.

    Of the hour that occurs twice, the second begins where the clock was set back. None for a time
    of the hour that was left out.
    """
    clock = [when for when in moments if when.tzinfo is None]
    if len(clock) > 1 and clock[0] > clock[-1]:
        return instants(moments[::-1])[::-1]
    resolved: list[datetime | None] = []
    before, second = datetime.min, False  # noqa: DTZ901
    for when in moments:
        if when.tzinfo is not None:
            resolved.append(when.astimezone(UTC))
            continue
        first, later = (
            when.replace(tzinfo=PARIS, fold=fold).astimezone(UTC) for fold in (False, True)
        )
        if later < first:
            resolved.append(None)
        elif later == first:
            second = False
            resolved.append(first)
        else:
            second = second or when <= before
            resolved.append(later if second else first)
        before = when
    return resolved
