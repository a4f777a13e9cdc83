"""Closing an interval: what is published of it, decided once, from the parts of the homes. Pure.

Each home is in exactly one group (a commune, or the rest), so published cells have no home in
common, and their sum is the total. Preview and publication call the same functions.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial

from consometers_protected_sums.pooling import Groups, pool_failing

from .reasons import Reason
from .sdc_rules import P_PERCENT, Cell

type Parameter[G] = Callable[[Groups[G], Cell], int]
"""Returns the parameter of the p % rule for the cell of groups, in hundredths of a percent."""


class MonthGroups[G](frozenset[Groups[G]]):
    """Which groups a month publishes together, decided before any interval of it is closed.

    Closing takes nothing else: groups that are too small are combined for a month, before what does
    not pass in an interval is pooled, at the most with everybody.
    """

    __slots__ = ()


class Passed[G](dict[Groups[G], Cell]):
    """The cells of an interval that passed: that of everybody is the sum of these alone."""

    __slots__ = ()


def combine_small[G](homes: Mapping[G, int], minimum: int | None) -> MonthGroups[G]:
    """Return which groups are published together in a month, by their homes on its first day.

    Groups below the threshold are combined, and with the smallest other ones until all of them
    together reach it.
    """
    cells = {frozenset({group}): Cell(homes=count) for group, count in homes.items()}
    p = partial(_strictest, ())
    return MonthGroups(pool_failing(cells, lambda _, cell: bool(cell.suppression(minimum, p))))


def close[G](
    cells: Mapping[G, Cell],
    together: MonthGroups[G],
    minimum: int | None,
    parameter: Parameter[G],
) -> tuple[Passed[G], Reason | None]:
    """Close an interval: return the cells that pass, alone or with others, or why none does.

    The `parameter` of what is pooled is that of all its groups together.

    A group that `together` does not name, of a home that joined since, stands by itself. One that
    it names and that has no cell has sent nothing, which looks like any other that does not pass.
    """
    named = frozenset[G]().union(*together)
    units = {*together, *(frozenset({group}) for group in cells if group not in named)}
    sums = {unit: sum((cells.get(group, Cell()) for group in unit), Cell()) for unit in units}

    def why(groups: Groups[G], cell: Cell) -> Reason | None:
        return cell.suppression(minimum, partial(parameter, groups))

    published = pool_failing(sums, lambda groups, cell: why(groups, cell) is not None)
    if len(published) == 1:
        ((groups, cell),) = published.items()
        # What fails in spite of all is all there is.
        if (reason := why(groups, cell)) is not None:
            return Passed(), reason
    return Passed(sorted(published.items(), key=lambda item: sorted(map(repr, item[0])))), None


def close_counts[G](
    homes: Mapping[G, int], together: MonthGroups[G], minimum: int | None
) -> tuple[list[Groups[G]], Reason | None]:
    """Close an interval by the threshold rule alone, where the energy of homes is not known."""
    cells = {group: Cell(homes=count) for group, count in homes.items()}
    passed, reason = close(cells, together, minimum, _strictest)
    return list(passed), reason


def add_up[G](kinds: Iterable[Mapping[Groups[G], Cell]]) -> dict[Groups[G], Cell]:
    """Add up what passed of several kinds of homes, such as records and protected sums.

    Each kind passed by itself, perhaps with other groups together. What is published is the finest
    that all of them can be added to: groups that are together in one kind are together in all.
    """
    merged: dict[Groups[G], Cell] = {}
    for cells in kinds:
        for groups, cell in cells.items():
            met = [unit for unit in merged if not groups.isdisjoint(unit)]
            total = sum((merged.pop(unit) for unit in met), cell)
            merged[groups.union(*met)] = total
    return dict(sorted(merged.items(), key=lambda item: sorted(map(repr, item[0]))))


def _strictest(_groups: object, _cell: Cell) -> int:
    return 100 * P_PERCENT[-1]
