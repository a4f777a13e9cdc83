"""How many members each value of a collective's series sums, beside the blocks of it."""

from collections.abc import Iterable, Mapping

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ..series import Block, Range, Series
from . import upsert
from .series import days_of
from .tables import MemberCountRow, SeriesId


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
    """Return the counts of the UTC days that a range touches, in order, those that are there."""
    if not within:
        return []
    query = (
        select(MemberCountRow.day, MemberCountRow.packed)
        .where(MemberCountRow.series_id == number, MemberCountRow.day.between(*days_of(within)))
        .order_by(MemberCountRow.day)
    )
    return [Block.unpack(series, day, packed) for day, packed in await connection.execute(query)]
