"""What a collective's logs forget: who was answered, and who read what, more than a year ago."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from .collective_tables import ReadLogRow
from .tables import AnswerRow

KEPT_FOR = timedelta(days=367)
"""The database itself lets no answer be removed for 366 days."""

_AT_ONCE = 10_000


async def forget(connection: AsyncConnection, before: datetime) -> None:
    """Delete the oldest entries of before an instant, as many as take no time."""
    for table in (AnswerRow, ReadLogRow):
        oldest = select(table.id, table.at).order_by(table.id).limit(_AT_ONCE).subquery()
        gone = select(oldest.c.id).where(oldest.c.at < before)
        await connection.execute(delete(table).where(table.id.in_(gone)))
