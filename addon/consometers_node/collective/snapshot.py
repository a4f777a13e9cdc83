"""What members have in one direction on some days, read from their blocks, and summed by group."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from heapq import nlargest

from sqlalchemy.ext.asyncio import AsyncConnection

from ..series import Block, Direction, Interval, Series
from ..store import SeriesId
from ..store.collective_tables import GroupId, MemberId
from ..store.parts import Membership, member_blocks, member_series
from .calendar import Stretch
from .disclosure import Cell
from .members import GroupKind
from .parts import Source, Values, civil_day, part


@dataclass(frozen=True, slots=True)
class Public:
    """What sites and collectives have together: their figures are public by themselves."""

    watt_minutes: int = 0
    members: int = 0

    def __add__(self, other: Public) -> Public:
        return Public(self.watt_minutes + other.watt_minutes, self.members + other.members)


@dataclass(slots=True)
class Sums:
    """What was sent of one interval: cells of homes by commune (or the rest), and what is public.

    `told` are the members that sent it.
    """

    cells: dict[GroupId, Cell] = field(default_factory=dict)
    public: dict[GroupId, Public] = field(default_factory=dict)
    told: set[MemberId] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The series of all members in one direction, with their blocks of some UTC days."""

    members: Mapping[MemberId, Collection[Source]]

    @classmethod
    async def read(
        cls,
        connection: AsyncConnection,
        direction: Direction,
        first: date,
        last: date,
        series: Mapping[SeriesId, Series] | None = None,
    ) -> Snapshot:
        """Read from one UTC day to another, both included. `series` are known already."""
        known = series if series is not None else await member_series(connection, direction)
        days: dict[MemberId, dict[SeriesId, dict[date, Values]]] = {}
        counts: dict[SeriesId, dict[date, Values]] = {}
        for row in await member_blocks(connection, direction, first, last):
            blocks = days.setdefault(row.member, {}).setdefault(row.series, {})
            blocks[row.day] = Block.values_of(row.packed)
            if row.counts is not None:
                counts.setdefault(row.series, {})[row.day] = Block.values_of(row.counts)
        return cls(
            {
                member: [
                    Source(known[number], blocks, counts.get(number))
                    for number, blocks in of_it.items()
                ]
                for member, of_it in days.items()
            }
        )

    def intervals(
        self,
        interval: Interval,
        day: date,
        months: Iterable[tuple[Stretch, Mapping[MemberId, Membership], GroupId]],
    ) -> list[Sums]:
        """Return what was sent of each interval of a UTC day.

        `months` gives, for each stretch of the day, who counts where, and the group of the rest.
        """
        length = 1440 // interval.minutes
        found = [Sums() for _ in range(length)]
        months = list(months)
        homes: dict[GroupId, list[list[int]]] = {}
        for member, sources in self.members.items():
            for (_, first, end), memberships, rest in months:
                of = memberships.get(member)
                if of is None:
                    continue
                sent = part(_told(sources, of), interval, day)
                if not sent:
                    continue
                area = of.groups.get(GroupKind.AREA, rest)
                if of.is_home:
                    parts = homes.setdefault(area, [[] for _ in range(length)])
                    for place in range(first, end):
                        if sent.counts[place]:
                            parts[place].append(sent.values[place])
                            found[place].told.add(member)
                    continue
                groups = _public_groups(of, area)
                for place in range(first, end):
                    if sent.counts[place]:
                        found[place].told.add(member)
                        _add(found[place], groups, sent.values[place], sent.counts[place])
        for area, places in homes.items():
            for place, values in enumerate(places):
                if values:
                    largest, second = (*nlargest(2, values), 0)[:2]
                    cell = Cell(sum(values), len(values), largest, second)
                    found[place].cells[area] = cell
        return found

    def civil_day(
        self,
        day: date,
        memberships: Mapping[MemberId, Membership],
        rest: GroupId,
        *,
        homes_beside: Interval | None,
        public_beside: Interval | None,
    ) -> Sums:
        """Return what was sent of a civil day, by the members that have all of it.

        Homes are left out that send records of the step `homes_beside`, or a finer one: these were
        published beside the day. The same holds for other members with `public_beside`.
        """
        found = Sums()
        parts: dict[GroupId, list[int]] = {}
        for member, sources in self.members.items():
            of = memberships.get(member)
            if of is None:
                continue
            beside = homes_beside if of.is_home else public_beside
            some = _told(sources, of)
            if beside is not None and _sends(some, beside):
                continue
            sent = civil_day(some, day)
            if not sent.is_whole:
                continue
            found.told.add(member)
            area = of.groups.get(GroupKind.AREA, rest)
            if of.is_home:
                parts.setdefault(area, []).append(sent.watt_minutes)
            else:
                _add(found, _public_groups(of, area), sent.watt_minutes, sent.count)
        found.cells |= {area: Cell.of(values) for area, values in parts.items()}
        return found


def _told(sources: Iterable[Source], of: Membership) -> list[Source]:
    """Return the series of a member that are in sums: of a site, those that it lets be shown."""
    return [one for one in sources if of.shown is None or one.series in of.shown]


def _public_groups(of: Membership, area: GroupId) -> list[GroupId]:
    """Return the groups whose sums have a site or a collective, but for everybody's."""
    named = (GroupKind.SITE, GroupKind.BUILDING)
    return [area, *(of.groups[kind] for kind in named if kind in of.groups)]


def _add(sums: Sums, groups: Iterable[GroupId], watt_minutes: int, members: int) -> None:
    for group in groups:
        sums.public[group] = sums.public.get(group, Public()) + Public(watt_minutes, members)


def _sends(sources: Iterable[Source], step: Interval) -> bool:
    return any(source.series.interval.minutes <= step.minutes for source in sources)
