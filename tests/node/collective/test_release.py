"""What leaves a collective, and what nobody can compute from all that left."""

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import update

from consometers_node.collective.disclosure import (
    Agreed,
    ByLaw,
    Publication,
    Quartiles,
    Reason,
    Withheld,
)
from consometers_node.collective.release import Release, forget
from consometers_node.collective.tally import compositions, moved
from consometers_node.series import Interval
from consometers_node.store import Store
from consometers_node.store.collective_tables import MemberId, MemberRow

from .erasing import erase
from .publishing import BEFORE, CONSUMPTION, DAY, HOUR, LATER, MONTH, NOON, ZONE, Town

WAIT = timedelta(minutes=20)
SEVEN = NOON.replace(hour=7)


@pytest.fixture
async def town(store: Store) -> AsyncIterator[Town]:
    async with store.writing() as connection:
        yield Town(connection)


async def test_an_hour_is_released_when_all_have_told_or_are_late(town: Town) -> None:
    homes = await town.members(4)
    town.at = SEVEN
    await town.tell(homes[:3], 7 * [100])
    await town.look(SEVEN + timedelta(minutes=1))
    assert (await town.shown())[:8] == 6 * [300] + 2 * [None]  # Six of them are late already.
    await town.look(SEVEN + WAIT)
    assert (await town.shown())[:8] == 7 * [300] + [None]
    town.at = SEVEN + timedelta(hours=1, minutes=2)
    await town.tell(homes, 8 * [100])
    await town.look(town.at)
    assert (await town.shown())[:9] == 7 * [300] + [400, None]
    assert (await town.counted())[:9] == 7 * [3] + [4, None]


async def test_a_home_that_is_late_is_never_the_difference(town: Town) -> None:
    homes = await town.members(10)
    await town.tell(homes[:4], 100)
    await town.look()
    assert await town.shown() == 24 * [400]
    for home in homes[4:6]:
        await town.tell(home, 70)
        await town.look()
        assert await town.shown() == 24 * [400]
    await town.tell(homes[6], 30)
    await town.look()
    assert await town.shown() == 24 * [570]
    assert await town.counted() == 24 * [7]


async def test_a_change_is_counted_when_enough_of_them_have_changed_and_once(town: Town) -> None:
    homes = await town.members(6)
    await town.tell(homes, 100)
    await town.look()
    await town.tell(homes[:3], 110)
    await town.look(town.at + timedelta(minutes=1))
    assert await town.shown() == 24 * [600]  # It is not settled yet.
    await town.look()
    assert await town.shown() == 24 * [630]
    await town.tell(homes[1:4], 95)
    await town.look()
    # Two of these three were counted anew before: what is left is one home.
    assert await town.shown() == 24 * [630]
    await town.tell(homes[4:], 90)
    await town.look()
    assert await town.shown() == 24 * [605]


async def test_a_change_of_all_homes_waits_for_nobody(town: Town) -> None:
    homes = await town.members(3)
    await town.tell(homes, 100)
    await town.look()
    await town.tell(homes, 110)
    await town.look(town.at + timedelta(minutes=1))
    assert await town.shown() == 24 * [330]


async def test_a_change_that_is_mostly_one_home_s_is_not_counted(town: Town) -> None:
    homes = await town.members(6)
    await town.tell(homes, 1000)
    await town.look()
    for home, value in zip(homes, (1001, 1002, 1990), strict=False):
        await town.tell(home, value)
    await town.look()
    assert await town.shown() == 24 * [6000]


async def test_what_a_change_leaves_passes_as_well(town: Town) -> None:
    homes = await town.members(4)
    await town.tell(homes, 1000)
    await town.look()
    await town.tell(homes[:3], 10)
    await town.look()
    # 970 of 1,000 would be the last one's.
    assert await town.shown() == 24 * [4000]


async def test_who_has_nothing_any_more_stays_in_what_was_released(town: Town) -> None:
    homes = await town.members(6)
    await town.tell(homes, 100)
    await town.look()
    await town.tell(homes[:4], None)
    await town.look()
    assert await town.shown() == 24 * [600]


