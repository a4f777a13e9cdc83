"""How many members each value of a collective's series sums, beside the blocks of it."""

from collections.abc import Iterable, Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from ..series import Block, Range, Series
from . import upsert
from .series import unpacked
from .tables import MemberCountRow, SeriesId


async def put_counts(
    connection: AsyncConnection, counts: Mapping[SeriesId, Iterable[Block]]
) -> None:
    """Store many counts, each in place of those of its day."""
    rows = [
        {"series_id": series_id, "day": count.day, "packed": count.pack()}
        for series_id, some in counts.items()
        for count in some
    ]
    await upsert.put(connection, MemberCountRow, rows, "packed")


async def counts(
    connection: AsyncConnection, series_id: SeriesId, series: Series, within: Range
) -> list[Block]:
    """Return the counts of the UTC days that a range touches, in order, those that are there."""
    return await unpacked(connection, MemberCountRow, series_id, series, within)
