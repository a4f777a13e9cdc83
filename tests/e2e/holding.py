"""What a collective holds of its members, whether it was published or not."""

from datetime import UTC, datetime, time, timedelta

from consometers_node.series import Block, Direction, Range
from consometers_node.store import Store
from consometers_node.store.memberships import member_blocks, member_counts

type Sums = dict[datetime, tuple[int, int]]
"""The sum of the values of members by their start, and how many members that sums."""

_DAY = timedelta(days=1)


async def held(store: Store, direction: Direction, within: Range) -> Sums:
    """Add up what members sent of power, all of them at the same step."""
    sums: Sums = {}
    async with store.reading() as connection:
        days = within.start.date(), within.end.date()
        rows = await member_blocks(connection, direction, *days)
        counted = {
            (number, day): Block.values_of(packed)
            for number, day, packed in await member_counts(connection, direction, *days)
        }
    for row in rows:
        values = Block.values_of(row.packed)
        counts = counted.get((row.series, row.day), (1,) * len(values))
        midnight = datetime.combine(row.day, time(), UTC)
        for n, (value, count) in enumerate(zip(values, counts, strict=True)):
            start = midnight + n * _DAY / len(values)
            if value is not None and count is not None and start in within:
                total, members = sums.get(start, (0, 0))
                sums[start] = total + value, members + count
    return sums
