"""Queries return released figures as they were written, on both databases, and nothing else."""

from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from consometers_node.collective.calendar import Span
from consometers_node.collective.disclosure.reasons import Reason, Withheld
from consometers_node.collective.disclosure.sdc_rules import Publication
from consometers_node.collective.publication.reading.queries import ALL, Latest, Published
from consometers_node.collective.publication.reading.values import FlowRow, Slots, value
from consometers_node.figures import FIGURES
from consometers_node.series import Direction, Interval
from consometers_node.store import Store
from consometers_node.store.collective.groups import GroupKind
from consometers_node.store.collective.publication import combined
from testing.pages.town import HOUR, ZONE, ReleasedTown, day_of, hours_of, settings

DRAWN, FED, MADE = Direction.CONSUMPTION, Direction.INJECTION, Direction.PRODUCTION
DAY = date(2026, 6, 9)
EVENING = datetime(2026, 6, 9, 20, tzinfo=UTC)
LATER = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture
async def town(store: Store, tmp_path: Path) -> ReleasedTown:
    return ReleasedTown(store, settings(tmp_path))


def reader(town: ReleasedTown) -> Published:
    settings = town.settings
    return Published(settings.identifier, settings.time_zone, settings.publication)


def columns(watt_minutes: int, members: int, minutes: int = 60) -> tuple[int, ...]:
    """Return the columns of a cell of homes that all responded, without its key."""
    each = round(watt_minutes / members)
    return watt_minutes, members, members, members, watt_minutes, each, minutes, 0


def figures(slots: Slots, direction: Direction = DRAWN) -> list[Withheld | tuple[int, ...]]:
    """Return each slot's figure of a direction; of a cell, the columns after its key."""
    figures_found = [slot.cells[direction] for slot in slots]
    return [figure if isinstance(figure, Withheld) else figure[5:13] for figure in figures_found]


async def look(
    town: ReleasedTown, interval: Interval, span: Span, slug: str = ALL, until: datetime = LATER
) -> Slots:
    published = reader(town)
    async with town.store.reading() as connection:
        place = (await published.places(connection))[slug]
        return await published.slots(connection, place, interval, span, until)


async def test_hours_and_days_match_their_published_cells(town: ReleasedTown) -> None:
    everybody = await town.group()
    await town.release(everybody, day_of(DAY, consumption=lambda hour: 1000 + hour), members=12)
    hours = await look(town, Interval.PT1H, Span(DAY, DAY))
    assert figures(hours) == [columns(60 * (1000 + hour), 12) for hour in range(24)]
    assert [slot.start.hour for slot in hours] == list(range(24))
    assert all(slot.start.tzinfo is ZONE for slot in hours)
    cells = [slot.cell(DRAWN) for slot in hours]
    assert [cell and cell.start for cell in cells] == [slot.start for slot in hours]
    days = await look(town, Interval.P1D, Span(DAY, DAY))
    assert figures(days) == [columns(60 * (24_000 + 276), 12, 24 * 60)]


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (DAY, 24)]
)
async def test_a_civil_day_has_all_of_its_hours(town: ReleasedTown, day: date, hours: int) -> None:
    await town.release(await town.group(), day_of(day, consumption=lambda hour: 1))
    slots = await look(town, Interval.PT1H, Span(day, day))
    assert len(slots) == hours
    assert all(slot.published for slot in slots)
    assert all(slot.end.timestamp() - slot.start.timestamp() == 3600 for slot in slots)


async def test_unfinished_and_open_intervals_have_no_figure(town: ReleasedTown) -> None:
    await town.release(await town.group(), day_of(DAY, consumption=lambda hour: 1))
    until = datetime(2026, 6, 9, 10, 59, tzinfo=UTC)
    assert len(await look(town, Interval.PT1H, Span(DAY, DAY), until=until)) == 12
    assert not await look(town, Interval.P1D, Span(DAY, DAY), until=until)
    # What is not closed is not published yet.
    after = DAY + timedelta(days=1)
    slots = await look(town, Interval.PT1H, Span(after, after))
    assert set(figures(slots)) == {Withheld(Reason.NOT_YET, 10)}


async def test_a_suppressed_cell_does_not_name_its_rule(town: ReleasedTown) -> None:
    everybody = await town.group()
    before = DAY - timedelta(days=1)
    await town.release(everybody, day_of(before, consumption=lambda hour: 5), members=12)
    await town.close(hours_of(DAY), Reason.DOMINANCE)
    assert figures(await look(town, Interval.PT1H, Span(before, DAY))) == [
        *(24 * [columns(300, 12)]),
        *(24 * [Withheld(Reason.BELOW_THRESHOLD, 10)]),
    ]


