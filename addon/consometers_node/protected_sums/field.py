"""Field64 of VDAF: integers modulo 2**64 - 2**32 + 1, and polynomials by their values. Pure.

draft-irtf-cfrg-vdaf-20 §6.1. An element is a plain integer from 0 to `MODULUS` - 1. A polynomial of
a degree below n, a power of 2, stands as its values at the n-th roots of unity, from 1 on.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from math import sumprod
import struct
from typing import Final, cast

MODULUS: Final = 2**64 - 2**32 + 1
ELEMENT_BYTES: Final = 8

_ORDER: Final = 2**32
"""Of `_ROOT`, which generates the roots of unity whose order is a power of 2."""
_ROOT: Final = pow(7, (MODULUS - 1) // _ORDER, MODULUS)
_HIGH: Final = b"\xff" * 4
"""Of a number above the field, the upper half."""
_ROW_BITS: Final = 2 * 64 + 8
"""Of a sum of up to 256 products of two elements."""
_ROW: Final = (1 << _ROW_BITS) - 1

type Form = Mapping[int, int]
"""A linear form: the weights of elements, by their places."""


class NotElements(ValueError):
    """The bytes do not encode that number of elements."""


class Matrix:
    """Linear forms of up to 256 elements.

    They stand side by side in one number for each element: one sum of products has all of them. It
    begins with the last elements, which should be in the first form alone: it stays short for long.
    """

    def __init__(self, rows: Sequence[Form], length: int) -> None:
        """Prepare to apply forms to `length` elements."""
        self._columns = [
            sum(row.get(place, 0) << _ROW_BITS * number for number, row in enumerate(rows))
            for place in reversed(range(length))
        ]
        self._shifts = range(0, _ROW_BITS * len(rows), _ROW_BITS)

    def times(self, elements: Sequence[int]) -> list[int]:
        """Return the value of each form, not reduced modulo `MODULUS`."""
        total = _sum_of_products(self._columns, reversed(elements))
        return [total >> shift & _ROW for shift in self._shifts]


@cache
def numbers(count: int) -> struct.Struct:
    """Return the format of `count` numbers of 8 bytes, little-endian."""
    return struct.Struct(f"<{count}Q")


def encode(elements: Iterable[int]) -> bytes:
    """Return elements in 8 bytes each, little-endian."""
    elements = tuple(elements)
    return numbers(len(elements)).pack(*elements)


def decode(encoded: bytes, count: int) -> tuple[int, ...]:
    """Return as many elements as these bytes encode. Raises NotElements."""
    if len(encoded) != count * ELEMENT_BYTES:
        raise NotElements(f"{count} elements have {count * ELEMENT_BYTES} bytes")
    elements = numbers(count).unpack(encoded)
    if _HIGH in encoded and max(elements) >= MODULUS:
        raise NotElements(f"an element is below {MODULUS}")
    return elements


def roots(order: int) -> list[int]:
    """Return all roots of unity of this order, a power of 2: powers of one of them, from 1 on."""
    root = pow(_ROOT, _ORDER // order, MODULUS)
    return [pow(root, power, MODULUS) for power in range(order)]


def lagrange(order: int, point: int) -> list[int]:
    """Return the weights of a polynomial's values at the roots of unity in its value at a point."""
    nodes = roots(order)
    if point in nodes:
        return [int(node == point) for node in nodes]
    scale = (pow(point, order, MODULUS) - 1) * pow(order, -1, MODULUS)
    return [scale * node * pow(point - node, -1, MODULUS) % MODULUS for node in nodes]


_sum_of_products = cast("Callable[[Iterable[int], Iterable[int]], int]", sumprod)
"""Of integers it is one, and exact; typeshed has floats alone."""
