"""An attacker who keeps every version of every figure, and combines them in all linear ways.

Each value that a home delivered is an unknown, and each figure a sum of unknowns. If a combination
of figures holds unknowns of a few homes alone, these few are disclosed.
"""

from collections.abc import Hashable, Iterable, Mapping
from itertools import combinations

type Unknown = tuple[int, Hashable]
"""A home, and what of it."""
type Figure = frozenset[tuple[Unknown, int]]

_PRIME = (1 << 61) - 1


class Attacker:
    """Collects figures: by how often each unknown is in them."""

    def __init__(self) -> None:
        self.figures: set[Figure] = set()

    def see(self, figure: Mapping[Unknown, int]) -> None:
        self.figures.add(frozenset((home, times) for home, times in figure.items() if times))

    def singled_out(self, fewer_than: int) -> set[int]:
        """Return homes that are disclosed, alone or among too few."""
        homes = sorted({home for figure in self.figures for (home, _), _ in figure})
        basis = _reduced([dict(figure) for figure in self.figures])
        homes_apart: set[int] = set()
        for size in range(1, min(fewer_than, len(homes) + 1)):
            for few in combinations(homes, size):
                others = [{key: n for key, n in row.items() if key[0] not in few} for row in basis]
                if len(_reduced(others)) < len(basis):
                    homes_apart |= set(few)
        return homes_apart


def _reduced(rows: Iterable[Mapping[Unknown, int]]) -> list[dict[Unknown, int]]:
    """Return independent rows that say the same (Gauss, over a field)."""
    basis: dict[Unknown, dict[Unknown, int]] = {}
    for row in rows:
        rest = {key: n % _PRIME for key, n in row.items() if n % _PRIME}
        while rest:
            pivot = min(rest, key=repr)
            if pivot not in basis:
                inverse = pow(rest[pivot], -1, _PRIME)
                basis[pivot] = {key: n * inverse % _PRIME for key, n in rest.items()}
                break
            factor = rest[pivot]
            for key, n in basis[pivot].items():
                value = (rest.get(key, 0) - factor * n) % _PRIME
                if value:
                    rest[key] = value
                else:
                    rest.pop(key, None)
    return list(basis.values())
