"""Outlines of communes, from a GeoJSON file (RFC 7946) that the operator adds: bounded, checked."""

from collections.abc import Iterator, Mapping, Sequence
import json
from pathlib import Path
from typing import Any

from consometers_node.i18n.text import TranslatedError, text

MOST_BYTES = 2_000_000
MOST_COMMUNES = 300
MOST_POINTS = 50_000
_NAMES = ("nom", "name")
_LEAST_POINTS = 4
"""Of a ring, whose last point is its first."""

type Point = tuple[float, float]
"""Longitude and latitude, in degrees."""
type Rings = Sequence[Sequence[Point]]
type Outlines = Mapping[str, Rings]
"""The rings of each commune, outer ones and holes alike, by its name."""

_UNREAD = text("{file} cannot be read: {why}.")
_TOO_LONG = text("{file} is longer than {most} bytes. Take simplified outlines.")
_NO_JSON = text("{file} is not JSON in UTF-8.")
_NO_COLLECTION = text("{file} is not a “FeatureCollection” of GeoJSON.")
_TOO_MANY = text("{file} has more than {most} communes. Keep those on the map.")
_TOO_FINE = text("{file} has more than {most} points. Take simplified outlines.")
_NO_NAME = text("{file}: commune number {number} has no property “nom” or “name”.")
_TWICE = text("{file}: “{name}” is there twice.")
_NO_POLYGON = text(
    "{file}: “{name}” is not a Polygon or MultiPolygon with longitude and latitude in degrees"
    " (WGS 84)."
)


class BadOutlines(TranslatedError):
    """A file of outlines is not one."""


def read_outlines(file: Path) -> Outlines:
    """Read the outlines of communes. Raises BadOutlines."""
    try:
        with file.open("rb") as content:
            written = content.read(MOST_BYTES + 1)
    except OSError as fault:
        raise BadOutlines(_UNREAD, file=file, why=fault.strerror) from fault
    if len(written) > MOST_BYTES:
        raise BadOutlines(_TOO_LONG, file=file, most=MOST_BYTES)
    try:
        document = json.loads(written)
    except (ValueError, RecursionError) as fault:
        raise BadOutlines(_NO_JSON, file=file) from fault
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list) or document.get("type") != "FeatureCollection":
        raise BadOutlines(_NO_COLLECTION, file=file)
    if len(features) > MOST_COMMUNES:
        raise BadOutlines(_TOO_MANY, file=file, most=MOST_COMMUNES)
    outlines: dict[str, Rings] = {}
    points = 0
    for number, feature in enumerate(features, 1):
        name = _name(feature)
        if name is None:
            raise BadOutlines(_NO_NAME, file=file, number=number)
        if name in outlines:
            raise BadOutlines(_TWICE, file=file, name=name)
        try:
            outlines[name] = [list(_ring(ring)) for ring in _rings(feature["geometry"])]
        except (KeyError, TypeError, ValueError) as fault:
            raise BadOutlines(_NO_POLYGON, file=file, name=name) from fault
        points += sum(len(ring) for ring in outlines[name])
    if points > MOST_POINTS:
        raise BadOutlines(_TOO_FINE, file=file, most=MOST_POINTS)
    return outlines


def _name(feature: Any) -> str | None:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(properties, dict):
        return None
    names = (properties.get(key) for key in _NAMES)
    return next((name.strip() for name in names if isinstance(name, str) and name.strip()), None)


def _rings(geometry: Any) -> Iterator[Any]:
    """Yield the rings of a geometry. Raises ValueError on one of another kind."""
    if geometry["type"] == "Polygon":
        yield from geometry["coordinates"]
    elif geometry["type"] == "MultiPolygon":
        for polygon in geometry["coordinates"]:
            yield from polygon
    else:
        raise ValueError(geometry["type"])


def _ring(ring: Any) -> Iterator[Point]:
    if len(ring) < _LEAST_POINTS:
        raise ValueError(ring)
    for longitude, latitude, *_ in ring:
        point = float(longitude), float(latitude)
        if not -180 <= point[0] <= 180 or not -90 < point[1] < 90:
            raise ValueError(point)
        yield point
