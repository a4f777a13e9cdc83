"""Members' energy in one direction on some days, from their blocks, summed by group."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date
from itertools import compress

from consometers_node.collective.calendar import Stretch
from consometers_node.collective.disclosure.sdc_rules import Cell
from consometers_node.collective.publication.member_values import (
    Counts,
    SeriesValues,
    Values,
    civil_day,
    part,
)
from consometers_node.series import Block, Direction, Interval
from consometers_node.store import SeriesId
from consometers_node.store.collective.memberships import (
    MemberBlock,
    Membership,
    member_blocks,
    member_counts,
    packed_day,
    series_of,
)
from consometers_node.store.collective.tables import GroupId, MemberId
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.series import MemberCount


@dataclass(frozen=True, slots=True)
class PublicSum:
    """Sites and collectives together: their figures are public by themselves."""

    watt_minutes: int = 0
    members: int = 0

    def __add__(self, other: PublicSum) -> PublicSum:
        return PublicSum(self.watt_minutes + other.watt_minutes, self.members + other.members)


@dataclass(slots=True)
class Sums:
    """What arrived of one interval: cells of homes by commune (or the rest), and public members.

    `senders` are the members that sent it. From the groups `without`, homes of a collective are
    missing: it sent a sum that lacks them, or other intervals of the day and not this one.
    """

    cells: defaultdict[GroupId, Cell] = field(default_factory=lambda: defaultdict(Cell))
    public: defaultdict[GroupId, PublicSum] = field(default_factory=lambda: defaultdict(PublicSum))
    senders: set[MemberId] = field(default_factory=set)
    without: set[GroupId] = field(default_factory=set)


type Months = Iterable[tuple[Stretch, Mapping[MemberId, Membership]]]
"""Who counts where, for each stretch of a UTC day."""


@dataclass(frozen=True, slots=True)
class Day:
    """The blocks of all members in one direction of a UTC day.

    Most homes have one series, of the step: these blocks stay packed, and are summed many at a
    time. Each other member has its sources.
    """

    day: date
    step: Interval
    senders: Set[MemberId]
    """Members with series in this direction, with blocks of the day or without."""
    packed: Mapping[MemberId, bytes]
    members: Mapping[MemberId, Collection[SeriesValues]]

    @classmethod
    async def read(
        cls, connection: AsyncConnection, direction: Direction, day: date, step: Interval
    ) -> Day:
        """Read a day."""
        rows = await packed_day(connection, direction, day, step)
        senders = [row[0] for row in rows if row[3] is not None]
        several = set[MemberId]()
        if len(set(senders)) < len(senders):
            several = {member for member, count in Counter(senders).items() if count > 1}
        sizes = Block.small_sizes(1440 // step.minutes)
        packed = {
            member: values
            for member, _, is_plain, values in rows
            if is_plain and values is not None and len(values) in sizes and member not in several
        }
        left = [
            MemberBlock(member, series_id, day, values)
            for member, series_id, _, values in rows
            if values is not None and member not in packed
        ]
        members = await _sources(connection, direction, day, day, left)
        return cls(day, step, {row[0] for row in rows}, packed, members)

    def intervals(self, months: Months, first: int = 0, end: int | None = None) -> list[Sums]:
        """Return what arrived of intervals of the day, from one index to another."""
        end = 1440 // self.step.minutes if end is None else end
        intervals = [Sums() for _ in range(first, end)]
        for (_, start, stop), memberships in months:
            within = range(max(first, start), min(end, stop))
            if within:
                sums = intervals[within.start - first : within.stop - first]
                self._add_packed(sums, within, memberships)
                self._add_sources(sums, within, memberships)
        return intervals

    def _add_packed(
        self,
        sums: Sequence[Sums],
        within: range,
        memberships: Mapping[MemberId, Membership],
    ) -> None:
        alike: defaultdict[tuple[Membership | None, int], list[MemberId]] = defaultdict(list)
        for member, packed in self.packed.items():
            alike[memberships.get(member), len(packed)].append(member)
        for (membership, _), members in alike.items():
            if membership is None:
                continue
            blocks = [self.packed[member] for member in members]
            columns = Block.columns(blocks, within.start, within.stop)
            for interval, (column, missing) in zip(sums, columns, strict=True):
                senders: Sequence[MemberId] = members
                values: Sequence[int] = column
                if missing in column:
                    is_sent = [value != missing for value in column]
                    senders, values = (
                        list(compress(members, is_sent)),
                        list(compress(column, is_sent)),
                    )
                if values:
                    interval.senders.update(senders)
                    cell = Cell.of(values, senders) * self.step.minutes
                    interval.cells[membership.area] += cell

    def _add_sources(
        self,
        sums: Sequence[Sums],
        within: range,
        memberships: Mapping[MemberId, Membership],
    ) -> None:
        for member, sources in self.members.items():
            membership = memberships.get(member)
            if membership is None:
                continue
            sent = part(_shown_sources(sources, membership), self.step, self.day)
            for interval, place in zip(sums, within, strict=True):
                is_missing = membership.is_collective and not sent.counts[place]
                if is_missing or sent.lacking[place]:
                    interval.without.update((membership.area, *membership.named))
                if not sent.counts[place]:
                    continue
                interval.senders.add(member)
                if membership.is_home:
                    interval.cells[membership.area] += Cell.of([sent.values[place]], [member])
                else:
                    _add(interval, membership, sent.values[place], sent.counts[place])


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The series of members in one direction, with their blocks of some UTC days."""

    members: Mapping[MemberId, Collection[SeriesValues]]

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
        return cls(await _sources(connection, direction, first, last, rows))

    def civil_day(
        self,
        day: date,
        memberships: Mapping[MemberId, Membership],
        *,
        homes_beside: Interval | None,
        public_beside: Interval | None,
    ) -> Sums:
        """Return what arrived of a civil day, from the members that have all of it.

        Homes are left out that send records of the step `homes_beside`, or a finer one: these were
        published beside the day. The same holds for other members with `public_beside`.
        """
        sums = Sums()
        parts: dict[GroupId, dict[MemberId, int]] = {}
        for member, sources in self.members.items():
            membership = memberships.get(member)
            if membership is None:
                continue
            beside = homes_beside if membership.is_home else public_beside
            shown = _shown_sources(sources, membership)
            if beside is not None and _sends(shown, beside):
                continue
            sent = civil_day(shown, day)
            if not sent.is_whole:
                continue
            sums.senders.add(member)
            if membership.is_home:
                parts.setdefault(membership.area, {})[member] = sent.watt_minutes
            else:
                _add(sums, membership, sent.watt_minutes, sent.count)
                if sent.lacks_homes:
                    sums.without.update((membership.area, *membership.named))
        sums.cells |= {
            area: Cell.of(list(values.values()), list(values)) for area, values in parts.items()
        }
        return sums


