"""When Home Assistant was off, or may have been: what it compiled of then is no measure."""

from datetime import timedelta

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ..series import Range
from .tables import AbsenceRow


async def add_absence(connection: AsyncConnection, absence: Range) -> Range:
    """Keep an absence, in whole seconds that hold all of it, and give it as it is kept.

    It becomes one with those that it touches. An empty one is ValueError.
    """
    if not absence:
        raise ValueError("an absence lasts")
    start = absence.start.replace(microsecond=0)
    end = (absence.end + _ALL_BUT_A_SECOND).replace(microsecond=0)
    touching = delete(AbsenceRow).where(AbsenceRow.away_from <= end, AbsenceRow.away_until >= start)
    gone = touching.returning(AbsenceRow.away_from, AbsenceRow.away_until)
    for other_start, other_end in await connection.execute(gone):
        start, end = min(start, other_start), max(end, other_end)
    await connection.execute(insert(AbsenceRow).values(away_from=start, away_until=end))
    return Range(start, end)


async def absences(connection: AsyncConnection, within: Range | None = None) -> list[Range]:
    """Return all absences in order, or those of which an instant is in a range."""
    query = select(AbsenceRow.away_from, AbsenceRow.away_until).order_by(AbsenceRow.away_from)
    if within is not None:
        query = query.where(AbsenceRow.away_from < within.end, AbsenceRow.away_until > within.start)
    return [Range(start, end) for start, end in await connection.execute(query)]


_ALL_BUT_A_SECOND = timedelta(microseconds=999_999)
