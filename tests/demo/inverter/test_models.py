"""Layouts are those that SunSpec publishes; values are written as it says."""

from typing import Any

import pytest

from demo.inverter.models import MODELS
from demo.inverter.sunspec import Point

from .inverters import DEFINITIONS


def published(points: list[Any]) -> list[tuple[str, int, str | None]]:
    """Return type, registers and scale factor of points."""
    kinds = {"count": "uint16"}
    return [(kinds.get(p["type"], p["type"]), p["size"], p.get("sf")) for p in points]


def ours(points: tuple[Point, ...]) -> list[tuple[str, int, str | None]]:
    return [(point.kind, point.registers, point.scale) for point in points]


@pytest.mark.parametrize("model_id", MODELS)
def test_a_layout_is_the_published_one(model_id: int) -> None:
    group = DEFINITIONS[model_id]["group"]
    assert ours(MODELS[model_id].points) == published(group["points"][2:])
    modules = [ours(MODELS[model_id].module)] if MODELS[model_id].module else []
    assert modules == [published(module["points"]) for module in group.get("groups", [])]


def test_every_published_definition_that_we_keep_has_its_layout() -> None:
    assert MODELS.keys() == DEFINITIONS.keys()


@pytest.mark.parametrize(
    ("word", "value", "exponent", "registers"),
    [
        ("W:int16:W_SF", -1234.4, 0, [0xFB2E]),
        ("W:int16:W_SF", 32_768, 1, [3277]),
        ("Hz:uint16:Hz_SF", 50.02, -2, [5002]),
        ("WH:acc32:WH_SF", 70_000, 0, [1, 4464]),
        ("TotWhInj:uint64:TotWh_SF", 70_000, -1, [0, 0, 10, 44640]),
        ("W:float32", 1.5, 0, [0x3FC0, 0]),
        ("SN:string2", "KS1", 0, [0x4B53, 0x3100]),
        ("W:int16:W_SF", None, 0, [0x8000]),
        ("A:uint16:A_SF", None, 0, [0xFFFF]),
        ("WH:acc32:WH_SF", None, 0, [0, 0]),
        ("A_SF:sunssf", None, 0, [0x8000]),
        ("Evt1:bitfield32", None, 0, [0xFFFF, 0xFFFF]),
        ("TotWhInj:uint64", None, 0, [0xFFFF] * 4),
        ("W:float32", None, 0, [0x7FC0, 0]),
        ("SN:string2", None, 0, [0, 0]),
    ],
)
def test_a_value_is_written_as_its_type_says(
    word: str, value: float | str | None, exponent: int, registers: list[int]
) -> None:
    assert Point.parse(word).encode(value, exponent) == registers


@pytest.mark.parametrize("value", [32_768, -32_769])
def test_what_registers_cannot_hold_is_refused(value: int) -> None:
    with pytest.raises(ValueError, match="W cannot be"):
        Point.parse("W:int16:W_SF").encode(value)


def test_a_value_of_no_point_is_a_mistake() -> None:
    with pytest.raises(KeyError, match="Watts"):
        MODELS[103].encode({"Watts": 1})
