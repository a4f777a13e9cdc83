"""The sums of all groups in one row, put together from those of each kind of member. Pure.

What homes have is disclosure's to release. What sites and collectives have is known anyway.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ..store.collective_tables import GroupId
from ..store.releases import Size, Sums
from .disclosure import Cell

_HOME, _COLLECTIVE = "home", "collective"
_HIDING = {_HOME, _COLLECTIVE}


@dataclass(frozen=True, slots=True)
class Month:
    """Who counts in a month: everybody's group, areas where somebody hides, groups where nobody.

    `homes` is how many homes there are in all, `collectives` how many collectives.
    """

    top: GroupId | None
    areas: frozenset[GroupId]
    open: frozenset[GroupId]
    homes: int
    collectives: int

    @classmethod
    def of(cls, sizes: Iterable[Size]) -> Month:
        """Make it of how many members of each kind count in each group."""
        told = list(sizes)
        hiding = {one.group for one in told if one.member_kind in _HIDING}
        everybody = {one.group for one in told if one.group_kind == "all"}
        of_all = [one for one in told if one.group in everybody]
        return cls(
            top=next(iter(everybody & hiding), None),
            areas=frozenset(one.group for one in told if one.group_kind == "area") & hiding,
            open=frozenset(one.group for one in told) - hiding,
            homes=sum(one.members for one in of_all if one.member_kind == _HOME),
            collectives=sum(one.members for one in of_all if one.member_kind == _COLLECTIVE),
        )


@dataclass(frozen=True, slots=True)
class Known:
    """What sites and collectives have in a place, and how many members that counts."""

    watt_minutes: int = 0
    members: int = 0


NOTHING = Known()


@dataclass(slots=True)
class Sheet:
    """The sums of all groups in one row, by place."""

    cells: list[dict[GroupId, Cell]]
    known: list[dict[GroupId, Known]]
    changed_at: datetime = field(default=datetime.min.replace(tzinfo=UTC))

    @classmethod
    def of(cls, length: int, rows: Sequence[Sums]) -> Sheet:
        """Put the rows of each kind of member together."""
        sheet = cls([{} for _ in range(length)], [{} for _ in range(length)])
        if rows:
            sheet.changed_at = max(row.changed_at for row in rows)
        for row in rows:
            for place in range(length):
                sheet._add(row, place)
        return sheet

    def _add(self, row: Sums, place: int) -> None:
        energy, count, largest = row.sums[place], row.counts[place], row.largest[place]
        if not count:
            return
        cells, known = self.cells[place], self.known[place]
        if row.kind in _HIDING:
            mine = Cell(energy, count, largest) if row.kind == _HOME else Cell(0, 0, 0, count)
            cells[row.group] = cells[row.group].also(mine) if row.group in cells else mine
        if row.kind != _HOME:
            before = known.get(row.group, NOTHING)
            known[row.group] = Known(before.watt_minutes + energy, before.members + count)