async def test_groups_do_not_mix(town: ReleasedTown) -> None:
    everybody = await town.group()
    area = await town.group(GroupKind.AREA, "Larmor-Plage")
    await town.release(everybody, day_of(DAY, consumption=lambda hour: 5))
    await town.release(area, day_of(DAY, consumption=lambda hour: 3, production=lambda hour: 2))
    (day,) = await look(town, Interval.P1D, Span(DAY, DAY))
    assert day.cells.keys() == {DRAWN}
    days = await look(town, Interval.P1D, Span(DAY, DAY), "larmor-plage")
    assert figures(days, MADE) == [columns(60 * 48, 37, 24 * 60)]


async def test_an_area_that_is_called_all_is_not_everybody(town: ReleasedTown) -> None:
    everybody = await town.group()
    await town.group(GroupKind.AREA, "All")
    async with town.store.reading() as connection:
        places = await reader(town).places(connection)
    assert places[ALL].id == everybody


async def test_erased_site_has_no_place(town: ReleasedTown) -> None:
    await town.group(GroupKind.SITE, "abcd2345")
    async with town.store.reading() as connection:
        assert not await reader(town).places(connection)


async def test_published_cells_count_homes_and_members(town: ReleasedTown) -> None:
    everybody = await town.group()
    start = datetime(2026, 6, 9, 12, tzinfo=UTC)
    await town.release(everybody, {DRAWN: {start: 100}}, members=38, homes=36, counting=40)
    cell = (await look(town, Interval.PT1H, Span(DAY, DAY)))[14].cell(DRAWN)
    assert cell is not None
    assert (cell.homes, cell.counting) == (36, 40)
    assert (cell.members, cell.members_counting) == (38, 42)


HALF_HOUR = Publication(minimum=10, interval=Interval.PT30M)


async def publish_at_two_steps(town: ReleasedTown) -> None:
    """Publish a day by half-hours, and the day before by hours."""
    everybody = await town.group()
    hours = hours_of(DAY - timedelta(days=1))
    halves = [start + n * timedelta(minutes=30) for start in hours_of(DAY) for n in range(2)]
    await town.release(everybody, {DRAWN: dict.fromkeys(hours, 1_000)})
    await town.release(everybody, {DRAWN: dict.fromkeys(halves, 500)}, step=Interval.PT30M)
    await town.close(hours)
    await town.close(halves, interval=Interval.PT30M)
    town.settings = settings(town.settings.folder, publication=HALF_HOUR)


async def test_published_figures_keep_their_step_after_a_change(town: ReleasedTown) -> None:
    await publish_at_two_steps(town)
    before = DAY - timedelta(days=1)
    hours = await look(town, Interval.PT1H, Span(before, DAY))
    assert figures(hours) == 24 * [columns(60_000, 37)]
    halves = await look(town, Interval.PT30M, Span(before, DAY))
    assert figures(halves) == 48 * [columns(15_000, 37, 30)]
    async with town.store.reading() as connection:
        steps = await reader(town).steps(connection)
    midnight = datetime(2026, 6, 8, 22, tzinfo=UTC)
    assert steps == {
        Interval.PT1H: (hours_of(before)[0], midnight),
        Interval.PT30M: (midnight, None),
    }
    # A day is shown at the step at which it was published.
    async with town.store.reading() as connection:
        published = reader(town)
        place = (await published.places(connection))[ALL]
        for first, count in ((DAY - timedelta(days=1), 24 + 48), (DAY, 48)):
            slots = await published.within_days(connection, place, Span(first, DAY), LATER)
            assert len(slots) == count
            assert all(slot.published for slot in slots)
            assert all(slot.end == after.start for slot, after in pairwise(slots))
            assert sum(slot.minutes for slot in slots) == 1440 * ((DAY - first).days + 1)


async def test_returning_step_has_its_earlier_figures(town: ReleasedTown) -> None:
    await publish_at_two_steps(town)
    after = DAY + timedelta(days=1)
    await town.release(await town.group(), {DRAWN: dict.fromkeys(hours_of(after), 700)})
    await town.close(hours_of(after))
    town.settings = settings(town.settings.folder)
    before = DAY - timedelta(days=1)
    hours = await look(town, Interval.PT1H, Span(before, after))
    assert sum(slot.published for slot in hours) == 24 + 24
    assert len(await look(town, Interval.PT30M, Span(before, after))) == 48
    async with town.store.reading() as connection:
        place = (await reader(town).places(connection))[ALL]
        slots = await reader(town).within_days(connection, place, Span(DAY, after), LATER)
    assert all(slot.published for slot in slots)


