"""SunSpec's models, and the encoding of their points in registers: types, scale factors.

Source: SunSpec Device Information Model Specification §4. `sunspec.json` has the definitions that
the SunSpec Alliance publishes (github.com/sunspec/models, Apache-2.0), without what is said for
people to read.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
import json
from math import nan
from pathlib import Path
import struct
from typing import Any, Final

type Value = int | float | str | None
"""In the unit of the point; None is what is not implemented."""
type Values = Mapping[str, Value]

MARKER: Final = (0x5375, 0x6E53)
END: Final = (0xFFFF, 0)
HEADER: Final = 2
"""Registers of a model before its points: its number and its length."""

_REGISTER_BITS = 16


@dataclass(frozen=True, slots=True)
class _Kind:
    registers: int
    not_implemented: int
    signed: bool = False


_KINDS: Final = {
    "int16": _Kind(1, 0x8000, signed=True),
    "int32": _Kind(2, 0x8000_0000, signed=True),
    "uint16": _Kind(1, 0xFFFF),
    "count": _Kind(1, 0xFFFF),
    "uint32": _Kind(2, 0xFFFF_FFFF),
    "uint64": _Kind(4, 0xFFFF_FFFF_FFFF_FFFF),
    "acc32": _Kind(2, 0),
    "enum16": _Kind(1, 0xFFFF),
    "bitfield16": _Kind(1, 0xFFFF),
    "bitfield32": _Kind(2, 0xFFFF_FFFF),
    "sunssf": _Kind(1, 0x8000, signed=True),
    "pad": _Kind(1, 0x8000),
}


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a model. `scale` names the point that holds its power of ten."""

    name: str
    kind: str
    registers: int
    scale: str | None = None

    def encode(self, value: Value, exponent: int = 0) -> list[int]:
        """Write a value.

        Raises:
            ValueError: the registers cannot hold it.
        """
        if self.kind == "string":
            assert value is None or isinstance(value, str)
            return _words((value or "").encode("ascii").ljust(2 * self.registers, b"\0"))
        assert not isinstance(value, str)
        if self.kind == "float32":
            return _words(struct.pack(">f", nan if value is None else value))
        kind = _KINDS[self.kind]
        if value is None:
            return _split(kind.not_implemented, kind.registers)
        raw = _scaled(value, exponent)
        bits = _REGISTER_BITS * kind.registers
        low, high = (-(1 << bits - 1), 1 << bits - 1) if kind.signed else (0, 1 << bits)
        if not low <= raw < high:
            raise ValueError(f"{self.name} cannot be {value}: {raw} is no {self.kind}")
        return _split(raw % (1 << bits), kind.registers)


@dataclass(frozen=True, slots=True)
class Model:
    """A model: its points, and those of each module that follows them."""

    model_id: int
    points: tuple[Point, ...]
    module: tuple[Point, ...] = ()

    def encode(
        self, values: Values, modules: Sequence[Values] = (), *, scales: Values | None = None
    ) -> list[int]:
        """Write the whole block, header included. What `values` does not have is not implemented.

        A device in disorder shows other scale factors than the `scales` it writes its values with.

        Raises:
            KeyError: a value is of no point of this model.
        """
        scales = values if scales is None else scales
        body = list(_registers(self.points, values, scales))
        for module in modules:
            body += _registers(self.module, module, scales)
        return [self.model_id, len(body), *body]

    def names(self, chosen: Callable[[Point], bool]) -> frozenset[str]:
        """Return the names of some points, those of modules too."""
        return frozenset(point.name for point in (*self.points, *self.module) if chosen(point))


def _registers(points: tuple[Point, ...], values: Values, scales: Values) -> Iterator[int]:
    unknown = values.keys() - {point.name for point in points}
    if unknown:
        raise KeyError(f"no such points: {', '.join(sorted(unknown))}")
    for point in points:
        exponent = None if point.scale is None else scales.get(point.scale)
        yield from point.encode(values.get(point.name), int(exponent or 0))


def _scaled(value: float, exponent: int) -> int:
    power = int(10 ** abs(exponent))
    return round(value / power if exponent > 0 else value * power)


def _split(raw: int, registers: int) -> list[int]:
    return [raw >> _REGISTER_BITS * (registers - 1 - n) & 0xFFFF for n in range(registers)]


def _words(data: bytes) -> list[int]:
    return list(struct.unpack(f">{len(data) // 2}H", data))


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
