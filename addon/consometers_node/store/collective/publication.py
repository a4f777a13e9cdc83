"""Closed intervals and published cells: written once, then only read.

The database refuses to change a row, and to add a cell to an interval that was closed.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Subquery,
    and_,
    case,
    func,
    insert,
    literal,
    null,
    select,
    tuple_,
    type_coerce,
)

from consometers_node.figures import COMBINED, Energies
from consometers_node.series import Direction, Interval, Range
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.engine.declaration import aliased, columns_of
from consometers_node.store.engine.upsert import put

from .memberships import first_block
from .tables import (
    ClosedIntervalRow,
    ClosedMonthRow,
    GroupId,
    GroupPartRow,
    MemberGroupRow,
    PublishedCellRow,
)


class PublishedCell(NamedTuple):
    """The published cell of a group in an interval: see `PublishedCellRow`.

    One that was read as a figure is the sum of both kinds: in `unopened` of its minutes, homes in
    protected sums count that are not in it. It does not say whether they may still come. An hour
    that a witness was asked for and did not open has a home that dominates the others.
    `protected_homes` are those that are in it, `since` when the last of them came, if that was
    later than the records.
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
    homes_watt_minutes: int
    average: int
    minutes: int
    lacking: int = 0
    unopened: int = 0
    protected: int = 0
    protected_homes: int = 0
    since: datetime | None = None

    @property
    def without(self) -> int:
        """In how many minutes homes that count are missing, those of either kind."""
        return min(self.minutes, self.lacking + self.unopened)

    @property
    def public(self) -> int:
        """The number of members that are no homes."""
        return self.members - self.homes

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
    protected: int = 0


class HomeQuartiles(NamedTuple):
    """The quartiles of the homes of a month: see `ClosedMonthRow`."""

    homes: int
    lower: int
    median: int
    upper: int


type ClosedSpans = Mapping[tuple[Direction, Interval], tuple[datetime, datetime]]
"""The starts of the first and the last closed interval, by direction and step."""

LATE: Final = timedelta(minutes=10)
"""A protected sum that comes later than this after the records of its hour was not in the figure
before."""

_LONGEST_DAY = timedelta(hours=25)
_SECOND = timedelta(seconds=1)
_STEPS = [step for step in Interval if step is not Interval.P1D]
_ENERGIES = [Direction(name) for name in Energies._fields if name in Direction]
_COMBINED = tuple(dict.fromkeys(basis.directions for basis in COMBINED))
_CELL = PublishedCellRow
_CLOSED = ClosedIntervalRow
_IS_OF_DAYS = tuple_(_CELL.interval, _CELL.protected).in_([(Interval.P1D, 0), (Interval.PT1H, 1)])
"""What days have: cells of records by the day, and protected sums, which are of hours only."""
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
    rows: list[dict[str, object]] = [dict(zip(names, cell, strict=False)) for cell in cells]
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
            .where(
                _CLOSED.direction == direction,
                _CLOSED.interval == interval,
                _CLOSED.protected == 0,
                *within,
            )
            .scalar_subquery()
            for direction, interval in _KEYS
            for end in ends
        )
    )


def _starts_in(within: Range) -> tuple[ColumnElement[bool], ...]:
    return _CLOSED.start >= within.start, _CLOSED.start < within.end


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
                .where(
                    _CLOSED.direction == direction,
                    _CLOSED.interval == Interval.P1D,
                    _CLOSED.protected == 0,
                )
                .exists(),
                null(),
            ),
            else_=first_block(direction),
        )
        for direction in Direction
    )
)


async def last_closed(
    connection: AsyncConnection, within: Range | None = None
) -> dict[tuple[Direction, Interval], datetime]:
    """Return the start of the last closed interval, by direction and step.

    With `within`, of those that start in it.
    """
    query = _LAST_CLOSED if within is None else _of_each(func.max, within=_starts_in(within))
    return _by_key((await connection.execute(query)).one())


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


async def closed_spans(connection: AsyncConnection, within: Range | None = None) -> ClosedSpans:
    """Return the starts of the first and the last closed interval, by direction and step.

    With `within`, of those that start in it.
    """
    query = _ALL_SPANS
    if within is not None:
        query = _of_each(func.min, func.max, within=_starts_in(within))
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


