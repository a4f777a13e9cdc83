"""The way of the energy between roofs, neighbours and the grid, as bands in proportion. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from consometers_node.collective.disclosure.reasons import Withheld
from consometers_node.collective.publication.reading.values import FlowRow
from consometers_node.i18n.text import Text

WIDTH, HEIGHT = 1000, 300
_NODE = 16
"""The width of roofs and consumption."""
_GRID_FROM, _GRID_TO = 430, 570
_GAP = 70
"""Between what passes under a roof, and the grid."""
_DRAWN = ("production", "self-consumed", "injection", "shared-locally", "consumption")

type _Point = tuple[float, float]


class Box(NamedTuple):
    """A rectangle, by its corner and its size."""

    x: float
    y: float
    width: float
    height: float


class Band(NamedTuple):
    """Energy on its way: the outline of a band."""

    kind: str
    path: str


@dataclass(frozen=True, slots=True)
class EnergyWay:
    """Roofs on the left, the grid in the middle, consumption on the right.

    All injection passes through the grid; a strand of it goes on to neighbours. Of an energy that
    is not published, nothing is drawn.
    """

    bands: Sequence[Band]
    nodes: Sequence[Box]
    grid: Box | None


def draw_way(row: FlowRow) -> EnergyWay | None:
    """Draw the energies of a row; None where nothing of them is known, or all is zero."""
    made, spot, fed, shared, drawn = (row[key].wh or 0 for key in _DRAWN)
    left, right = max(made, spot + fed), spot + drawn
    most = max(left, right)
    if not most:
        return None
    gap = _GAP if spot else 0
    scale = (HEIGHT - gap) / most
    made, spot, fed, shared, drawn, left, right = (
        wh * scale for wh in (made, spot, fed, min(shared, fed, drawn), drawn, left, right)
    )
    below = spot + gap
    end = WIDTH - _NODE
    bands = [
        _band("spot", (_NODE, 0), (end, 0), spot),
        _band("fed", (_NODE, spot + shared), (_GRID_FROM, below + shared), fed - shared),
        _band("drawn", (_GRID_TO, below + shared), (end, spot + shared), drawn - shared),
        _band("shared", (_NODE, spot), (_GRID_FROM, below), shared),
        _band("shared", (_GRID_FROM, below), (_GRID_TO, below), shared),
        _band("shared", (_GRID_TO, below), (end, spot), shared),
    ]
    nodes = [Box(0, 0, _NODE, left), Box(end, 0, _NODE, right)]
    through = max(fed, drawn)
    return EnergyWay(
        bands=[band for band in bands if band is not None],
        nodes=[_rounded(node) for node in nodes if node.height],
        grid=_rounded(Box(_GRID_FROM, below, _GRID_TO - _GRID_FROM, through)) if through else None,
    )


def withheld(row: FlowRow) -> Mapping[Withheld, Sequence[Text]]:
    """Return the titles of the energies that are withheld, by reason."""
    titles: dict[Withheld, list[Text]] = {}
    for key in _DRAWN:
        if (why := row[key].why) is not None and row[key].is_there:
            titles.setdefault(why, []).append(row[key].figure.title)
    return titles


def _band(kind: str, start: _Point, end: _Point, height: float) -> Band | None:
    """Return a band that leaves and arrives level."""
    if height <= 0:
        return None
    (x, y), (to_x, to_y) = start, end
    middle = (x + to_x) / 2
    top = f"M{x:g} {y:.1f}C{middle:g} {y:.1f} {middle:g} {to_y:.1f} {to_x:g} {to_y:.1f}"
    y, to_y = y + height, to_y + height
    back = f"V{to_y:.1f}C{middle:g} {to_y:.1f} {middle:g} {y:.1f} {x:g} {y:.1f}Z"
    return Band(kind, top + back)


def _rounded(box: Box) -> Box:
    return Box(*(round(number, 1) for number in box))
