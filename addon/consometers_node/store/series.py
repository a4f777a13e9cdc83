"""Series and their blocks in the database; of sums, how many members each value has."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from itertools import batched
from typing import Any, NamedTuple, Self

from sqlalchemy import Column, and_, func, insert, or_, select

from consometers_node.series import Block, Range, Series

from .engine import upsert
from .engine.any_of import among
from .engine.connection import AsyncConnection
from .engine.declaration import Erasure, columns_of
from .engine.months import make_room
from .personal import delete_rows
from .tables import BlockRow, MemberCountRow, SeriesId, SeriesRow

_AT_ONCE = (2, 62, None)
"""Blocks in which a record is looked for: mostly the first of them has one."""

_KEYS_AT_ONCE = 1_000

type Packed = type[BlockRow | MemberCountRow]

SERIES_FACTS = columns_of(SeriesRow, Series)
"""The columns that `Series` is made of, in the order of its fields."""

OWN = 0
"""In place of a member: a series of this node itself."""


async def add_series(connection: AsyncConnection, series: Series, member: int = OWN) -> SeriesId:
    """Return the id of a series, of this node or of a member; store the series if it is new."""
    stored = await series_id(connection, series, member)
    if stored is not None:
        return stored
    new = insert(SeriesRow).values(_row(series, member)).returning(SeriesRow.id)
    return (await connection.execute(new)).scalar_one()


async def series_id(
    connection: AsyncConnection, series: Series, member: int = OWN
) -> SeriesId | None:
    """Return the id of a series, of this node or of a member, if it is known."""
    same = (column == value for column, value in _row(series, member).items())
    return (await connection.execute(select(SeriesRow.id).where(*same))).scalar_one_or_none()


def _row(series: Series, member: int) -> dict[Column[Any], object]:
    facts = asdict(series) | {"member_id": member}
    return {getattr(SeriesRow, name): value for name, value in facts.items()}


async def all_series(connection: AsyncConnection) -> dict[SeriesId, Series]:
    """Return every series of this node by its id."""
    query = select(SeriesRow.id, *SERIES_FACTS).order_by(SeriesRow.id)
    return {series_id: Series(*facts) for series_id, *facts in await connection.execute(query)}


async def put_blocks(
    connection: AsyncConnection, blocks: Mapping[SeriesId, Iterable[Block]], at: datetime
) -> None:
    """Store many blocks, each in place of the one of its day."""
    rows: list[dict[str, Any]] = [
        {"series_id": series_id, "day": block.day, "packed": block.pack(), "changed_at": at}
        for series_id, some in blocks.items()
        for block in some
    ]
    await make_room(connection, BlockRow.__table__.name, {row["day"] for row in rows})
    await upsert.put(connection, BlockRow, rows)


async def blocks(
    connection: AsyncConnection, series_id: SeriesId, series: Series, within: Range
) -> list[Block]:
    """Return the blocks of the UTC days that a range touches, in order, those that are there."""
    return await _unpacked(connection, BlockRow, series_id, series, within)


async def _unpacked(
    connection: AsyncConnection, row: Packed, series_id: SeriesId, series: Series, within: Range
) -> list[Block]:
    """Return a table's rows of a series and the UTC days that a range touches, in order."""
    if not within:
        return []
    query = (
        select(row.day, row.packed)
        .where(row.series_id == series_id, row.day.between(*days_of(within)))
        .order_by(row.day)
    )
    return [Block.unpack(series, day, packed) for day, packed in await connection.execute(query)]