async def test_communes_are_listed_under_their_most_published_group(town: ReleasedTown) -> None:
    """Riantec is only ever with others, Lanester mostly by itself, and none is there twice."""
    names = {
        await town.group(GroupKind.AREA, name): name for name in ("Lanester", "Riantec", "Guidel")
    }
    lanester, riantec, guidel = names
    async with town.store.writing() as connection:
        all_three = await combined(connection, frozenset(names), names)
        two = await combined(connection, frozenset({riantec, guidel}), names)
    hours = hours_of(DAY)
    await town.release(lanester, {DRAWN: dict.fromkeys(hours[:20], 1)}, in_part=True)
    await town.release(two, {DRAWN: dict.fromkeys(hours[:20], 1)}, in_part=True)
    await town.release(all_three, {DRAWN: dict.fromkeys(hours[20:], 1)}, in_part=True)
    await town.close(hours)
    async with town.store.reading() as connection:
        places = await reader(town).places(connection)
        communes = await reader(town).recent(connection, places.values())
    assert [commune.title.say("en") for commune in communes] == ["Guidel and Riantec", "Lanester"]


async def test_first_closed_day_may_precede_the_first_published_day(town: ReleasedTown) -> None:
    everybody = await town.group()
    published = reader(town)

    async def firsts() -> tuple[date | None, date | None]:
        """Return the first closed day, and the first that was published."""
        async with town.store.reading() as connection:
            place = (await published.places(connection))[ALL]
            first_day = await published.first_day(connection, place)
            return first_day, await published.since(connection, place)

    assert await firsts() == (None, None)
    await town.release(everybody, day_of(DAY, consumption=lambda hour: 1))
    assert await firsts() == (DAY, DAY)
    earlier = DAY - timedelta(days=2)
    await town.close(hours_of(earlier), Reason.BELOW_THRESHOLD)
    assert await firsts() == (earlier, DAY)


async def test_intervals_before_the_first_closed_one_are_not_withheld(town: ReleasedTown) -> None:
    """Each direction has its own first one."""
    await town.close(hours_of(DAY)[:20], Reason.DOMINANCE)
    await town.close(hours_of(DAY)[12:15], direction=MADE)
    async with town.store.reading() as connection:
        for first in (DAY - timedelta(days=3), DAY):
            reasons = await reader(town).withheld(
                connection, Interval.PT1H, Span(first, DAY), LATER
            )
            assert reasons == {Reason.DOMINANCE: 20, Reason.NOT_YET: 4 + 9}


async def test_combined_communes_name_each_other(town: ReleasedTown) -> None:
    lanester = await town.group(GroupKind.AREA, "Lanester")
    riantec = await town.group(GroupKind.AREA, "Riantec")
    hour = datetime(2026, 6, 9, 12, tzinfo=UTC)
    async with town.store.writing() as connection:
        names = {lanester: "Lanester", riantec: "Riantec"}
        both = await combined(connection, frozenset(names), names)
        assert await combined(connection, frozenset(names), names) == both
    await town.release(lanester, {DRAWN: {hour: 100}})
    await town.release(both, {DRAWN: {hour + timedelta(hours=1): 300}})
    await town.close([hour, hour + timedelta(hours=1)])
    async with town.store.reading() as connection:
        places = await reader(town).places(connection)
    assert places["lanester-riantec"].parts == ("Lanester", "Riantec")
    assert places["lanester"].together == (both,)
    # It has nothing of its own, and a page that says where it is published.
    assert places["riantec"].is_together
    assert places["riantec"].together == (both,)
    assert not places["lanester"].is_together
    slots = await look(town, Interval.PT1H, Span(DAY, DAY), "lanester")
    assert slots[15].cells[DRAWN] == Withheld(Reason.TOGETHER, 10)


async def last(
    town: ReleasedTown, until: datetime = EVENING, since: datetime = EVENING - timedelta(days=1)
) -> Latest | None:
    async with town.store.reading() as connection:
        return await reader(town).latest(connection, since, until)


async def at_hour(town: ReleasedTown, hour: int) -> Latest:
    """Return what is the last thing published at the end of an hour of the day."""
    latest = await last(town, datetime.combine(DAY, time(hour), ZONE) + HOUR)
    assert latest is not None
    return latest


def energies(row: FlowRow) -> dict[Direction, int]:
    """Return the watt-minutes of the directions that were published."""
    return {
        direction: int(amount)
        for direction in row.directions
        if (amount := row[direction].amount) is not None
    }


