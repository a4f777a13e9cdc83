"""What members have in one direction on some days, read from their blocks, and summed by group."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date
from itertools import compress

from sqlalchemy.ext.asyncio import AsyncConnection

from ...series import Block, Direction, Interval
from ...store import SeriesId
from ...store.collective_tables import GroupId, MemberId
from ...store.memberships import Membership, member_blocks, member_counts, packed_day, series_of
from ..calendar import Stretch
from ..disclosure.sdc_rules import Cell
from .member_values import Source, Values, civil_day, part


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


type Months = Iterable[tuple[Stretch, Mapping[MemberId, Membership]]]
"""For each stretch of a UTC day who counts where."""


@dataclass(frozen=True, slots=True)
class Day:
    """The blocks of all members in one direction of a UTC day.

    Most homes have one series, of the step: these blocks stay packed, and are summed many at a
    time. Each other member has its sources.
    """

    day: date
    step: Interval
    senders: Set[MemberId]
    """Those that have series in this direction, with blocks of the day or without."""
    packed: Mapping[MemberId, bytes]
    members: Mapping[MemberId, Collection[Source]]

    @classmethod
    async def read(
        cls, connection: AsyncConnection, direction: Direction, day: date, step: Interval
    ) -> Day:
        """Read a day."""
        rows = await packed_day(connection, direction, day, step)
        blocks = Counter([row[0] for row in rows if row[3] is not None])
        sizes = Block.small_sizes(1440 // step.minutes)
        packed = {
            member: values
            for member, _, is_plain, values in rows
            if is_plain and values is not None and len(values) in sizes and blocks[member] == 1
        }
        members: dict[MemberId, list[Source]] = {}
        if left := [row for row in rows if row[0] in blocks and row[0] not in packed]:
            series = await series_of(connection, [row.series for row in left])
            counts = {
                number: {day: Block.values_of(values)}
                for number, _, values in await member_counts(connection, direction, day, day)
            }
            for row in left:
                if row.packed is None:
                    continue
                known = {day: Block.values_of(row.packed)}
                source = Source(series[row.series], known, counts.get(row.series))
                members.setdefault(row.member, []).append(source)
        return cls(day, step, {row[0] for row in rows}, packed, members)

    def intervals(self, months: Months, first: int = 0, end: int | None = None) -> list[Sums]:
        """Return what was sent of intervals of the day, from a place on and before another."""
        end = 1440 // self.step.minutes if end is None else end
        found = [Sums() for _ in range(first, end)]
        for (_, start, stop), memberships in months:
            within = range(max(first, start), min(end, stop))
            if within:
                sums = found[within.start - first : within.stop - first]
                self._add_packed(sums, within, memberships)
                self._add_sources(sums, within, memberships)
        return found

    def _add_packed(
        self,
        sums: Sequence[Sums],
        within: range,
        memberships: Mapping[MemberId, Membership],
    ) -> None:
        alike: dict[tuple[Membership, int], tuple[list[MemberId], list[bytes]]] = {}
        for member, packed in self.packed.items():
            of = memberships.get(member)
            if of is not None:
                members, blocks = alike.setdefault((of, len(packed)), ([], []))
                members.append(member)
                blocks.append(packed)
        for (of, _), (members, blocks) in alike.items():
            columns = Block.columns(blocks, within.start, within.stop)
            for one, (column, missing) in zip(sums, columns, strict=True):
                told: Sequence[MemberId] = members
                values: Sequence[int] = column
                if missing in column:
                    known = [value != missing for value in column]
                    told, values = list(compress(members, known)), list(compress(column, known))
                if values:
                    one.told.update(told)
                    cell = Cell.of(values) * self.step.minutes
                    one.cells[of.area] = one.cells.get(of.area, Cell()) + cell

    def _add_sources(
        self,
        sums: Sequence[Sums],
        within: range,
        memberships: Mapping[MemberId, Membership],
    ) -> None:
        for member, sources in self.members.items():
            of = memberships.get(member)
            if of is None:
                continue
            sent = part(_told(sources, of), self.step, self.day)
            for one, place in zip(sums, within, strict=True):
                if not sent.counts[place]:
                    continue
                one.told.add(member)
                if of.is_home:
                    cell = Cell.of([sent.values[place]])
                    one.cells[of.area] = one.cells.get(of.area, Cell()) + cell
                else:
                    _add(one, of, sent.values[place], sent.counts[place])


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The series of members in one direction, with their blocks of some UTC days."""

    members: Mapping[MemberId, Collection[Source]]

    @classmethod
    async def read(
        cls,
        connection: AsyncConnection,
        direction: Direction,
        first: date,
        last: date,
        coarser_than: Interval | None = None,
    ) -> Snapshot:
        """Read from one UTC day to another, both included.

        With `coarser_than`, only members with a series of a longer step are read.
        """
        rows = await member_blocks(connection, direction, first, last, coarser_than)
        known = await series_of(connection, {row.series for row in rows})
        counts: dict[SeriesId, dict[date, Values]] = {}
        for number, day, packed in await member_counts(connection, direction, first, last):
            counts.setdefault(number, {})[day] = Block.values_of(packed)
        days: dict[MemberId, dict[SeriesId, dict[date, Values]]] = {}
        for row in rows:
            blocks = days.setdefault(row.member, {}).setdefault(row.series, {})
            blocks[row.day] = Block.values_of(row.packed)
        return cls(
            {
                member: [
                    Source(known[number], blocks, counts.get(number))
                    for number, blocks in of_it.items()
                ]
                for member, of_it in days.items()
            }
        )

    def civil_day(
        self,
        day: date,
        memberships: Mapping[MemberId, Membership],
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
            if of.is_home:
                parts.setdefault(of.area, []).append(sent.watt_minutes)
            else:
                _add(found, of, sent.watt_minutes, sent.count)
        found.cells |= {area: Cell.of(values) for area, values in parts.items()}
        return found


def _told(sources: Iterable[Source], of: Membership) -> list[Source]:
    """Return the series of a member that are in sums: of a site, those that it lets be shown."""
    return [one for one in sources if of.shown is None or one.series in of.shown]


def _add(sums: Sums, of: Membership, watt_minutes: int, members: int) -> None:
    """Add what is public to the groups that it is in."""
    for group in (of.area, *of.named):
        sums.public[group] = sums.public.get(group, Public()) + Public(watt_minutes, members)


def _sends(sources: Iterable[Source], step: Interval) -> bool:
    return any(source.series.interval.minutes <= step.minutes for source in sources)
