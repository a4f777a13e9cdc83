"""Which homes have been opened for an hour, and how that is stored: one bit each. Pure.

A stored opening has the numbers of its homes as a bitmap: home n is bit n % 8 of byte n // 8. An
hour of 10,000 homes takes 1,250 bytes, so a home takes 3 bytes per direction and day.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from ..series import Direction
from .masks import Subject


class Ledger:
    """The opened homes of one collective, by hour and direction. Nothing is unmarked."""

    def __init__(self) -> None:
        self._opened = defaultdict[tuple[Direction, datetime], set[str]](set)

    def opened(self, subject: Subject, pseudonyms: Collection[str]) -> frozenset[str]:
        """Return which of these homes were opened before for the hour of that direction."""
        return frozenset(self._opened[subject.direction, subject.hour].intersection(pseudonyms))

    def mark(self, subject: Subject, pseudonyms: Iterable[str]) -> None:
        """Mark the hour of that direction as opened for these homes."""
        self._opened[subject.direction, subject.hour].update(pseudonyms)


def bitmap(numbers: Collection[int]) -> bytes:
    """Return the bitmap of some numbers."""
    bits = bytearray(max(numbers, default=-1) // 8 + 1)
    for number in numbers:
        bits[number >> 3] |= 1 << (number & 7)
    return bytes(bits)


def numbers(bits: bytes) -> Iterator[int]:
    """Yield the numbers of a bitmap."""
    for at, byte in enumerate(bits):
        if byte:
            yield from (at * 8 + bit for bit in range(8) if byte >> bit & 1)
