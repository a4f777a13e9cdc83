"""A calendar as drawings: a column for each week, a square for each day.

Half a year fits a phone, so that nothing is to be scrolled.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from consometers_node.household.sharing.coverage import Calendar, DayState

CELL, GAP = 10, 2
STEP = CELL + GAP
HEAD = 14
"""Space for the names of months."""

_ONE_LINE_DAYS = 26 * 7


@dataclass(frozen=True, slots=True)
class Strip:
    """Half a year: paths by state, the months where they begin, and the size."""

    width: int
    height: int
    paths: Sequence[tuple[DayState, str]]
    months: Sequence[tuple[int, date]]


def draw(calendar: Calendar) -> tuple[Strip, ...]:
    """Draw a calendar from its first granted day on, in two halves where it is long."""
    granted = (n for n, state in enumerate(calendar.days) if state is not DayState.OUTSIDE)
    calendar = _from(calendar, next(granted, len(calendar.days)))
    if len(calendar.days) <= _ONE_LINE_DAYS:
        return (_draw(calendar),)
    half = len(calendar.days) // 2
    # The second half begins on a Monday.
    half -= (calendar.first.weekday() + half) % 7
    first = Calendar(calendar.first, calendar.days[:half])
    return _draw(first), _draw(_from(calendar, half))


def _from(calendar: Calendar, n: int) -> Calendar:
    return Calendar(calendar.first + timedelta(days=n), calendar.days[n:])


def _draw(calendar: Calendar) -> Strip:
    """Draw each run of like days of a week as one shape."""
    offset = calendar.first.weekday()
    paths: dict[DayState, list[str]] = {
        state: [] for state in DayState if state is not DayState.OUTSIDE
    }
    places = [(divmod(n + offset, 7), state) for n, state in enumerate(calendar.days)]
    for (week, state), run in groupby(places, key=lambda place: (place[0][0], place[1])):
        rows = [row for (_, row), _ in run]
        if state in paths:
            paths[state] += _shapes(state, week * STEP, [HEAD + row * STEP for row in rows])
    months = [
        (((day - calendar.first).days + offset) // 7 * STEP, day)
        for day, _ in calendar.dated()
        if day.day == 1
    ]
    weeks = (len(calendar.days) + offset + 6) // 7
    return Strip(
        weeks * STEP,
        HEAD + 7 * STEP,
        [(state, "".join(shapes)) for state, shapes in paths.items() if shapes],
        months,
    )


def _shapes(state: DayState, x: int, tops: Sequence[int]) -> list[str]:
    """Return squares; incomplete ones also differ in shape, for readers who see no colour."""
    match state:
        case DayState.COMPLETE:
            height = tops[-1] - tops[0] + CELL
            return [f"M{x} {tops[0]}h{CELL}v{height}h-{CELL}z"]
        case DayState.PARTLY:
            return [f"M{x} {y + CELL}v-{CELL}l{CELL} {CELL}z" for y in tops]
        case DayState.MISSING:
            return [f"M{x + 1} {y + 1}l8 8m0-8l-8 8" for y in tops]
        case DayState.UNREAD | DayState.OUTSIDE:
            return [f"M{x + 4} {y + 4}h2v2h-2z" for y in tops]
