"""Closed intervals and published cells: written once, then only read.

The database refuses to change a row, and to add a cell to an interval that was closed.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, case, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ..series import Direction, Interval, Range
from .collective_tables import (
    ClosedIntervalRow,
    GroupId,
    GroupPartRow,
    MemberGroupRow,
    PublishedCellRow,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedCell:
    """What was published of a group in an interval: see `PublishedCellRow`."""

    group: GroupId
    direction: Direction
    interval: Interval
    start: datetime
    day: date
    watt_minutes: int
    members: int
    homes: int
    counting: int
    per_member: int
    minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedInterval:
    """An interval that was closed: see `ClosedIntervalRow`."""

    direction: Direction
    interval: Interval
    start: datetime
    closed_at: datetime
    expected: int
    told: int
    reason: str | None = None


class DaySum(NamedTuple):
    """The sum of what was published of a group in the intervals of a civil day.

    `members`, `homes` and `counting` are the most of one of its intervals. `per_member` adds up
    their averages, of those with homes where there are such.
    """

    watt_minutes: int
    members: int
    homes: int
    counting: int
    per_member: int
    minutes: int


class CellSum(NamedTuple):
    """A published cell of one group, without its group and interval."""

    direction: Direction
    start: datetime
    watt_minutes: int
    members: int
    homes: int
    counting: int
    per_member: int
    minutes: int


async def write(
    connection: AsyncConnection,
    cells: Iterable[PublishedCell],
    closed: Iterable[ClosedInterval],
) -> None:
    """Store what was published, and that nothing more of it will be."""
    # An interval that is closed takes no cell: so cells come first.
    if rows := [_cell_row(cell) for cell in cells]:
        await connection.execute(insert(PublishedCellRow), rows)
    if rows := [_closed_row(one) for one in closed]:
        await connection.execute(insert(ClosedIntervalRow), rows)


async def last_closed(
    connection: AsyncConnection,
) -> dict[tuple[Direction, Interval], datetime]:
    """Return the start of the last closed interval, by direction and step."""
    return {key: last for key, (_, last) in (await closed_spans(connection)).items()}


_KEYS = [(direction, interval) for direction in Direction for interval in Interval]


def _spans(*within: ColumnElement[bool]) -> Select[Any]:
    row = ClosedIntervalRow
    # Each by itself: that is one look at the key, and not at all of the table.
    return select(
        *(
            select(of(row.start))
            .where(row.direction == direction, row.interval == interval, *within)
            .scalar_subquery()
            for direction, interval in _KEYS
            for of in (func.min, func.max)
        )
    )


_ALL_SPANS = _spans()


async def closed_spans(
    connection: AsyncConnection, within: Range | None = None
) -> dict[tuple[Direction, Interval], tuple[datetime, datetime]]:
    """Return the starts of the first and the last closed interval, by direction and step.

    With `within`, of those that start in it.
    """
    start = ClosedIntervalRow.start
    query = _ALL_SPANS if within is None else _spans(start >= within.start, start < within.end)
    found = (await connection.execute(query)).one()
    spans = dict(zip(_KEYS, zip(found[::2], found[1::2], strict=True), strict=True))
    return {key: span for key, span in spans.items() if span[0] is not None}


def closed_until(
    last: Mapping[tuple[Direction, Interval], datetime], direction: Direction
) -> datetime | None:
    """Return the end of the last closed interval of a direction, of what `last_closed` gave."""
    return max(
        (
            start + timedelta(minutes=step.minutes)
            for (of, step), start in last.items()
            if of is direction and step is not Interval.P1D
        ),
        default=None,
    )


async def first_closed(connection: AsyncConnection) -> datetime | None:
    """Return the start of the first interval that was ever closed."""
    query = select(func.min(ClosedIntervalRow.start))
    return (await connection.execute(query)).scalar_one()


async def closed_intervals(
    connection: AsyncConnection, interval: Interval, within: Range
) -> list[ClosedInterval]:
    """Return what was closed of the intervals that start in a range, in order."""
    row = ClosedIntervalRow
    query = (
        select(row.direction, row.start, row.closed_at, row.expected, row.told, row.reason)
        .where(row.interval == interval, row.start >= within.start, row.start < within.end)
        .order_by(row.start, row.direction)
    )
    return [
        ClosedInterval(
            direction=direction,
            interval=interval,
            start=start,
            closed_at=closed_at,
            expected=expected,
            told=told,
            reason=reason,
        )
        for direction, start, closed_at, expected, told, reason in await connection.execute(query)
    ]


async def cells(
    connection: AsyncConnection,
    group: GroupId,
    interval: Interval,
    directions: Collection[Direction],
    within: Range,
) -> list[CellSum]:
    """Return what was published of a group in the intervals that start in a range."""
    row = PublishedCellRow
    query = select(
        row.direction,
        row.start,
        row.watt_minutes,
        row.members,
        row.homes,
        row.counting,
        row.per_member,
        row.minutes,
    ).where(
        row.group_id == group,
        row.direction.in_(directions),
        row.interval == interval,
        row.start >= within.start,
        row.start < within.end,
    )
    return [CellSum(*one) for one in (await connection.execute(query)).all()]


async def day_sums(
    connection: AsyncConnection, direction: Direction, day: date, within: Range
) -> dict[GroupId, DaySum]:
    """Return the sums of the published intervals of a civil day, by group."""
    row = PublishedCellRow
    query = (
        select(
            row.group_id,
            func.sum(row.watt_minutes),
            func.max(row.members),
            func.max(row.homes),
            func.max(row.counting),
            func.coalesce(
                func.sum(case((row.homes > 0, row.per_member))), func.sum(row.per_member)
            ),
            func.sum(row.minutes),
        )
        # By the groups, a few, each a range of the key.
        .where(
            row.group_id.in_(select(MemberGroupRow.id)),
            row.direction == direction,
            row.interval.in_([step for step in Interval if step is not Interval.P1D]),
            row.start >= within.start,
            row.start < within.end,
            row.day == day,
        )
        .group_by(row.group_id)
    )
    return {group: DaySum(*map(int, sums)) for group, *sums in await connection.execute(query)}


async def published_groups(connection: AsyncConnection) -> set[GroupId]:
    """Return the groups of which anything was ever published."""
    some = select(PublishedCellRow.group_id).where(PublishedCellRow.group_id == MemberGroupRow.id)
    query = select(MemberGroupRow.id).where(some.exists())
    return set((await connection.execute(query)).scalars())


async def published_directions(connection: AsyncConnection, group: GroupId) -> set[Direction]:
    """Return the directions in which anything of a group was ever published."""
    row = PublishedCellRow
    there = [
        select(row.start).where(row.group_id == group, row.direction == direction).exists()
        for direction in Direction
    ]
    found = (await connection.execute(select(*there))).one()
    return {direction for direction, known in zip(Direction, found, strict=True) if known}


async def first_day(connection: AsyncConnection, group: GroupId, interval: Interval) -> date | None:
    """Return the first civil day of which a group has a cell of an interval."""
    row = PublishedCellRow
    query = select(func.min(row.day)).where(row.group_id == group, row.interval == interval)
    return (await connection.execute(query)).scalar_one()


async def minutes_since(
    connection: AsyncConnection, since: datetime, groups: Collection[GroupId]
) -> dict[GroupId, int]:
    """Return how much was published of groups in the civil days that start since then."""
    row = PublishedCellRow
    query = (
        select(row.group_id, func.sum(row.minutes))
        .where(
            row.group_id.in_(groups),
            row.direction.in_(Direction),
            row.interval == Interval.P1D,
            row.start >= since,
        )
        .group_by(row.group_id)
    )
    return {group: int(minutes) for group, minutes in await connection.execute(query)}


async def parts(connection: AsyncConnection) -> dict[GroupId, frozenset[GroupId]]:
    """Return of each group that is published for several the groups that it is for."""
    found: dict[GroupId, set[GroupId]] = {}
    query = select(GroupPartRow.group_id, GroupPartRow.part_id)
    for group, part in await connection.execute(query):
        found.setdefault(group, set()).add(part)
    return {group: frozenset(some) for group, some in found.items()}


async def combined(
    connection: AsyncConnection, groups: frozenset[GroupId], names: Mapping[GroupId, str]
) -> GroupId:
    """Return the group that stands for several together, made when it is first needed."""
    name = ", ".join(sorted(names[group] or "…" for group in groups))
    known = select(MemberGroupRow.id).where(
        and_(MemberGroupRow.kind == "combined", MemberGroupRow.name == name)
    )
    group = (await connection.execute(known)).scalar_one_or_none()
    if group is None:
        made = insert(MemberGroupRow).values(kind="combined", name=name)
        group = (await connection.execute(made.returning(MemberGroupRow.id))).scalar_one()
        rows = [{"group_id": group, "part_id": part} for part in groups]
        await connection.execute(insert(GroupPartRow), rows)
    return group


def _cell_row(cell: PublishedCell) -> dict[str, object]:
    return {
        "group_id": cell.group,
        "direction": cell.direction,
        "interval_minutes": cell.interval,
        "start": cell.start,
        "day": cell.day,
        "watt_minutes": cell.watt_minutes,
        "members": cell.members,
        "homes": cell.homes,
        "counting": cell.counting,
        "per_member": cell.per_member,
        "minutes": cell.minutes,
    }


def _closed_row(one: ClosedInterval) -> dict[str, object]:
    return {
        "direction": one.direction,
        "interval_minutes": one.interval,
        "start": one.start,
        "closed_at": one.closed_at,
        "expected": one.expected,
        "told": one.told,
        "reason": one.reason,
    }