async def closed_intervals(
    connection: AsyncConnection, interval: Interval, within: Range, *, protected: bool = False
) -> list[ClosedInterval]:
    """Return the closed intervals of a kind that start in a range, in order."""
    start = _CLOSED.start
    query = (
        select(*_CLOSED_FACTS)
        .where(
            _CLOSED.direction.in_(Direction),
            _CLOSED.interval == interval,
            _CLOSED.protected == int(protected),
            start >= within.start,
            start < within.end,
        )
        .order_by(start, _CLOSED.direction)
    )
    return [ClosedInterval(interval, *row) for row in await connection.execute(query)]


async def cells_of_records(
    connection: AsyncConnection,
    group: GroupId,
    interval: Interval,
    directions: Collection[Direction],
    within: Range,
) -> list[PublishedCell]:
    """Return the cells of records of a group in the intervals that start in a range."""
    query = select(*_CELL_FACTS).where(
        *_of(_CELL, group, interval, directions, within=within, protected=0)
    )
    return [PublishedCell(group, interval, *row) for row in await connection.execute(query)]


async def cells_of_hour(
    connection: AsyncConnection, direction: Direction, start: datetime
) -> list[PublishedCell]:
    """Return the cells of records of an hour, of all groups."""
    query = select(_CELL.group_id, *_CELL_FACTS).where(
        _CELL.group_id.in_(select(MemberGroupRow.id)),
        _CELL.direction == direction,
        _CELL.interval == Interval.PT1H,
        _CELL.protected == 0,
        _CELL.start == start,
    )
    return [
        PublishedCell(group, Interval.PT1H, *row) for group, *row in await connection.execute(query)
    ]


async def cells(
    connection: AsyncConnection,
    group: GroupId,
    interval: Interval,
    directions: Collection[Direction],
    within: Range,
    *,
    time_zone: str,
) -> list[PublishedCell]:
    """Return the figures of a group in the intervals that start in a range: of both kinds.

    The protected part of a civil day is the sum of its hours.
    """
    records = await cells_of_records(connection, group, interval, directions, within)
    protected: list[_Protected] = []
    if interval in {Interval.PT1H, Interval.P1D}:
        protected = await _protected(
            connection, group, interval, directions, within=within, time_zone=time_zone
        )
    beside = {(each.cell.direction, each.cell.start): each for each in protected}
    both = [_both(cell, beside.pop((cell.direction, cell.start), None)) for cell in records]
    return both + [each.cell for each in beside.values()]


class _Protected(NamedTuple):
    """The protected part of a figure.

    Its average is what it adds to that of the records, hour by hour. Of its minutes, `alone` are of
    intervals without a cell of records.
    """

    cell: PublishedCell
    alone: int


def _both(cell: PublishedCell, protected: _Protected | None) -> PublishedCell:
    """Return a cell of records with its protected part."""
    if protected is None:
        return cell
    beside, alone = protected
    return cell._replace(
        unopened=max(0, cell.unopened - (beside.minutes - alone)),
        minutes=cell.minutes + alone,
        lacking=min(cell.minutes + alone, cell.lacking + beside.lacking),
        watt_minutes=cell.watt_minutes + beside.watt_minutes,
        members=cell.members + beside.members,
        homes=cell.homes + beside.homes,
        counting=cell.counting + beside.counting,
        homes_watt_minutes=cell.homes_watt_minutes + beside.homes_watt_minutes,
        average=beside.average + (cell.average if cell.homes else 0),
        protected_homes=beside.protected_homes,
        since=beside.since,
    )


async def _protected(
    connection: AsyncConnection,
    group: GroupId,
    interval: Interval,
    directions: Collection[Direction],
    *,
    within: Range,
    time_zone: str,
) -> list[_Protected]:
    """Return the protected parts of hours, or of closed civil days."""
    own, records = aliased(_CELL), aliased(_CELL)
    closed, before = aliased(_CLOSED), aliased(_CLOSED)
    is_beside = records.start.is_not(None)
    is_late = closed.closed_at > type_coerce(before.closed_at, Integer) + LATE // _SECOND
    is_day = interval is Interval.P1D
    homes = own.homes + records.homes
    doubled = 2 * (own.homes_watt_minutes + records.homes_watt_minutes)
    mean = (doubled + homes) // (2 * homes)
    query = (
        select(
            own.direction,
            func.min(own.start),
            own.day,
            func.sum(own.watt_minutes),
            func.max(own.members),
            func.max(own.homes),
            func.max(own.counting),
            func.sum(own.homes_watt_minutes),
            func.sum(case((records.homes > 0, mean - records.average), else_=own.average)),
            func.sum(own.minutes),
            func.sum(own.lacking),
            func.max(case((is_beside, own.homes), else_=0)),
            func.max(case((is_late, closed.closed_at))),
            func.sum(case((is_beside, 0), else_=own.minutes)),
        )
        .outerjoin(records, and_(records.group_id == own.group_id, *_same(records, own, 0)))
        .join(closed, and_(*_same(closed, own, 1)))
        .join(before, and_(*_same(before, own, 0)))
        .where(
            *_of(
                own,
                group,
                Interval.PT1H,
                directions,
                within=_hours(interval, within),
                protected=1,
            )
        )
        .group_by(own.direction, own.day, *(() if is_day else (own.start,)))
    )
    rows = (await connection.execute(query)).all()
    starts: dict[date, datetime] = {}
    if is_day and rows:
        zone = ZoneInfo(time_zone)
        for day in await closed_intervals(connection, interval, within):
            starts[day.start.astimezone(zone).date()] = day.start
    return [
        _Protected(
            PublishedCell._make(
                (
                    group,
                    interval,
                    direction,
                    starts[day] if is_day else start,
                    day,
                    *map(int, sums),
                    # None of these homes are missing.
                    0,
                    1,
                    homes,
                    since,
                )
            ),
            int(alone),
        )
        for direction, start, day, *sums, homes, since, alone in rows
        if not is_day or day in starts
    ]


