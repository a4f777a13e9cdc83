"""Heads of a witness: by them its homes show it that it was set back. Pure.

A head is the number of a witness's answers, and a hash chained over them. It carries a MAC under a
secret that lies beside the witness's keys, so that nobody else can make one; `epoch` names that
secret. Homes store the newest of each epoch, and show them with each request. To them, a head is
`HEAD_BYTES` that begin with epoch and number.
"""

from collections.abc import Iterable
import hashlib
import hmac
import struct
from typing import Final, NamedTuple, Self

SECRET_BYTES: Final = 32
EPOCH_BYTES: Final = 8
CHAIN_BYTES: Final = 32
NO_ANSWER: Final = bytes(CHAIN_BYTES)
"""The hash of a chain before its first answer."""
MOST_HEADS: Final = 4
"""How many epochs a home remembers: one begins when a witness has lost its keys."""

_SIGNED: Final = struct.Struct(f">{EPOCH_BYTES}sQ{CHAIN_BYTES}s")
_MAC_BYTES: Final = 32
HEAD_BYTES: Final = _SIGNED.size + _MAC_BYTES


class Head(NamedTuple):
    """A state of a witness: after `number` answers, their hash is `chain`."""

    epoch: bytes
    number: int
    chain: bytes
    mac: bytes

    @classmethod
    def of(cls, secret: bytes, number: int, chain: bytes) -> Self:
        """Return the head of a state, with its MAC."""
        epoch = epoch_of(secret)
        mac = hmac.digest(secret, b"head" + _SIGNED.pack(epoch, number, chain), "sha256")
        return cls(epoch, number, chain, mac)

    @classmethod
    def read(cls, packed: bytes) -> Self:
        """Read `HEAD_BYTES`, authentic or not."""
        epoch, number, chain = _SIGNED.unpack(packed[: _SIGNED.size])
        return cls(epoch, number, chain, packed[_SIGNED.size :])

    def packed(self) -> bytes:
        return _SIGNED.pack(self.epoch, self.number, self.chain) + self.mac

    def is_authentic(self, secret: bytes) -> bool:
        """Return whether the witness with this secret made it."""
        ours = Head.of(secret, self.number, self.chain)
        return hmac.compare_digest(self.packed(), ours.packed())


def epoch_of(secret: bytes) -> bytes:
    """Return the public name of a secret."""
    return hmac.digest(secret, b"epoch", "sha256")[:EPOCH_BYTES]


def chained(chain: bytes, answer: bytes) -> bytes:
    """Return the hash of a chain with one more answer, of which `answer` is a hash."""
    return hashlib.sha256(chain + answer).digest()


def newest(heads: Iterable[bytes]) -> tuple[bytes, ...]:
    """Return the newest head of each of the last epochs; of these heads, later ones came later."""
    by_epoch: dict[bytes, Head] = {}
    for head in map(Head.read, heads):
        before = by_epoch.pop(head.epoch, head)
        by_epoch[head.epoch] = max(before, head, key=lambda each: each.number)
    return tuple(head.packed() for head in by_epoch.values())[-MOST_HEADS:]