async def test_a_commune_that_is_too_small_takes_another_one_with_it(town: Town) -> None:
    for area, count in (("Lorient", 5), ("Lanester", 3), ("Ploemeur", 2)):
        for home in await town.members(count, area):
            await town.tell(home, 100)
    await town.look()
    assert await town.shown() == 24 * [1000]
    assert await town.shown("Lorient") == 24 * [500]
    assert await town.shown("Lanester") == []
    assert await town.reason("Lanester") is Reason.SUBTRACTED
    assert await town.reason("Ploemeur") is Reason.TOO_FEW


async def test_homes_without_a_commune_are_as_a_commune(town: Town) -> None:
    for home in (*await town.members(3, "Lorient"), *await town.members(1)):
        await town.tell(home, 100)
    await town.look()
    assert await town.shown() == 24 * [400]
    assert await town.shown("Lorient") == []


async def test_a_change_in_a_commune_and_one_beside_it_are_apart(town: Town) -> None:
    lorient, lanester = await town.members(6, "Lorient"), await town.members(6, "Lanester")
    for home in (*lorient, *lanester):
        await town.tell(home, 100)
    await town.look()
    for home in (*lorient[:3], *lanester[:2]):
        await town.tell(home, 110)
    await town.look()
    assert await town.shown("Lorient") == 24 * [630]
    assert await town.shown("Lanester") == 24 * [600]
    assert await town.shown() == 24 * [1230]


async def test_changes_in_communes_that_are_withheld_are_taken_together(town: Town) -> None:
    homes = await town.members(5, "Lorient")
    lanester, ploemeur = await town.members(2, "Lanester"), await town.members(2, "Ploemeur")
    await town.tell([*homes, *lanester, *ploemeur], 100)
    await town.look()
    assert await town.shown("Lorient") == 24 * [500]
    await town.tell([*lanester, ploemeur[0]], 110)
    await town.look()
    assert await town.shown() == 24 * [930]
    assert await town.shown("Lanester") == []


async def test_a_site_is_shown_and_hides_nobody(town: Town) -> None:
    school = await town.member("Lorient", kind="site", name="École de Kersabiec")
    await town.tell(school, 5000)
    homes = await town.members(2, "Lorient")
    await town.tell(homes, 100)
    await town.look()
    assert await town.shown("École de Kersabiec", kind="site") == 24 * [5000]
    assert await town.shown() == []
    assert await town.reason() is Reason.TOO_FEW
    (late,) = await town.members(1, "Lorient")
    await town.tell(late, 100)
    await town.look()
    assert await town.shown("Lorient") == 24 * [5300]
    assert await town.counted("Lorient") == 24 * [4]
    await town.tell(school, 6000)
    await town.look()
    assert await town.shown("Lorient") == 24 * [6300]


async def test_a_commune_of_sites_alone_hides_nobody(town: Town) -> None:
    hall = await town.member("Groix", kind="site", name="Mairie de Groix")
    await town.tell(hall, 700)
    homes = await town.members(3, "Lorient")
    await town.tell(homes, 100)
    await town.look()
    assert await town.shown("Groix") == 24 * [700]
    assert await town.shown("Lorient") == 24 * [300]
    assert await town.shown() == 24 * [1000]


async def test_a_collective_below_counts_as_it_says_and_hides_no_home(town: Town) -> None:
    below = await town.member(kind="collective", name="Coopérative")
    await town.tell(below, 2000, count=20)
    await town.look()
    assert await town.shown() == 24 * [2000]
    assert await town.counted() == 24 * [20]


async def test_nobody_is_waited_for_where_one_collective_is_all_there_is(town: Town) -> None:
    town.at = LATER
    below = await town.member(kind="collective")
    await town.tell(below, 2000, count=20)
    await town.look(town.at + timedelta(minutes=1))
    assert await town.shown() == 24 * [2000]


async def test_of_two_collectives_the_other_one_is_waited_for(town: Town) -> None:
    town.at = LATER
    below, _ = await town.member(kind="collective"), await town.member(kind="collective")
    await town.tell(below, 2000, count=20)
    await town.look(town.at + timedelta(minutes=1))
    assert await town.shown() == []
    await town.look()
    assert await town.shown() == 24 * [2000]


