"""Gaps of each day, counted in blocks, and drawn by shape too."""

from collections.abc import Iterator
import re

import pytest

from consometers_node.household.recorder.memory import MEMORY
from consometers_node.household.sharing.coverage import DAYS, Calendar, Calendars, DayState
from consometers_node.household.sharing.sync import targets
from consometers_node.series import Block, Range, Record
from consometers_node.store import Store
from consometers_node.store.series import count_records
from consometers_node.web.core.calendar_svg import HEAD, STEP, draw
from testing.homes.data_needs import HOURLY, now
from testing.homes.ledgers import DAY, HOUR, Ledger, hours, midnight

_PHONE = 390 - 2 * 16 - 2 * 13
"""The width inside a card on a phone."""


@pytest.fixture
async def ledger(file: Store) -> Ledger:
    return await Ledger.open(file)


async def calendar(ledger: Ledger) -> Calendar:
    async with ledger.store.reading() as connection:
        result = await Calendars().look(connection, await targets(connection, MEMORY, now()), now())
    return result[ledger.series_id]


async def test_days_of_a_calendar_follow_their_blocks(ledger: Ledger) -> None:
    await ledger.grant()
    await ledger.cover(midnight(-5), midnight())
    await ledger.keep(
        hours(midnight(-4), range(24))
        | hours(midnight(-3), [*range(20), None, None, None, None])
        | hours(midnight(-2), [None] * 24)
    )
    days = await calendar(ledger)
    assert len(days.days) == DAYS
    assert list(days.days[-8:]) == [
        DayState.OUTSIDE,
        DayState.UNREAD,
        DayState.UNREAD,
        DayState.MISSING,
        DayState.COMPLETE,
        DayState.PARTLY,
        DayState.MISSING,
        DayState.MISSING,
    ]
    assert days.total == 7
    assert days.count(DayState.UNREAD) == 2
    today = midnight().date()
    assert days.holes() == [
        (today - 5 * DAY, today - 5 * DAY, DayState.MISSING),
        (today - 3 * DAY, today - 3 * DAY, DayState.PARTLY),
        (today - 2 * DAY, today - DAY, DayState.MISSING),
    ]


async def test_a_calendar_is_redrawn_when_its_blocks_change(ledger: Ledger) -> None:
    await ledger.grant()
    await ledger.cover(midnight(-5), midnight())
    await ledger.keep(hours(midnight(-2), [None] * 24))
    calendars = Calendars()

    async def look() -> Calendar:
        async with ledger.store.reading() as connection:
            reached = await targets(connection, MEMORY, now())
            return (await calendars.look(connection, reached, now()))[ledger.series_id]

    first = await look()
    assert await look() is first
    await ledger.keep(hours(midnight(-3), range(24)))
    second = await look()
    assert second.days[-3] is DayState.COMPLETE
    await ledger.cover(midnight(-9), midnight())
    assert second.count(DayState.UNREAD) == 2
    assert (await look()).count(DayState.UNREAD) == 0


async def test_records_are_counted_without_being_read(ledger: Ledger) -> None:
    await ledger.keep(hours(midnight(-3), [None, *range(23)]) | hours(midnight(-2), range(24)))
    for start, end, count in (
        (midnight(-3), midnight(-1), 47),
        (midnight(-3) + 2 * HOUR, midnight(-2) + 3 * HOUR, 25),
        (midnight(-2), midnight(-2), 0),
        (midnight(-9), midnight(-5), 0),
    ):
        async with ledger.store.reading() as connection:
            wanted = {ledger.series_id: (HOURLY, [Range(start, end)])}
            assert await count_records(connection, wanted) == {ledger.series_id: count}


@pytest.mark.parametrize("value", [0, 254, 255, 65_535, 2**32, 2**40])
def test_missing_records_are_counted_in_packed_blocks(value: int) -> None:
    day = midnight(-1).date()
    starts = HOURLY.starts(day)
    block = Block.of(HOURLY, day, [Record(start, value) for start in starts[3:]])
    assert Block.missing(block.pack()) == (3, 24)
    assert Block.missing(Block.of(HOURLY, day, []).pack()) == (24, 24)


def test_a_drawing_has_a_shape_for_each_day() -> None:
    first = midnight(-DAYS).date()
    kinds = [DayState.PARTLY, DayState.MISSING, DayState.UNREAD]
    days = [kinds[n % 3] for n in range(DAYS)]
    halves = draw(Calendar(first, days))
    for state in kinds:
        shapes = (dict(half.paths)[state] for half in halves)
        assert sum(path.count("M") for path in shapes) == days.count(state)
    months = [day for half in halves for _, day in half.months]
    assert [day.day for day in months] == [1] * len(months)
    assert len(months) in {12, 13}
    for half in halves:
        assert half.width <= _PHONE
        for x, y in corners("".join(path for _, path in half.paths)):
            assert 0 <= x < half.width
            assert HEAD <= y <= half.height


def test_days_before_the_grant_are_not_drawn() -> None:
    outside = [DayState.OUTSIDE] * (DAYS - 7)
    (only,) = draw(Calendar(midnight(-DAYS).date(), [*outside, *[DayState.COMPLETE] * 7]))
    assert [state for state, _ in only.paths] == [DayState.COMPLETE]
    assert only.width <= 2 * STEP
    (none,) = draw(Calendar(midnight(-DAYS).date(), [DayState.OUTSIDE] * DAYS))
    assert none.paths == []


def corners(path: str) -> Iterator[tuple[int, int]]:
    for x, y in re.findall(r"M(\d+) (\d+)", path):
        yield int(x), int(y)
