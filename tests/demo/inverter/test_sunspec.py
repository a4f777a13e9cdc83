"""Values are written as SunSpec says."""

import pytest

from demo.inverter.sunspec import MODELS, Point


@pytest.mark.parametrize(
    ("kind", "value", "exponent", "registers"),
    [
        ("int16", -1234.4, 0, [0xFB2E]),
        ("int16", 32_768, 1, [3277]),
        ("uint16", 50.02, -2, [5002]),
        ("acc32", 70_000, 0, [1, 4464]),
        ("uint64", 70_000, -1, [0, 0, 10, 44640]),
        ("float32", 1.5, 0, [0x3FC0, 0]),
        ("string", "KS1", 0, [0x4B53, 0x3100]),
        ("int16", None, 0, [0x8000]),
        ("uint16", None, 0, [0xFFFF]),
        ("acc32", None, 0, [0, 0]),
        ("sunssf", None, 0, [0x8000]),
        ("bitfield32", None, 0, [0xFFFF, 0xFFFF]),
        ("uint64", None, 0, [0xFFFF] * 4),
        ("float32", None, 0, [0x7FC0, 0]),
        ("string", None, 0, [0, 0]),
    ],
)
def test_values_are_encoded_by_type(
    kind: str, value: float | str | None, exponent: int, registers: list[int]
) -> None:
    assert Point("P", kind, len(registers)).encode(value, exponent) == registers


@pytest.mark.parametrize("value", [32_768, -32_769])
def test_a_value_out_of_range_is_refused(value: int) -> None:
    with pytest.raises(ValueError, match="W cannot be"):
        Point("W", "int16", 1).encode(value)


def test_a_value_of_an_unknown_point_is_refused() -> None:
    with pytest.raises(KeyError, match="Watts"):
        MODELS[103].encode({"Watts": 1})
