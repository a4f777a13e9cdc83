"""What a collective has published, without the members whose records it sums."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from consometers_node.collective.output_series import offer
from consometers_node.series import Range, Series
from consometers_node.store.collective.groups import GroupKind, all_groups, group_id
from consometers_node.store.collective.publication import PublishedCell, write
from consometers_node.store.collective.published_series import devices
from consometers_node.store.engine.connection import AsyncConnection
from consometers_quoalise.records.identifier import organisation


@dataclass(frozen=True, slots=True)
class Sum:
    """A published interval: watt-minutes, and the count of members."""

    start: datetime
    watt_minutes: int
    members: int


async def publish(
    connection: AsyncConnection,
    published: Mapping[Series, Iterable[Sum]],
    at: datetime,
    *,
    collective: str = "kersabiec",
    kind: GroupKind = GroupKind.AREA,
    name: str = "",
) -> None:
    """Publish sums of all members, or of the area whose name the device ends with.

    A group of another `kind` has a `name` of its own.
    """
    spans = {}
    for series, sums in published.items():
        area = series.device.removeprefix(str(organisation(collective))).removeprefix("-")
        group = await group_id(connection, kind if area else GroupKind.ALL, name or area)
        assert devices(collective, await all_groups(connection))[group] == series.device
        cells = [
            PublishedCell(
                group=group,
                direction=series.direction,
                interval=series.interval,
                start=each.start,
                day=each.start.astimezone(UTC).date(),
                watt_minutes=each.watt_minutes,
                members=each.members,
                homes=each.members,
                counting=each.members,
                homes_watt_minutes=each.watt_minutes,
                average=each.watt_minutes // each.members,
                minutes=series.interval.minutes,
            )
            for each in sums
        ]
        await write(connection, cells, ())
        starts = [cell.start for cell in cells]
        spans[series] = Range(min(starts), series.end(max(starts)))
    await offer(connection, spans, at)
