"""Records that members of a collective deliver in these tests."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta

from consometers_node.collective.ingestion.write_queue import WriteQueue
from consometers_node.series import Block
from consometers_node.store import Store
from consometers_node.store.series import all_series, blocks_of_days
from consometers_quoalise import (
    Data,
    DeviceType,
    Duration,
    Identifier,
    Number,
    Records,
    describe,
)

HOUR = timedelta(hours=1)


def pushed_data(
    name: Identifier,
    start: datetime,
    values: Sequence[Number],
    *,
    interval: timedelta = HOUR,
    device: str = DeviceType.METER,
    unit: str = "W",
    members: Sequence[Number] | None = None,
) -> Data:
    """One message: values at an interval from an instant on."""
    times = [int((start + n * interval).timestamp()) for n in range(len(values))]
    metadata = describe(name, Duration(days=interval.days, seconds=interval.seconds), device)
    records = [Records(str(name), unit, dict(zip(times, values, strict=True)))]
    if members is not None:
        counts: Mapping[Number, Number] = dict(zip(times, members, strict=True))
        records.append(Records(str(name.members), "1", counts))
    return Data(metadata, tuple(records))


async def stored_blocks(store: Store, day: date) -> dict[str, Block]:
    """Return the blocks of a UTC day, by device."""
    async with store.reading() as connection:
        all_stored = await all_series(connection)
        blocks = await blocks_of_days(
            connection, {number: (series, [day]) for number, series in all_stored.items()}
        )
    return {block.series.device: block for block in blocks.values()}


async def stored_values(store: Store, days: Iterable[date]) -> dict[datetime, int]:
    """Return all records of all members of some UTC days; no two are of one time."""
    values: dict[datetime, int] = {}
    for day in days:
        for block in (await stored_blocks(store, day)).values():
            new = {record.start: record.value for record in block.records()}
            assert not new.keys() & values.keys()
            values |= new
    return values


@asynccontextmanager
async def running_queue(store: Store, time_zone: str = "Europe/Paris") -> AsyncIterator[WriteQueue]:
    """Run a write queue."""
    queue = WriteQueue(store, time_zone, lambda _: None)
    running = asyncio.create_task(queue.run())
    try:
        yield queue
        assert not running.done(), running
    finally:
        running.cancel()
        await asyncio.wait({running})
