"""What was released is read as it was written, on both databases, and nothing else."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from consometers_node.collective.disclosure import Reason, Released, WattMinutes, Withheld
from consometers_node.collective.members import GroupKind
from consometers_node.collective.published import ALL, Place, Published, Span, Told
from consometers_node.series import Direction, Interval
from consometers_node.store import Store
from consometers_node.store.releases import RowKey

from ..web.public.town import ZONE, Town, day_of, settings

DRAWN, MADE = Direction.CONSUMPTION, Direction.PRODUCTION
DAY = date(2026, 6, 9)
LATER = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture
async def town(store: Store, tmp_path: Path) -> Town:
    return Town(store, settings(tmp_path))


def reader(town: Town) -> Published:
    told = town.settings
    return Published(told.identifier, told.time_zone, told.publication)


async def look(
    town: Town, interval: Interval, span: Span, slug: str = ALL, until: datetime = LATER
) -> dict[Direction, list[Told]]:
    published = reader(town)
    async with town.store.reading() as connection:
        place = (await published.places(connection))[slug]
        found = await published.figures(connection, place, interval, span, until)
    return {direction: list(told) for direction, told in found.items()}


async def test_hours_and_days_are_as_they_were_released(town: Town) -> None:
    everybody = await town.group()
    await town.release(everybody, day_of(DAY, consumption=lambda hour: 1000 + hour), members=12)
    hours = (await look(town, Interval.PT1H, Span(DAY, DAY)))[DRAWN]
    assert [one.figure for one in hours] == [
        Released(WattMinutes(60 * (1000 + hour)), 12) for hour in range(24)
    ]
    assert [one.start.hour for one in hours] == list(range(24))
    assert all(one.start.tzinfo is ZONE for one in hours)
    (day,) = (await look(town, Interval.P1D, Span(DAY, DAY)))[DRAWN]
    assert day.figure == Released(WattMinutes(60 * (24_000 + 276)), 12)


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (DAY, 24)]
)
async def test_a_civil_day_has_all_of_its_hours(town: Town, day: date, hours: int) -> None:
    await town.release(await town.group(), day_of(day, consumption=lambda hour: 1))
    told = (await look(town, Interval.PT1H, Span(day, day)))[DRAWN]
    assert len(told) == hours
    assert all(isinstance(one.figure, Released) for one in told)
    assert all(one.end.timestamp() - one.start.timestamp() == 3600 for one in told)


async def test_nothing_is_told_of_what_has_not_ended(town: Town) -> None:
    await town.release(await town.group(), day_of(DAY, consumption=lambda hour: 1))
    until = datetime(2026, 6, 9, 10, 59, tzinfo=UTC)
    assert len((await look(town, Interval.PT1H, Span(DAY, DAY), until=until))[DRAWN]) == 12
    assert not (await look(town, Interval.P1D, Span(DAY, DAY), until=until))[DRAWN]


@pytest.mark.parametrize("reason", [one for one in Reason if not one.is_out])
async def test_what_is_withheld_says_why_and_of_how_many(town: Town, reason: Reason) -> None:
    everybody = await town.group()
    row = RowKey(DRAWN, Interval.P1D, DAY.replace(day=1))
    await town.look_at(everybody, row, [reason] * 30, [7] * 30)
    (one,) = (await look(town, Interval.P1D, Span(DAY, DAY)))[DRAWN]
    assert one.figure == Withheld(reason, 7, 10)


async def test_hours_of_a_civil_day_have_their_reasons_in_two_rows(town: Town) -> None:
    everybody = await town.group()
    for day, reason in ((DAY - timedelta(days=1), Reason.TOO_FEW), (DAY, Reason.DOMINATED)):
        await town.look_at(everybody, RowKey(DRAWN, Interval.PT1H, day), [reason] * 24, [7] * 24)
    told = (await look(town, Interval.PT1H, Span(DAY, DAY)))[DRAWN]
    reasons = [one.figure.reason for one in told if isinstance(one.figure, Withheld)]
    assert reasons == [Reason.TOO_FEW] * 2 + [Reason.DOMINATED] * 22


async def test_each_direction_has_its_own_reasons_among_what_was_released(town: Town) -> None:
    everybody = await town.group()
    before = DAY - timedelta(days=1)
    await town.release(everybody, day_of(before, DAY, consumption=lambda hour: 5), members=12)
    await town.release(everybody, day_of(before, production=lambda hour: 2), members=11)
    row = RowKey(MADE, Interval.PT1H, DAY)
    await town.look_at(everybody, row, 24 * [Reason.DOMINATED], 24 * [9])
    found = await look(town, Interval.PT1H, Span(before, DAY))
    assert [one.figure for one in found[DRAWN]] == 48 * [Released(WattMinutes(300), 12)]
    assert [one.figure for one in found[MADE]] == [
        *(24 * [Released(WattMinutes(120), 11)]),
        # Those of the first two hours of this civil day are in the row of the UTC day before.
        *(2 * [Withheld(Reason.NOT_YET)]),
        *(22 * [Withheld(Reason.DOMINATED, 9, 10)]),
    ]


async def test_a_direction_that_nobody_has_is_left_out(town: Town) -> None:
    await town.release(await town.group(), day_of(DAY, consumption=lambda hour: 1))
    assert set(await look(town, Interval.PT1H, Span(DAY, DAY))) == {DRAWN}


async def test_groups_do_not_mix(town: Town) -> None:
    everybody = await town.group()
    area = await town.group(GroupKind.AREA, "Larmor-Plage")
    await town.release(everybody, day_of(DAY, consumption=lambda hour: 5))
    await town.release(area, day_of(DAY, consumption=lambda hour: 3, production=lambda hour: 2))
    assert set(await look(town, Interval.P1D, Span(DAY, DAY))) == {DRAWN}
    found = await look(town, Interval.P1D, Span(DAY, DAY), "larmor-plage")
    assert found[MADE][0].figure == Released(WattMinutes(60 * 48), 37)


async def test_an_area_that_is_called_all_is_not_everybody(town: Town) -> None:
    everybody = await town.group()
    await town.group(GroupKind.AREA, "All")
    async with town.store.reading() as connection:
        places = await reader(town).places(connection)
    assert places[ALL].id == everybody


async def test_a_site_that_was_erased_is_no_place(town: Town) -> None:
    await town.group(GroupKind.SITE, "abcd2345")
    async with town.store.reading() as connection:
        assert not await reader(town).places(connection)


async def test_homes_are_counted_and_nobody_else(town: Town) -> None:
    everybody = await town.group()
    await town.join(everybody, 9)
    await town.below(everybody)
    await town.join(await town.group(GroupKind.AREA, "Lorient"), 3)
    start = datetime(2026, 6, 9, 12, tzinfo=UTC)
    await town.look_at(
        everybody, RowKey(DRAWN, Interval.PT1H, DAY), [Reason.TOO_FEW] * 24, list(range(24))
    )
    published = reader(town)
    async with town.store.reading() as connection:
        place: Place = (await published.places(connection))[ALL]
        found = await published.homes(connection, place, Interval.PT1H, start)
        late = await published.homes(connection, place, Interval.PT1H, start - timedelta(hours=6))
        since = await published.since(connection, place)
    assert (found.telling, found.counting) == (9, 9)
    assert (late.telling, late.counting) == (6, 9)
    assert since is None


async def test_the_first_day_is_that_of_the_collective(town: Town) -> None:
    await town.release(await town.group(), day_of(DAY, consumption=lambda hour: 1))
    published = reader(town)
    async with town.store.reading() as connection:
        place = (await published.places(connection))[ALL]
        assert await published.since(connection, place) == DAY


async def test_of_before_the_first_day_of_which_anybody_told_nothing_is_missing(
    town: Town,
) -> None:
    everybody = await town.group()
    published = reader(town)

    async def begun() -> date | None:
        async with town.store.reading() as connection:
            place = (await published.places(connection))[ALL]
            return await published.begun(connection, place)

    assert await begun() is None
    await town.release(everybody, day_of(DAY, consumption=lambda hour: 1))
    row = RowKey(DRAWN, Interval.P1D, DAY.replace(day=1))
    await town.look_at(everybody, row, [Reason.NOT_YET] * 30, [0] * 30)
    assert await begun() == DAY
    earlier = DAY - timedelta(days=2)
    row = RowKey(MADE, Interval.PT1H, earlier)
    await town.look_at(everybody, row, [Reason.TOO_FEW] * 24, [5] * 24)
    assert await begun() == earlier
    # In April, there were homes that told of days alone.
    row = RowKey(MADE, Interval.P1D, date(2026, 4, 1))
    await town.look_at(everybody, row, [Reason.TOO_FEW] * 30, [5] * 30)
    assert await begun() == date(2026, 4, 1)


@pytest.mark.parametrize(
    ("hours", "reason", "have"),
    [
        ([Reason.TOO_FEW] * 24, Reason.TOO_FEW, 7),
        ([Reason.NOT_YET] * 20 + [Reason.DOMINATED] * 4, Reason.DOMINATED, 7),
        ([Reason.NOT_YET] * 24, Reason.NOT_YET, 7),
        ([Reason.NONE] + [Reason.TOO_FEW] * 23, Reason.PARTLY, 0),
    ],
)
async def test_a_day_of_which_no_hour_was_released_has_their_reason(
    town: Town, hours: list[Reason], reason: Reason, have: int
) -> None:
    everybody = await town.group()
    days = RowKey(DRAWN, Interval.P1D, DAY.replace(day=1))
    await town.look_at(everybody, days, [Reason.PARTLY] * 30, [0] * 30)
    await town.look_at(everybody, RowKey(DRAWN, Interval.PT1H, DAY), hours, [5] * 20 + [7] * 4)
    (day,) = (await look(town, Interval.P1D, Span(DAY, DAY)))[DRAWN]
    assert day.figure == Withheld(reason, have, 10)


async def test_what_would_be_enough_now_was_not_then(town: Town) -> None:
    row = RowKey(DRAWN, Interval.PT1H, DAY)
    await town.look_at(await town.group(), row, 24 * [Reason.TOO_FEW], [9, 10] + 22 * [7])
    told = (await look(town, Interval.PT1H, Span(DAY, DAY)))[DRAWN]
    reasons = [one.figure.reason for one in told if isinstance(one.figure, Withheld)]
    assert reasons[2:5] == [Reason.TOO_FEW, Reason.RULES, Reason.TOO_FEW]
