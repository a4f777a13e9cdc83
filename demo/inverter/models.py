"""SunSpec's models: the points of each, in the order of its registers.

`sunspec.json` has the definitions that the SunSpec Alliance publishes (github.com/sunspec/models,
Apache-2.0), without what is said for people to read.
"""

from collections.abc import Mapping, Sequence
import json
from pathlib import Path
from typing import Any, Final

from .sunspec import Model, Point

DEFINITIONS: Final[Mapping[int, Any]] = {
    definition["id"]: definition
    for definition in json.loads(Path(__file__).with_name("sunspec.json").read_text())
}

_NUMBER_AND_LENGTH: Final = 2
"""Points of each definition that stand before its own."""


def _points(points: Sequence[Any]) -> tuple[Point, ...]:
    return tuple(Point(p["name"], p["type"], p["size"], p.get("sf")) for p in points)


def _model(definition: Any) -> Model:
    group = definition["group"]
    modules = (_points(module["points"]) for module in group.get("groups", ()))
    return Model(definition["id"], _points(group["points"][_NUMBER_AND_LENGTH:]), *modules)


MODELS: Final[Mapping[int, Model]] = {
    model_id: _model(definition) for model_id, definition in DEFINITIONS.items()
}