async def test_a_home_beside_a_collective_is_on_its_own(town: Town) -> None:
    below, home = await town.member(kind="collective"), await town.member()
    await town.tell(below, 2000, count=20)
    await town.tell(home, 100)
    await town.look()
    assert await town.shown() == []


async def test_a_collective_below_has_to_be_large_enough_here_too(town: Town) -> None:
    town.publication = Publication(basis=Agreed(10))
    below = await town.member(kind="collective")
    await town.tell(below, 500, count=5)
    await town.look()
    assert await town.shown() == []


async def test_a_day_is_the_sum_of_its_hours(town: Town) -> None:
    homes = await town.members(4)
    await town.tell(homes, 100, day=BEFORE)
    await town.tell(homes, 100)
    await town.look()
    assert await town.civil() == 4 * 24 * 100


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)])
async def test_a_day_has_the_hours_that_its_clocks_give_it(
    town: Town, day: date, hours: int
) -> None:
    homes = [await town.member(since=day.replace(day=1)) for _ in range(3)]
    await town.tell(homes, 100, day=day - timedelta(days=1))
    await town.tell(homes, 100, day=day)
    await town.look(NOON + timedelta(days=365))
    assert await town.civil(day=day) == hours * 300


async def test_a_day_without_one_of_its_hours_is_withheld(town: Town) -> None:
    homes = await town.members(4)
    await town.tell(homes, 100, day=BEFORE)
    await town.tell(homes, (*5 * [100], None, *18 * [100]))
    await town.tell(homes[:2], 100)
    await town.look(LATER)
    assert (await town.shown())[4:7] == [400, None, 400]
    assert await town.civil() is None
    assert await town.reason(place=14, interval=Interval.P1D, day=MONTH) is Reason.PARTLY


@pytest.mark.parametrize(
    ("odd", "together"),
    [
        # Each of two hours is mostly one home's: as if it were the same one's, that is too much.
        ([[900, 10], [10, 900], [10, 10], [10, 10]], None),
        # One is mostly one home's, the other one is of two homes alone.
        ([[900, 1000], [10, 1000], [10, None], [10, None]], 930 + 2000),
        # An hour of which nobody told is missing.
        ([[900, None], [10, None], [10, None], [10, None]], None),
    ],
)
async def test_hours_that_are_withheld_are_added_if_together_they_pass(
    town: Town, odd: list[list[int | None]], together: int | None
) -> None:
    homes = await town.members(4)
    await town.tell(homes, 100, day=BEFORE)
    for home, two in zip(homes, odd, strict=True):
        await town.tell(home, (*5 * [100], *two, *17 * [100]))
    await town.look(LATER)
    assert (await town.shown())[4:8] == [400, None, None, 400]
    assert await town.civil() == (None if together is None else 22 * 400 + together)


async def test_a_commune_without_one_of_its_hours_has_no_day(town: Town) -> None:
    lorient, lanester = await town.members(3, "Lorient"), await town.members(3, "Lanester")
    await town.tell([*lorient, *lanester], 100, day=BEFORE)
    await town.tell([*lorient[1:], *lanester], 100)
    await town.tell(lorient[0], (*5 * [100], None, *18 * [100]))
    await town.look(LATER)
    assert (await town.shown("Lorient"))[4:7] == [300, None, 300]
    assert await town.civil("Lorient") is None
    assert await town.civil() == 24 * 600 - 100


async def test_a_home_that_tells_of_days_alone_is_not_the_difference(town: Town) -> None:
    homes = await town.members(4)
    dailies = [await town.member(interval=Interval.P1D) for _ in range(3)]
    await town.tell(homes, 100, day=BEFORE)
    await town.tell(homes, 100)
    await town.tell(dailies[:2], 5000, day=BEFORE)
    await town.look()
    assert await town.civil() == 4 * 24 * 100
    await town.tell(dailies[2], 5000, day=BEFORE)
    await town.look()
    assert await town.civil() == 4 * 24 * 100 + 15_000
    assert await town.counted(day=BEFORE, interval=Interval.P1D) == [7]
    await town.tell(dailies[2], 9000, day=BEFORE)
    await town.look()
    assert await town.civil() == 4 * 24 * 100 + 15_000


