"""Series and their blocks in the database."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import batched
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ..series import Block, Range, Series
from . import upsert
from .any_of import among, pair_among
from .months import make_room
from .tables import BlockRow, CoverageRow, MemberCountRow, SeriesId, SeriesRow

_AT_ONCE = (2, 62, None)
"""Blocks in which a record is looked for: mostly the first of them has one."""

_KEYS_AT_ONCE = 1_000

SERIES_FACTS = (
    SeriesRow.device,
    SeriesRow.direction,
    SeriesRow.quantity,
    SeriesRow.interval,
    SeriesRow.time_zone,
)
"""The columns that `Series` is made of, in the order of its fields."""
_OF_DEVICES = select(SeriesRow.id, *SERIES_FACTS).where(
    among(SeriesRow.device, "devices"), SeriesRow.member_id == bindparam("member")
)

OWN = 0
"""In place of a member: a series of this node itself."""


async def add_series(connection: AsyncConnection, series: Series, member: int = OWN) -> SeriesId:
    """Return the id of a series, of this node or of a member; store the series if it is new."""
    known = await series_id(connection, series, member)
    if known is not None:
        return known
    values = {
        "device": series.device,
        "direction": series.direction,
        "quantity": series.quantity,
        "interval": series.interval,
        "time_zone": series.time_zone,
        "member_id": member,
    }
    result = await connection.execute(insert(SeriesRow).values(values).returning(SeriesRow.id))
    return result.scalar_one()


async def series_id(
    connection: AsyncConnection, series: Series, member: int = OWN
) -> SeriesId | None:
    """Return the id of a series, of this node or of a member, if it is known."""
    query = select(SeriesRow.id).where(
        SeriesRow.device == series.device,
        SeriesRow.direction == series.direction,
        SeriesRow.quantity == series.quantity,
        SeriesRow.interval == series.interval,
        SeriesRow.time_zone == series.time_zone,
        SeriesRow.member_id == member,
    )
    return (await connection.execute(query)).scalar_one_or_none()


async def series_of_devices(
    connection: AsyncConnection, devices: Collection[str], member: int = OWN
) -> dict[Series, SeriesId]:
    """Return the series of some devices of this node, or of a member."""
    rows = await connection.execute(_OF_DEVICES, {"devices": devices, "member": member})
    return {Series(*facts): number for number, *facts in rows}


async def all_series(connection: AsyncConnection) -> dict[SeriesId, Series]:
    """Return every series of this node by its id."""
    query = select(SeriesRow.id, *SERIES_FACTS).order_by(SeriesRow.id)
    return {number: Series(*facts) for number, *facts in await connection.execute(query)}


async def put_blocks(
    connection: AsyncConnection, kept: Mapping[SeriesId, Iterable[Block]], at: datetime
) -> None:
    """Keep many blocks, each in place of the one of its day."""
    rows, days = [], set()
    for number, some in kept.items():
        for block in some:
            days.add(block.day)
            packed = block.pack()
            rows.append({"series_id": number, "day": block.day, "packed": packed, "changed_at": at})
    if rows:
        await make_room(connection, BlockRow.__tablename__, days)
        await upsert.put(connection, BlockRow, rows, "packed", "changed_at")


_OF_DAYS = select(BlockRow.series_id, BlockRow.day, BlockRow.packed).where(
    pair_among(BlockRow.series_id, BlockRow.day, ("numbers", "days"))
)


async def blocks_of_days(
    connection: AsyncConnection, wanted: Mapping[SeriesId, tuple[Series, Collection[date]]]
) -> dict[tuple[SeriesId, date], Block]:
    """Return the blocks of some days of many series, those that are there."""
    found = {}
    for keys in _keys_of_days(wanted):
        for number, day, packed in await connection.execute(_OF_DAYS, keys):
            found[number, day] = Block.unpack(wanted[number][0], day, packed)
    return found


def _keys_of_days(
    wanted: Mapping[SeriesId, tuple[Series, Collection[date]]],
) -> Iterator[dict[str, Sequence[Any]]]:
    """Return the `numbers` and `days` of a statement by `pair_among`, some at a time."""
    pairs = [(number, day) for number, (_, days) in wanted.items() for day in days]
    for some in batched(pairs, _KEYS_AT_ONCE, strict=False):
        numbers, days = zip(*some, strict=True)
        yield {"numbers": numbers, "days": days}


async def blocks(
    connection: AsyncConnection, number: SeriesId, series: Series, within: Range
) -> list[Block]:
    """Return the blocks of the UTC days that a range touches, in order, those that are there."""
    if not within:
        return []
    query = (
        select(BlockRow.day, BlockRow.packed)
        .where(BlockRow.series_id == number, BlockRow.day.between(*days_of(within)))
        .order_by(BlockRow.day)
    )
    return [Block.unpack(series, day, packed) for day, packed in await connection.execute(query)]


async def count_records(
    connection: AsyncConnection, wanted: Mapping[SeriesId, tuple[Series, Sequence[Range]]]
) -> dict[SeriesId, int]:
    """Count the records of each series that start in ranges of its own, which do not overlap."""
    counts = dict.fromkeys(wanted, 0)
    parts = [
        and_(BlockRow.series_id == number, BlockRow.day.between(*days_of(within)))
        for number, (_, ranges) in wanted.items()
        for within in ranges
        if within
    ]
    if not parts:
        return counts
    query = select(BlockRow.series_id, BlockRow.day, BlockRow.packed).where(or_(*parts))
    for number, day, packed in await connection.execute(query):
        series, ranges = wanted[number]
        whole = Range.of_day(day)
        if any(within.covers(whole) for within in ranges):
            absent, of = Block.missing(packed)
            counts[number] += of - absent
        else:
            block = Block.unpack(series, day, packed)
            counts[number] += sum(1 for within in ranges for _ in block.records(within))
    return counts


async def changes(connection: AsyncConnection, since: date) -> dict[SeriesId, tuple[int, datetime]]:
    """Return how many blocks a series has from a day on, and when the last of them changed."""
    query = (
        select(BlockRow.series_id, func.count(), func.max(BlockRow.changed_at))
        .where(BlockRow.day >= since)
        .group_by(BlockRow.series_id)
    )
    return {number: (count, at) for number, count, at in await connection.execute(query)}


async def missing(
    connection: AsyncConnection, since: date, numbers: Collection[SeriesId]
) -> dict[SeriesId, dict[date, tuple[int, int]]]:
    """Return of each block from a day on how many of its values are missing, and of how many."""
    query = select(BlockRow.series_id, BlockRow.day, BlockRow.packed).where(
        BlockRow.series_id.in_(numbers), BlockRow.day >= since
    )
    found: dict[SeriesId, dict[date, tuple[int, int]]] = {}
    for number, day, packed in await connection.execute(query):
        found.setdefault(number, {})[day] = Block.missing(packed)
    return found


async def largest_of_days(
    connection: AsyncConnection, number: SeriesId, until: date
) -> list[tuple[date, int]]:
    """Return the largest value of a series on each UTC day until one, that included, in order."""
    query = (
        select(BlockRow.day, BlockRow.packed)
        .where(BlockRow.series_id == number, BlockRow.day <= until)
        .order_by(BlockRow.day)
    )
    rows = await connection.execute(query)
    return [
        (day, max((value for value in Block.values_of(packed) if value is not None), default=0))
        for day, packed in rows.tuples()
    ]


async def days_kept(connection: AsyncConnection) -> dict[SeriesId, int]:
    """Count the days of which records are kept."""
    query = select(BlockRow.series_id, func.count()).group_by(BlockRow.series_id)
    return dict((await connection.execute(query)).tuples().all())


async def extent(
    connection: AsyncConnection, number: SeriesId, series: Series, within: Range
) -> Range | None:
    """Return the range from the first record to the end of the last one; None if there is none."""
    days = select(func.min(BlockRow.day), func.max(BlockRow.day)).where(
        BlockRow.series_id == number
    )
    first, last = (await connection.execute(days)).one()
    if first is None or last is None:
        return None
    known = Range(Range.of_day(first).start, Range.of_day(last).end).clip(within)
    if not known:
        return None
    start = await _nearest(connection, number, series, known, backwards=False)
    end = await _nearest(connection, number, series, known, backwards=True)
    return None if start is None or end is None else Range(start, series.end(end))


async def _nearest(
    connection: AsyncConnection, number: SeriesId, series: Series, within: Range, *, backwards: bool
) -> datetime | None:
    """Return the start of the first record in a range, or of the last one."""
    order = BlockRow.day.desc() if backwards else BlockRow.day.asc()
    query = (
        select(BlockRow.day, BlockRow.packed)
        .where(BlockRow.series_id == number, BlockRow.day.between(*days_of(within)))
        .order_by(order)
    )
    for most in _AT_ONCE:
        rows = (await connection.execute(query.limit(most))).all()
        for day, packed in rows:
            found = [one.start for one in Block.unpack(series, day, packed).records(within)]
            if found:
                return found[-1] if backwards else found[0]
        if most is None or len(rows) < most:
            return None
    return None


def days_of(within: Range) -> tuple[date, date]:
    """Return the first UTC day of a range that is not empty, and the last."""
    last = within.end.astimezone(UTC) - timedelta(microseconds=1)
    return within.start.astimezone(UTC).date(), last.date()


async def erase_series(connection: AsyncConnection, numbers: Iterable[SeriesId]) -> int:
    """Remove all blocks of these series, and what they cover; tell how many blocks there were."""
    gone = list(numbers)
    for row in (CoverageRow, MemberCountRow):
        await connection.execute(delete(row).where(row.series_id.in_(gone)))
    erased = delete(BlockRow).where(BlockRow.series_id.in_(gone))
    return (await connection.execute(erased)).rowcount
