"""How many members a value sums is kept beside it, and goes with it."""

from dataclasses import replace
from datetime import timedelta

from consometers_node.series import Block, Device, Quantity, Range
from consometers_node.store import Store
from consometers_node.store.series import add_series, counts, erase_series, put_counts

from ..permission.samples import HOURLY, now

SUM = replace(HOURLY, device=Device("urn:dev:org:60060-coop"), quantity=Quantity.POWER)
DAY = now().date()


async def test_counts_are_stored_replaced_and_erased_with_their_series(store: Store) -> None:
    first, second = (Block(SUM, DAY, (members, None) * 12) for members in (10, 12))
    eve = replace(first, day=DAY - timedelta(days=1))
    both = Range(Range.of_day(eve.day).start, Range.of_day(DAY).end)
    async with store.writing() as connection:
        series_id = await add_series(connection, SUM)
        other = await add_series(connection, HOURLY)
        await put_counts(connection, {})
        await put_counts(connection, {series_id: [eve, first]})
        await put_counts(connection, {series_id: [second], other: [replace(first, series=HOURLY)]})
        assert await counts(connection, series_id, SUM, both) == [eve, second]
        assert await counts(connection, series_id, SUM, Range.of_day(DAY)) == [second]
        start = Range.of_day(DAY).start
        assert await counts(connection, series_id, SUM, Range(start, start)) == []
        await erase_series(connection, [series_id])
        assert await counts(connection, series_id, SUM, Range.of_day(DAY)) == []
        assert len(await counts(connection, other, HOURLY, Range.of_day(DAY))) == 1
