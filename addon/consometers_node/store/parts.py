"""What sums are made of: which members count where, and their blocks."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from ..series import Direction, Interval, Range, Series
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
from .series import SERIES_FACTS
from .shown import shown_series
from .tables import BlockRow, MemberCountRow, SeriesId, SeriesRow


@dataclass(frozen=True, slots=True)
class Membership:
    """What a member is, and in which groups it counts in a month, by their kind.

    Of a site, `shown` are the series that it lets be shown under its name.
    """

    kind: str
    groups: dict[str, GroupId]
    shown: frozenset[Series] | None = None

    @property
    def is_home(self) -> bool:
        """Whether it is hidden among homes: a site is, before the month from which it is shown."""
        return self.kind != "collective" and "site" not in self.groups


class MemberBlock(NamedTuple):
    """A packed block of a member; of a collective, `counts` says how many members it sums."""

    member: MemberId
    series: SeriesId
    day: date
    packed: bytes
    counts: bytes | None


async def memberships(
    connection: AsyncConnection, month: date, at: datetime
) -> dict[MemberId, Membership]:
    """Return what each member that counts in a month is, and its groups by their kind.

    A site that does not let itself be shown at that instant counts nowhere: in this month it hides
    nobody, and is hidden by nobody.
    """
    query = (
        select(MemberRow.id, MemberRow.kind, MemberGroupRow.kind, MemberGroupRow.id)
        .join(InGroupRow, InGroupRow.member_id == MemberRow.id)
        .join(MemberGroupRow, MemberGroupRow.id == InGroupRow.group_id)
        .where(*counts_in(month))
    )
    found: dict[MemberId, Membership] = {}
    for member, kind, group_kind, group in await connection.execute(query):
        found.setdefault(member, Membership(kind, {})).groups[group_kind] = group
    shown = await shown_series(connection, at)
    for member, of in [one for one in found.items() if "site" in one[1].groups]:
        if of.kind == "site" and member in shown:
            found[member] = replace(of, shown=frozenset(shown[member]))
        else:
            del found[member]
    return found


async def member_blocks(
    connection: AsyncConnection, direction: Direction, first: date, last: date
) -> list[MemberBlock]:
    """Return the blocks of all members in a direction, from one UTC day to another, included."""
    counted = and_(
        MemberCountRow.series_id == BlockRow.series_id, MemberCountRow.day == BlockRow.day
    )
    query = (
        select(
            GivenRow.member_id,
            BlockRow.series_id,
            BlockRow.day,
            BlockRow.packed,
            MemberCountRow.packed,
        )
        .select_from(GivenSeriesRow)
        .join(GivenRow, GivenRow.id == GivenSeriesRow.given_id)
        .join(SeriesRow, SeriesRow.id == GivenSeriesRow.series_id)
        .join(BlockRow, BlockRow.series_id == SeriesRow.id)
        .join(MemberCountRow, counted, isouter=True)
        .where(
            SeriesRow.direction == direction,
            BlockRow.day.between(first, last),
            # A device that another member names too counts once: see `claims`.
            ~exists().where(
                DeviceClaimRow.device == SeriesRow.device,
                DeviceClaimRow.member_id == GivenRow.member_id,
                DeviceClaimRow.counts == 0,
            ),
        )
    )
    return [MemberBlock(*row) for row in await connection.execute(query)]


async def member_series(
    connection: AsyncConnection, direction: Direction
) -> dict[SeriesId, Series]:
    """Return all series of members in a direction."""
    query = select(SeriesRow.id, *SERIES_FACTS).where(
        SeriesRow.direction == direction,
        select(GivenSeriesRow.given_id).where(GivenSeriesRow.series_id == SeriesRow.id).exists(),
    )
    return {number: Series(*facts) for number, *facts in await connection.execute(query)}


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
    mine = select(GivenSeriesRow.given_id).where(GivenSeriesRow.series_id == SeriesRow.id).exists()
    first = select(func.min(BlockRow.day)).where(BlockRow.series_id == SeriesRow.id)
    query = select(func.min(first.scalar_subquery())).where(SeriesRow.direction == direction, mine)
    return (await connection.execute(query)).scalar_one()


async def expected_members(
    connection: AsyncConnection, direction: Direction, at: datetime, since: date
) -> dict[MemberId, Interval]:
    """Return the members from which records are expected, with their finest step.

    Their permission runs, they have a block since a UTC day, and all of their past was asked for.
    """
    recent = (
        select(BlockRow.day)
        .where(BlockRow.series_id == GivenSeriesRow.series_id, BlockRow.day >= since)
        .exists()
    )
    query = (
        select(GivenRow.member_id, func.min(SeriesRow.interval))
        .join(GivenSeriesRow, GivenSeriesRow.given_id == GivenRow.id)
        .join(SeriesRow, SeriesRow.id == GivenSeriesRow.series_id)
        .where(
            GivenRow.state == "granted",
            GivenRow.valid_until > at,
            SeriesRow.direction == direction,
            GivenSeriesRow.asked_until >= Range.of_day(since).start,
            recent,
        )
        .group_by(GivenRow.member_id)
    )
    return dict((await connection.execute(query)).tuples().all())


async def homes_by_group(
    connection: AsyncConnection, month: date, direction: Direction | None = None
) -> dict[GroupId, int]:
    """Return how many homes count in each group in a month, of those that send a direction."""
    as_site = aliased(InGroupRow)
    shown = (
        select(as_site.member_id)
        .join(MemberGroupRow, MemberGroupRow.id == as_site.group_id)
        .where(
            as_site.member_id == MemberRow.id,
            MemberGroupRow.kind == "site",
            as_site.from_month <= month,
            or_(as_site.until_month.is_(None), as_site.until_month > month),
        )
    )
    query = (
        select(InGroupRow.group_id, func.count())
        .join(MemberRow, MemberRow.id == InGroupRow.member_id)
        .where(MemberRow.kind != "collective", ~shown.exists(), *counts_in(month))
        .group_by(InGroupRow.group_id)
    )
    if direction is not None:
        sends = (
            select(GivenRow.id)
            .join(GivenSeriesRow, GivenSeriesRow.given_id == GivenRow.id)
            .join(SeriesRow, SeriesRow.id == GivenSeriesRow.series_id)
            .where(GivenRow.member_id == MemberRow.id, SeriesRow.direction == direction)
        )
        query = query.where(sends.exists())
    return dict((await connection.execute(query)).tuples().all())


def counts_in(month: date) -> tuple[ColumnElement[bool], ...]:
    """Say of a row of `in_group` that it has this month."""
    until = InGroupRow.until_month
    return InGroupRow.from_month <= month, or_(until.is_(None), until > month)
