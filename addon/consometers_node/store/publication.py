"""Closed intervals and published cells: written once, then only read.

The database refuses to change a row, and to add a cell to an interval that was closed.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, case, func, insert, null, select

from ..series import Direction, Interval, Range
from .collective_tables import (
    ClosedIntervalRow,
    ClosedMonthRow,
    GroupId,
    GroupPartRow,
    MemberGroupRow,
    PublishedCellRow,
)
from .connection import AsyncConnection
from .declaration import aliased, columns_of
from .memberships import first_block
from .upsert import put


class PublishedCell(NamedTuple):
    """The published cell of a group in an interval: see `PublishedCellRow`.

    `lacks_homes`: homes count there that did not pass, so it sums sites and collectives alone.
    """

    group: GroupId
    interval: Interval
    direction: Direction
    start: datetime
    day: date
    watt_minutes: int
    members: int
    homes: int
    counting: int
    per_member: int
    minutes: int
    lacks_homes: bool = False

    @property
    def members_counting(self) -> int:
        """The number of members if all homes had sent theirs."""
        return self.members - self.homes + self.counting


class ClosedInterval(NamedTuple):
    """An interval that was closed: see `ClosedIntervalRow`."""

    interval: Interval
    direction: Direction
    start: datetime
    closed_at: datetime
    expected: int
    response: int
    reason: str | None = None


class HomeQuartiles(NamedTuple):
    """The quartiles of the homes of a month: see `ClosedMonthRow`."""

    homes: int
    lower: int
    median: int
    upper: int


_CELL = PublishedCellRow
_DRAWN = aliased(_CELL)
_CLOSED = ClosedIntervalRow
_CELL_FACTS = columns_of(_CELL, PublishedCell, group=None, interval=None)
_CLOSED_FACTS = columns_of(_CLOSED, ClosedInterval, interval=None)


async def write(
    connection: AsyncConnection,
    cells: Iterable[PublishedCell],
    closed: Iterable[ClosedInterval],
) -> None:
    """Store published cells, and close their interval."""
    # An interval that is closed takes no cell: so cells come first.
    names = ("group_id", "interval_minutes", *(column.key for column in _CELL_FACTS))
    rows = [dict(zip(names, cell, strict=False)) for cell in cells]
    await put(connection, _CELL, rows, replaces=False)
    names = ("interval_minutes", *(column.key for column in _CLOSED_FACTS))
    rows = [dict(zip(names, each, strict=True)) for each in closed]
    await put(connection, _CLOSED, rows, replaces=False)


async def write_month(
    connection: AsyncConnection, direction: Direction, month: Range, spread: HomeQuartiles | None
) -> None:
    """Close a month, with its quartiles or without."""
    row = {"direction": direction, "start": month.start, "until": month.end}
    row |= {} if spread is None else spread._asdict()
    await connection.execute(insert(ClosedMonthRow).values(row))


async def quartiles_of(
    connection: AsyncConnection, direction: Direction, within: Range
) -> dict[datetime, HomeQuartiles]:
    """Return the quartiles of months that start in a range, by their start."""
    row = ClosedMonthRow
    query = select(row.start, *columns_of(row, HomeQuartiles)).where(
        row.direction == direction,
        row.start >= within.start,
        row.start < within.end,
        row.homes.is_not(None),
    )
    rows = await connection.execute(query)
    return {start: HomeQuartiles(*quartiles) for start, *quartiles in rows}


_KEYS = [(direction, interval) for direction in Direction for interval in Interval]


def _of_each(
    *ends: Callable[[Any], Any], within: Iterable[ColumnElement[bool]] = ()
) -> Select[Any]:
    # Each by itself: that is one look at the key, and not at all of the table.
    return select(
        *(
            select(end(_CLOSED.start))
            .where(_CLOSED.direction == direction, _CLOSED.interval == interval, *within)
            .scalar_subquery()
            for direction, interval in _KEYS
            for end in ends
        )
    )


def _by_key[T](starts: Iterable[T | None]) -> dict[tuple[Direction, Interval], T]:
    keyed = zip(_KEYS, starts, strict=True)
    return {key: start for key, start in keyed if start is not None}


_LAST_CLOSED, _ALL_SPANS = _of_each(func.max), _of_each(func.min, func.max)
# In one statement: closing asks for both each time, and the second is seldom looked up.
_LAST_CLOSED_OR_FIRST_BLOCK = _LAST_CLOSED.add_columns(
    *(
        case(
            (
                select(_CLOSED.start)
                .where(_CLOSED.direction == direction, _CLOSED.interval == Interval.P1D)
                .exists(),
                null(),
            ),
            else_=first_block(direction),
        )
        for direction in Direction
    )
)


async def last_closed(
    connection: AsyncConnection,
) -> dict[tuple[Direction, Interval], datetime]:
    """Return the start of the last closed interval, by direction and step."""
    return _by_key((await connection.execute(_LAST_CLOSED)).one())


async def last_closed_or_first_block(
    connection: AsyncConnection,
) -> tuple[dict[tuple[Direction, Interval], datetime], dict[Direction, date]]:
    """Return the start of the last closed interval, by direction and step.

    With it the first UTC day of which members have a block, of directions of which no civil day was
    closed.
    """
    row = (await connection.execute(_LAST_CLOSED_OR_FIRST_BLOCK)).one()
    days = zip(Direction, row[len(_KEYS) :], strict=True)
    first = {direction: day for direction, day in days if day is not None}
    return _by_key(row[: len(_KEYS)]), first


async def closed_spans(
    connection: AsyncConnection, within: Range | None = None
) -> dict[tuple[Direction, Interval], tuple[datetime, datetime]]:
    """Return the starts of the first and the last closed interval, by direction and step.

    With `within`, of those that start in it.
    """
    start = _CLOSED.start
    query = _ALL_SPANS
    if within is not None:
        query = _of_each(func.min, func.max, within=(start >= within.start, start < within.end))
    starts = (await connection.execute(query)).one()
    spans = _by_key(starts[::2]), _by_key(starts[1::2])
    return {key: (first, spans[1][key]) for key, first in spans[0].items()}


async def closed_step(connection: AsyncConnection, day: Range) -> Interval | None:
    """Return the step at which intervals of a civil day were closed; None where none was."""
    steps = {step for _, step in await closed_spans(connection, day)}
    return next((step for step in Interval if step in steps - {Interval.P1D}), None)


def closed_until(
    last: Mapping[tuple[Direction, Interval], datetime], direction: Direction
) -> datetime | None:
    """Return the end of the last closed interval of a direction; `last` is from `last_closed`."""
    return max(
        (
            start + timedelta(minutes=step.minutes)
            for (closed, step), start in last.items()
            if closed is direction and step is not Interval.P1D
        ),
        default=None,
    )


async def first_closed(connection: AsyncConnection) -> datetime | None:
    """Return the start of the first interval that was ever closed."""
    query = select(func.min(_CLOSED.start))
    return (await connection.execute(query)).scalar_one()


async def closed_intervals(
    connection: AsyncConnection, interval: Interval, within: Range
) -> list[ClosedInterval]:
    """Return the closed intervals that start in a range, in order."""
    start = _CLOSED.start
    query = (
        select(*_CLOSED_FACTS)
        .where(_CLOSED.interval == interval, start >= within.start, start < within.end)
        .order_by(start, _CLOSED.direction)
    )
    return [ClosedInterval(interval, *row) for row in await connection.execute(query)]


async def cells(
    connection: AsyncConnection,
    group: GroupId,
    interval: Interval,
    directions: Collection[Direction],
    within: Range,
) -> list[PublishedCell]:
    """Return the published cells of a group in the intervals that start in a range."""
    query = select(*_CELL_FACTS).where(
        _CELL.group_id == group,
        _CELL.direction.in_(directions),
        _CELL.interval == interval,
        _CELL.start >= within.start,
        _CELL.start < within.end,
    )
    return [PublishedCell(group, interval, *row) for row in await connection.execute(query)]


async def day_sums(
    connection: AsyncConnection, direction: Direction, day: date, within: Range
) -> dict[GroupId, PublishedCell]:
    """Return the sums of the published intervals of a civil day, by group.

    `members`, `homes` and `counting` are the most of one of its intervals. `per_member` adds up
    their averages, of those with homes where there are such.
    """
    query = (
        select(
            _CELL.group_id,
            func.sum(_CELL.watt_minutes),
            func.max(_CELL.members),
            func.max(_CELL.homes),
            func.max(_CELL.counting),
            func.coalesce(
                func.sum(case((_CELL.homes > 0, _CELL.per_member))), func.sum(_CELL.per_member)
            ),
            func.sum(_CELL.minutes),
        )
        # By the groups, a few, each a range of the key.
        .where(
            _CELL.group_id.in_(select(MemberGroupRow.id)),
            _CELL.direction == direction,
            _CELL.interval.in_([step for step in Interval if step is not Interval.P1D]),
            _CELL.start >= within.start,
            _CELL.start < within.end,
            _CELL.day == day,
        )
        .group_by(_CELL.group_id)
    )
    key = Interval.P1D, direction, within.start, day
    return {
        group: PublishedCell._make((group, *key, *map(int, sums), False))
        for group, *sums in await connection.execute(query)
    }


class SharedEnergy(NamedTuple):
    """Energy that members injected while others drew as much, in watt-minutes.

    It sums the smaller of both published cells of each interval, `minutes` in all.
    """

    watt_minutes: int = 0
    minutes: int = 0


async def shared_by_day(
    connection: AsyncConnection, group: GroupId, within: Range
) -> dict[date, SharedEnergy]:
    """Return injection and consumption in the same intervals, by civil day."""
    smaller = case(
        (_CELL.watt_minutes < _DRAWN.watt_minutes, _CELL.watt_minutes), else_=_DRAWN.watt_minutes
    )
    query = _injected_and_drawn(
        group, within, _CELL.day, func.sum(smaller), func.sum(_CELL.minutes)
    ).group_by(_CELL.day)
    return {
        day: SharedEnergy(int(watt_minutes), int(minutes))
        for day, watt_minutes, minutes in await connection.execute(query)
    }


async def exchanges(
    connection: AsyncConnection, group: GroupId, within: Range
) -> list[tuple[int, int]]:
    """Return injection and consumption in each interval of which both are published.

    In watt-minutes, in no order.
    """
    query = _injected_and_drawn(group, within, _CELL.watt_minutes, _DRAWN.watt_minutes)
    return [(injected, drawn) for injected, drawn in await connection.execute(query)]


def _injected_and_drawn(group: GroupId, within: Range, *columns: ColumnElement[Any]) -> Select[Any]:
    """Select columns of published injection, `_CELL`, beside consumption, `_DRAWN`."""
    return (
        select(*columns)
        .select_from(_CELL)
        .join(
            _DRAWN,
            and_(
                _DRAWN.group_id == group,
                _DRAWN.direction == Direction.CONSUMPTION,
                _DRAWN.interval == _CELL.interval,
                _DRAWN.start == _CELL.start,
            ),
        )
        .where(
            _CELL.group_id == group,
            _CELL.direction == Direction.INJECTION,
            _CELL.interval.in_([step for step in Interval if step is not Interval.P1D]),
            _CELL.start >= within.start,
            _CELL.start < within.end,
        )
    )


async def published_groups(connection: AsyncConnection) -> set[GroupId]:
    """Return the groups with published cells."""
    published = select(_CELL.group_id).where(_CELL.group_id == MemberGroupRow.id).exists()
    query = select(MemberGroupRow.id).where(published)
    return set((await connection.execute(query)).scalars())


async def published_directions(connection: AsyncConnection, group: GroupId) -> set[Direction]:
    """Return the directions of a group with published cells."""
    published = [
        select(_CELL.start).where(_CELL.group_id == group, _CELL.direction == direction).exists()
        for direction in Direction
    ]
    row = (await connection.execute(select(*published))).one()
    return {direction for direction, exists in zip(Direction, row, strict=True) if exists}


async def first_day(connection: AsyncConnection, group: GroupId) -> date | None:
    """Return the first civil day of a group with a cell."""
    is_day = _CELL.interval == Interval.P1D
    query = select(func.min(_CELL.day)).where(_CELL.group_id == group, is_day)
    return (await connection.execute(query)).scalar_one()


async def best_day(
    connection: AsyncConnection, group: GroupId, direction: Direction
) -> tuple[date, int] | None:
    """Return the civil day of a group with the most energy published, with its watt-minutes."""
    query = (
        select(_CELL.day, _CELL.watt_minutes)
        .where(
            _CELL.group_id == group,
            _CELL.direction == direction,
            _CELL.interval == Interval.P1D,
            _CELL.watt_minutes > 0,
        )
        .order_by(_CELL.watt_minutes.desc(), _CELL.start)
        .limit(1)
    )
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else (row.day, row.watt_minutes)


async def minutes_since(
    connection: AsyncConnection, since: datetime, groups: Collection[GroupId]
) -> dict[GroupId, int]:
    """Return how much was published of groups in the civil days that start since then."""
    query = (
        select(_CELL.group_id, func.sum(_CELL.minutes))
        .where(
            _CELL.group_id.in_(groups),
            _CELL.direction.in_(Direction),
            _CELL.interval == Interval.P1D,
            _CELL.start >= since,
        )
        .group_by(_CELL.group_id)
    )
    return {group: int(minutes) for group, minutes in await connection.execute(query)}


async def parts(connection: AsyncConnection) -> dict[GroupId, frozenset[GroupId]]:
    """Return the parts of each group that stands for several others."""
    parts: dict[GroupId, set[GroupId]] = {}
    query = select(GroupPartRow.group_id, GroupPartRow.part_id)
    for group, part in await connection.execute(query):
        parts.setdefault(group, set()).add(part)
    return {group: frozenset(ids) for group, ids in parts.items()}


async def combined(
    connection: AsyncConnection, groups: frozenset[GroupId], names: Mapping[GroupId, str]
) -> GroupId:
    """Return the group that stands for several together, made when it is first needed."""
    name = ", ".join(sorted(names[group] or "…" for group in groups))
    query = select(MemberGroupRow.id).where(
        MemberGroupRow.kind == "combined", MemberGroupRow.name == name
    )
    group = (await connection.execute(query)).scalar_one_or_none()
    if group is None:
        made = insert(MemberGroupRow).values(kind="combined", name=name)
        group = (await connection.execute(made.returning(MemberGroupRow.id))).scalar_one()
        rows = [{"group_id": group, "part_id": part} for part in groups]
        await connection.execute(insert(GroupPartRow), rows)
    return group
