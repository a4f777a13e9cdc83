"""Quartiles of a month are those of all homes, computed once, when the month closes."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import DatabaseError

from consometers_node.collective.calendar import days_of
from consometers_node.collective.disclosure.sdc_rules import Publication
from consometers_node.collective.publication.closing.quartiles import of_months, range_of
from consometers_node.series import Direction, Interval
from consometers_node.store import Store
from consometers_node.store.collective.publication import HomeQuartiles
from consometers_node.store.collective.tables import ClosedMonthRow, MemberId
from consometers_node.store.series import erase_series
from testing.collectives.publishing import CONSUMPTION, ZONE, PublishingTown

MONTH, NEXT = date(2026, 7, 1), date(2026, 8, 1)
OVER = range_of(MONTH, ZONE).end
A_DAY = timedelta(days=1)
HOURS = 24
SPREAD = HomeQuartiles(homes=12, lower=430_000, median=860_000, upper=1_300_000)
"""Of homes of 100, 200, … 1,200 W: watt-minutes of a day, to two digits."""


async def fill(
    town: PublishingTown, homes: Sequence[MemberId], *, watts: int = 100, days: Sequence[date] = ()
) -> None:
    """Store a month of homes, of which each draws so many watts more than the one before."""
    within = range_of(MONTH, ZONE)
    for place, home in enumerate(homes, 1):
        for day in days or tuple(within.days()):
            await town.record(home, place * watts, day=day)


async def closed_months(town: PublishingTown) -> dict[date, int | None]:
    """Return how many homes have quartiles in each month that was closed, but for the first one.

    It ends with the first record, two hours before the UTC day does.
    """
    row = ClosedMonthRow
    query = select(row.start, row.homes).where(row.start >= range_of(MONTH, ZONE).start)
    rows = await town.connection.execute(query.order_by(row.start))
    return {start.astimezone(ZoneInfo(ZONE)).date(): homes for start, homes in rows}


async def shown(town: PublishingTown, *months: date) -> dict[date, HomeQuartiles]:
    return await of_months(town.connection, CONSUMPTION, months or (MONTH,), ZONE)


async def test_quartiles_are_of_the_homes_of_a_closed_month(town: PublishingTown) -> None:
    """A school is not counted; nothing is there before the last day is closed."""
    homes = await town.members(12, "Lorient")
    school = await town.member("Lorient", kind="site", name="École", shown_until=OVER + 9 * A_DAY)
    await fill(town, homes)
    await fill(town, [school], watts=90_000)
    await town.look(OVER - timedelta(minutes=1))
    assert await shown(town) == {}
    assert await closed_months(town) == {}
    await town.look(OVER + 3 * timedelta(hours=1))
    assert await shown(town) == {MONTH: SPREAD}


async def test_published_quartiles_stay_as_they_are(town: PublishingTown) -> None:
    """Nobody compares them before and after records came late, or went."""
    homes = await town.members(13)
    await fill(town, homes[:12])
    await town.look(OVER + A_DAY)
    assert await shown(town) == {MONTH: SPREAD}
    await fill(town, homes[12:], watts=9_000)
    await erase_series(town.connection, [town.numbers[town.series[homes[0]]]])
    await town.look(OVER + 2 * A_DAY)
    assert await shown(town) == {MONTH: SPREAD}


async def test_homes_whose_sum_never_passed_have_no_quartiles(town: PublishingTown) -> None:
    """A school beside them was published: quartiles of the homes came out."""
    homes = await town.members(12)
    school = await town.member(kind="site", name="École", shown_until=OVER + 9 * A_DAY)
    await fill(town, [school], watts=1_000)
    await fill(town, homes[:11], watts=1)
    # One home makes all of it but for some watts.
    await fill(town, homes[11:], watts=9_000)
    await town.look(OVER + A_DAY)
    assert {cell.homes for cell in await town.cells(Interval.P1D)} == {0}
    assert await shown(town) == {}
    assert await closed_months(town) == {MONTH: None}


@pytest.mark.parametrize(("days", "has_quartiles"), [(15, True), (14, False)])
async def test_the_sum_of_the_homes_is_published_on_half_of_the_days(
    town: PublishingTown, days: int, *, has_quartiles: bool
) -> None:
    """On the other days, one home makes all of it but for some watts."""
    homes = await town.members(12)
    utc_days = tuple(range_of(MONTH, ZONE).days())
    await fill(town, homes, days=utc_days)
    # Of the last civil day, the first two hours are left: they are of the UTC day before.
    await fill(town, homes[11:], watts=90_000, days=utc_days[days:])
    await town.look(OVER + A_DAY)
    passed = [cell for cell in await town.cells(Interval.P1D) if cell.homes]
    assert len(passed) == days
    assert bool(await shown(town)) == has_quartiles


async def test_a_month_closed_without_quartiles_has_none_later(town: PublishingTown) -> None:
    homes = await town.members(12)
    await fill(town, homes[:11])
    await town.look(OVER + A_DAY)
    await fill(town, homes[11:], watts=1_200)
    await town.look(OVER + 2 * A_DAY)
    assert await shown(town) == {}


@pytest.mark.parametrize(("days", "has_quartiles"), [(15, True), (14, False)])
async def test_a_home_counts_with_half_a_month_of_whole_days(
    town: PublishingTown, days: int, *, has_quartiles: bool
) -> None:
    homes = await town.members(12)
    some = days_of(MONTH)
    # A civil day begins two hours before the UTC day.
    await fill(town, homes, days=some[: days + 1])
    await town.look(OVER + A_DAY)
    assert bool(await shown(town)) == has_quartiles


async def test_quartiles_need_as_many_homes_as_a_sum(town: PublishingTown) -> None:
    town.publication = Publication(minimum=13)
    await fill(town, await town.members(12))
    await town.look(OVER + A_DAY)
    assert await shown(town) == {}


async def test_a_site_is_none_of_the_twelve_homes(town: PublishingTown) -> None:
    homes = await town.members(11)
    school = await town.member(kind="site", name="École", shown_until=OVER + 9 * A_DAY)
    await fill(town, [*homes, school])
    await town.look(OVER + A_DAY)
    assert await closed_months(town) == {MONTH: None}
    assert await shown(town) == {}


async def test_quartiles_do_not_tell_which_home_drew_what(town: PublishingTown) -> None:
    homes = await town.members(12)
    await fill(town, [*homes[6:], *homes[:6]])
    await town.look(OVER + A_DAY)
    assert await shown(town) == {MONTH: SPREAD}


async def test_each_month_has_its_own_quartiles(town: PublishingTown) -> None:
    homes = await town.members(12)
    await fill(town, homes)
    within = range_of(NEXT, ZONE)
    await fill(town, homes, watts=200, days=tuple(within.days()))
    await town.look(within.end + A_DAY)
    quartiles = await shown(town, MONTH, NEXT, date(2026, 9, 1))
    assert list(quartiles) == [MONTH, NEXT]
    assert quartiles[NEXT].median == 1_700_000
    await town.look(within.end + 2 * A_DAY)
    assert await closed_months(town) == {MONTH: 12, NEXT: 12}


@pytest.mark.parametrize(
    "change",
    [
        update(ClosedMonthRow).values(median=1),
        update(ClosedMonthRow).values(homes=None, lower=None, median=None, upper=None),
        delete(ClosedMonthRow),
        insert(ClosedMonthRow).from_select(
            ["direction", "start", "until"],
            select(ClosedMonthRow.direction, ClosedMonthRow.start, ClosedMonthRow.until),
        ),
    ],
)
async def test_the_database_refuses_to_change_quartiles(store: Store, change: object) -> None:
    async with store.writing() as connection:
        town = PublishingTown(connection)
        await fill(town, await town.members(12))
        await town.look(OVER + A_DAY)
    with pytest.raises(
        DatabaseError, match=r"never altered|not to be removed|not replaced|duplicate|closed with"
    ):
        async with store.writing() as connection:
            await connection.execute(change)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("start", "until"),
    [
        (range_of(date(2026, 6, 1), ZONE).start, range_of(date(2026, 6, 1), ZONE).end),
        (range_of(date(2099, 6, 1), ZONE).start, range_of(date(2099, 6, 1), ZONE).end),
        (datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 2, 1, tzinfo=UTC)),
    ],
    ids=["closed", "to come", "1970"],
)
async def test_the_database_refuses_quartiles_of_another_time(
    store: Store, start: datetime, until: datetime
) -> None:
    async with store.writing() as connection:
        town = PublishingTown(connection)
        await fill(town, await town.members(3), days=days_of(MONTH)[:2])
        await town.look(range_of(MONTH, ZONE).start + 4 * A_DAY)
    row = {"direction": Direction.CONSUMPTION, "start": start, "until": until}
    with pytest.raises(DatabaseError, match="closed with its last day"):
        async with store.writing() as connection:
            await connection.execute(insert(ClosedMonthRow).values(row | SPREAD._asdict()))
