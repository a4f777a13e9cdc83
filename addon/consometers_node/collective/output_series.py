"""The collective's own series, offered once something is published of them."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import delete, exists
from sqlalchemy.ext.asyncio import AsyncConnection

from ..series import Range, Series
from ..sharing.due_records import queue_again
from ..sharing.names import COLLECTIVE
from ..store import SeriesId
from ..store.published_series import devices
from ..store.series import OWN, add_series, series_of_devices
from ..store.settings import setting
from ..store.tables import PermissionSeriesRow, SeriesRow
from .groups import all_groups


async def offer(
    connection: AsyncConnection, published: Mapping[Series, Range], at: datetime
) -> None:
    """Store the series of which something was published, and queue it for the peers behind it.

    A peer that subscribed before the past was closed has a cursor beyond it.
    """
    if published:
        ids = await _ids(connection, published.keys())
        spans = {(series, False): [span] for series, span in published.items()}
        await queue_again(connection, ids, spans, at)


async def forget_old_names(connection: AsyncConnection) -> bool:
    """Erase the series under names that no group has any more; return whether there was any.

    The name that a peer was granted stays with its permission; nothing is read under it.
    """
    collective = await setting(connection, COLLECTIVE)
    if collective is None:
        return False
    named = devices(collective, await all_groups(connection))
    granted = exists().where(PermissionSeriesRow.series_id == SeriesRow.id)
    old = delete(SeriesRow).where(
        SeriesRow.member_id == OWN, SeriesRow.device.not_in(named.values()), ~granted
    )
    return (await connection.execute(old)).rowcount > 0


async def _ids(connection: AsyncConnection, wanted: Collection[Series]) -> dict[Series, SeriesId]:
    """Return the ids of these series, which are stored if they are new."""
    ids = await series_of_devices(connection, {series.device for series in wanted}, OWN)
    for series in wanted:
        if series not in ids:
            ids[series] = await add_series(connection, series)
    return ids
