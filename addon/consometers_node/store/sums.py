"""Sums of groups and days of members in the database: nobody's to read but disclosure's."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import bindparam, case, delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from ..series import Direction, Interval
from . import upsert
from .among import among
from .collective_tables import (
    GroupId,
    InGroupRow,
    MemberDayRow,
    MemberId,
    MemberRow,
    SumBlockRow,
)
from .months import make_room
from .parts import counts_in

_ROWS = select(
    SumBlockRow.group_id,
    SumBlockRow.direction,
    SumBlockRow.interval,
    SumBlockRow.day,
    SumBlockRow.kind,
    SumBlockRow.sums,
    SumBlockRow.counts,
    SumBlockRow.largest,
).where(
    among(SumBlockRow.group_id, "groups"),
    among(SumBlockRow.direction, "directions"),
    among(SumBlockRow.interval, "intervals"),
    among(SumBlockRow.day, "days"),
)
_ALONE = "SELECT pg_advisory_xact_lock(hashtext('consometers sums'))"
_ALONE_IN = "consometers_alone_in"


class SumKey(NamedTuple):
    """Which row it is. That of civil days has the first of their month as its day."""

    group: GroupId
    direction: Direction
    interval: Interval
    day: date
    kind: str
    """Which members it sums: homes, sites, or collectives."""


@dataclass(frozen=True, slots=True)
class PackedSums:
    """A row as it is kept: 8, 4 and 8 bytes for each interval. It is false if it counts nobody."""

    sums: bytes
    counts: bytes
    largest: bytes

    def __bool__(self) -> bool:
        return any(self.counts)


class MemberDay(NamedTuple):
    """What a member has of a civil day: watt-minutes, and of how many records these are known."""

    member: MemberId
    direction: Direction
    day: date
    watt_minutes: int
    records: int
    expected: int


class Spread(NamedTuple):
    """Of so many homes, a quarter, a half and three quarters have at most this, in watt-minutes."""

    homes: int
    lower: int
    median: int
    upper: int


async def alone(connection: AsyncConnection) -> None:
    """Let nobody else change sums until this transaction ends."""
    if connection.dialect.name != "postgresql":
        return
    if connection.info.get(_ALONE_IN) is not connection.get_transaction():
        await connection.execute(text(_ALONE))
        connection.info[_ALONE_IN] = connection.get_transaction()


async def packed_sums(
    connection: AsyncConnection, keys: Iterable[SumKey]
) -> dict[SumKey, PackedSums]:
    """Give these rows as they are kept, those that are there."""
    wanted = set(keys)
    # One question is answered sooner than one for each direction and interval.
    which = {
        "groups": list({key.group for key in wanted}),
        "directions": list({key.direction for key in wanted}),
        "intervals": list({key.interval for key in wanted}),
        "days": list({key.day for key in wanted}),
    }
    found = {}
    for *key, sums, counts, largest in await connection.execute(_ROWS, which):
        if (of := SumKey(*key)) in wanted:
            found[of] = PackedSums(sums, counts, largest)
    return found


async def put_sums(
    connection: AsyncConnection, rows: Mapping[SumKey, PackedSums], at: datetime
) -> None:
    """Keep these rows in place of what was there. One that counts nobody is not kept."""
    kept = [
        _columns(key)
        | {"sums": row.sums, "counts": row.counts, "largest": row.largest, "changed_at": at}
        for key, row in rows.items()
        if row
    ]
    if kept:
        await make_room(connection, SumBlockRow.__tablename__, {key.day for key in rows})
        columns = ("sums", "counts", "largest", "changed_at")
        await upsert.put(connection, SumBlockRow, kept, *columns)
    gone = [
        {f"old_{name}": value for name, value in _columns(key).items()}
        for key, row in rows.items()
        if not row
    ]
    if gone:
        await connection.execute(_DELETE_SUMS, gone)


async def put_days(connection: AsyncConnection, days: Iterable[MemberDay]) -> None:
    """Keep what members have of civil days, in place of what was there.

    A day without records is not kept.
    """
    told = list(days)
    kept = [
        {
            "member_id": day.member,
            "direction": day.direction,
            "day": day.day,
            "watt_minutes": day.watt_minutes,
            "records": day.records,
            "expected": day.expected,
        }
        for day in told
        if day.records
    ]
    await upsert.put(connection, MemberDayRow, kept, "watt_minutes", "records", "expected")
    gone = [
        {"old_member_id": day.member, "old_direction": day.direction, "old_day": day.day}
        for day in told
        if not day.records
    ]
    if gone:
        await connection.execute(_DELETE_DAYS, gone)


async def most_of_days(
    connection: AsyncConnection, key: SumKey, days: Collection[date]
) -> dict[date, int]:
    """Give the most that one member has of each of these civil days of a row."""
    query = (
        select(MemberDayRow.day, func.max(MemberDayRow.watt_minutes))
        .join(InGroupRow, InGroupRow.member_id == MemberDayRow.member_id)
        .join(MemberRow, MemberRow.id == MemberDayRow.member_id)
        .where(
            InGroupRow.group_id == key.group,
            *counts_in(key.day),
            MemberRow.kind == key.kind,
            MemberDayRow.direction == key.direction,
            MemberDayRow.day.in_(days),
            MemberDayRow.records == MemberDayRow.expected,
        )
        .group_by(MemberDayRow.day)
    )
    return dict((await connection.execute(query)).tuples().all())


async def spread(
    connection: AsyncConnection, group: GroupId, direction: Direction, first: date, last: date
) -> Spread | None:
    """Tell how homes of a group differ in what they have of a day, from one to another, included.

    It is the mean of the days of which a home has everything; homes with less than half as many of
    these as another one are left out. The days are of one month. None where there is no home.
    """
    mine = (
        select(
            func.count().label("days"),
            (func.sum(MemberDayRow.watt_minutes) / func.count()).label("mean"),
        )
        .join(InGroupRow, InGroupRow.member_id == MemberDayRow.member_id)
        .join(MemberRow, MemberRow.id == MemberDayRow.member_id)
        .where(
            InGroupRow.group_id == group,
            *counts_in(first.replace(day=1)),
            MemberRow.kind == "home",
            MemberDayRow.direction == direction,
            MemberDayRow.day.between(first, last),
            MemberDayRow.records == MemberDayRow.expected,
        )
        .group_by(MemberDayRow.member_id)
        .cte("mine")
    )
    most = select(func.max(mine.c.days)).scalar_subquery()
    ranked = (
        select(
            mine.c.mean,
            func.row_number().over(order_by=mine.c.mean).label("place"),
            func.count().over().label("homes"),
        )
        .where(mine.c.days * 2 >= most)
        .cte("ranked")
    )
    places = [(ranked.c.homes * quarters + 3) // 4 for quarters in (1, 2, 3)]
    query = select(
        func.max(ranked.c.homes),
        *(func.max(case((ranked.c.place == place, ranked.c.mean))) for place in places),
    )
    homes, *values = (await connection.execute(query)).one()
    return None if homes is None else Spread(homes, *map(int, values))


def _columns(key: SumKey) -> dict[str, object]:
    return {
        "group_id": key.group,
        "direction": key.direction,
        "interval_minutes": key.interval,
        "day": key.day,
        "kind": key.kind,
    }


_SUMS = SumBlockRow.__table__
_DAYS = MemberDayRow.__table__
_DELETE_SUMS, _DELETE_DAYS = (
    delete(table).where(
        *(column == bindparam(f"old_{column.name}") for column in table.primary_key)
    )
    for table in (
        SumBlockRow.metadata.tables["sum_block"],
        SumBlockRow.metadata.tables["member_day"],
    )
)
