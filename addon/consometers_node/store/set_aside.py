"""Records that are not believed, beside those that are: they are in no block, so in no sum."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import InstrumentedAttribute

from ..series import Record, Series
from . import upsert
from .any_of import among
from .collective_tables import MemberId, SetAsideRow
from .series import SERIES_FACTS
from .tables import SeriesId, SeriesRow

_PLACES = select(SetAsideRow.series_id, SetAsideRow.start).where(
    among(SetAsideRow.series_id, "numbers")
)

type Place = tuple[SeriesId, datetime]
"""Of which series a record is, and when it starts."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """A record that is not believed; `left_out_at` is when it was decided that it stays so."""

    number: SeriesId
    series: Series
    record: Record
    came_at: datetime
    left_out_at: datetime | None


async def set_aside(
    connection: AsyncConnection,
    member: MemberId,
    values: Mapping[Place, int],
    at: datetime,
    *,
    most: int,
) -> None:
    """Store records of a member apart, at most so many. A corrected value is decided again."""
    same = await of_member(connection, member)
    known = {(one.number, one.record.start): one.record.value for one in same}
    new = sorted(values.keys() - known.keys())[: max(0, most - len(known))]
    rows = [
        {
            "series_id": number,
            "start": start,
            "value": value,
            "came_at": at,
            "left_out_at": None,
        }
        for (number, start), value in values.items()
        if (number, start) in new or known.get((number, start), value) != value
    ]
    await upsert.put(connection, SetAsideRow, rows, "value", "came_at", "left_out_at")


async def remove(connection: AsyncConnection, places: Iterable[Place]) -> None:
    """Remove what is not to be set aside any longer."""
    starts: dict[SeriesId, list[datetime]] = {}
    for number, start in places:
        starts.setdefault(number, []).append(start)
    for number, some in starts.items():
        gone = SetAsideRow.series_id == number, SetAsideRow.start.in_(some)
        await connection.execute(delete(SetAsideRow).where(*gone))


async def remove_before(connection: AsyncConnection, number: SeriesId, start: datetime) -> None:
    """Remove what of a series starts before then."""
    gone = SetAsideRow.series_id == number, SetAsideRow.start < start
    await connection.execute(delete(SetAsideRow).where(*gone))


async def leave_out(connection: AsyncConnection, member: MemberId, at: datetime) -> int:
    """Store that all of a member's that is set aside stays so; tell how much that is."""
    own = select(SeriesRow.id).where(SeriesRow.member_id == member)
    left = update(SetAsideRow).where(
        SetAsideRow.series_id.in_(own), SetAsideRow.left_out_at.is_(None)
    )
    return (await connection.execute(left.values(left_out_at=at))).rowcount


async def of_member(connection: AsyncConnection, member: MemberId) -> list[SetAside]:
    """Return all of a member's that is set aside, in the order of time."""
    query = (
        select(SetAsideRow.__table__, *SERIES_FACTS)
        .join(SeriesRow, SeriesRow.id == SetAsideRow.series_id)
        .where(SeriesRow.member_id == member)
        .order_by(SetAsideRow.start, SetAsideRow.series_id)
    )
    return [
        SetAside(number, Series(*facts), Record(start, value), came, left)
        for number, start, value, came, left, *facts in await connection.execute(query)
    ]


async def undecided(connection: AsyncConnection) -> Counter[MemberId]:
    """Count the records that are set aside and of which nothing was decided yet, by member."""
    query = (
        select(SeriesRow.member_id, func.count())
        .join(SetAsideRow, SetAsideRow.series_id == SeriesRow.id)
        .where(SetAsideRow.left_out_at.is_(None))
        .group_by(SeriesRow.member_id)
    )
    rows = await connection.execute(query)
    return Counter({MemberId(member): count for member, count in rows})


def some_apart(series_id: InstrumentedAttribute[SeriesId | None]) -> ColumnElement[bool]:
    """Return a column that says whether records of a series are set aside."""
    return exists().where(SetAsideRow.series_id == series_id)


async def places(connection: AsyncConnection, numbers: Collection[SeriesId]) -> set[Place]:
    """Return of which records of these series something is set aside."""
    rows = await connection.execute(_PLACES, {"numbers": list(numbers)})
    return set(rows.tuples())
