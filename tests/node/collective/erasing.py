"""All that members told, taken out of the sums again."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from consometers_node.collective.tally import erase_month
from consometers_node.store import SeriesId
from consometers_node.store.collective_tables import MemberId


async def erase(
    connection: AsyncConnection, member: MemberId, numbers: Collection[SeriesId], at: datetime
) -> int:
    """Erase month by month, and tell how many blocks there were."""
    erased = 0
    while of_month := await erase_month(connection, member, numbers, at):
        erased += of_month
    return erased