def _hours(interval: Interval, within: Range) -> Range:
    """Return when hours start of the intervals that start in a range."""
    return Range(within.start, within.end + _LONGEST_DAY) if interval is Interval.P1D else within


def _of(
    cell: Any,
    group: GroupId,
    interval: Interval,
    directions: Collection[Direction],
    *,
    within: Range,
    protected: int,
) -> tuple[ColumnElement[bool], ...]:
    return (
        cell.group_id == group,
        cell.direction.in_(directions),
        cell.interval == interval,
        cell.protected == protected,
        cell.start >= within.start,
        cell.start < within.end,
    )


def _same(row: Any, cell: Any, protected: int) -> tuple[ColumnElement[bool], ...]:
    """Return whether a row is of a kind, in the interval of a cell."""
    return (
        row.direction == cell.direction,
        row.interval == cell.interval,
        row.protected == protected,
        row.start == cell.start,
    )


async def day_sums(
    connection: AsyncConnection, direction: Direction, day: date, within: Range
) -> dict[GroupId, PublishedCell]:
    """Return the sums of the published intervals of records of a civil day, by group.

    `members`, `homes` and `counting` are the most of one of its intervals. `average` adds up their
    averages, of those with homes where there are such.
    """
    query = (
        select(
            _CELL.group_id,
            func.sum(_CELL.watt_minutes),
            func.max(_CELL.members),
            func.max(_CELL.homes),
            func.max(_CELL.counting),
            func.sum(_CELL.homes_watt_minutes),
            func.coalesce(
                func.sum(case((_CELL.homes > 0, _CELL.average))), func.sum(_CELL.average)
            ),
            func.sum(_CELL.minutes),
            func.sum(_CELL.lacking),
            func.sum(_CELL.unopened),
        )
        # By the groups, a few, each a range of the key.
        .where(
            _CELL.group_id.in_(select(MemberGroupRow.id)),
            _CELL.direction == direction,
            _CELL.interval.in_(_STEPS),
            _CELL.protected == 0,
            _CELL.start >= within.start,
            _CELL.start < within.end,
            _CELL.day == day,
        )
        .group_by(_CELL.group_id)
    )
    key = Interval.P1D, direction, within.start, day
    return {
        group: PublishedCell._make((group, *key, *map(int, sums), 0, 0, None))
        for group, *sums in await connection.execute(query)
    }


type Directions = tuple[Direction, ...]


class Joint(NamedTuple):
    """Energies of the intervals in which some directions are all published of the same homes.

    In watt-minutes. The intervals last `minutes`, in `lacking` of which the homes are missing.
    """

    energies: Energies = Energies()
    minutes: int = 0
    lacking: int = 0

    def __add__(self, other: Joint) -> Joint:  # type: ignore[override]
        energies = Energies(*map(sum, zip(self.energies, other.energies, strict=True)))
        return Joint(energies, self.minutes + other.minutes, self.lacking + other.lacking)


class IntervalSums(NamedTuple):
    """Sums over the published intervals of a civil day: jointly, and of each direction."""

    joint: Mapping[Directions, Joint]
    watt_minutes: Mapping[Direction, int]


