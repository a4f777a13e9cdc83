"""Series, their blocks, and the member counts of sums."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import HealthCheck, given, settings, strategies as st

from consometers_node.series import Block, Device, Quantity, Range, Record
from consometers_node.store import Store
from consometers_node.store.series import (
    add_series,
    all_series,
    blocks,
    blocks_of_days,
    counts,
    erase_series,
    put_blocks,
    put_counts,
    series_id,
)
from testing.homes.data_needs import DAILY, FINE, HOURLY, now

DAY = date(2026, 3, 28)
MARCH = Range(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))


async def test_a_series_is_identified_by_its_five_facts(store: Store) -> None:
    async with store.writing() as connection:
        stored_id = await add_series(connection, HOURLY)
        assert await add_series(connection, HOURLY) == stored_id
        assert await add_series(connection, DAILY) != stored_id
        assert await series_id(connection, replace(HOURLY, time_zone="UTC")) is None
        assert (await all_series(connection))[stored_id] == HOURLY


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(values=st.lists(st.none() | st.integers(0, 2**64 - 2), min_size=24, max_size=24))
async def test_a_stored_block_is_read_unchanged(store: Store, values: list[int | None]) -> None:
    block = Block(HOURLY, DAY, tuple(values))
    async with store.writing() as connection:
        stored_id = await add_series(connection, HOURLY)
        await put_blocks(connection, {stored_id: [block]}, now())
        assert await blocks(connection, stored_id, HOURLY, Range.of_day(DAY)) == [block]


async def test_days_without_a_block_are_left_out_and_erasing_leaves_none(store: Store) -> None:
    async with store.writing() as connection:
        stored_id = await add_series(connection, HOURLY)
        for day in MARCH.days():
            if day != DAY:
                block = Block(HOURLY, day, (day.day,) * 24)
                await put_blocks(connection, {stored_id: [block]}, now())
    around = Range(MARCH.start + timedelta(days=26, hours=5), MARCH.start + timedelta(days=28.5))
    async with store.reading() as connection:
        result = await blocks(connection, stored_id, HOURLY, around)
        assert [block.day.day for block in result] == [27, 29]
        assert await blocks(connection, stored_id, HOURLY, Range(MARCH.end, MARCH.end)) == []
        assert len(await blocks(connection, stored_id, HOURLY, MARCH)) == 30
    async with store.writing() as connection:
        assert await erase_series(connection, [stored_id]) == 30
        assert await blocks(connection, stored_id, HOURLY, MARCH) == []


async def test_a_civil_day_is_stored_under_its_utc_day(store: Store) -> None:
    block = Block(DAILY, DAY, (7_200,))
    async with store.writing() as connection:
        stored_id = await add_series(connection, DAILY)
        await put_blocks(connection, {stored_id: [block]}, now())
        (stored,) = await blocks(connection, stored_id, DAILY, MARCH)
        assert list(stored.records()) == [Record(datetime(2026, 3, 28, 23, tzinfo=UTC), 7_200)]


async def test_blocks_of_many_series_are_found_by_day(store: Store) -> None:
    days = [date(2026, 6, day) for day in (1, 2, 3)]
    async with store.writing() as connection:
        stored_ids = {series: await add_series(connection, series) for series in (HOURLY, FINE)}
        blocks_by_day = {
            stored_id: [
                Block(series, day, (n,) * len(series.starts(day))) for n, day in enumerate(days)
            ]
            for series, stored_id in stored_ids.items()
        }
        await put_blocks(connection, blocks_by_day, now())
        corrected = Block(HOURLY, days[0], (7,) * 24)
        await put_blocks(connection, {stored_ids[HOURLY]: [corrected]}, now())
        wanted = {stored_id: (series, days[:2]) for series, stored_id in stored_ids.items()}
        assert await blocks_of_days(connection, wanted) == {
            (stored_ids[HOURLY], days[0]): corrected,
            (stored_ids[HOURLY], days[1]): blocks_by_day[stored_ids[HOURLY]][1],
            (stored_ids[FINE], days[0]): blocks_by_day[stored_ids[FINE]][0],
            (stored_ids[FINE], days[1]): blocks_by_day[stored_ids[FINE]][1],
        }
        assert await blocks_of_days(connection, {}) == {}
        await put_blocks(connection, {}, now())


async def test_counts_are_stored_replaced_and_erased_with_their_series(store: Store) -> None:
    summed = replace(HOURLY, device=Device("urn:dev:org:60060-coop"), quantity=Quantity.POWER)
    first, second = (Block(summed, DAY, (members, None) * 12) for members in (10, 12))
    eve = replace(first, day=DAY - timedelta(days=1))
    both = Range(Range.of_day(eve.day).start, Range.of_day(DAY).end)
    async with store.writing() as connection:
        series_id = await add_series(connection, summed)
        other = await add_series(connection, HOURLY)
        await put_counts(connection, {})
        await put_counts(connection, {series_id: [eve, first]})
        await put_counts(connection, {series_id: [second], other: [replace(first, series=HOURLY)]})
        assert await counts(connection, series_id, summed, both) == [eve, second]
        assert await counts(connection, series_id, summed, Range.of_day(DAY)) == [second]
        start = Range.of_day(DAY).start
        assert await counts(connection, series_id, summed, Range(start, start)) == []
        await erase_series(connection, [series_id])
        assert await counts(connection, series_id, summed, Range.of_day(DAY)) == []
        assert len(await counts(connection, other, HOURLY, Range.of_day(DAY))) == 1
