"""Closing an interval: what is published of it, decided once, from the parts of the homes. Pure.

Each home is in exactly one group (a commune, or the rest), so published cells have no home in
common, and their sum is the total. Preview and publication call the same functions.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from .sdc_rules import Cell, Reason

type Groups[G] = frozenset[G]


@dataclass(frozen=True, slots=True)
class PublishedCell[G]:
    """The sum of the homes of these groups; several groups are published as one cell only."""

    groups: Groups[G]
    watt_minutes: int
    homes: int


@dataclass(frozen=True, slots=True)
class Closing[G]:
    """What is published of one interval in one direction, and which groups are suppressed, why."""

    cells: tuple[PublishedCell[G], ...]
    suppressed: Mapping[Groups[G], Reason]

    @property
    def total(self) -> PublishedCell[G] | None:
        """The sum of what is published; None where nothing is."""
        if not self.cells:
            return None
        return PublishedCell(
            frozenset[G]().union(*(cell.groups for cell in self.cells)),
            sum(cell.watt_minutes for cell in self.cells),
            sum(cell.homes for cell in self.cells),
        )


def combine_small[G](homes: Mapping[G, int], minimum: int | None) -> frozenset[Groups[G]]:
    """Return which groups are published together in a month, by their homes on its first day.

    Groups below the threshold are combined, and with the smallest other ones until all of them
    together reach it.
    """
    cells = {frozenset({group}): Cell(homes=count) for group, count in homes.items()}
    published, pool = _separate(cells, minimum)
    return frozenset({*published, *([_union(pool)] if pool else [])})


def close[G](
    cells: Mapping[G, Cell], together: Collection[Groups[G]], minimum: int | None
) -> Closing[G]:
    """Close an interval: publish the cells that pass, each by itself or with others.

    `together` is the month's `combine_small`; a group that it does not name, of a home that joined
    since, stands by itself. A group of `together` without a cell has told nothing, which looks
    like any other group that does not pass.
    """
    named = frozenset[G]().union(*together)
    units = {*together, *(frozenset({group}) for group in cells if group not in named)}
    sums = {unit: sum((cells.get(group, Cell()) for group in unit), Cell()) for unit in units}
    published, pool = _separate(sums, minimum)
    if pool:
        pooled = sum(pool.values(), Cell())
        reason = pooled.suppression(minimum)
        if reason is not None:
            return Closing((), {_union(pool): reason})
        published[_union(pool)] = pooled
    found = (
        PublishedCell(groups, cell.watt_minutes, cell.homes) for groups, cell in published.items()
    )
    return Closing(tuple(sorted(found, key=lambda cell: sorted(map(repr, cell.groups)))), {})


def _separate[G](
    cells: Mapping[Groups[G], Cell], minimum: int | None
) -> tuple[dict[Groups[G], Cell], dict[Groups[G], Cell]]:
    """Return the cells that are published by themselves, and those that are pooled.

    The smallest published cell joins the pool until that passes, or is all there is.
    """
    published = {groups: cell for groups, cell in cells.items() if not cell.suppression(minimum)}
    pool = {groups: cell for groups, cell in cells.items() if groups not in published}
    by_size = sorted(
        published, key=lambda groups: (published[groups].homes, repr(sorted(map(repr, groups))))
    )
    for groups in by_size:
        if not pool or not sum(pool.values(), Cell()).suppression(minimum):
            break
        pool[groups] = published.pop(groups)
    return published, pool


def _union[G](pool: Collection[Groups[G]]) -> Groups[G]:
    return frozenset[G]().union(*pool)
