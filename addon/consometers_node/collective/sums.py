"""The sums of a row: added to, taken from, and what rates they make. Pure.

A row is what is summed at once, for one group, direction, interval and kind of member: the
intervals of one UTC day, or the civil days of one month. In watt-minutes, as parts are.
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
import struct
from typing import NamedTuple

from ..store.sums import PackedSums
from .parts import Part


class Changed(NamedTuple):
    """A row after some of its parts have changed.

    `fallen` are the places where whoever had the most has less now, and nobody of those who changed
    has as much: one of the others may have more than the row says.
    """

    row: PackedSums
    fallen: tuple[int, ...]


def change(row: PackedSums | None, parts: Sequence[tuple[Part, Part]]) -> Changed:
    """Give a row in which these parts are no longer what they were, but what they have become."""
    length = len(parts[0][0].values)
    if row is None:
        row = PackedSums(bytes(8 * length), bytes(4 * length), bytes(8 * length))
    sums, counts = int.from_bytes(row.sums, "little"), int.from_bytes(row.counts, "little")
    for before, after in parts:
        sums += after.wide_values - before.wide_values
        counts += after.wide_counts - before.wide_counts
    most = struct.unpack(f"<{length}Q", row.largest)
    were, are = largest(before for before, _ in parts), largest(after for _, after in parts)
    fallen = tuple(
        place
        for place, (was, now, of_all) in enumerate(zip(were, are, most, strict=True))
        if was == of_all > now
    )
    new = [max(now, of_all) for now, of_all in zip(are, most, strict=True)]
    for place in fallen:
        new[place] = are[place]
    changed = PackedSums(
        sums.to_bytes(8 * length, "little"),
        counts.to_bytes(4 * length, "little"),
        struct.pack(f"<{length}Q", *new),
    )
    return Changed(changed, fallen)


def raise_largest(row: PackedSums, others: Mapping[int, int]) -> PackedSums:
    """Give a row in which the most is at least this, in these places."""
    most = list(struct.unpack(f"<{len(row.largest) // 8}Q", row.largest))
    for place, value in others.items():
        most[place] = max(most[place], value)
    return PackedSums(row.sums, row.counts, struct.pack(f"<{len(most)}Q", *most))


def largest(parts: Iterable[Part]) -> tuple[int, ...]:
    """Give the most that one of these parts has in each place."""
    return tuple(map(max, zip(*(part.values for part in parts), strict=True)))


def self_consumption(production: int, injection: int) -> Fraction | None:
    """Give which share of what was produced was used; None where that cannot be told."""
    if not 0 <= injection <= production or not production:
        return None
    return Fraction(production - injection, production)


def self_sufficiency(production: int, injection: int, consumption: int) -> Fraction | None:
    """Give which share of what was used was produced; None where that cannot be told."""
    if not 0 <= injection <= production or not production - injection + consumption:
        return None
    return Fraction(production - injection, production - injection + consumption)
