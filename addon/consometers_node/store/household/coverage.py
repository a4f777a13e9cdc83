"""Which whole UTC days of each series were read from the recorder, and when it did not run."""

from datetime import timedelta

from sqlalchemy import delete, insert, select

from consometers_node.series import Range
from consometers_node.store.engine import upsert
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.tables import AbsenceRow, CoverageRow, SeriesId

_ALL_BUT_A_SECOND = timedelta(microseconds=999_999)


async def coverage(connection: AsyncConnection, series_id: SeriesId) -> Range | None:
    """Return over which days the recorder was read completely for a series; None if never."""
    return (await all_coverage(connection)).get(series_id)


async def all_coverage(connection: AsyncConnection) -> dict[SeriesId, Range]:
    """Return the days read of each series that has any."""
    query = select(CoverageRow.series_id, CoverageRow.covered_from, CoverageRow.covered_until)
    return {
        series_id: Range(start, end) for series_id, start, end in await connection.execute(query)
    }


async def set_coverage(connection: AsyncConnection, series_id: SeriesId, covered: Range) -> None:
    """Store the days read of a series, in place of the former ones."""
    row = {"series_id": series_id, "covered_from": covered.start, "covered_until": covered.end}
    await upsert.put(connection, CoverageRow, [row])


async def add_absence(connection: AsyncConnection, absence: Range) -> Range:
    """Store when Home Assistant was off, or may have been: what it compiled of then is no measure.

    Return it as it is stored: in whole seconds, and as one with those that it touches. An empty one
    is ValueError.
    """
    if not absence:
        raise ValueError("an absence lasts")
    start = absence.start.replace(microsecond=0)
    end = (absence.end + _ALL_BUT_A_SECOND).replace(microsecond=0)
    touching = delete(AbsenceRow).where(AbsenceRow.away_from <= end, AbsenceRow.away_until >= start)
    joined = touching.returning(AbsenceRow.away_from, AbsenceRow.away_until)
    for other_start, other_end in await connection.execute(joined):
        start, end = min(start, other_start), max(end, other_end)
    await connection.execute(insert(AbsenceRow).values(away_from=start, away_until=end))
    return Range(start, end)


async def absences(connection: AsyncConnection, within: Range | None = None) -> list[Range]:
    """Return all absences in order, or those of which an instant is in a range."""
    query = select(AbsenceRow.away_from, AbsenceRow.away_until).order_by(AbsenceRow.away_from)
    if within is not None:
        query = query.where(AbsenceRow.away_from < within.end, AbsenceRow.away_until > within.start)
    return [Range(start, end) for start, end in await connection.execute(query)]
