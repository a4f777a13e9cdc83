"""The inputs of sums: which members count where, and their blocks."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import batched, chain, islice, repeat
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    FromClause,
    ScalarSelect,
    Select,
    Text,
    and_,
    bindparam,
    func,
    null,
    outerjoin,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.types import NullType

from consometers_node.series import Direction, Interval, Quantity, Series
from consometers_node.store.engine.any_of import among
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.engine.types import Day, Minutes, words
from consometers_node.store.series import OWN, SERIES_FACTS
from consometers_node.store.tables import BlockRow, MemberCountRow, SeriesId, SeriesRow

from .groups import Group, GroupKind, counts_in
from .shown import shown_series
from .tables import (
    DeviceClaimRow,
    GroupId,
    GroupMembershipRow,
    MemberGroupRow,
    MemberId,
    MemberPermissionRow,
    MemberPermissionSeriesRow,
    MemberRow,
)

_AT_ONCE, _A_FEW = 1_000, 4
_NUMBERED = select(SeriesRow.id, *SERIES_FACTS).where(among(numbers=SeriesRow.id))


@dataclass(frozen=True, slots=True, eq=False)
class Membership:
    """Where members count in a month: in a commune or the rest, and a site in its own groups too.

    All homes of a commune share one object. `is_home` is whether a member is hidden among homes: a
    site is, before the month from which it is shown. Of a site, `shown` are the series that it lets
    be shown under its name.
    """

    area: GroupId
    is_home: bool = True
    named: tuple[GroupId, ...] = ()
    shown: frozenset[Series] | None = None

    @property
    def is_collective(self) -> bool:
        """Whether the member brings sums of its own members."""
        return not self.is_home and self.shown is None

    def may_send(self, direction: Direction, step: Interval) -> bool:
        """Return whether sums may have records of a step, or a finer one, that it sends."""
        return self.shown is None or any(
            series.direction is direction and series.interval.minutes <= step.minutes
            for series in self.shown
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


def _with_blocks(those: ColumnElement[bool]) -> FromClause:
    """Join series and blocks so that each series looks for its own.

    SQLite would look through all blocks of all years instead.
    """
    return outerjoin(SeriesRow, BlockRow, and_(BlockRow.series_id == SeriesRow.id, those))


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
_OTHERS = select(MemberRow.id).where(MemberRow.kind != "home")


_MEMBERS = func.aggregate_strings(GroupMembershipRow.member_id.cast(Text), separator=",")
_IN_GROUP = and_(
    GroupMembershipRow.group_id == MemberGroupRow.id, counts_in(bindparam("month", type_=Day))
)
# One row a group, with its members: a row for each member would take three times as long. Without a
# group come the members that are collectives.
_GROUPS_WITH_MEMBERS: CompoundSelect[Any] = union_all(
    select(MemberGroupRow.id, MemberGroupRow.kind, MemberGroupRow.name, _MEMBERS)
    .select_from(outerjoin(MemberGroupRow, GroupMembershipRow, _IN_GROUP))
    .group_by(MemberGroupRow.id),
    select(null(), null(), null(), MemberRow.id.cast(Text)).where(MemberRow.kind == "collective"),
)


async def groups_and_memberships(
    connection: AsyncConnection, month: date, at: datetime
) -> tuple[list[Group], dict[MemberId, Membership]]:
    """Return every group, past or present, and where each member counts in a month.

    A site that does not let itself be shown at that instant counts nowhere: in this month it hides
    nobody, and is hidden by nobody.
    """
    groups: list[Group] = []
    by_member: dict[MemberId, Membership] = {}
    named: dict[MemberId, tuple[GroupId, ...]] = {}
    collectives: list[MemberId] = []
    rows = await connection.execute(_GROUPS_WITH_MEMBERS, {"month": month})
    for group_id, kind, name, members in rows:
        ids = map(MemberId, map(int, members.split(",") if members else ()))
        if group_id is None:
            collectives += ids
            continue
        groups.append(group := Group(group_id, GroupKind(kind), name))
        if group.kind in (GroupKind.SITE, GroupKind.BUILDING):
            named |= {member: (*named.get(member, ()), group.id) for member in ids}
        elif members:
            by_member |= dict.fromkeys(ids, Membership(group.id))
    for member in by_member.keys() & collectives:
        by_member[member] = Membership(by_member[member].area, is_home=False)
    shown = await shown_series(connection, at) if named else {}
    for member, own in named.items():
        of_month = by_member.pop(member, None)
        if of_month is not None and member in shown:
            by_member[member] = Membership(of_month.area, False, own, frozenset(shown[member]))
    return groups, by_member


_PACKED_DAY = (
    select(
        SeriesRow.member_id.label("member"),
        SeriesRow.id.label("series"),
        # Without their types' processors, which would be called for each row.
        type_coerce(
            and_(
                SeriesRow.interval == bindparam("step", type_=Minutes),
                SeriesRow.quantity == Quantity.POWER,
                SeriesRow.member_id.not_in(_OTHERS),
            ),
            NullType(),
        ).label("is_plain"),
        type_coerce(BlockRow.packed, NullType()).label("packed"),
    )
    .select_from(_with_blocks(BlockRow.day == bindparam("day", type_=Day)))
    .where(
        SeriesRow.direction == bindparam("direction", type_=words(Direction)), _OF_MEMBERS, _COUNTS
    )
)


async def packed_day(
    connection: AsyncConnection, direction: Direction, day: date, step: Interval
) -> Sequence[PackedDay]:
    """Return the blocks of a UTC day of all series that members have in a direction."""
    values = {"direction": direction, "day": day, "step": step}
    return cast("Sequence[PackedDay]", (await connection.execute(_PACKED_DAY, values)).all())


async def senders(connection: AsyncConnection, direction: Direction) -> set[MemberId]:
    """Return the members that have series in a direction."""
    query = select(SeriesRow.member_id).where(
        SeriesRow.direction == direction, _OF_MEMBERS, _COUNTS
    )
    return set(map(MemberId, (await connection.execute(query)).scalars()))


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
    """Return the member counts of the values of collectives, packed as their blocks are."""
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
    connection: AsyncConnection, series_ids: Collection[SeriesId]
) -> dict[SeriesId, Series]:
    """Return some series by their numbers."""
    by_id = {}
    for some in batched(series_ids, _AT_ONCE, strict=False):
        for series_id, *facts in await connection.execute(_NUMBERED, {"numbers": some}):
            by_id[series_id] = Series(*facts)
    return by_id


async def series_of_member(connection: AsyncConnection, member: MemberId) -> dict[SeriesId, Series]:
    """Return the series that a member lets, or let, this collective read."""
    query = (
        select(SeriesRow.id, *SERIES_FACTS)
        .select_from(SeriesRow)
        .join(MemberPermissionSeriesRow)
        .join(MemberPermissionRow)
        .where(MemberPermissionRow.member_id == member)
        .distinct()
    )
    return {series_id: Series(*facts) for series_id, *facts in await connection.execute(query)}


def first_block(direction: Direction) -> ScalarSelect[date]:
    """Return the first UTC day of which members have a block in a direction, as a column."""
    first = select(func.min(BlockRow.day)).where(BlockRow.series_id == SeriesRow.id)
    query = select(func.min(first.scalar_subquery()))
    return query.where(SeriesRow.direction == direction, _OF_MEMBERS).scalar_subquery()


_FIRST_BLOCKS = select(*map(first_block, Direction))


async def first_blocks(connection: AsyncConnection) -> dict[Direction, date]:
    """Return the first UTC day of which members have a block, by direction."""
    days = (await connection.execute(_FIRST_BLOCKS)).one()
    return {way: day for way, day in zip(Direction, days, strict=True) if day is not None}


def _expected[T: tuple[Any, ...]](query: Select[T]) -> Select[T]:
    """Restrict series of a direction to those of which new records are expected."""
    since = bindparam("since", type_=Day)
    recent = select(BlockRow.day).where(BlockRow.series_id == SeriesRow.id, BlockRow.day >= since)
    return (
        query.select_from(SeriesRow)
        .join(MemberPermissionSeriesRow)
        .join(MemberPermissionRow)
        .where(
            SeriesRow.direction == bindparam("direction", type_=words(Direction)),
            MemberPermissionRow.state == "granted",
            MemberPermissionRow.valid_until
            > bindparam("at", type_=MemberPermissionRow.valid_until.type),
            MemberPermissionSeriesRow.backfilled_until.is_not(None),
            recent.exists(),
        )
    )


_EXPECTED_AMONG = _expected(select(SeriesRow.member_id)).where(
    SeriesRow.interval <= bindparam("step", type_=Minutes), among(members=SeriesRow.member_id)
)
_FINEST_OF_EXPECTED = _expected(
    select(SeriesRow.member_id, func.min(SeriesRow.interval)).group_by(SeriesRow.member_id)
)


@dataclass(frozen=True, slots=True)
class Expected:
    """The members from which records in a direction are expected.

    Their permission runs, they have a block since a UTC day, and their last weeks were asked for.
    """

    direction: Direction
    at: datetime
    since: date

    async def finest(self, connection: AsyncConnection) -> dict[MemberId, Interval]:
        """Return all of them, with their finest step."""
        rows = await connection.execute(_FINEST_OF_EXPECTED, self._values())
        return {MemberId(member): step for member, step in rows}

    async def is_anybody(
        self, connection: AsyncConnection, step: Interval, members: Collection[MemberId]
    ) -> bool:
        """Return whether one of these members is expected to send a step, or a finer one."""
        rest = iter(members)
        # Mostly one of the first is.
        for size in chain((_A_FEW,), repeat(_AT_ONCE)):
            some = list(islice(rest, size))
            if not some:
                return False
            if await self.among(connection, step, some):
                return True
        raise AssertionError

    async def among(
        self, connection: AsyncConnection, step: Interval, members: Collection[MemberId]
    ) -> set[MemberId]:
        """Return which of these members are expected to send a step, or a finer one."""
        expected: set[MemberId] = set()
        for some in batched(members, _AT_ONCE, strict=False):
            values = self._values() | {"step": step, "members": some}
            rows = await connection.execute(_EXPECTED_AMONG, values)
            expected.update(map(MemberId, rows.scalars()))
        return expected

    def _values(self) -> dict[str, object]:
        """Return the parameters of the statements."""
        return {
            "direction": self.direction,
            "at": self.at,
            "since": self.since,
        }
