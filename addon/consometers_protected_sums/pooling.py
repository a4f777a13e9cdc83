"""Groups of homes that fail a rule of disclosure control, put together until they pass. Pure."""

from collections.abc import Callable, Mapping
from typing import Protocol, Self

type Groups[G] = frozenset[G]


class Counted(Protocol):
    """The sum of some homes."""

    @property
    def homes(self) -> int: ...

    def __add__(self, other: Self, /) -> Self: ...


def pool_failing[G, C: Counted](
    cells: Mapping[Groups[G], C], fails: Callable[[Groups[G], C], bool]
) -> dict[Groups[G], C]:
    """Return cells of which those that fail are one.

    The smallest cell that passes joins it until it passes too, or is all there is.
    """
    passing = {groups: cell for groups, cell in cells.items() if not fails(groups, cell)}
    pooled: tuple[Groups[G], C] | None = None
    for groups in [groups for groups in cells if groups not in passing]:
        pooled = _joined(pooled, groups, cells[groups])
    for groups in sorted(passing, key=lambda groups: (passing[groups].homes, _names(groups))):
        if pooled is None or not fails(*pooled):
            break
        pooled = _joined(pooled, groups, passing.pop(groups))
    return passing if pooled is None else passing | dict([pooled])


def _joined[G, C: Counted](
    pooled: tuple[Groups[G], C] | None, groups: Groups[G], cell: C
) -> tuple[Groups[G], C]:
    return (groups, cell) if pooled is None else (pooled[0] | groups, pooled[1] + cell)


def _names(groups: Groups[object]) -> list[str]:
    return sorted(map(repr, groups))
