"""Civil days in Lorient: legal time, public holidays, school holidays of zone B."""

from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")
_FIXED_HOLIDAYS = {(1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)}
_AFTER_EASTER = (1, 39, 50)
# The weeks change from year to year; these are about right in every one.
_SCHOOL_HOLIDAYS = (
    ((1, 1), (1, 4)),
    ((2, 14), (3, 1)),
    ((4, 11), (4, 26)),
    ((7, 4), (8, 31)),
    ((10, 18), (11, 2)),
    ((12, 20), (12, 31)),
)


def local(second: int) -> datetime:
    """Return the legal time at a Unix time."""
    return datetime.fromtimestamp(second, PARIS)


@lru_cache(maxsize=64)
def _easter(year: int) -> date:
    """Return Easter Sunday (Meeus, Jones, Butcher)."""
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    k = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    m = (a + 11 * h + 22 * k) // 451
    month, day = divmod(h + k - 7 * m + 114, 31)
    return date(year, month, day + 1)


@lru_cache(maxsize=64)
def is_public_holiday(day: date) -> bool:
    """Return whether nobody works."""
    if (day.month, day.day) in _FIXED_HOLIDAYS:
        return True
    return day - _easter(day.year) in {timedelta(n) for n in _AFTER_EASTER}


@lru_cache(maxsize=64)
def is_school_day(day: date) -> bool:
    """Return whether children are at school."""
    if day.weekday() >= 5 or is_public_holiday(day):
        return False
    month_day = (day.month, day.day)
    return not any(first <= month_day <= last for first, last in _SCHOOL_HOLIDAYS)