async def interval_sums(
    connection: AsyncConnection,
    group: GroupId,
    within: Range,
    directions: Collection[Direction],
) -> dict[date, IntervalSums]:
    """Return sums over the published intervals that start in a range, by civil day."""
    rows = _intervals(group, within, directions)
    sums: list[ColumnElement[Any]] = [func.sum(rows.c[direction]) for direction in _ENERGIES]
    for joined in _COMBINED:
        energies = [
            rows.c[direction] if direction in joined else literal(0) for direction in _ENERGIES
        ]
        joint = (*energies, _smaller(rows, joined), rows.c.minutes, _lacking(rows, joined[0]))
        is_joint = _is_joint(rows, joined)
        sums += [func.sum(case((is_joint, value), else_=0)) for value in joint]
    query = select(rows.c.day, *sums).group_by(rows.c.day)
    return {day: _interval_sums(values) for day, *values in await connection.execute(query)}


async def exchanges(
    connection: AsyncConnection, group: GroupId, within: Range
) -> list[tuple[int, int]]:
    """Return injection and consumption in each interval of which both are of the same homes.

    In watt-minutes, in no order.
    """
    directions = (Direction.INJECTION, Direction.CONSUMPTION)
    rows = _intervals(group, within, directions)
    query = select(*(rows.c[direction] for direction in directions))
    joint = await connection.execute(query.where(_is_joint(rows, directions)))
    return [(injected, drawn) for injected, drawn in joint]


def _intervals(group: GroupId, within: Range, directions: Collection[Direction]) -> Subquery:
    """Select each published interval, beside days: the energy of each direction, NULL without any.

    `lacking_…` are the minutes of it in which homes that send records are missing, `unopened_…`
    those in which homes in protected sums are.
    """
    opened = case((_CELL.protected == 1, _CELL.minutes), else_=0)
    unopened = _CELL.unopened - opened
    columns = [
        total(case((_CELL.direction == direction, value))).label(f"{name}{direction}")
        for total, name, value in (
            (func.sum, "", _CELL.watt_minutes),
            (func.max, "lacking_", _CELL.lacking),
            (func.sum, "unopened_", unopened),
        )
        for direction in _ENERGIES
    ]
    return (
        select(_CELL.day, func.max(_CELL.minutes).label("minutes"), *columns)
        .where(
            _CELL.group_id == group,
            _CELL.direction.in_(directions),
            _CELL.interval.in_(_STEPS),
            _CELL.protected.in_((0, 1)),
            _CELL.start >= within.start,
            _CELL.start < within.end,
        )
        .group_by(_CELL.interval, _CELL.start, _CELL.day)
        .subquery()
    )


def _is_unopened(rows: Subquery, direction: Direction) -> ColumnElement[Any]:
    return case((rows.c[f"unopened_{direction}"] > 0, 1), else_=0)


def _lacking(rows: Subquery, direction: Direction) -> ColumnElement[Any]:
    """Return the minutes of an interval in which homes of either kind are missing."""
    return case(
        (_is_unopened(rows, direction) == 1, rows.c.minutes), else_=rows.c[f"lacking_{direction}"]
    )


def _is_joint(rows: Subquery, directions: Directions) -> ColumnElement[bool]:
    """Return whether directions were all published of the same homes.

    These are all, or those of one kind, or none.
    """
    first, *others = directions
    return and_(
        *(rows.c[direction].is_not(None) for direction in directions),
        *(rows.c[f"lacking_{other}"] == rows.c[f"lacking_{first}"] for other in others),
        *(_is_unopened(rows, other) == _is_unopened(rows, first) for other in others),
    )


def _smaller(rows: Subquery, directions: Directions) -> ColumnElement[Any]:
    if not {Direction.INJECTION, Direction.CONSUMPTION} <= {*directions}:
        return literal(0)
    fed, drawn = rows.c[Direction.INJECTION], rows.c[Direction.CONSUMPTION]
    return case((fed < drawn, fed), else_=drawn)


def _interval_sums(values: Iterable[int | None]) -> IntervalSums:
    numbers = iter(values)
    each = {direction: next(numbers) for direction in _ENERGIES}
    joint = {}
    for directions in _COMBINED:
        energies = Energies(*(int(next(numbers) or 0) for _ in Energies._fields))
        joint[directions] = Joint(energies, int(next(numbers) or 0), int(next(numbers) or 0))
    return IntervalSums(
        joint, {way: int(energy) for way, energy in each.items() if energy is not None}
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
    query = select(func.min(_CELL.day)).where(
        _CELL.group_id == group, _CELL.direction.in_(Direction), _IS_OF_DAYS
    )
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
            _IS_OF_DAYS,
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
