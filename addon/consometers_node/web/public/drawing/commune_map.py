"""A map of communes: outlines in a plane, as paths with few points. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import cos, radians

from consometers_node.collective.outlines import Outlines

_WIDTH, _MOST_HEIGHT = 1000, 900
_EDGE = 10
_MOST_POINTS = 2_000
"""A page with more would be heavy."""
_FINEST = 2

type _Ring = Sequence[tuple[int, int]]
type Plane = Mapping[str, Sequence[_Ring]]
"""Rings of each commune, across and down."""


@dataclass(frozen=True, slots=True)
class Commune:
    """The outline of a commune. One that takes part has a number, which stands at `x`, `y`."""

    name: str
    number: int | None
    path: str
    x: int
    y: int


@dataclass(frozen=True, slots=True)
class CommuneMap:
    """Communes that take part, and those around them."""

    communes: Sequence[Commune]
    width: int
    height: int


def flattened(outlines: Outlines) -> Plane:
    """Return outlines in a plane, with few points.

    Points are moved to a grid, so that neighbours keep their common border: the finest one that
    leaves few points.
    """
    if not outlines:
        return {}
    plane = _plane(outlines)
    grid = _FINEST
    while sum(map(len, _all(snapped := _snapped(plane, grid)))) > _MOST_POINTS:
        grid *= 2
    return snapped


def draw_map(plane: Plane, numbers: Mapping[str, int]) -> CommuneMap | None:
    """Draw communes; None where no commune with a number has an outline."""
    if not numbers.keys() & plane.keys():
        return None
    communes = [
        Commune(name, numbers.get(name), "".join(map(_path, rings)), *_middle(rings))
        for name, rings in plane.items()
    ]
    points = [point for ring in _all(plane) for point in ring]
    width, height = (max(values) + _EDGE for values in zip(*points, strict=True))
    return CommuneMap(communes, width, height)


def _plane(outlines: Outlines) -> Outlines:
    """Return outlines in a plane, true to scale in their middle, from the north-west on."""
    points = [point for ring in _all(outlines) for point in ring]
    longitudes, latitudes = zip(*points, strict=True)
    west, north = min(longitudes), max(latitudes)
    narrow = cos(radians((north + min(latitudes)) / 2))
    across = (max(longitudes) - west) * narrow
    down = north - min(latitudes)
    scale = min((_WIDTH - 2 * _EDGE) / (across or 1), (_MOST_HEIGHT - 2 * _EDGE) / (down or 1))
    return {
        name: [
            [
                (_EDGE + (longitude - west) * narrow * scale, _EDGE + (north - latitude) * scale)
                for longitude, latitude in ring
            ]
            for ring in rings
        ]
        for name, rings in outlines.items()
    }


def _snapped(plane: Outlines, grid: int) -> Plane:
    """Return rings on a grid, without repeated points; none that shrinks to a line."""
    snapped = {}
    for name, rings in plane.items():
        moved = []
        for ring in rings:
            points = [(grid * round(x / grid), grid * round(y / grid)) for x, y in ring]
            distinct = [point for n, point in enumerate(points) if n == 0 or point != points[n - 1]]
            if _area(distinct):
                moved.append(distinct)
        if moved:
            snapped[name] = moved
    return snapped


def _all[R](by_name: Mapping[str, Sequence[R]]) -> Sequence[R]:
    return [ring for rings in by_name.values() for ring in rings]


def _path(ring: _Ring) -> str:
    """Return a closed path, each point relative to the one before."""
    (x, y), *others = ring
    path = [f"M{x} {y}"]
    for to_x, to_y in others[:-1]:
        path.append(f"l{to_x - x} {to_y - y}")
        x, y = to_x, to_y
    return "".join([*path, "z"])


def _middle(rings: Sequence[_Ring]) -> tuple[int, int]:
    """Return the middle of the largest ring: of the broadest line across it, at half its height."""
    ring = max(rings, key=_area)
    ys = [y for _, y in ring]
    level = (min(ys) + max(ys)) / 2 + 0.5
    crossings = sorted(
        x + (level - y) * (to_x - x) / (to_y - y)
        for (x, y), (to_x, to_y) in zip(ring, [*ring[1:], ring[0]], strict=True)
        if (y < level) != (to_y < level)
    )
    pairs = list(zip(crossings[::2], crossings[1::2], strict=False))
    left, right = max(pairs, key=lambda pair: pair[1] - pair[0])
    return round((left + right) / 2), round(level)


def _area(ring: _Ring) -> float:
    pairs = zip(ring, [*ring[1:], ring[0]], strict=True)
    return abs(sum(x * to_y - to_x * y for (x, y), (to_x, to_y) in pairs))