async def test_latest_interval_has_its_power_and_its_day_so_far(town: ReleasedTown) -> None:
    hours = day_of(
        DAY,
        consumption=lambda hour: 1000,
        injection=lambda hour: 500 if hour == 12 else 0,
        production=lambda hour: 2000 if hour == 12 else 0,
    )
    await town.release(await town.group(), hours, members=12)
    for hour in range(22):
        assert (await at_hour(town, hour)).interval.start.hour == hour
    night, noon = await at_hour(town, 0), await at_hour(town, 12)
    assert night.interval.start.tzinfo is ZONE
    assert night.interval.hours == 1
    assert night.interval[DRAWN].members == 12
    assert energies(night.interval) == {DRAWN: 60_000, FED: 0, MADE: 0}
    assert night.interval["self-sufficiency"].amount == 0
    assert night.interval["self-consumption"].amount is None
    assert noon.interval["self-sufficiency"].amount == Fraction(1500, 2500)
    assert energies(noon.day) == {DRAWN: 13 * 60_000, FED: 30_000, MADE: 120_000}
    assert noon.day["self-sufficiency"].amount == Fraction(1500, 14_500)
    assert noon.day["self-consumption"].amount == Fraction(3, 4)
    evening = await last(town)
    assert evening == await at_hour(town, 21)


async def test_day_so_far_restarts_at_midnight(town: ReleasedTown) -> None:
    both = day_of(DAY - timedelta(days=1), DAY, consumption=lambda hour: 60)
    await town.release(await town.group(), both)
    for hour, hours_so_far in ((-2, 23), (-1, 24), (0, 1)):
        until = datetime.combine(DAY, time(), ZONE) + (hour + 1) * HOUR
        latest = await last(town, until)
        assert latest is not None
        assert latest.interval.start == until - HOUR
        assert energies(latest.day) == {DRAWN: hours_so_far * 3600}
        assert latest.interval["self-sufficiency"].amount is None
    # An interval that starts before `since` is left out.
    assert await last(town, EVENING, since=EVENING) is None


async def test_withheld_directions_are_left_out(town: ReleasedTown) -> None:
    everybody = await town.group()
    hours = day_of(DAY, consumption=lambda hour: 100, production=lambda hour: 50)
    released = {
        DRAWN: {at: watts for at, watts in hours[DRAWN].items() if at.hour < 15},
        MADE: {at: watts for at, watts in hours[MADE].items() if at.hour != 10},
    }
    await town.release(everybody, released)
    since = datetime(2026, 6, 9, 10, tzinfo=UTC)
    alone = await last(town, since + HOUR, since)
    assert alone is not None
    assert set(energies(alone.interval)) == {DRAWN}
    since = datetime(2026, 6, 9, 15, tzinfo=UTC)
    alone = await last(town, since + HOUR, since)
    assert alone is not None
    assert alone.interval[DRAWN].members == 0
    assert set(energies(alone.interval)) == {MADE}
    latest = await last(town)
    assert latest is not None
    assert latest.interval.start.astimezone(UTC).hour == 14


async def test_latest_interval_is_of_the_whole_collective_alone(
    town: ReleasedTown,
) -> None:
    assert await last(town) is None
    await town.group()
    assert await last(town) is None
    await town.release(
        await town.group(GroupKind.AREA, "Lanester"), day_of(DAY, consumption=lambda hour: 1)
    )
    assert await last(town) is None


@pytest.mark.parametrize("day", [date(2026, 3, 29), DAY, date(2026, 10, 25)])
async def test_a_day_has_the_figures_of_its_hours(town: ReleasedTown, day: date) -> None:
    """Hours lack a direction, its homes, or both: every figure of the day is that of its hours."""
    everybody, hours = await town.group(), hours_of(day)
    watts = {
        DRAWN: {at: 1_000 + 10 * n for n, at in enumerate(hours) if n % 7 != 6},
        FED: {at: 900 - 10 * n for n, at in enumerate(hours) if n % 5 != 4},
        MADE: {at: 1_500 - 20 * n for n, at in enumerate(hours)},
    }
    for direction, some in watts.items():
        lacking = {at for n, at in enumerate(some) if direction is not MADE and n % 4 == 3}
        with_homes = {at: power for at, power in some.items() if at not in lacking}
        of_a_school = {at: power // 10 for at, power in some.items() if at in lacking}
        await town.release(everybody, {direction: with_homes}, 14, homes=12, daily=False)
        await town.release(
            everybody, {direction: of_a_school}, 2, homes=0, daily=False, lacks_homes=True
        )
        energy = sum(with_homes.values()) + sum(of_a_school.values())
        await town.release_day(
            *(everybody, day, direction, energy, 14),
            homes=12,
            hours=len(some),
            hours_lacking=len(lacking),
        )
    (shown,) = await look(town, Interval.P1D, Span(day, day))
    parts = await look(town, Interval.PT1H, Span(day, day))
    for key in FIGURES:
        of_day, of_hours = value([shown], key), value(parts, key)
        assert of_day.amount == of_hours.amount is not None, key
        for name in ("minutes", "minutes_ended", "lacking"):
            assert getattr(of_day, name) == getattr(of_hours, name), (key, name)
    assert 0 < value([shown], "self-sufficiency").minutes < value([shown], "production").minutes