async def test_hours_of_a_day_that_was_released_by_itself_never_are(town: Town) -> None:
    homes = await town.members(3)
    dailies = [await town.member(interval=Interval.P1D) for _ in range(2)]
    await town.tell(homes[:2], 100, day=BEFORE)
    await town.tell(homes[:2], 100)
    await town.tell(dailies, 2000, day=BEFORE)
    await town.look(LATER)
    assert await town.civil() == 2 * 24 * 100 + 4000
    await town.tell(homes[2], 100, day=BEFORE)
    await town.tell(homes[2], 100)
    await town.look(LATER + timedelta(days=1))
    assert await town.shown() == 22 * [None] + 2 * [300]
    assert await town.reason(place=3) is Reason.SUMMED


async def test_a_day_waits_for_hours_that_have_changed(town: Town) -> None:
    homes = await town.members(2)
    town.at = LATER
    for day in (BEFORE, DAY):
        await town.tell(homes, 100, day=day)
    await town.look(LATER + timedelta(hours=1))
    assert await town.reason() is Reason.TOO_FEW
    town.at = LATER + timedelta(hours=2)
    third = await town.member()
    for day in (BEFORE, DAY):
        await town.tell(third, 100, day=day)
    # What is of long ago is looked at a bit later; of days as soon as they change.
    await town.look(town.at)
    assert await town.civil() is None
    await town.look(town.at + timedelta(seconds=10))
    assert await town.shown() == 24 * [300]
    assert await town.civil() == 24 * 300


async def test_by_law_days_alone_are_published(town: Town) -> None:
    town.publication = Publication(basis=ByLaw())
    homes = await town.members(100)
    await town.tell(homes, 100, day=BEFORE)
    await town.tell(homes, 100)
    await town.look(LATER)
    assert await town.shown() == []
    assert await town.reason() is Reason.TOO_FEW
    assert await town.civil() == 100 * 24 * 100


async def test_who_is_erased_stays_in_what_was_released_and_nowhere_else(town: Town) -> None:
    homes = await town.members(6)
    town.at = NOON
    await town.tell(homes, 12 * [100])
    await town.look(NOON + WAIT)
    assert (await town.shown())[:13] == 12 * [600] + [None]
    await town.tell(homes[0], 12 * [130])
    await forget(town.connection, homes[0], "kersabiec", town.at)
    await erase(town.connection, homes[0], [town.numbers[town.series[homes[0]]]], town.at)
    assert await town.kept("unreleased") == []
    await town.tell(homes[1:], 24 * [110])
    await town.look(LATER)
    assert await town.shown() == 12 * [600] + 12 * [550]


async def test_what_was_released_with_who_is_erased_never_changes(town: Town) -> None:
    homes = await town.members(6)
    await town.tell(homes, 100)
    await town.look()
    await town.tell(homes[1:5], 110)
    await forget(town.connection, homes[0], "kersabiec", town.at)
    await erase(town.connection, homes[0], [town.numbers[town.series[homes[0]]]], town.at)
    await town.look()
    assert await town.shown() == 24 * [600]


async def test_a_site_that_is_erased_leaves_nothing_of_its_own(town: Town) -> None:
    school = await town.member(kind="site", name="École")
    homes = await town.members(3)
    await town.tell(homes, 100)
    await town.tell(school, 5000)
    await town.look()
    assert await town.shown("École", kind="site") == 24 * [5000]
    await forget(town.connection, school, "kersabiec", town.at)
    await erase(town.connection, school, [town.numbers[town.series[school]]], town.at)
    await town.look()
    assert await town.shown("École", kind="site") == []
    assert await town.shown() == 24 * [5300]


async def _erase(town: Town, site: MemberId) -> None:
    await forget(town.connection, site, "kersabiec", town.at)
    await erase(town.connection, site, [town.numbers[town.series[site]]], town.at)


