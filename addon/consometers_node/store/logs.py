"""What a collective's logs forget: who was answered, and who read what, more than a year ago."""

from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from .clock import Confirmed
from .collective_tables import ReadLogRow
from .tables import AnswerRow

KEPT_FOR = timedelta(days=367)
"""The database itself lets no answer be removed for 366 days."""

_AT_ONCE = 10_000


async def forget(connection: AsyncConnection, now: Confirmed) -> None:
    """Delete the oldest entries that are too old now, as many as take no time."""
    for table in (AnswerRow, ReadLogRow):
        oldest = select(table.id, table.at).order_by(table.id).limit(_AT_ONCE).subquery()
        gone = select(oldest.c.id).where(oldest.c.at < now - KEPT_FOR)
        await connection.execute(delete(table).where(table.id.in_(gone)))
