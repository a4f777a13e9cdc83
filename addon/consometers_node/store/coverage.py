"""Over which whole UTC days the recorder was read completely, for each series."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ..series import Range
from . import upsert
from .tables import CoverageRow, SeriesId


async def coverage(connection: AsyncConnection, number: SeriesId) -> Range | None:
    """Return what was read of a series; None if nothing was."""
    query = select(CoverageRow.covered_from, CoverageRow.covered_until).where(
        CoverageRow.series_id == number
    )
    found = (await connection.execute(query)).one_or_none()
    return None if found is None else Range(*found)


async def all_coverage(connection: AsyncConnection) -> dict[SeriesId, Range]:
    """Return what was read of each series of which anything was."""
    query = select(CoverageRow.series_id, CoverageRow.covered_from, CoverageRow.covered_until)
    return {number: Range(start, end) for number, start, end in await connection.execute(query)}


async def set_coverage(connection: AsyncConnection, number: SeriesId, covered: Range) -> None:
    """Store what was read of a series, in place of what was stored before."""
    row = {"series_id": number, "covered_from": covered.start, "covered_until": covered.end}
    await upsert.put(connection, CoverageRow, [row], "covered_from", "covered_until")
