"""What sums are made of: which members count where, and their blocks."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import batched
from typing import Any, NamedTuple, cast

from sqlalchemy import ColumnElement, FromClause, Select, and_, func, or_, outerjoin, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ..series import Direction, Interval, Quantity, Range, Series
from .among import among
from .collective_tables import (
    DeviceClaimRow,
    GivenRow,
    GivenSeriesRow,
    GroupId,
    InGroupRow,
    MemberGroupRow,
    MemberId,
    MemberRow,
)
from .series import OWN, SERIES_FACTS
from .shown import shown_series
from .tables import BlockRow, MemberCountRow, SeriesId, SeriesRow

_AT_ONCE, _A_FEW = 1_000, 100
_NUMBERED = select(SeriesRow.id, *SERIES_FACTS).where(among(SeriesRow.id, "numbers"))


@dataclass(frozen=True, slots=True, eq=False)
class Membership:
    """What members are, and in which groups they count in a month, by the groups' kinds.

    It is the same object for all homes of a commune. Of a site, `shown` are the series that it lets
    be shown under its name.
    """

    kind: str
    groups: Mapping[str, GroupId]
    shown: frozenset[Series] | None = None

    @property
    def is_home(self) -> bool:
        """Whether it is hidden among homes: a site is, before the month from which it is shown."""
        return self.kind != "collective" and "site" not in self.groups

    def may_send(self, direction: Direction, step: Interval) -> bool:
        """Return whether sums may have records of a step, or a finer one, that it sends."""
        return self.shown is None or any(
            one.direction is direction and one.interval.minutes <= step.minutes
            for one in self.shown
        )


class MemberBlock(NamedTuple):
    """A packed block of a member."""

    member: MemberId
    series: SeriesId
    day: date
    packed: bytes


class PackedDay(NamedTuple):
    """A series of a member, with its packed block of a day if there is one.

    `is_plain` where its values are mean powers of a home, at the step that is asked for.
    """

    member: MemberId
    series: SeriesId
    is_plain: bool
    packed: bytes | None


_OF_MEMBERS = SeriesRow.member_id != OWN
_COUNTS = SeriesRow.id.not_in(
    select(SeriesRow.id)
    .join(
        DeviceClaimRow,
        and_(
            DeviceClaimRow.device == SeriesRow.device,
            DeviceClaimRow.member_id == SeriesRow.member_id,
        ),
    )
    .where(DeviceClaimRow.counts == 0)
)
"""A device that another member names too counts once: see `claims`."""
_KINDS_OF_GROUPS = select(MemberGroupRow.id, MemberGroupRow.kind)
_NO_HOMES = select(MemberRow.id, MemberRow.kind).where(MemberRow.kind != "home")
_OTHERS = select(MemberRow.id).where(MemberRow.kind != "home")


async def memberships(
    connection: AsyncConnection, month: date, at: datetime
) -> dict[MemberId, Membership]:
    """Return what each member that counts in a month is, and its groups by their kind.

    A site that does not let itself be shown at that instant counts nowhere: in this month it hides
    nobody, and is hidden by nobody.
    """
    kinds = dict((await connection.execute(_KINDS_OF_GROUPS)).tuples().all())
    others = dict((await connection.execute(_NO_HOMES)).tuples().all())
    shown = await shown_series(connection, at)
    # Of most members that is all of their groups: everybody's, and a commune's.
    group = InGroupRow.group_id
    query = (
        select(InGroupRow.member_id, func.min(group), func.max(group), func.count())
        .where(*counts_in(month))
        .group_by(InGroupRow.member_id)
    )
    groups: dict[MemberId, tuple[GroupId, ...]] = {}
    in_more: list[MemberId] = []
    for member, first, last, count in await connection.execute(query):
        groups[member] = first, last
        if count > 2:
            in_more.append(member)
    each = select(InGroupRow.member_id, group).where(
        *counts_in(month), among(InGroupRow.member_id, "members")
    )
    for some in batched(in_more, _AT_ONCE, strict=False):
        for member, one in await connection.execute(each, {"members": some}):
            groups[member] += (one,)
    shared: dict[tuple[str, tuple[GroupId, ...]], Membership] = {}
    found: dict[MemberId, Membership] = {}
    for member, those in groups.items():
        key = others.get(member, "home"), those
        if key not in shared:
            shared[key] = Membership(key[0], {kinds[one]: one for one in those})
        of = shared[key]
        if "site" not in of.groups:
            found[member] = of
        elif of.kind == "site" and member in shown:
            found[member] = replace(of, shown=frozenset(shown[member]))
    return found


async def packed_day(
    connection: AsyncConnection, direction: Direction, day: date, step: Interval
) -> Sequence[PackedDay]:
    """Return the blocks of a UTC day of all series that members have in a direction."""
    is_plain = and_(
        SeriesRow.interval == step,
        SeriesRow.quantity == Quantity.POWER,
        SeriesRow.member_id.not_in(_OTHERS),
    )
    query = (
        select(
            SeriesRow.member_id.label("member"),
            SeriesRow.id.label("series"),
            is_plain.label("is_plain"),
            BlockRow.packed,
        )
        .select_from(_with_blocks(BlockRow.day == day))
        .where(SeriesRow.direction == direction, _OF_MEMBERS, _COUNTS)
    )
    return cast("Sequence[PackedDay]", (await connection.execute(query)).all())


async def member_blocks(
    connection: AsyncConnection,
    direction: Direction,
    first: date,
    last: date,
    coarser_than: Interval | None = None,
) -> list[MemberBlock]:
    """Return the blocks of all members in a direction, from one UTC day to another, included.

    With `coarser_than`, only members with a series of a longer step are read.
    """
    within = BlockRow.day.between(first, last)
    query = (
        select(SeriesRow.member_id, SeriesRow.id, BlockRow.day, BlockRow.packed)
        .select_from(_with_blocks(within))
        .where(SeriesRow.direction == direction, _OF_MEMBERS, _COUNTS)
    )
    if coarser_than is not None:
        coarse = select(SeriesRow.member_id).where(
            SeriesRow.direction == direction, SeriesRow.interval > coarser_than
        )
        query = query.where(SeriesRow.member_id.in_(coarse))
    rows = await connection.execute(query)
    return [MemberBlock(*row) for row in rows if row.packed is not None]


async def member_counts(
    connection: AsyncConnection, direction: Direction, first: date, last: date
) -> list[tuple[SeriesId, date, bytes]]:
    """Return how many members the values of collectives sum, packed as their blocks are."""
    query = (
        select(SeriesRow.id, MemberCountRow.day, MemberCountRow.packed)
        .join(MemberRow, MemberRow.id == SeriesRow.member_id)
        .join(MemberCountRow, MemberCountRow.series_id == SeriesRow.id)
        .where(
            MemberRow.kind == "collective",
            SeriesRow.direction == direction,
            MemberCountRow.day.between(first, last),
        )
    )
    return list((await connection.execute(query)).tuples())


async def series_of(
    connection: AsyncConnection, numbers: Collection[SeriesId]
) -> dict[SeriesId, Series]:
    """Return some series by their numbers."""
    found = {}
    for some in batched(numbers, _AT_ONCE, strict=False):
        for number, *facts in await connection.execute(_NUMBERED, {"numbers": some}):
            found[number] = Series(*facts)
    return found


async def series_of_member(connection: AsyncConnection, member: MemberId) -> dict[SeriesId, Series]:
    """Return the series that a member lets this collective read, or did."""
    query = (
        select(SeriesRow.id, *SERIES_FACTS)
        .join(GivenSeriesRow, GivenSeriesRow.series_id == SeriesRow.id)
        .join(GivenRow, GivenRow.id == GivenSeriesRow.given_id)
        .where(GivenRow.member_id == member)
        .distinct()
    )
    return {number: Series(*facts) for number, *facts in await connection.execute(query)}


async def first_block(connection: AsyncConnection, direction: Direction) -> date | None:
    """Return the first UTC day of which a member has a block in a direction."""
    first = select(func.min(BlockRow.day)).where(BlockRow.series_id == SeriesRow.id)
    query = select(func.min(first.scalar_subquery())).where(
        SeriesRow.direction == direction, _OF_MEMBERS
    )
    return (await connection.execute(query)).scalar_one()


@dataclass(frozen=True, slots=True)
class Expected:
    """The members from which records in a direction are expected.

    Their permission runs, they have a block since a UTC day, and all of their past was asked for.
    """

    direction: Direction
    at: datetime
    since: date

    async def finest(self, connection: AsyncConnection) -> dict[MemberId, Interval]:
        """Return all of them, with their finest step."""
        query = self._only(select(SeriesRow.member_id, func.min(SeriesRow.interval)))
        rows = await connection.execute(query.group_by(SeriesRow.member_id))
        return {MemberId(member): step for member, step in rows}

    async def is_anybody(
        self, connection: AsyncConnection, step: Interval, members: Collection[MemberId]
    ) -> bool:
        """Return whether one of these members is expected to send a step, or a finer one."""
        for some in batched(members, _A_FEW, strict=False):
            if await self.among(connection, step, some):
                return True
        return False

    async def among(
        self, connection: AsyncConnection, step: Interval, members: Collection[MemberId]
    ) -> set[MemberId]:
        """Return who of these members is expected to send a step, or a finer one."""
        query = self._only(select(SeriesRow.member_id))
        query = query.where(SeriesRow.interval <= step, among(SeriesRow.member_id, "members"))
        found: set[MemberId] = set()
        for some in batched(members, _AT_ONCE, strict=False):
            rows = await connection.execute(query, {"members": some})
            found.update(map(MemberId, rows.scalars()))
        return found

    def _only[T: tuple[Any, ...]](self, query: Select[T]) -> Select[T]:
        recent = (
            select(BlockRow.day)
            .where(BlockRow.series_id == SeriesRow.id, BlockRow.day >= self.since)
            .exists()
        )
        return (
            query.join(GivenSeriesRow, GivenSeriesRow.series_id == SeriesRow.id)
            .join(GivenRow, GivenRow.id == GivenSeriesRow.given_id)
            .where(
                SeriesRow.direction == self.direction,
                GivenRow.state == "granted",
                GivenRow.valid_until > self.at,
                GivenSeriesRow.asked_until >= Range.of_day(self.since).start,
                recent,
            )
        )


async def homes_by_group(
    connection: AsyncConnection, month: date, direction: Direction | None = None
) -> dict[GroupId, int]:
    """Return how many homes count in each group in a month, of those that send a direction."""
    # Each list is made once: whether each home is in it, asked by itself, takes ten times as long.
    sites = (
        select(InGroupRow.member_id)
        .join(MemberGroupRow, MemberGroupRow.id == InGroupRow.group_id)
        .where(MemberGroupRow.kind == "site", *counts_in(month))
    )
    collectives = select(MemberRow.id).where(MemberRow.kind == "collective")
    query = (
        select(InGroupRow.group_id, func.count())
        .where(
            InGroupRow.member_id.not_in(collectives),
            InGroupRow.member_id.not_in(sites),
            *counts_in(month),
        )
        .group_by(InGroupRow.group_id)
    )
    if direction is not None:
        sends = select(SeriesRow.member_id).where(SeriesRow.direction == direction)
        query = query.where(InGroupRow.member_id.in_(sends))
    return dict((await connection.execute(query)).tuples().all())


def _with_blocks(those: ColumnElement[bool]) -> FromClause:
    """Join series and blocks so that each series looks for its own.

    SQLite would look through all blocks of all years instead.
    """
    return outerjoin(SeriesRow, BlockRow, and_(BlockRow.series_id == SeriesRow.id, those))


def counts_in(month: date) -> tuple[ColumnElement[bool], ...]:
    """Say of a row of `in_group` that it has this month."""
    until = InGroupRow.until_month
    return InGroupRow.from_month <= month, or_(until.is_(None), until > month)
