"""How many members each value of a collective's series sums, beside the blocks of it."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ..series import Block, Range, Series
from . import upsert
from .series import days_of, of_days, unpacked
from .tables import MemberCountRow, SeriesId

_OF_DAYS = of_days(MemberCountRow)


async def put_count(connection: AsyncConnection, number: SeriesId, count: Block) -> bool:
    """Keep counts in place of those of their day. Tells whether they say anything new."""
    put = upsert.insert(connection, MemberCountRow).values(
        series_id=number, day=count.day, packed=count.pack()
    )
    put = put.on_conflict_do_update(
        index_elements=[MemberCountRow.series_id, MemberCountRow.day],
        set_={"packed": put.excluded.packed},
        where=MemberCountRow.packed != put.excluded.packed,
    )
    new = await connection.execute(put.returning(MemberCountRow.series_id))
    return new.one_or_none() is not None


async def put_counts(connection: AsyncConnection, kept: Mapping[SeriesId, Iterable[Block]]) -> None:
    """Keep many counts, each in place of those of its day."""
    rows = [
        {"series_id": number, "day": count.day, "packed": count.pack()}
        for number, some in kept.items()
        for count in some
    ]
    await upsert.put(connection, MemberCountRow, rows, "packed")


async def counts(
    connection: AsyncConnection, number: SeriesId, series: Series, within: Range
) -> list[Block]:
    """Give the counts of the UTC days that a range touches, in order, those that are there."""
    if not within:
        return []
    query = (
        select(MemberCountRow.day, MemberCountRow.packed)
        .where(MemberCountRow.series_id == number, MemberCountRow.day.between(*days_of(within)))
        .order_by(MemberCountRow.day)
    )
    return [Block.unpack(series, day, packed) for day, packed in await connection.execute(query)]


async def counts_of_days(
    connection: AsyncConnection, wanted: Mapping[SeriesId, tuple[Series, Collection[date]]]
) -> dict[tuple[SeriesId, date], Block]:
    """Return the counts of some days of many series, those that are there."""
    return await unpacked(connection, _OF_DAYS, wanted)
