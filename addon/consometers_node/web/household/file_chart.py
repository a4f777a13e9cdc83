"""The energies of a file as a drawing: a bar for each day or month."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

WIDTH, HEIGHT = 320, 96
"""Without the line of dates under the bars."""
FOOT = 14

_DAY = timedelta(days=1)
_GAP = 0.2
_MOST_DATES = 6


@dataclass(frozen=True, slots=True)
class FileChart:
    """Bars as one path, some dates with the places where they begin, and the largest energy."""

    path: str
    dates: Sequence[tuple[float, date]]
    most_wh: float


def draw(energies_wh: Sequence[tuple[date, float]], *, is_daily: bool) -> FileChart:
    """Draw the energies of days or months, by their first days; what is missing has no bar."""
    by_day = dict(energies_wh)
    days = _all(min(by_day), max(by_day), is_daily=is_daily)
    most = max(by_day.values()) or 1.0
    step = WIDTH / len(days)
    bars = []
    for place, day in enumerate(days):
        if day in by_day:
            height = max(1.0, HEIGHT * by_day[day] / most)
            bars.append(
                f"M{place * step:.1f} {HEIGHT - height:.1f}h{step * (1 - _GAP):.1f}v{height:.1f}"
                f"h-{step * (1 - _GAP):.1f}z"
            )
    every = -(-len(days) // _MOST_DATES)
    dates = [(round(n * step, 1), days[n]) for n in range(0, len(days), every)]
    return FileChart("".join(bars), dates, most)


def _all(first: date, last: date, *, is_daily: bool) -> list[date]:
    days = [first]
    while days[-1] < last:
        after = days[-1] + (_DAY if is_daily else 31 * _DAY)
        days.append(after if is_daily else after.replace(day=1))
    return days
