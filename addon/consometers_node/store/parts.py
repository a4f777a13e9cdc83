"""What sums are made of: which members count where, and what they let this collective read."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    case,
    distinct,
    exists,
    false,
    func,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from ..series import Direction, Series
from .among import among
from .collective_tables import (
    DeviceClaimRow,
    GivenRow,
    GivenSeriesRow,
    GroupId,
    InGroupRow,
    MemberId,
    MemberRow,
)
from .series import SERIES_FACTS
from .tables import BlockRow, MemberCountRow, SeriesId, SeriesRow

# What each message of members asks for is made once: to make it takes longer than to ask.
_KINDS = select(MemberRow.id, MemberRow.kind).where(among(MemberRow.id, "members"))
_STAYS = (
    select(InGroupRow.member_id, InGroupRow.group_id, InGroupRow.from_month, InGroupRow.until_month)
    .where(among(InGroupRow.member_id, "members"))
    .order_by(InGroupRow.group_id)
)
_UNCOUNTED = (
    exists()
    .where(
        DeviceClaimRow.device == SeriesRow.device,
        DeviceClaimRow.member_id == GivenRow.member_id,
        DeviceClaimRow.counts == 0,
    )
    .correlate(SeriesRow, GivenRow)
)
_TOLD = (
    select(GivenRow.member_id, SeriesRow.id, case((_UNCOUNTED, 0), else_=1), *SERIES_FACTS)
    .join(GivenSeriesRow, GivenSeriesRow.given_id == GivenRow.id)
    .join(SeriesRow, SeriesRow.id == GivenSeriesRow.series_id)
    .where(
        among(GivenRow.member_id, "members"),
        among(SeriesRow.direction, "directions"),
    )
    .distinct()
)
_PACKED = {
    table: select(table.series_id, table.day, table.packed).where(
        among(table.series_id, "numbers"),
        table.day.between(bindparam("first"), bindparam("last")),
    )
    for table in (BlockRow, MemberCountRow)
}


@dataclass(frozen=True, slots=True)
class Told:
    """A series that a member lets this collective read, or did.

    It counts in no sum while another member's of the same device does: see `claims`.
    """

    member: MemberId
    number: SeriesId
    series: Series
    counts: bool


@dataclass(frozen=True, slots=True)
class Stay:
    """A member counts in a group in these months; the end is not in."""

    group: GroupId
    from_month: date
    until_month: date | None

    def __contains__(self, month: date) -> bool:
        return self.from_month <= month and (self.until_month is None or month < self.until_month)


async def kinds(connection: AsyncConnection, members: Collection[MemberId]) -> dict[MemberId, str]:
    """Give of each member whether it is a home, a site or a collective."""
    found = await connection.execute(_KINDS, {"members": list(members)})
    return dict(found.tuples().all())


async def stays(
    connection: AsyncConnection, members: Collection[MemberId]
) -> dict[MemberId, tuple[Stay, ...]]:
    """Give in which groups members count, and when."""
    found: dict[MemberId, list[Stay]] = {member: [] for member in members}
    for member, *stay in await connection.execute(_STAYS, {"members": list(members)}):
        found[member].append(Stay(*stay))
    return {member: tuple(of_it) for member, of_it in found.items()}


async def members_in(
    connection: AsyncConnection,
    group: GroupId,
    kind: str,
    month: date,
    *,
    after: MemberId | None,
    limit: int,
) -> list[MemberId]:
    """Give the members of a kind that count in a group in a month, some at a time, in order."""
    query = (
        select(InGroupRow.member_id)
        .join(MemberRow, MemberRow.id == InGroupRow.member_id)
        .where(
            InGroupRow.group_id == group,
            *counts_in(month),
            MemberRow.kind == kind,
            InGroupRow.member_id > (after or 0),
        )
        .order_by(InGroupRow.member_id)
        .limit(limit)
    )
    return list((await connection.execute(query)).scalars())


async def told(
    connection: AsyncConnection,
    members: Collection[MemberId],
    directions: Collection[Direction],
) -> list[Told]:
    """Give all series of these members in these directions, each once."""
    whose = {"members": list(members), "directions": list(directions)}
    rows = await connection.execute(_TOLD, whose)
    return [
        Told(member, number, Series(*facts), bool(counts))
        for member, number, counts, *facts in rows
    ]


async def packed(
    connection: AsyncConnection,
    table: type[BlockRow | MemberCountRow],
    numbers: Collection[SeriesId],
    first: date,
    last: date,
) -> list[tuple[SeriesId, date, bytes]]:
    """Give what is kept of these series from one UTC day to another, both included."""
    which = {"numbers": list(numbers), "first": first, "last": last}
    return list((await connection.execute(_PACKED[table], which)).tuples())


async def oldest_told(
    connection: AsyncConnection,
    numbers: Collection[SeriesId],
    before: Mapping[SeriesId, date],
) -> date | None:
    """Give the first UTC day of which there is a block of these series, of some before a day."""
    of_each = [
        and_(BlockRow.series_id == number, BlockRow.day < before.get(number, date.max))
        for number in numbers
    ]
    query = select(func.min(BlockRow.day)).where(or_(false(), *of_each))
    return (await connection.execute(query)).scalar_one()


async def days_told(connection: AsyncConnection, numbers: Collection[SeriesId]) -> set[date]:
    """Give the UTC days of which there are blocks of these series."""
    query = select(distinct(BlockRow.day)).where(BlockRow.series_id.in_(numbers))
    return set((await connection.execute(query)).scalars())


def counts_in(month: date) -> tuple[ColumnElement[bool], ...]:
    """Say of a row of `in_group` that it has this month."""
    until = InGroupRow.until_month
    return InGroupRow.from_month <= month, or_(until.is_(None), until > month)