class MemberCount(NamedTuple):
    """How many members a value of a collective sums.

    It `lacks_homes` if homes that count are not in it. A block holds both as one number.
    """

    members: int
    lacks_homes: bool = False

    @property
    def packed(self) -> int:
        """Twice the members, and one more where homes are missing."""
        return 2 * self.members + self.lacks_homes

    @classmethod
    def unpack(cls, packed: int) -> Self:
        """Return what a block's number says."""
        return cls(packed // 2, bool(packed % 2))


async def put_counts(
    connection: AsyncConnection, counts: Mapping[SeriesId, Iterable[Block]]
) -> None:
    """Store packed member counts, each day in place of what was stored of it."""
    rows = [
        {"series_id": series_id, "day": count.day, "packed": count.pack()}
        for series_id, some in counts.items()
        for count in some
    ]
    await upsert.put(connection, MemberCountRow, rows)


async def counts(
    connection: AsyncConnection, series_id: SeriesId, series: Series, within: Range
) -> list[Block]:
    """Return the packed member counts of values, of the UTC days that a range touches."""
    return await _unpacked(connection, MemberCountRow, series_id, series, within)


_OF_DAYS = select(BlockRow.series_id, BlockRow.day, BlockRow.packed).where(
    among(series=BlockRow.series_id, days=BlockRow.day)
)


async def blocks_of_days(
    connection: AsyncConnection, wanted: Mapping[SeriesId, tuple[Series, Collection[date]]]
) -> dict[tuple[SeriesId, date], Block]:
    """Return the blocks of some days of many series, those that are there."""
    pairs = [(series_id, day) for series_id, (_, days) in wanted.items() for day in days]
    by_day = {}
    for some in batched(pairs, _KEYS_AT_ONCE, strict=False):
        series_ids, days = zip(*some, strict=True)
        rows = await connection.execute(_OF_DAYS, {"series": series_ids, "days": days})
        for series_id, day, packed in rows:
            by_day[series_id, day] = Block.unpack(wanted[series_id][0], day, packed)
    return by_day


async def count_records(
    connection: AsyncConnection, wanted: Mapping[SeriesId, tuple[Series, Sequence[Range]]]
) -> dict[SeriesId, int]:
    """Count the records of each series that start in ranges of its own, which do not overlap."""
    counts = dict.fromkeys(wanted, 0)
    parts = [
        and_(BlockRow.series_id == series_id, BlockRow.day.between(*days_of(within)))
        for series_id, (_, ranges) in wanted.items()
        for within in ranges
        if within
    ]
    if not parts:
        return counts
    query = select(BlockRow.series_id, BlockRow.day, BlockRow.packed).where(or_(*parts))
    for series_id, day, packed in await connection.execute(query):
        series, ranges = wanted[series_id]
        whole = Range.of_day(day)
        if any(within.covers(whole) for within in ranges):
            absent, total = Block.missing(packed)
            counts[series_id] += total - absent
        else:
            block = Block.unpack(series, day, packed)
            counts[series_id] += sum(1 for within in ranges for _ in block.records(within))
    return counts


async def changes(connection: AsyncConnection, since: date) -> dict[SeriesId, tuple[int, datetime]]:
    """Return how many blocks a series has from a day on, and when the last of them changed."""
    query = (
        select(BlockRow.series_id, func.count(), func.max(BlockRow.changed_at))
        .where(BlockRow.day >= since)
        .group_by(BlockRow.series_id)
    )
    return {series_id: (count, at) for series_id, count, at in await connection.execute(query)}


async def missing(
    connection: AsyncConnection, since: date, series_ids: Collection[SeriesId]
) -> dict[SeriesId, dict[date, tuple[int, int]]]:
    """Return of each block from a day on how many of its values are missing, and of how many."""
    query = select(BlockRow.series_id, BlockRow.day, BlockRow.packed).where(
        BlockRow.series_id.in_(series_ids), BlockRow.day >= since
    )
    missing_values: dict[SeriesId, dict[date, tuple[int, int]]] = {}
    for series_id, day, packed in await connection.execute(query):
        missing_values.setdefault(series_id, {})[day] = Block.missing(packed)
    return missing_values


async def stored_days(connection: AsyncConnection) -> dict[SeriesId, int]:
    """Count the days of which records are kept."""
    query = select(BlockRow.series_id, func.count()).group_by(BlockRow.series_id)
    return dict((await connection.execute(query)).tuples().all())


async def extent(
    connection: AsyncConnection, series_id: SeriesId, series: Series, within: Range
) -> Range | None:
    """Return the range from the first record to the end of the last one; None if there is none."""
    start = await _nearest(connection, series_id, series, within, backwards=False)
    end = await _nearest(connection, series_id, series, within, backwards=True)
    return None if start is None or end is None else Range(start, series.end(end))


async def _nearest(
    connection: AsyncConnection,
    series_id: SeriesId,
    series: Series,
    within: Range,
    *,
    backwards: bool,
) -> datetime | None:
    """Return the start of the first record in a range, or of the last one."""
    if not within:
        return None
    order = BlockRow.day.desc() if backwards else BlockRow.day.asc()
    query = (
        select(BlockRow.day, BlockRow.packed)
        .where(BlockRow.series_id == series_id, BlockRow.day.between(*days_of(within)))
        .order_by(order)
    )
    for most in _AT_ONCE:
        rows = (await connection.execute(query.limit(most))).all()
        for day, packed in rows:
            block = Block.unpack(series, day, packed)
            if starts := [record.start for record in block.records(within)]:
                return starts[-1] if backwards else starts[0]
        if most is None or len(rows) < most:
            return None
    return None


def days_of(within: Range) -> tuple[date, date]:
    """Return the first UTC day of a range that is not empty, and the last."""
    last = within.end.astimezone(UTC) - timedelta(microseconds=1)
    return within.start.astimezone(UTC).date(), last.date()


async def erase_series(connection: AsyncConnection, series_ids: Iterable[SeriesId]) -> int:
    """Remove all that is stored of these series. Return how many blocks there were."""
    deleted = await delete_rows(connection, Erasure.WITH_SERIES, list(series_ids))
    return deleted[BlockRow.__table__.name]
