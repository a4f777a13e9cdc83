"""Proofs that shared elements satisfy equations: FlpBBCGGI19 of VDAF. Pure.

draft-irtf-cfrg-vdaf-20 §7.3, for circuits of one gadget of degree 2 without constants. A proof has
a seed for each wire of the gadget, and the values of the gadget polynomial. All that a server
computes of its share is linear, so that the sum of two servers' results is that of the whole.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from operator import mul
from typing import Final, NamedTuple

from .errors import RootOfUnity
from .field import MODULUS, Form, Matrix, encode, lagrange, roots


class Gadget(NamedTuple):
    """A polynomial of degree 2 in `arity` wires, which is 0 where all of them are."""

    arity: int
    evaluate: Callable[..., int]


MUL: Final = Gadget(2, mul)


class Equation(NamedTuple):
    """What a measurement satisfies: the gadget of these wires is `result`."""

    wires: tuple[Form, ...]
    result: Form


@dataclass(frozen=True, slots=True)
class Circuit:
    """Equations over `measured` elements, each of which calls the gadget once.

    With the proof, there are at most 256 elements.
    """

    gadget: Gadget
    measured: int
    equations: tuple[Equation, ...]
    outputs: tuple[Form, ...]
    """What is summed of a measurement, the truncation of VDAF."""

    @property
    def order(self) -> int:
        """How many values a wire polynomial has: its seed, its calls, zeros up to a power of 2."""
        return 1 << len(self.equations).bit_length()

    @property
    def proof_length(self) -> int:
        """How many elements a proof has."""
        return self.gadget.arity + 2 * self.order - 1

    @property
    def length(self) -> int:
        """How many elements a measurement has with its proof."""
        return self.measured + self.proof_length

    @property
    def query_randomness(self) -> int:
        """How many random elements a query needs: one for each equation of many, and a point."""
        count = len(self.equations)
        return 1 + (count if count > 1 else 0)

    def prove(self, measurement: Sequence[int], seeds: Sequence[int]) -> list[int]:
        """Return the proof of a valid measurement, for secret random seeds, one a wire.

        Its values are those of the gadget polynomial at the roots of unity of twice the order: all
        but the last, which follows from the others by the degree.
        """
        wires = [
            [seed, *(_evaluate(equation.wires[wire], measurement) for equation in self.equations)]
            for wire, seed in enumerate(seeds)
        ]
        halfway = _halfway(self.order, len(self.equations))
        values = []
        for at_root, after in zip_longest(
            zip(*wires, strict=True), zip(*halfway.times(map(encode, wires)), strict=True)
        ):
            values.append(self.gadget.evaluate(*at_root) % MODULUS if at_root else 0)
            values.append(self.gadget.evaluate(*after) % MODULUS)
        return [*seeds, *values[:-1]]

    def query(self, randomness: Sequence[int]) -> Query:
        """Return the query for these random elements. Raises RootOfUnity.

        The prover must not know them before its proof is sent.
        """
        *factors, point = randomness
        order, count = self.order, len(self.equations)
        if pow(point, order, MODULUS) == 1:
            raise RootOfUnity
        values = self.measured + self.gadget.arity
        validity: dict[int, int] = {}
        for call, (equation, factor) in enumerate(
            zip(self.equations, factors or (1,), strict=True), 1
        ):
            validity[values + 2 * call] = factor
            _add(validity, equation.result, -factor)
        seed_weight, *call_weights = lagrange(order, point)[: count + 1]
        tests = []
        for wire in range(self.gadget.arity):
            test = {self.measured + wire: seed_weight}
            for equation, weight in zip(self.equations, call_weights, strict=True):
                _add(test, equation.wires[wire], weight)
            tests.append(test)
        # By the degree, the values times the powers of the root add up to 0: the last is left out.
        *weights, last = lagrange(2 * order, point)
        powers = roots(2 * order)[1:]
        gadget = {
            values + place: (weight - last * power) % MODULUS
            for place, (weight, power) in enumerate(zip(weights, powers, strict=True))
        }
        rows = validity, *tests, gadget, *self.outputs
        return Query(self.gadget, Matrix(rows, self.length))


@dataclass(frozen=True, slots=True)
class Query:
    """A matrix: what a server computes of its share, and how the sum of all is judged.

    Its rows are the verifier (the validity, each wire at the test point, and the gadget polynomial
    there), and the outputs.
    """

    gadget: Gadget
    matrix: Matrix

    def ask(self, shares: Iterable[bytes]) -> Iterator[tuple[Sequence[int], Sequence[int]]]:
        """Yield verifier and outputs of each share of a measurement with its proof, not reduced."""
        length = 2 + self.gadget.arity
        return ((values[:length], values[length:]) for values in self.matrix.times(shares))

    def decide(self, verifier: Iterable[int]) -> bool:
        """Return whether this sum of all shares' verifiers is that of a valid measurement."""
        validity, *wires, value = verifier
        return validity % MODULUS == 0 and (self.gadget.evaluate(*wires) - value) % MODULUS == 0


@cache
def _halfway(order: int, calls: int) -> Matrix:
    """Return a wire's values halfway between the roots, as forms of its seed and calls."""
    count = calls + 1
    points = roots(2 * order)[1::2]
    return Matrix([dict(enumerate(lagrange(order, point)[:count])) for point in points], count)


def _evaluate(form: Form, elements: Sequence[int]) -> int:
    return sum(weight * elements[place] for place, weight in form.items()) % MODULUS


def _add(total: dict[int, int], form: Form, factor: int) -> None:
    for place, weight in form.items():
        total[place] = (total.get(place, 0) + factor * weight) % MODULUS
