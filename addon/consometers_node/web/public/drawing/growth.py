"""Coordinates of how many homes each month has, in percent. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from .marks import Bar

_BAR = 0.82
LEAST_MONTHS = 3
"""Fewer are no curve."""


@dataclass(frozen=True, slots=True)
class Month:
    """A month, and the homes in its sums; its bar."""

    first: date
    homes: int
    bar: Bar


@dataclass(frozen=True, slots=True)
class Growth:
    """The months with published sums, at their places between the first and the last."""

    months: Sequence[Month]


def draw_growth(homes: Mapping[date, int]) -> Growth | None:
    """Draw the homes of each month, by its first day; None where there are too few months.

    A month without a published sum leaves its place empty.
    """
    if len(homes) < LEAST_MONTHS:
        return None
    first, most = min(homes), max(homes.values())
    count = _months(first, max(homes)) + 1
    width = 100 / count

    def month(day: date, number: int) -> Month:
        height = round(100 * number / most, 2)
        x = (_months(first, day) + (1 - _BAR) / 2) * width
        bar = Bar(round(x, 2), round(100 - height, 2), round(_BAR * width, 2), height)
        return Month(day, number, bar)

    return Growth([month(day, number) for day, number in homes.items()])


def _months(first: date, day: date) -> int:
    return 12 * (day.year - first.year) + day.month - first.month
