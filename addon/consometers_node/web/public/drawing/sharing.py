"""Coordinates of what could be shared: across in percent, down in lines of text. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ROW = 1.7
"""The height of a row."""
_START = 14
_BETWEEN = 0.5
"""Between more panels and more members, in rows."""
_LONGEST = 60
"""The longest bar: its value stands beyond it."""


@dataclass(frozen=True, slots=True)
class Case:
    """So many percent of the present panels or members, what they could share, and its bar."""

    percent: int
    wh: float
    y: float
    width: float


@dataclass(frozen=True, slots=True)
class SharingDrawing:
    """Bars below each other on one scale: more panels, then more members, each with a heading."""

    panels: Sequence[Case]
    members: Sequence[Case]
    members_y: float
    height: float
    start: float = _START
    """Where bars begin, after their names."""


def draw_sharing(panels: Mapping[int, float], members: Mapping[int, float]) -> SharingDrawing:
    """Draw energies in Wh, by percent of the present panels, and of the present members."""
    most = max([*panels.values(), *members.values()], default=0) or 1

    def cases(energies: Mapping[int, float], first: float) -> Sequence[Case]:
        return [
            Case(percent, wh, round((first + n) * ROW, 2), round(_LONGEST * wh / most, 2))
            for n, (percent, wh) in enumerate(energies.items())
        ]

    of_members = 1 + len(panels) + _BETWEEN
    return SharingDrawing(
        panels=cases(panels, 1),
        members=cases(members, of_members + 1),
        members_y=round(of_members * ROW, 2),
        height=round((of_members + 1 + len(members)) * ROW, 2),
    )
