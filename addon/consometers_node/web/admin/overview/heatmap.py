"""Charts of days: of one member, of all of them, of one member's year.

What is there fills a square from below; what is missing altogether is crossed out. So nothing is
shown by colour alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from consometers_node.collective.calendar import Span
from consometers_node.collective.members.member_overview import DayOfAll, MemberEntry

CELL, GAP, HIGH = 9, 2, 16
STEP = CELL + GAP
ALL_WIDE, ALL_HIGH = 640, 100
HEAD = 14
"""Space for dates."""

_LEAST = 2
"""The least height of each part of an incomplete day, so that both stay visible."""


@dataclass(frozen=True, slots=True)
class HeatmapRow:
    """The days of one member: shapes by state, and the number of days in each."""

    width: int
    paths: Mapping[str, str]
    whole: int
    partly: int
    missing: int


def row(entry: MemberEntry, shares: Mapping[date, float], window: Span) -> HeatmapRow:
    """Draw the days of one member."""
    paths: dict[str, list[str]] = {"whole": [], "partly": [], "frame": [], "missing": []}
    for n, day in enumerate(window):
        if not entry.grants(day):
            continue
        x, share = n * STEP, shares.get(day, 0.0)
        if share >= 1:
            paths["whole"].append(f"M{x} 0h{CELL}v{HIGH}h-{CELL}z")
            continue
        paths["frame"].append(f"M{x + 0.5} .5h{CELL - 1}v{HIGH - 1}h-{CELL - 1}z")
        if share > 0:
            high = min(HIGH - _LEAST, max(_LEAST, round(share * HIGH)))
            paths["partly"].append(f"M{x} {HIGH - high}h{CELL}v{high}h-{CELL}z")
        else:
            paths["missing"].append(f"M{x + 2} 5l5 6m0-6l-5 6")
    return HeatmapRow(
        len(window) * STEP - GAP,
        {kind: "".join(shapes) for kind, shapes in paths.items() if shapes},
        len(paths["whole"]),
        len(paths["partly"]),
        len(paths["missing"]),
    )


def columns(days: Sequence[DayOfAll]) -> tuple[Mapping[str, str], Sequence[tuple[int, date]]]:
    """Draw how many members have each day complete, in part, or not at all.

    Return shapes by state, each column as high as all who grant, and the places of Mondays.
    """
    most = max([day.granted for day in days] + [1])
    step = ALL_WIDE / max(1, len(days))
    wide = f"{0.82 * step:.2f}"
    paths: dict[str, list[str]] = {"whole": [], "partly": [], "missing": []}
    for n, day in enumerate(days):
        bottom = float(ALL_HIGH)
        for kind, count in (("whole", day.whole), ("partly", day.partly), ("missing", day.missing)):
            if count:
                high = max(1.5, count / most * ALL_HIGH)
                bottom -= high
                paths[kind].append(f"M{n * step:.2f} {bottom:.1f}h{wide}v{high:.1f}h-{wide}z")
    return (
        {kind: "".join(shapes) for kind, shapes in paths.items() if shapes},
        [(round(n * step), day.day) for n, day in enumerate(days) if day.day.weekday() == 0],
    )
