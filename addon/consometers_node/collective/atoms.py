"""What of homes' sums was released, place by place, and what may be released of it next. Pure.

A row has places: the intervals of a UTC day, or the civil days of a month. An atom is what is
released at once of a place: an area's homes, or all of those whose area is not released; later,
those of them whose part has changed. Each atom passes `disclosure.fault`, and no two of them share
a home's part or its change. All that is published adds up atoms.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from ..store.collective_tables import GroupId, MemberId
from .disclosure import NOBODY, Cell, Reason, Withheld, fault, part

type Cells = Mapping[GroupId, Cell]
"""What the homes of each group have in one place."""
type Standings = Mapping[GroupId, Standing]


@dataclass(slots=True)
class Standing:
    """What of a group's homes was released in the places of a row, and why the rest was not.

    `counts` tells how many homes there are, also of what is withheld. Of a day that is the sum of
    its hours, only what is added to them stands here. Once it is `final` no change is released.
    """

    sums: list[int]
    counts: list[int]
    reasons: list[Reason]
    final: bool = False
    released_at: datetime | None = None
    is_new: bool = field(default=False, compare=False)
    """Something was released that is not kept yet."""

    @classmethod
    def new(cls, length: int) -> Self:
        """Give the standing of a row of which nothing was looked at."""
        return cls([0] * length, [0] * length, [Reason.NOT_YET] * length)

    def is_out(self, place: int) -> bool:
        """Tell whether something was released in a place."""
        return self.reasons[place].is_out

    def withhold(self, place: int, why: Reason | Withheld) -> None:
        """Say why nothing is released in a place."""
        if isinstance(why, Withheld):
            self.counts[place] = why.have
            why = why.reason
        self.reasons[place] = why

    def add(self, place: int, watt_minutes: int, homes: int) -> None:
        """Release some more."""
        self.sums[place] += watt_minutes
        self.counts[place] += homes
        self.is_new = True


@dataclass(frozen=True, slots=True)
class Groups:
    """Everybody's group, and the areas in it, which share nobody; homes may be in none of them."""

    top: GroupId
    areas: tuple[GroupId, ...]


@dataclass(frozen=True, slots=True)
class Fresh:
    """A home whose part of a place is not what was released, and of which no change was yet.

    Who has nothing now stays in it with what it had.
    """

    member: MemberId
    area: GroupId | None
    before: int | None
    now: int | None

    @property
    def difference(self) -> int:
        """By how much its part has changed."""
        return (self.now or 0) - (self.before or 0)

    @property
    def count(self) -> int:
        """How many homes come with it."""
        return int(self.before is None)


@dataclass(frozen=True, slots=True)
class Hour:
    """A place of a finer row, in a day of a coarser one.

    `is_due` tells that the row has changed and is to be looked at, so more of it may be released.
    """

    standings: Standings
    cells: Cells
    place: int
    is_due: bool = False

    def waits(self, group: GroupId) -> bool:
        """Tell whether there is something that may still be released."""
        cell = self.cells.get(group, NOBODY)
        is_open = self.standings[group].reasons[self.place] is Reason.NOT_YET
        return self.is_due or (is_open and bool(cell.homes or cell.below))


def release(
    place: int, cells: Cells, standings: Standings, groups: Groups, need: int | None
) -> None:
    """Release a place of which nothing was, as far as it passes."""
    areas = {area: cells.get(area, NOBODY) for area in groups.areas}
    parting = part(cells.get(groups.top, NOBODY), areas, need)
    for group, why in ((groups.top, parting.whole), *parting.children.items()):
        standing, cell = standings[group], cells.get(group, NOBODY)
        if why is not None:
            standing.withhold(place, why)
            continue
        standing.reasons[place], standing.counts[place] = Reason.NONE, 0
        standing.add(place, cell.watt_minutes, cell.homes)