def _told(values: list[int | None]) -> list[int]:
    return [one for one in values if one is not None]


@pytest.mark.parametrize("looked", ["not again", "again", "at another step"])
async def test_a_site_that_is_erased_leaves_nothing_where_it_was_alone(
    town: Town, looked: str
) -> None:
    school = await town.member("Groix", kind="site", name="École")
    homes = await town.members(3, "Lorient")
    for day in (BEFORE, DAY):
        await town.tell([*homes, school], 100, day=day)
    await town.look()
    assert await town.shown("Groix") == 24 * [100]
    assert await town.civil("Groix") == 24 * 100
    await _erase(town, school)
    if looked == "at another step":
        town.publication = Publication(basis=Agreed(3), interval=Interval.PT30M)
    if looked != "not again":
        await town.look()
    assert _told(await town.shown("Groix")) == []
    assert _told(await town.counted("Groix")) == []
    assert await town.civil("Groix") is None
    assert await town.shown() == 24 * [400]


@pytest.mark.parametrize("step", [HOUR, Interval.PT30M])
async def test_of_sites_together_nothing_tells_by_the_difference_which_one_was_erased(
    town: Town, step: Interval
) -> None:
    school = await town.member("Groix", kind="site", name="École")
    hall = await town.member("Groix", kind="site", name="Mairie")
    await town.tell(school, 5000)
    await town.tell(hall, 100)
    await town.look()
    assert (await town.shown("Groix"), await town.shown()) == (24 * [5100], 24 * [5100])
    await _erase(town, school)
    assert _told(await town.shown("Groix")) == _told(await town.shown()) == []
    town.publication = Publication(basis=Agreed(3), interval=step)
    await town.look()
    left = 24 * [100] if step is HOUR else []
    assert _told(await town.shown("Groix")) == _told(await town.shown()) == left
    assert await town.shown("Mairie", kind="site") == 24 * [100]


async def test_what_was_released_of_homes_beside_a_site_that_is_erased_stays(town: Town) -> None:
    school = await town.member("Groix", kind="site", name="École")
    await town.tell([school, *await town.members(3, "Groix")], 100)
    await town.look()
    await _erase(town, school)
    assert await town.shown("Groix") == await town.shown() == 24 * [400]


async def test_a_site_of_which_a_part_is_erased_says_the_rest_again(town: Town) -> None:
    school = await town.member(kind="site", name="Kersabiec")
    for day in (BEFORE, DAY):
        await town.tell(school, 70, day=day)
    await town.look()
    await forget(town.connection, school, "kersabiec", town.at)
    await town.tell(school, None, day=BEFORE)
    assert await town.shown("Kersabiec", kind="site") == []
    await town.look()
    assert await town.shown("Kersabiec", kind="site", day=BEFORE) == []
    assert await town.shown("Kersabiec", kind="site") == 24 * [70]


async def test_a_day_is_published_at_one_step(town: Town) -> None:
    homes = await town.members(3)
    await town.tell(homes, 100, day=BEFORE)
    await town.tell(homes, 100)
    await town.look()
    assert await town.civil() == 24 * 300
    town.publication = Publication(basis=Agreed(3), interval=Interval.PT30M)
    for member, one in list(town.series.items()):
        await town.tell(member, 120)
        assert one.interval is HOUR
    finer = await town.member(interval=Interval.PT30M)
    await town.tell(finer, 50)
    await town.look()
    assert await town.shown(interval=Interval.PT30M) == []
    assert await town.shown() == 24 * [300]
    assert await town.civil() == 24 * 300


async def test_a_day_of_which_hours_were_published_at_another_step_is_not_by_itself(
    town: Town,
) -> None:
    homes = await town.members(4)
    await town.tell(homes, 100, day=BEFORE)
    await town.tell(homes[:2], 100)
    await town.tell(homes[2:], (*5 * [100], None, *18 * [100]))
    await town.look(LATER)
    assert (await town.shown())[4:7] == [400, None, 400]
    town.publication = Publication(basis=Agreed(3), interval=Interval.PT30M)
    await town.tell(homes, 100)
    await town.look(LATER + timedelta(days=1))
    assert await town.civil() is None


