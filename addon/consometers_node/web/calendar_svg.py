"""A calendar as a drawing: a column for each week, a square for each day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from ..household.coverage import Calendar, Kept

CELL, GAP = 10, 2
STEP = CELL + GAP
HEAD = 14
"""Room for the names of months."""


@dataclass(frozen=True, slots=True)
class Strip:
    """Paths by what they show, the months where they begin, and how large it all is."""

    width: int
    height: int
    paths: Sequence[tuple[Kept, str]]
    months: Sequence[tuple[int, date]]


def draw(calendar: Calendar) -> Strip:
    """Draw each run of like days of a week as one shape."""
    offset = calendar.first.weekday()
    paths: dict[Kept, list[str]] = {kept: [] for kept in Kept if kept is not Kept.OUTSIDE}
    months: list[tuple[int, date]] = []
    places = [(divmod(n + offset, 7), kept) for n, kept in enumerate(calendar.days)]
    for (week, kept), run in groupby(places, key=lambda one: (one[0][0], one[1])):
        rows = [row for (_, row), _ in run]
        if kept in paths:
            paths[kept] += _shapes(kept, week * STEP, [HEAD + row * STEP for row in rows])
    for day, _ in calendar.dated():
        week = ((day - calendar.first).days + offset) // 7
        if day.day == 1:
            months.append((week * STEP, day))
    weeks = (len(calendar.days) + offset + 6) // 7
    return Strip(
        weeks * STEP,
        HEAD + 7 * STEP,
        [(kept, "".join(shapes)) for kept, shapes in paths.items() if shapes],
        months,
    )


def _shapes(kept: Kept, x: int, tops: Sequence[int]) -> list[str]:
    """Return squares; incomplete ones also differ in shape, for readers who see no colour."""
    match kept:
        case Kept.COMPLETE:
            height = tops[-1] - tops[0] + CELL
            return [f"M{x} {tops[0]}h{CELL}v{height}h-{CELL}z"]
        case Kept.PARTLY:
            return [f"M{x} {y + CELL}v-{CELL}l{CELL} {CELL}z" for y in tops]
        case Kept.MISSING:
            return [f"M{x + 1} {y + 1}l8 8m0-8l-8 8" for y in tops]
        case _:
            return [f"M{x + 4} {y + 4}h2v2h-2z" for y in tops]