async def _sources(
    connection: AsyncConnection,
    direction: Direction,
    first: date,
    last: date,
    rows: Sequence[MemberBlock],
) -> Mapping[MemberId, Collection[SeriesValues]]:
    """Return members' series with these blocks of some days, and collectives' counts of members."""
    if not rows:
        return {}
    series = await series_of(connection, {row.series for row in rows})
    counts: dict[SeriesId, dict[date, Counts]] = {}
    for series_id, day, packed in await member_counts(connection, direction, first, last):
        counts.setdefault(series_id, {})[day] = [
            None if count is None else MemberCount.unpack(count)
            for count in Block.values_of(packed)
        ]
    days: dict[MemberId, dict[SeriesId, dict[date, Values]]] = {}
    for row in rows:
        blocks = days.setdefault(row.member, {}).setdefault(row.series, {})
        blocks[row.day] = Block.values_of(row.packed)
    return {
        member: [
            SeriesValues(series[series_id], blocks, counts.get(series_id))
            for series_id, blocks in blocks_by_series.items()
        ]
        for member, blocks_by_series in days.items()
    }


def _shown_sources(sources: Iterable[SeriesValues], membership: Membership) -> list[SeriesValues]:
    """Return the series of a member that are in sums: of a site, those that it lets be shown."""
    return [
        source
        for source in sources
        if membership.shown is None or source.series in membership.shown
    ]


def _add(sums: Sums, membership: Membership, watt_minutes: int, members: int) -> None:
    """Add public members to their groups."""
    for group in (membership.area, *membership.named):
        sums.public[group] += PublicSum(watt_minutes, members)


def _sends(sources: Iterable[SeriesValues], step: Interval) -> bool:
    return any(source.series.interval.minutes <= step.minutes for source in sources)
