"""How many members each value of a collective's series sums, beside the blocks of it."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ..series import Block, Range, Series
from . import upsert
from .any_of import pair_among
from .series import days_of, keys_of_days
from .tables import BlockRow, MemberCountRow, SeriesId

_OF_DAYS = (
    select(BlockRow.series_id, BlockRow.day, BlockRow.packed, MemberCountRow.packed)
    .join(
        MemberCountRow,
        and_(MemberCountRow.series_id == BlockRow.series_id, MemberCountRow.day == BlockRow.day),
        isouter=True,
    )
    .where(pair_among(BlockRow.series_id, BlockRow.day, ("numbers", "days")))
)


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


async def sums_of_days(
    connection: AsyncConnection, wanted: Mapping[SeriesId, tuple[Series, Collection[date]]]
) -> dict[tuple[SeriesId, date], tuple[Block, Block | None]]:
    """Return the blocks of some days of many series, those that are there, with their counts."""
    found = {}
    for keys in keys_of_days(wanted):
        for number, day, packed, counted in await connection.execute(_OF_DAYS, keys):
            series = wanted[number][0]
            count = None if counted is None else Block.unpack(series, day, counted)
            found[number, day] = Block.unpack(series, day, packed), count
    return found
