"""This collective's own series: the published cells of all members and of each group, as records.

They are granted and sent as any series is. Their records are not stored a second time: each is read
from its cell.
"""

from collections.abc import Iterable
from datetime import datetime
import re
import unicodedata

from sqlalchemy import ColumnElement, func, select

from ..quoalise.identifier import SeriesPath, organisation
from ..series import Device, Direction, Interval, Quantity, Range, Record, Series
from .collective_tables import GroupId, PublishedCellRow
from .connection import AsyncConnection
from .groups import Group, GroupKind, all_groups

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
    cell = PublishedCellRow
    query = (
        select(cell.start, cell.watt_minutes, cell.members, cell.lacking)
        .where(*_of(group, series), cell.start >= within.start, cell.start < within.end)
        .order_by(cell.start)
    )
    rows = (await connection.execute(query)).all()
    beside = {
        SeriesPath.MEMBERS: {row.start: row.members for row in rows},
        SeriesPath.WITHOUT_HOMES: {row.start: 1 for row in rows if row.lacking},
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
    start = PublishedCellRow.start
    there = *_of(group, series), start >= within.start, start < within.end
    # Each by itself is one look at the key.
    ends = (select(end(start)).where(*there).scalar_subquery() for end in (func.min, func.max))
    first, last = (await connection.execute(select(*ends))).one()
    return None if first is None else Range(first, series.end(last))


def _of(group: GroupId, series: Series) -> tuple[ColumnElement[bool], ...]:
    cell = PublishedCellRow
    return (
        cell.group_id == group,
        cell.direction == series.direction,
        cell.interval == series.interval,
    )


async def group_of(connection: AsyncConnection, collective: str, series: Series) -> GroupId | None:
    """Return the group of which a series is the sum; None where no group has its name any more."""
    named = devices(collective, await all_groups(connection))
    return next((group for group, device in named.items() if device == series.device), None)


def _slug(group: Group) -> str:
    name = unicodedata.normalize("NFKD", group.name.lower().translate(_LETTERS))
    plain = name.encode("ascii", "ignore").decode()
    return _OTHERS.sub("-", plain).strip("-") or f"{group.kind}-{group.id}"
