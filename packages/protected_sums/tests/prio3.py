"""Prio3 of draft-irtf-cfrg-vdaf-20 §7.2, without joint randomness, over the node's arithmetic.

The node composes the same parts in a way of its own (`reports`). Here they stand together as the
draft has them, with TurboSHAKE128, so that its published vectors try each part.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from Crypto.Hash import TurboSHAKE128

from consometers_protected_sums.field import MODULUS, decode
from consometers_protected_sums.flp import MUL, Circuit, Equation, Gadget
from consometers_protected_sums.xof import expand

VERSION = 18
"""Of the drafts since the 18th: it changes with the bytes."""
SEED_BYTES = 32
MEASUREMENT_SHARE, PROOF_SHARE, PROVE_RANDOMNESS, QUERY_RANDOMNESS = 1, 2, 4, 5
PROOFS = bytes([1])

BIT = Gadget(1, lambda bit: bit * bit - bit)
"""`PolyEval` of Prio3Sum (§7.4.2)."""


def turboshake128(message: bytes, length: int) -> bytes:
    return TurboSHAKE128.new(data=message, domain=1).read(length)


@dataclass(frozen=True)
class Prio3:
    """A variant: its number, its circuit, how many servers, the most that it measures."""

    number: int
    circuit: Circuit
    shares: int
    most: int
    context: bytes

    def expanded(self, usage: int, seed: bytes, binder: bytes, count: int) -> tuple[int, ...]:
        tag = bytes([VERSION, 0]) + self.number.to_bytes(4) + usage.to_bytes(2) + self.context
        return decode(expand(seed, tag, binder, count, turboshake128), count)

    def helper_share(self, server: int, seed: bytes) -> list[int]:
        at, circuit = bytes([server]), self.circuit
        return [
            *self.expanded(MEASUREMENT_SHARE, seed, at, circuit.measured),
            *self.expanded(PROOF_SHARE, seed, PROOFS + at, circuit.proof_length),
        ]

    def shard(self, measurement: Sequence[int], random: bytes) -> list[int]:
        """Return the leader's share: the helpers' are the first seeds of `random`."""
        *helpers, prove = (random[at : at + SEED_BYTES] for at in range(0, len(random), SEED_BYTES))
        seeds = self.expanded(PROVE_RANDOMNESS, prove, PROOFS, self.circuit.gadget.arity)
        elements = [*measurement, *self.circuit.prove(measurement, seeds)]
        for server, helper in enumerate(helpers, 1):
            masks = self.helper_share(server, helper)
            elements = [
                (element - mask) % MODULUS for element, mask in zip(elements, masks, strict=True)
            ]
        return elements

    def read_share(self, server: int, encoded: bytes) -> Sequence[int]:
        if server:
            return self.helper_share(server, encoded)
        return decode(encoded, self.circuit.length)

    def query_randomness(self, key: bytes, nonce: bytes) -> tuple[int, ...]:
        binder, count = PROOFS + nonce, self.circuit.query_randomness
        return self.expanded(QUERY_RANDOMNESS, key, binder, count)


def count(shares: int, context: bytes) -> Prio3:
    circuit = Circuit(MUL, 1, (Equation(({0: 1}, {0: 1}), {0: 1}),), ({0: 1},))
    return Prio3(1, circuit, shares, 1, context)


def summed(shares: int, context: bytes, most: int) -> Prio3:
    bits = most.bit_length()
    equations = tuple(Equation(({bit: 1},), {}) for bit in range(bits))
    output = {bit: 1 << bit for bit in range(bits - 1)} | {bits - 1: most - (1 << bits - 1) + 1}
    return Prio3(2, Circuit(BIT, bits, equations, (output,)), shares, most, context)
