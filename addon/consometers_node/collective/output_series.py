"""The collective's own series, offered once they have a published figure."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import delete, exists, select

from consometers_node.series import Range, Series
from consometers_node.sharing.names import COLLECTIVE
from consometers_node.sharing.records.due_records import queue_again
from consometers_node.store.collective.groups import all_groups
from consometers_node.store.collective.published_series import devices
from consometers_node.store.engine.any_of import among
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.series import OWN, SERIES_FACTS, add_series
from consometers_node.store.settings import setting
from consometers_node.store.tables import PermissionSeriesRow, SeriesRow, SubscriptionRow

_IS_READ = exists().where(SubscriptionRow.series_id == SeriesRow.id)
_OWN = select(SeriesRow.id, _IS_READ, *SERIES_FACTS).where(
    among(devices=SeriesRow.device),
    among(directions=SeriesRow.direction),
    among(intervals=SeriesRow.interval),
    SeriesRow.member_id == OWN,
)


async def offer(
    connection: AsyncConnection, published: Mapping[Series, Range], at: datetime
) -> None:
    """Store the series with published figures, and queue it for the peers behind it.

    A peer that subscribed before the past was closed has a cursor beyond it.
    """
    values = {
        "devices": {series.device for series in published},
        "directions": {series.direction for series in published},
        "intervals": {series.interval for series in published},
    }
    rows = await connection.execute(_OWN, values)
    stored = {Series(*facts): (series_id, is_read) for series_id, is_read, *facts in rows}
    for series in published.keys() - stored.keys():
        await add_series(connection, series)
    read = {series: series_id for series, (series_id, is_read) in stored.items() if is_read}
    spans = {(series, False): [published[series]] for series in read.keys() & published.keys()}
    await queue_again(connection, read, spans, at)


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
