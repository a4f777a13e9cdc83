"""A member that computes its neighbours from what is published, through random stories."""

from collections.abc import Hashable, Iterable, Mapping
from itertools import combinations

from hypothesis import HealthCheck, Phase, settings

STORIES = settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    # No seed is simpler than another: the first one that fails is reported.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    report_multiple_bugs=False,
)


_PRIME = (1 << 61) - 1

type Unknown = tuple[int, Hashable]
"""A home, and what of it."""
type Figure = frozenset[tuple[Unknown, int]]


class Attacker:
    """Keeps every version of every figure, and combines them in all linear ways.

    Each value that a home delivered is an unknown, and each figure a sum of unknowns, by how often
    each is in it. If a combination of figures holds unknowns of a few homes alone, these few are
    disclosed.
    """

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


def disclosed(figures: Iterable[Figure], homes: Iterable[int], minimum: int) -> set[int]:
    """Return homes that are disclosed by figures and colluding homes, fewer than the minimum."""
    singled_out = set[int]()
    for count in range(minimum):
        for traitors in combinations(sorted(homes), count):
            attacker = Attacker()
            for figure in figures:
                attacker.see({unknown: n for unknown, n in figure if unknown[0] not in traitors})
            singled_out |= attacker.singled_out(fewer_than=minimum - count)
    return singled_out


class Over(Exception):
    """The story is over, and nothing of it is to be stored."""
