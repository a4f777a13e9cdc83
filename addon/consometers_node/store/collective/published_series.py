"""This collective's own series: the published cells of all members and of each group, as records.

They are granted and sent as any series is. Their records are not stored a second time: each is read
from its cell.
"""

from collections.abc import Iterable
from datetime import datetime
import re
import unicodedata

from sqlalchemy import func, select

from consometers_node.series import Device, Direction, Interval, Quantity, Range, Record, Series
from consometers_node.store.engine.connection import AsyncConnection
from consometers_quoalise.records.identifier import SeriesPath, organisation

from .groups import Group, GroupKind, all_groups
from .publication import cells
from .tables import GroupId, PublishedCellRow

_OTHERS = re.compile(r"[^a-z0-9]+")
_LETTERS = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss"})


def devices(collective: str, groups: Iterable[Group]) -> dict[GroupId, Device]:
    """Return the names of groups' sums: the collective's, or one below it.

    Of two groups that would have the same, the later one has its number after it.
    """
    named: dict[GroupId, Device] = {}
    taken: set[str] = set()
    for group in sorted(groups, key=lambda group: group.id):
        name = collective if group.kind is GroupKind.ALL else f"{collective}-{_slug(group)}"
        while name in taken:
            name = f"{name}-{group.id}"
        taken.add(name)
        named[group.id] = Device(str(organisation(name)))
    return named


def own_series(device: Device, direction: Direction, interval: Interval, time_zone: str) -> Series:
    """Return a series of sums: mean W of an interval, Wh of a civil day."""
    quantity = Quantity.ENERGY if interval is Interval.P1D else Quantity.POWER
    return Series(device, direction, quantity, interval, time_zone)


def value(watt_minutes: int, interval: Interval) -> int:
    """Return a value as a record: mean W of an interval, Wh of a civil day."""
    minutes = 60 if interval is Interval.P1D else interval.minutes
    return (watt_minutes + minutes // 2) // minutes


async def published_records(
    connection: AsyncConnection, collective: str, series: Series, within: Range
) -> tuple[list[Record], dict[str, dict[datetime, int]]]:
    """Return the records that start in a range, in order, and the counts beside them by path.

    Nothing is published under a name that no group has any more.
    """
    group = await group_of(connection, collective, series)
    if group is None or not within:
        return [], {}
    rows = await cells(
        connection,
        group,
        series.interval,
        [series.direction],
        within,
        time_zone=series.time_zone,
    )
    rows.sort(key=lambda row: row.start)
    beside = {
        SeriesPath.MEMBERS: {row.start: row.members for row in rows},
        SeriesPath.WITHOUT_HOMES: {row.start: 1 for row in rows if row.without},
    }
    records = [Record(row.start, value(row.watt_minutes, series.interval)) for row in rows]
    return records, beside


async def published_extent(
    connection: AsyncConnection, collective: str, series: Series, within: Range
) -> Range | None:
    """Return the range from the first record to the end of the last one; None if there is none."""
    group = await group_of(connection, collective, series)
    if group is None:
        return None
    cell = PublishedCellRow
    start, hours = cell.start, Interval.PT1H
    of_group = cell.group_id == group, cell.direction == series.direction
    is_within = start >= within.start, start < within.end
    kinds = [(series.interval, 0), *([(hours, 1)] if series.interval is hours else [])]
    ends = [
        # Each by itself is one look at the key.
        select(end(start)).where(
            *of_group, cell.interval == interval, cell.protected == protected, *is_within
        )
        for interval, protected in kinds
        for end in (func.min, func.max)
    ]
    opened = select(start).where(*of_group, cell.interval == hours, cell.protected == 1).exists()
    query = select(opened, *(end.scalar_subquery() for end in ends))
    has_opened, *reached = (await connection.execute(query)).one()
    starts = [at for at in reached if at is not None]
    if has_opened and series.interval is Interval.P1D:
        records, _ = await published_records(connection, collective, series, within)
        starts = [record.start for record in records]
    return Range(min(starts), series.end(max(starts))) if starts else None


async def group_of(connection: AsyncConnection, collective: str, series: Series) -> GroupId | None:
    """Return the group of which a series is the sum; None where no group has its name any more."""
    named = devices(collective, await all_groups(connection))
    return next((group for group, device in named.items() if device == series.device), None)


def _slug(group: Group) -> str:
    name = unicodedata.normalize("NFKD", group.name.lower().translate(_LETTERS))
    plain = name.encode("ascii", "ignore").decode()
    return _OTHERS.sub("-", plain).strip("-") or f"{group.kind}-{group.id}"
