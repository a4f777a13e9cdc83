"""Implausible records: they are in no block, so in no sum."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, exists, func, select, update

from consometers_node.series import Record, Series
from consometers_node.store.engine import upsert
from consometers_node.store.engine.any_of import among
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.series import SERIES_FACTS
from consometers_node.store.tables import SeriesId, SeriesRow

from .tables import MemberId, SetAsideRow

_PLACES = select(SetAsideRow.series_id, SetAsideRow.start).where(
    among(series=SetAsideRow.series_id)
)
_AT_PLACES = among(series=SetAsideRow.series_id, starts=SetAsideRow.start)

type Place = tuple[SeriesId, datetime]
"""The series of a record, and its start."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """A record that is not plausible; `excluded_at` is when it was decided that it stays out."""

    series_id: SeriesId
    series: Series
    record: Record
    received_at: datetime
    excluded_at: datetime | None


async def set_aside(
    connection: AsyncConnection,
    member: MemberId,
    values: Mapping[Place, int],
    at: datetime,
    *,
    most: int,
) -> None:
    """Store records of a member apart, at most so many. A corrected value is decided again."""
    stored = {
        (record.series_id, record.record.start): record.record.value
        for record in await of_member(connection, member)
    }
    new = sorted(values.keys() - stored.keys())[: max(0, most - len(stored))]
    changed = [place for place, value in stored.items() if values.get(place, value) != value]
    names = ("series_id", "start", "value", "received_at", "excluded_at")
    rows = [
        dict(zip(names, (*place, values[place], at, None), strict=True))
        for place in (*new, *changed)
    ]
    await upsert.put(connection, SetAsideRow, rows)


async def remove(connection: AsyncConnection, places: Collection[Place]) -> None:
    """Remove records that no longer stay set aside."""
    if places:
        series, starts = zip(*places, strict=True)
        gone = delete(SetAsideRow).where(_AT_PLACES)
        await connection.execute(gone, {"series": series, "starts": starts})


async def remove_before(connection: AsyncConnection, series: SeriesId, start: datetime) -> None:
    """Remove the records of a series that start before then."""
    gone = SetAsideRow.series_id == series, SetAsideRow.start < start
    await connection.execute(delete(SetAsideRow).where(*gone))


async def leave_out(connection: AsyncConnection, member: MemberId, at: datetime) -> int:
    """Store that a member's records stay set aside; return how many were undecided."""
    own = select(SeriesRow.id).where(SeriesRow.member_id == member)
    left = update(SetAsideRow).where(
        SetAsideRow.series_id.in_(own), SetAsideRow.excluded_at.is_(None)
    )
    return (await connection.execute(left.values(excluded_at=at))).rowcount


async def of_member(connection: AsyncConnection, member: MemberId) -> list[SetAside]:
    """Return the records of a member that are set aside, in the order of time."""
    query = (
        select(SetAsideRow.__table__, *SERIES_FACTS)
        .join(SeriesRow, SeriesRow.id == SetAsideRow.series_id)
        .where(SeriesRow.member_id == member)
        .order_by(SetAsideRow.start, SetAsideRow.series_id)
    )
    return [
        SetAside(series, Series(*facts), Record(start, value), came, left)
        for series, start, value, came, left, *facts in await connection.execute(query)
    ]


async def undecided(connection: AsyncConnection) -> Counter[MemberId]:
    """Count the undecided records by member."""
    query = (
        select(SeriesRow.member_id, func.count())
        .join(SetAsideRow, SetAsideRow.series_id == SeriesRow.id)
        .where(SetAsideRow.excluded_at.is_(None))
        .group_by(SeriesRow.member_id)
    )
    rows = await connection.execute(query)
    return Counter({MemberId(member): count for member, count in rows})


def some_apart(series_id: ColumnElement[SeriesId | None]) -> ColumnElement[bool]:
    """Return a column that says whether records of a series are set aside."""
    return exists().where(SetAsideRow.series_id == series_id)


async def places(connection: AsyncConnection, series: Collection[SeriesId]) -> set[Place]:
    """Return the places of the records of these series that are set aside."""
    rows = await connection.execute(_PLACES, {"series": list(series)})
    return set(rows.tuples())