async def test_a_member_that_leaves_at_the_turn_of_a_month_is_in_what_was_before(
    town: Town,
) -> None:
    turn = MONTH.replace(month=8)
    homes = await town.members(4)
    leaver = await town.member(until=turn)
    last = turn - timedelta(days=1)
    for home in (*homes, leaver):
        await town.tell(home, 100, day=last)
    await town.look(LATER + timedelta(days=30))
    # In Paris, August begins two hours before the UTC day does.
    assert await town.shown(day=last) == 22 * [500] + 2 * [400]


async def test_a_home_that_becomes_a_site_stays_in_what_hid_it(town: Town) -> None:
    homes = await town.members(4)
    await town.tell(homes, 100)
    await town.look()
    assert await town.shown() == 24 * [400]
    was = (await compositions(town.connection, [homes[0]]))[homes[0]]
    known = update(MemberRow).where(MemberRow.id == homes[0])
    await town.connection.execute(known.values(kind="site", name="École"))
    await moved(town.connection, homes[0], was, town.at)
    await town.look()
    assert await town.shown() == 24 * [400]
    await town.tell(homes[0], 170)
    await town.look()
    assert (await town.shown())[0] == 470  # What it tells from now on, it tells in public.


async def test_only_what_changes_after_its_release_is_noted(town: Town) -> None:
    homes = await town.members(4)
    for hour in range(1, 13):
        town.at = NOON.replace(hour=hour)
        await town.tell(homes[: 3 if hour == 12 else 4], hour * [100])
        await town.look(town.at + WAIT)
    assert await town.kept("unreleased") == []
    town.at = NOON.replace(hour=13)
    await town.tell(homes[3], 12 * [100])
    await town.tell(homes, 13 * [100])
    await town.look(town.at + WAIT)
    assert (await town.shown())[:14] == 11 * [400] + [300, 400, None]
    assert len(await town.kept("unreleased")) == 1
    # What came with the release of its hour is no change of it; what comes later is.
    await town.tell(homes[3], 13 * [120])
    await town.look(LATER)
    assert (await town.shown())[:13] == 11 * [400] + [300, 400]
    await town.tell(homes[:2], 13 * [120])
    await town.look(LATER + timedelta(days=1))
    assert (await town.shown())[:13] == 11 * [460] + [460, 460]


async def test_nothing_is_looked_at_twice_without_a_reason(town: Town) -> None:
    homes = await town.members(3)
    await town.tell(homes, 100)
    await town.tell(homes, 100, day=BEFORE)
    assert await town.look(LATER)
    assert await town.kept("to_release") == []
    assert not await town.look(LATER + timedelta(days=1))


async def test_how_homes_differ_is_told_of_a_month_that_is_over(town: Town) -> None:
    homes = await town.members(12)
    for number, home in enumerate(homes):
        for day in (BEFORE, BEFORE + timedelta(days=1)):
            await town.tell(home, 100 + number, day=day)
    await town.look(LATER)
    release = Release(town.publication, ZONE, "kersabiec")
    everybody = town.groups["all", ""]

    async def told(at: datetime) -> Quartiles | Withheld:
        return await release.quartiles(town.connection, everybody, CONSUMPTION, MONTH, at)

    assert await told(LATER) == Withheld(Reason.NOT_YET)
    found = await told(LATER + timedelta(days=30))
    assert isinstance(found, Quartiles)
    assert (found.homes, found.lower, found.median) == (12, 150_000, 150_000)


async def test_of_few_homes_it_is_not_told_how_they_differ(town: Town) -> None:
    homes = await town.members(11)
    await town.tell(homes, 100, day=BEFORE)
    await town.tell(homes, 100)
    await town.look(LATER)
    release = Release(town.publication, ZONE, "kersabiec")
    everybody, at = town.groups["all", ""], LATER + timedelta(days=30)
    found = await release.quartiles(town.connection, everybody, CONSUMPTION, MONTH, at)
    assert found == Withheld(Reason.TOO_FEW, 11, 12)
