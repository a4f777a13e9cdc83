"""Field64 of VDAF: integers modulo 2**64 - 2**32 + 1, and polynomials by their values. Pure.

draft-irtf-cfrg-vdaf-20 §6.1. An element is a plain integer from 0 to `MODULUS` - 1. A polynomial of
a degree below n, a power of 2, stands as its values at the n-th roots of unity, from 1 on.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import batched
from math import sumprod
import struct
from typing import Final, cast

from .errors import NotElements

MODULUS: Final = 2**64 - 2**32 + 1
ELEMENT_BYTES: Final = 8

_ORDER: Final = 2**32
"""Of `_ROOT`, which generates the roots of unity whose order is a power of 2."""
_ROOT: Final = pow(7, (MODULUS - 1) // _ORDER, MODULUS)
_HIGH: Final = b"\xff" * 4
"""Of a number above the field, the upper half."""
_TOP: Final = 2**32 - 1
"""What 2**64 is in the field."""
_LANE_BYTES: Final = 3 * ELEMENT_BYTES
"""Of a sum of up to 256 products of two elements."""
_AT_ONCE: Final = 256

type Form = Mapping[int, int]
"""A linear form: the weights of elements, by their places."""


class Matrix:
    """Linear forms of up to 256 elements, applied to many vectors at once.

    The same element of all vectors is one number, in which each has a lane: its product with a
    weight has the products of all.
    """

    def __init__(self, rows: Sequence[Form], length: int) -> None:
        """Prepare to apply forms to vectors of `length` elements."""
        self._forms = [([*row], [*row.values()]) for row in rows]
        self._length = length

    def times(self, vectors: Iterable[bytes]) -> Iterator[tuple[int, ...]]:
        """Yield the value of each form of each encoded vector: below 2**64, not reduced."""
        for some in batched(vectors, _AT_ONCE, strict=False):
            yield from zip(*self._values(some), strict=True)

    def _values(self, vectors: Sequence[bytes]) -> Iterator[Sequence[int]]:
        """Yield the values of each form."""
        words = memoryview(b"".join(vectors)).cast("Q")
        lanes = bytearray(len(vectors) * _LANE_BYTES)
        first_words = memoryview(lanes).cast("Q")[:: _LANE_BYTES // ELEMENT_BYTES]
        elements = []
        for place in range(self._length):
            first_words[:] = words[place :: self._length]
            elements.append(int.from_bytes(lanes, "little"))
        for places, weights in self._forms:
            total = _sum_of_products(weights, [elements[place] for place in places])
            yield _lanes(total, len(vectors))


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
        raise NotElements(wanted=count * ELEMENT_BYTES)
    elements = numbers(count).unpack(encoded)
    if are_elements(encoded) or max(elements) < MODULUS:
        return elements
    raise NotElements(place=next(i for i, each in enumerate(elements) if each >= MODULUS))


def are_elements(encoded: bytes) -> bool:
    """Return whether all numbers are surely elements: of 82, this is left open once in 2**23."""
    return _HIGH not in encoded


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


def _lanes(total: int, count: int) -> Sequence[int]:
    """Return the numbers of as many lanes, each below 2**136, as numbers below 2**64.

    What is above 64 bits comes down as `_TOP` times as much, four times: the number is then below
    2**105, 2**74, 2**64 + 2**42, 2**64.
    """
    low = _low(count)
    for _ in range(4):
        lower = total & low
        total = lower + (total - lower >> 64) * _TOP
    words = numbers(count * _LANE_BYTES // ELEMENT_BYTES)
    return words.unpack(total.to_bytes(words.size, "little"))[:: _LANE_BYTES // ELEMENT_BYTES]


@cache
def _low(count: int) -> int:
    """Return the lower 64 bits of as many lanes."""
    lane = b"\xff" * ELEMENT_BYTES + bytes(_LANE_BYTES - ELEMENT_BYTES)
    return int.from_bytes(lane * count, "little")


_sum_of_products = cast("Callable[[Iterable[int], Iterable[int]], int]", sumprod)
"""Of integers it is one, and exact; typeshed has floats alone."""
