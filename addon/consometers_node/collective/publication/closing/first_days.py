"""The first record that members sent, in each direction, and its civil day."""

from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from consometers_node.series import Block, Direction, Range
from consometers_node.store.collective.masked_reports import first_reports
from consometers_node.store.collective.memberships import member_blocks, series_of
from consometers_node.store.engine.connection import AsyncConnection


async def first_records(
    connection: AsyncConnection, blocks: Mapping[Direction, date], *, has_masked: bool
) -> dict[Direction, datetime]:
    """Return the start of the first record of each direction, or of its first masked report.

    `blocks` are the first UTC days with a block. Reports of closed hours are gone; without
    `has_masked`, records alone count.
    """
    starts: dict[Direction, datetime] = await first_reports(connection) if has_masked else {}
    for direction, day in blocks.items():
        start = await _first_record(connection, direction, day)
        starts[direction] = min(start, starts.get(direction, start))
    return starts


async def first_days(
    connection: AsyncConnection,
    zone: ZoneInfo,
    blocks: Mapping[Direction, date],
    *,
    has_masked: bool = True,
) -> dict[Direction, date]:
    """Return the civil day of each of the `first_records`. A block has records of two."""
    starts = await first_records(connection, blocks, has_masked=has_masked)
    return {direction: start.astimezone(zone).date() for direction, start in starts.items()}


async def _first_record(connection: AsyncConnection, direction: Direction, day: date) -> datetime:
    """Return the start of the first record of a UTC day; of the day, where none of it counts."""
    blocks = await member_blocks(connection, direction, day, day)
    series = await series_of(connection, {block.series for block in blocks})
    starts = (
        start
        for block in blocks
        for start, value in zip(
            series[block.series].starts(day), Block.values_of(block.packed), strict=True
        )
        if value is not None
    )
    return min(starts, default=Range.of_day(day).start)