def release_anew(
    place: int,
    changes: Iterable[Fresh],
    cells: Cells,
    standings: Standings,
    groups: Groups,
    *,
    need: int | None,
) -> list[MemberId]:
    """Release what has changed of a place that was released, as far as it passes by itself.

    Nobody is taken out: what is left could be too few. Gives whose changes were released: these
    never are again.
    """
    atoms: defaultdict[GroupId | None, list[Fresh]] = defaultdict(list)
    for one in changes:
        area = one.area if one.area in groups.areas else None
        if area is not None and not standings[area].is_out(place):
            area = None
        atoms[area].append(one)
    counted = []
    for area, changed in atoms.items():
        some = [one for one in changed if one.now is not None]
        difference = sum(one.difference for one in some)
        group = groups.top if area is None else area
        # The most that one of them has now, or had and is still counted with.
        was = max(one.before or 0 for one in changed)
        largest = max(was, cells.get(group, NOBODY).largest)
        whole = Cell(_atom(place, area, standings, groups) + difference, need or 0, largest)
        if fault(Cell.of(one.difference for one in some), need) or fault(whole, need):
            continue
        for one_of in {groups.top, group}:
            standings[one_of].add(place, difference, sum(one.count for one in some))
        counted += [one.member for one in some]
    return counted


def _atom(place: int, area: GroupId | None, standings: Standings, groups: Groups) -> int:
    """Give what was released of an area's homes, or of those whose area was not."""
    if area is not None:
        return standings[area].sums[place]
    shown = [standings[one] for one in groups.areas if standings[one].is_out(place)]
    return standings[groups.top].sums[place] - sum(one.sums[place] for one in shown)


def add_hours(
    place: int,
    days: Standings,
    hours: Sequence[Hour],
    groups: Groups,
    need: int | None,
    *,
    is_late: bool,
) -> None:
    """Release a day of which hours were released: what they add up to.

    Hours that are withheld from everybody are added if together they pass. Together there are at
    least as many homes as in one of them, and nobody has more than the largest of all of them.
    """
    top = groups.top
    if not days[top].is_out(place):
        hidden = [hour for hour in hours if not hour.standings[top].is_out(hour.place)]
        if not hidden:
            _sum_up(days[top], place, 0)
        elif is_late and (rest := _together(hidden, top)) is not None and not fault(rest, need):
            _sum_up(days[top], place, rest.watt_minutes)
            for hour in hidden:
                for standing in hour.standings.values():
                    standing.reasons[hour.place] = Reason.SUMMED
        else:
            days[top].withhold(place, Reason.PARTLY if is_late else Reason.NOT_YET)
    for area in groups.areas:
        if days[area].is_out(place):
            continue
        if all(hour.standings[area].is_out(hour.place) for hour in hours):
            _sum_up(days[area], place, 0)
        else:
            days[area].withhold(place, Reason.PARTLY if is_late else Reason.NOT_YET)


def add_dailies(
    place: int, days: Standings, dailies: Cells, groups: Groups, need: int | None
) -> None:
    """Add to the sum of hours, once, the homes that tell of days alone, if they pass."""
    top = groups.top
    if days[top].reasons[place] is not Reason.HOURS or days[top].counts[place]:
        return
    areas = {area: dailies.get(area, NOBODY) for area in groups.areas}
    parting = part(dailies.get(top, NOBODY), areas, need)
    for group, why in ((top, parting.whole), *parting.children.items()):
        if why is None and days[group].reasons[place] is Reason.HOURS:
            days[group].add(place, dailies[group].watt_minutes, dailies[group].homes)


def _sum_up(day: Standing, place: int, more: int) -> None:
    day.reasons[place], day.sums[place], day.counts[place] = Reason.HOURS, more, 0
    day.is_new = True


def _together(hours: Sequence[Hour], group: GroupId) -> Cell | None:
    """Give what hours have together; None where one of them has nothing, or may still come."""
    cells = [hour.cells.get(group, NOBODY) for hour in hours]
    waits = {Reason.NOT_YET, Reason.STEP}
    if any(hour.is_due or hour.standings[group].reasons[hour.place] in waits for hour in hours):
        return None
    if not all(cell.homes or cell.below for cell in cells):
        return None
    return Cell(
        sum(cell.watt_minutes for cell in cells),
        max(cell.homes for cell in cells),
        sum(cell.largest for cell in cells),
        max(cell.below for cell in cells),
    )
