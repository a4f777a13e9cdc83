"""Outlines of communes, from a file that anybody may have written."""

import json
from pathlib import Path
from typing import Any

import pytest

from consometers_node.collective.outlines import (
    MOST_BYTES,
    MOST_COMMUNES,
    MOST_POINTS,
    BadOutlines,
    read_outlines,
)

SQUARE = [[0, 45], [1, 45], [1, 46], [0, 45]]
POLYGON = {"type": "Polygon", "coordinates": [SQUARE]}
FINE = {"type": "Polygon", "coordinates": [[[0, 45]] * (MOST_POINTS + 1)]}


def feature(name: object = "Lorient", geometry: object = POLYGON) -> dict[str, Any]:
    return {"type": "Feature", "properties": {"nom": name}, "geometry": geometry}


def collection(*features: object) -> str:
    return json.dumps({"type": "FeatureCollection", "features": features})


def refusal(tmp_path: Path, content: str) -> str:
    file = tmp_path / "communes.geojson"
    file.write_text(content)
    with pytest.raises(BadOutlines) as refused:
        read_outlines(file)
    assert refused.value.text.say("fr") != refused.value.text.say("en")
    return refused.value.text.say("en").removeprefix(str(file))


def test_polygons_and_multipolygons_are_read(tmp_path: Path) -> None:
    several = {"type": "MultiPolygon", "coordinates": [[SQUARE], [SQUARE, SQUARE]]}
    named = feature("Lanester", several) | {"properties": {"name": " Lanester "}}
    file = tmp_path / "communes.geojson"
    file.write_text(collection(feature(), named))
    outlines = read_outlines(file)
    assert {name: len(rings) for name, rings in outlines.items()} == {"Lorient": 1, "Lanester": 3}
    assert outlines["Lorient"][0][1] == (1.0, 45.0)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", " is not JSON in UTF-8."),
        ("[" * 100_000, " is not JSON in UTF-8."),
        ("[]", " is not a “FeatureCollection” of GeoJSON."),
        ('{"type": "Feature", "features": []}', " is not a “FeatureCollection” of GeoJSON."),
        (" " * (MOST_BYTES + 1), f" is longer than {MOST_BYTES} bytes."),
        (
            collection(*[0] * (MOST_COMMUNES + 1)),
            f" has more than {MOST_COMMUNES} communes",
        ),
        (collection(feature(), feature()), ": “Lorient” is there twice."),
        (collection(feature(3)), ": commune number 1 has no property “nom” or “name”."),
        (collection(3), ": commune number 1 has no property “nom” or “name”."),
        (
            collection(feature(geometry=FINE)),
            f" has more than {MOST_POINTS} points.",
        ),
    ],
)
def test_file_that_is_none_is_refused_in_words(tmp_path: Path, content: str, words: str) -> None:
    assert refusal(tmp_path, content).startswith(words)


@pytest.mark.parametrize(
    "geometry",
    [
        None,
        {"type": "Point", "coordinates": [0, 45]},
        {"type": "Polygon"},
        {"type": "Polygon", "coordinates": [SQUARE[:2]]},
        {"type": "Polygon", "coordinates": [[["0", None], *SQUARE]]},
        {"type": "Polygon", "coordinates": [[[float("nan"), 45], *SQUARE]]},
        # In metres of Lambert-93, as some files are.
        {"type": "Polygon", "coordinates": [[[220_000, 6_760_000]] * 4]},
    ],
)
def test_shape_that_is_no_polygon_in_degrees_is_refused(tmp_path: Path, geometry: object) -> None:
    words = ": “Lorient” is not a Polygon or MultiPolygon"
    assert refusal(tmp_path, collection(feature(geometry=geometry))).startswith(words)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadOutlines, match="cannot be read"):
        read_outlines(tmp_path / "none.geojson")
