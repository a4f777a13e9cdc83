"""Changing where a member counts, with the sums that this changes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from ..store.collective_tables import MemberId
from ..store.sums import alone
from .tally import compositions, moved


@asynccontextmanager
async def moving(
    connection: AsyncConnection, member: MemberId, at: datetime
) -> AsyncIterator[None]:
    """Bring all sums up to date after what is done inside to where a member counts."""
    await alone(connection)
    was = (await compositions(connection, [member]))[member]
    yield
    await moved(connection, member, was, at)
