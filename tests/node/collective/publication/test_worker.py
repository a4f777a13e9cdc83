"""Intervals are closed once, and what is published of them stays."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import product
from pathlib import Path

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DatabaseError

from consometers_node.collective.disclosure.reasons import Reason
from consometers_node.collective.disclosure.sdc_rules import Publication
from consometers_node.collective.ingestion.arrivals import Arrivals
from consometers_node.collective.publication.closing.worker import Publishing
from consometers_node.collective.publication.policy import InForce, Rules, choose
from consometers_node.collective.settings import Settings
from consometers_node.series import Interval, Range
from consometers_node.sharing.changes import Changes
from consometers_node.store import Store
from consometers_node.store.clock import Clock
from consometers_node.store.collective.publication import PublishedCell, closed_intervals, write
from consometers_node.store.collective.tables import ClosedIntervalRow, PublishedCellRow
from consometers_node.store.series import erase_series
from testing.clocks import Hands, confirmed
from testing.collectives.publishing import (
    AGREED,
    BEFORE,
    CONSUMPTION,
    DAY,
    EARLIER,
    NOON,
    PublishingTown,
)
from testing.pages.town import settings
from testing.run import DEADLINE_S

HOURS = 24
MINUTES = timedelta(minutes=1)
_YEAR = timedelta(days=365)


async def test_everybody_and_communes_are_published(town: PublishingTown) -> None:
    await town.record(await town.members(4, "Lorient"), 100)
    await town.record(await town.members(3, "Lanester"), 300)
    await town.record(await town.members(3), 10)
    assert await town.look()
    assert await town.shown() == [1_330] * HOURS
    assert await town.counted() == [10] * HOURS
    assert await town.shown("Lorient") == [400] * HOURS
    assert await town.shown("Lanester") == [900] * HOURS
    assert await town.shown(kind="rest") == [30] * HOURS
    assert not await town.look(town.at)


async def test_a_small_commune_is_published_with_another(town: PublishingTown) -> None:
    await town.record(await town.members(3, "Lorient"), 100)
    await town.record(await town.members(2, "Lanester"), 300)
    await town.look()
    assert await town.shown() == [900] * HOURS
    assert await town.shown("Lorient") == await town.shown("Lanester") == []
    assert await town.shown("Lanester, Lorient", kind="combined") == [900] * HOURS


async def test_late_record_changes_no_published_figure(town: PublishingTown) -> None:
    """Nine members that hold back opened the one that was late in the first version."""
    homes = await town.members(4)
    await town.record(homes[:3], 100)
    await town.look()
    await town.record(homes[3], 5_000)
    await town.record(homes[0], 900)
    await town.look()
    assert await town.shown() == [300] * HOURS
    assert await town.counted() == [3] * HOURS


async def test_an_erased_home_stays_in_the_sums_that_were_published(town: PublishingTown) -> None:
    homes = await town.members(4)
    await town.record(homes, 100)
    await town.look()
    await erase_series(town.connection, [town.numbers[town.series[homes[0]]]])
    await town.look()
    assert await town.shown() == [400] * HOURS


@pytest.mark.parametrize(
    "change",
    [
        update(PublishedCellRow).values(watt_minutes=1),
        delete(PublishedCellRow),
        update(ClosedIntervalRow).values(response=1),
        delete(ClosedIntervalRow),
    ],
)
async def test_the_database_refuses_to_change_what_was_published(
    store: Store, change: object
) -> None:
    async with store.writing() as connection:
        town = PublishingTown(connection)
        await town.record(await town.members(4), 100)
        await town.look()
    with pytest.raises(DatabaseError, match=r"never altered|not to be removed"):
        async with store.writing() as connection:
            await connection.execute(change)  # type: ignore[call-overload]


async def test_database_refuses_cells_of_a_closed_interval(store: Store) -> None:
    async with store.writing() as connection:
        town = PublishingTown(connection)
        await town.record(await town.members(2), 100)
        await town.look()
        everybody = await town.group("all", "")
    late = PublishedCell(
        group=everybody,
        direction=CONSUMPTION,
        interval=Interval.PT1H,
        start=datetime(2026, 7, 15, 3, tzinfo=UTC),
        day=DAY,
        watt_minutes=6_000,
        members=2,
        homes=2,
        counting=2,
        homes_watt_minutes=6_000,
        average=3_000,
        minutes=60,
    )
    with pytest.raises(DatabaseError, match="closed before"):
        async with store.writing() as connection:
            await write(connection, [late], [])


async def test_hour_waits_for_late_homes_for_a_limited_time(file_town: PublishingTown) -> None:
    file_town.at = NOON - 60 * MINUTES
    homes = await file_town.members(4)
    await file_town.record(homes, [100] * 11, day=DAY)
    await file_town.look(NOON - 60 * MINUTES)
    assert len(await file_town.closed()) == 11
    file_town.at = NOON + 2 * MINUTES
    await file_town.record(homes[:3], [100] * 12, day=DAY)
    for minutes, closed in [(3, 11), (19, 11), (21, 11), (22, 12)]:
        await file_town.look(NOON + minutes * MINUTES)
        assert len(await file_town.closed()) == closed, minutes
    (*_, last) = await file_town.closed()
    assert (last.expected, last.response) == (4, 3)


async def test_an_hour_closes_at_once_when_it_is_complete(file_town: PublishingTown) -> None:
    await file_town.record(await file_town.members(4), [100] * 12)
    await file_town.look(NOON + MINUTES)
    assert len(await file_town.closed()) == 12


async def test_homes_have_the_usual_time_after_an_outage(file_town: PublishingTown) -> None:
    """A two-hour outage cost a commune its hours for ever in the first version."""
    file_town.at = NOON - 180 * MINUTES
    homes = await file_town.members(4)
    await file_town.record(homes, [100] * 9)
    await file_town.look(file_town.at)
    file_town.online_since = NOON
    await file_town.look(NOON + MINUTES)
    assert len(await file_town.closed()) == 9
    file_town.at = NOON + 5 * MINUTES
    await file_town.record(homes, [100] * 12)
    await file_town.look(NOON + 6 * MINUTES)
    assert await file_town.counted() == [4] * 12 + [None] * 12


@pytest.mark.parametrize(("read_until", "is_waited_for"), [(None, False), (EARLIER, True)])
async def test_a_home_is_waited_for_once_its_last_weeks_are_read_in(
    file_town: PublishingTown, read_until: datetime | None, is_waited_for: bool
) -> None:
    """Until then its records come when the collective asks for them; earlier ones may follow."""
    homes = await file_town.members(4)
    file_town.backfilled_until = read_until
    late = await file_town.member()
    await file_town.record(homes, [100] * 12)
    await file_town.record(late, [100] * 11)
    await file_town.look(NOON + MINUTES)
    closed = await file_town.closed()
    assert len(closed) == (11 if is_waited_for else 12)
    assert closed[-1].expected == (5 if is_waited_for else 4)


@pytest.mark.parametrize(("days", "is_expected"), [(3, True), (4, False)])
async def test_a_home_is_expected_for_three_days_after_its_last_record(
    file_town: PublishingTown, days: int, is_expected: bool
) -> None:
    await file_town.record(await file_town.member(), 100, day=DAY - timedelta(days=days))
    await file_town.record(await file_town.members(4), [100] * 12)
    await file_town.look(NOON + MINUTES)
    closed = await file_town.closed()
    # The last two hours ended less than two hours before.
    assert len(closed) == (10 if is_expected else 12)
    assert closed[-1].expected == (5 if is_expected else 4)


class Outage(StrEnum):
    """Why a collective hears nothing of its homes for a while."""

    NETWORK = "network"
    CLOCK = "clock"
    RESTART = "restart"


@dataclass
class Running:
    """The worker of a collective, whose clock and network a test sets."""

    store: Store
    settings: Settings
    hands: Hands
    clock: Clock
    is_online: bool = True
    looks: int = 0

    @asynccontextmanager
    async def publishing(self) -> AsyncIterator[None]:
        def is_online() -> bool:
            self.looks += 1
            return self.is_online

        work = Publishing(
            self.store,
            self.settings,
            InForce(AGREED),
            Changes(),
            arrivals=Arrivals(),
            clock=self.clock,
            is_online=is_online,
            every_s=0,
        )
        task = asyncio.create_task(work.run())
        try:
            yield
        finally:
            assert not task.done(), task
            task.cancel()
            await asyncio.wait({task})

    async def closed(self) -> int:
        """Return how many hours of the day are closed, after the worker has looked again."""
        until = self.looks + 3
        async with asyncio.timeout(DEADLINE_S):
            while self.looks < until:
                await asyncio.sleep(0.01)
        async with self.store.reading() as connection:
            return len(await closed_intervals(connection, Interval.PT1H, Range.of_day(DAY)))

    async def hear_nothing(self, outage: Outage, until: datetime) -> None:
        """Advance the time during an outage."""
        if outage is Outage.NETWORK:
            self.is_online = False
            await self.closed()
        else:
            self.hands.at += _YEAR
            await self.closed()
            self.hands.at -= _YEAR
        self.hands.go_on(until - self.hands.at)
        await self.closed()
        self.is_online = True


@pytest.mark.parametrize("outage", Outage)
async def test_the_worker_gives_homes_the_usual_time_after_an_outage(
    file: Store, tmp_path: Path, outage: Outage
) -> None:
    hands = Hands(NOON - timedelta(hours=3))
    async with file.writing() as connection:
        town = PublishingTown(connection, at=hands.at)
        homes = await town.members(4)
        # From midnight there on.
        await town.record(homes, [None] * 22 + [100] * 2, day=BEFORE)
        await town.record(homes, [100] * 9)
        await choose(connection, Rules(AGREED, BEFORE), "Maëlle", hands.at - timedelta(days=2))
    own = settings(tmp_path, identifier="kersabiec")
    running = Running(file, own, hands, await confirmed(file, hands))
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(running.publishing())
        assert await running.closed() == 9
        if outage is Outage.RESTART:
            await stack.aclose()
            hands.go_on(NOON - hands.at)
            await stack.enter_async_context(running.publishing())
        else:
            await running.hear_nothing(outage, NOON)
        assert await running.closed() == 9
        hands.go_on(AGREED.wait - MINUTES)
        assert await running.closed() == 9
        hands.go_on(2 * MINUTES)
        assert await running.closed() == 12


async def test_hours_before_the_opening_close_at_once(file_town: PublishingTown) -> None:
    file_town.opened_at = NOON
    file_town.online_since = NOON
    homes = await file_town.members(4)
    await file_town.record(homes, 100, day=BEFORE)
    await file_town.record(homes[:3], [100] * 12)
    await file_town.look(NOON + MINUTES)
    assert len(await file_town.closed(BEFORE)) == HOURS
    assert len(await file_town.closed()) == 10


async def test_a_home_counts_from_its_first_hour_on(file_town: PublishingTown) -> None:
    await file_town.record(await file_town.members(3), [100] * 12)
    await file_town.look(NOON + MINUTES)
    late = await file_town.member()
    file_town.at = NOON + 62 * MINUTES
    for home in file_town.series:
        await file_town.record(home, [100] * 13)
    await file_town.record(late, [100] * 13)
    await file_town.look(file_town.at)
    assert await file_town.counted() == [3] * 12 + [4] + [None] * 11


async def test_day_sums_its_published_hours(town: PublishingTown) -> None:
    """One dominated hour withheld a whole day in the first version."""
    homes = await town.members(4)
    await town.record_two_days(homes[1:], 100)
    await town.record(homes[0], 100, day=BEFORE)
    await town.record(homes[0], [100] * 10 + [9_000] + [100] * 13)
    await town.look()
    assert await town.shown() == [400] * 10 + [None] + [400] * 13
    # The civil day begins two hours before the UTC day.
    assert await town.civil() == 23 * 400
    (civil,) = await town.closed(BEFORE, Interval.P1D)
    assert (civil.expected, civil.reason) == (0, None)
    # Two days of UTC are of three civil ones.
    days = await town.cells(Interval.P1D)
    assert [day.minutes for day in days] == [22 * 60, 23 * 60, 2 * 60]
    assert {cell.minutes for cell in await town.cells()} == {60}


async def test_missing_homes_do_not_lower_the_average(town: PublishingTown) -> None:
    """Of four homes, one is away by night: each of the others draws what it always does."""
    homes = await town.members(4)
    await town.record_two_days(homes[1:], [300] * 12 + [100] * 12)
    await town.record_two_days(homes[0], [300] * 12)
    await town.look()
    *_, hour = [cell for cell in await town.cells() if cell.start.day == DAY.day]
    assert (hour.homes, hour.counting, hour.members) == (3, 4, 3)
    assert hour.average == 100 * 60
    (sum_,) = [cell for cell in await town.cells(Interval.P1D) if cell.minutes == 1440]
    # The civil day begins two hours before the UTC day.
    assert sum_.watt_minutes == (12 * 1_200 + 12 * 300) * 60
    assert sum_.average == (12 * 300 + 12 * 100) * 60
    assert (sum_.homes, sum_.counting) == (4, 4)


async def test_average_is_that_of_homes_in_hours_with_homes(town: PublishingTown) -> None:
    """A school beside three homes is in their sum, and not in what one of them draws."""
    homes = await town.members(3)
    school = await town.member("Lorient", kind="site", name="École de Kersabiec")
    await town.record_two_days(homes, [100] * 12 + [None] + [100] * 11)
    await town.record_two_days(school, 2_000)
    await town.look()
    (sum_,) = [cell for cell in await town.cells(Interval.P1D) if cell.minutes == 1440]
    assert sum_.watt_minutes == (23 * 2_300 + 2_000) * 60
    assert sum_.homes_watt_minutes == 23 * 300 * 60
    assert (sum_.minutes, sum_.lacking) == (24 * 60, 60)
    assert sum_.average == 23 * 100 * 60
    assert (sum_.homes, sum_.public) == (3, 1)


async def test_homes_of_the_day_stand_for_hours_without_homes(town: PublishingTown) -> None:
    """Nine hours of a school alone, beside homes that send days: the day lacks nobody."""
    school = await town.member("Lorient", kind="site", name="École de Kersabiec")
    await town.record_two_days(await town.members(2), 100)
    await town.record_two_days(school, 2_000)
    days = [await town.member(interval=Interval.P1D) for _ in range(4)]
    await town.record(days, 5_000, day=BEFORE)
    await town.look()
    hours = [cell for cell in await town.cells() if cell.start.day == DAY.day]
    assert {(cell.homes, cell.lacking) for cell in hours} == {(0, 60)}
    (sum_,) = [cell for cell in await town.cells(Interval.P1D) if cell.minutes == 1440]
    assert (sum_.homes, sum_.lacking) == (6, 0)


async def test_sum_without_a_collective_lacks_its_homes(town: PublishingTown) -> None:
    """A collective that sends other hours of the day is missing from one."""
    homes = await town.members(4)
    below = await town.member(kind="collective")
    await town.record_two_days(homes, 100)
    await town.record_two_days(below, [2_000] * 5 + [None] + [2_000] * 18)
    await town.look()
    hours = [cell for cell in await town.cells() if cell.start.day == DAY.day]
    assert [cell.start.hour for cell in hours if cell.lacking] == [5]


@pytest.mark.parametrize(("by_days", "wh", "homes"), [(2, 7_200, 3), (3, 22_200, 6)])
async def test_homes_that_send_days_pass_by_themselves(
    town: PublishingTown, by_days: int, wh: int, homes: int
) -> None:
    await town.record_two_days(await town.members(3), 100)
    days = [await town.member(interval=Interval.P1D) for _ in range(by_days)]
    await town.record(days, 5_000, day=BEFORE)
    await town.look()
    (sum_,) = [cell for cell in await town.cells(Interval.P1D) if cell.minutes == 1440]
    assert (sum_.watt_minutes, sum_.average) == (wh * 60, wh * 60 // homes)
    assert (sum_.homes, sum_.counting) == (homes, 3 + by_days)


async def test_day_that_homes_complete_closes_between_hours(town: PublishingTown) -> None:
    """Its hours were closed before, and are in it once."""
    await town.record_two_days(await town.members(3), 100)
    days = [await town.member(interval=Interval.P1D) for _ in range(3)]
    await town.record(days, 5_000, day=BEFORE - timedelta(days=1))
    evening = NOON + timedelta(hours=10)
    await town.look(evening + MINUTES)
    assert await town.civil() is None
    await town.record(days, 5_000, day=BEFORE)
    await town.look(evening + 2 * MINUTES)
    assert await town.civil() == 3 * (2_400 + 5_000)


async def test_by_law_only_days_are_published(town: PublishingTown) -> None:
    town.publication = Publication(minimum=None)
    homes = await town.members(100)
    await town.record_two_days(homes, 100)
    await town.look()
    assert await town.shown() == []
    assert await town.civil() == 100 * 2_400


async def test_sites_are_public_and_hide_nobody(town: PublishingTown) -> None:
    """Of the suppressed homes beside them no count is published, and their day says why."""
    school = await town.member("Lorient", kind="site", name="École de Kersabiec")
    await town.record_two_days(await town.members(2, "Lorient"), 100)
    await town.record_two_days(school, 2_000)
    await town.look()
    assert await town.shown("École de Kersabiec", kind="site") == [2_000] * HOURS
    assert await town.shown() == [2_000] * HOURS
    for group, interval in product(("", "Lorient"), (Interval.PT1H, Interval.P1D)):
        published = await town.cells(interval, group=group)
        counts = {(cell.members, cell.homes, cell.counting) for cell in published}
        assert counts == {(1, 0, 0)}
    (civil,) = await town.closed(BEFORE, Interval.P1D)
    assert civil.reason == Reason.BELOW_THRESHOLD


async def test_homes_that_pass_are_published_with_the_sites_beside_them(
    town: PublishingTown,
) -> None:
    await town.record(await town.members(3, "Lorient"), 100)
    school = await town.member("Lorient", kind="site", name="École de Kersabiec")
    await town.record(school, 2_000)
    await town.look()
    assert await town.shown("Lorient") == [2_300] * HOURS
    assert await town.counted("Lorient") == [4] * HOURS


async def test_child_collectives_add_their_published_figures(town: PublishingTown) -> None:
    for watts, homes in ((40_000, 40), (25_000, 30)):
        await town.record(await town.member(kind="collective"), watts, count=homes)
    await town.record(await town.members(2), 100)
    await town.look()
    assert await town.shown() == [65_000] * HOURS
    assert await town.counted() == [70] * HOURS


@pytest.mark.parametrize("beside", [0, 3])
async def test_a_sum_is_marked_where_a_collective_below_lacks_homes(
    town: PublishingTown, beside: int
) -> None:
    """Also beside homes of its own: no rate mixes such a sum with one of all homes."""
    below = await town.member("Lorient", kind="collective")
    await town.record(below, 900, count=2, lacking={3, 4})
    await town.record(await town.member("Lanester", kind="collective"), 40_000, count=40)
    await town.record(await town.members(beside, "Lorient"), 100)
    await town.look()
    assert await town.counted() == [42 + beside] * HOURS
    for group, places in (("", {3, 4}), ("Lorient", {3, 4}), ("Lanester", set())):
        published = await town.cells(group=group)
        marked = {cell.start.hour for cell in published if cell.lacking}
        assert marked == places, group
        assert {cell.lacking for cell in published} <= {0, 60}


@pytest.mark.parametrize("is_late", [False, True])
async def test_an_hour_waits_as_usual_for_homes_that_a_collective_below_lacks(
    town: PublishingTown, *, is_late: bool
) -> None:
    """A witness opens their sum meanwhile. What it opens later is not in the hour any more."""
    below = await town.member(kind="collective")
    homes = await town.members(3)
    await town.record(homes, [100] * 12)
    await town.record(below, [900] * 12, count=2, lacking={11})

    async def last() -> list[tuple[int, int]]:
        cells = await town.cells()
        return [(cell.members, cell.lacking) for cell in cells if cell.start.hour == 11]

    await town.look(NOON + 19 * MINUTES)
    assert await last() == []
    if is_late:
        await town.look(NOON + 21 * MINUTES)
        assert await last() == [(5, 60)]
    await town.record(below, [40_000] * 12, count=40)
    await town.look(NOON + 19 * MINUTES)
    assert await last() == [(5, 60) if is_late else (43, 0)]


async def test_a_day_is_marked_where_a_collective_below_lacks_homes_in_it(
    town: PublishingTown,
) -> None:
    below = await town.member(kind="collective", interval=Interval.P1D)
    await town.record(below, 40_000, day=BEFORE - timedelta(days=1), count=40, lacking={0})
    await town.look()
    (day,) = await town.cells(Interval.P1D)
    assert (day.watt_minutes, day.lacking) == (60 * 40_000, 24 * 60)


async def test_a_day_of_collectives_alone_closes_with_its_hours(file_town: PublishingTown) -> None:
    """Nobody sends it as a day: it waits for nothing."""
    below = await file_town.member(kind="collective")
    await file_town.record_two_days(below, 40_000, count=40)
    await file_town.look(NOON - timedelta(hours=12))
    # The civil day begins two hours before the first record.
    assert await file_town.civil(day=BEFORE) == 22 * 40_000


async def test_new_rules_apply_from_the_next_hour(file_town: PublishingTown) -> None:
    homes = await file_town.members(4)
    await file_town.record(homes, [100] * 12)
    await file_town.look(NOON + MINUTES)
    file_town.publication = Publication(minimum=5)
    file_town.at = NOON + 62 * MINUTES
    await file_town.record(homes, [100] * 13)
    await file_town.look(file_town.at)
    file_town.publication = Publication(minimum=3)
    await file_town.look()
    assert await file_town.shown() == [400] * 12 + [None] * 12
    (*_, last) = [hour for hour in await file_town.closed() if hour.start.hour == 12]
    assert last.reason == Reason.BELOW_THRESHOLD


async def test_combined_communes_are_decided_once_a_month(file_town: PublishingTown) -> None:
    big, small = await file_town.members(4, "Lorient"), await file_town.members(2, "Lanester")
    await file_town.record([*big, *small], [100] * 12)
    await file_town.look(NOON + MINUTES)
    third = await file_town.member("Lanester")
    file_town.at = NOON + 62 * MINUTES
    await file_town.record([*big, *small, third], [100] * 13)
    await file_town.look(file_town.at)
    assert (
        await file_town.shown("Lanester, Lorient", kind="combined")
        == [600] * 12 + [700] + [None] * 11
    )
