"""The step of sums changes at a midnight of the collective alone: a civil day has one step."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.exc import DatabaseError

from consometers_node.collective.calendar import instants
from consometers_node.collective.disclosure.sdc_rules import Publication
from consometers_node.collective.ingestion.arrivals import Arrivals
from consometers_node.collective.publication.closing.worker import Publishing
from consometers_node.collective.publication.policy import (
    AT_ONCE,
    InForce,
    Rules,
    StepChange,
    choose,
    go_back,
    open_from,
)
from consometers_node.series import Interval, Range
from consometers_node.sharing.changes import Changes
from consometers_node.store import Store
from consometers_node.store.clock import Clock
from consometers_node.store.collective.masked_reports import openings
from consometers_node.store.collective.publication import closed_intervals, write
from consometers_node.store.engine.connection import AsyncConnection
from testing.collectives.masked import MaskedTown
from testing.collectives.publishing import AGREED, BEFORE, DAY, EARLIER, NOON, ZONE, PublishingTown
from testing.pages.town import settings

HALF_HOURS = replace(AGREED, interval=Interval.PT30M)
BY = "Maëlle"
PARIS = ZoneInfo(ZONE)
A_DAY = timedelta(days=1)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def publishing(store: Store, folder: Path, written: Publication = AGREED) -> Publishing:
    """Return the worker of a collective whose settings file says this."""
    return Publishing(
        store,
        settings(folder, identifier="kersabiec", publication=written),
        InForce(written),
        Changes(),
        arrivals=Arrivals(),
        clock=Clock(),
        is_online=lambda: True,
    )


async def close(work: Publishing, at: datetime) -> None:
    while await work.look(LONG_AGO, at):
        pass


async def fill(
    connection: AsyncConnection, days: Sequence[date], homes: int = 4, halves: int = 3
) -> PublishingTown:
    """Add homes that draw 100 W, of which some send hours and the others half-hours, and open."""
    town = PublishingTown(connection)
    for step, count in ((Interval.PT1H, homes), (Interval.PT30M, halves)):
        for _ in range(count):
            member = await town.member(interval=step, since=date(2026, 1, 1))
            for day in days:
                await town.record(member, 100, day=day)
    await open_from(connection, AT_ONCE, BY, LONG_AGO)
    return town


async def starts(store: Store, step: Interval, within: Range) -> list[datetime]:
    async with store.reading() as connection:
        return [each.start for each in await closed_intervals(connection, step, within)]


def every(step: Interval, within: Range) -> list[datetime]:
    length = timedelta(minutes=step.minutes)
    return [within.start + n * length for n in range((within.end - within.start) // length)]


@pytest.mark.parametrize("day", [DAY, date(2026, 3, 29), date(2026, 10, 25)])
@pytest.mark.parametrize(
    ("before", "after"), [(AGREED, HALF_HOURS), (HALF_HOURS, AGREED)], ids=["finer", "coarser"]
)
async def test_day_of_a_change_is_closed_to_its_end_at_its_step(
    file: Store, tmp_path: Path, day: date, before: Publication, after: Publication
) -> None:
    """A day was published with homes of both steps, of which one was in it with half a day."""
    work = publishing(file, tmp_path, before)
    within, next_day = instants(ZONE, day), instants(ZONE, day + A_DAY)
    noon = within.start + timedelta(hours=12)
    async with file.writing() as connection:
        utc_days = [day + n * A_DAY for n in range(-1, 3)]
        town = await fill(connection, utc_days)
    await close(work, noon)
    async with file.writing() as connection:
        await choose(connection, Rules(after, AT_ONCE), BY, noon)
    await close(work, noon + timedelta(minutes=40))
    # It is looked at again only when the next day has begun: that is not too late.
    await close(work, next_day.end + timedelta(hours=3))
    assert await starts(file, before.interval, within) == every(before.interval, within)
    assert await starts(file, after.interval, within) == []
    assert await starts(file, before.interval, next_day) == []
    assert await starts(file, after.interval, next_day) == every(after.interval, next_day)
    async with file.reading() as connection:
        town.connection = connection
        hours = (within.end - within.start) // timedelta(hours=1)
        homes = {Interval.PT1H: 7, Interval.PT30M: 3}[before.interval]
        assert await town.civil(day=day) == hours * 100 * homes + (
            # By days, the homes that send hours pass by themselves.
            hours * 100 * 4 if before is HALF_HOURS else 0
        )


async def test_changed_settings_file_applies_from_the_next_midnight(
    file: Store, tmp_path: Path
) -> None:
    async with file.writing() as connection:
        await fill(connection, [BEFORE, DAY])
    within = instants(ZONE, DAY)
    await close(publishing(file, tmp_path), NOON)
    await close(publishing(file, tmp_path, HALF_HOURS), within.end + timedelta(hours=3))
    # The node was off meanwhile: the change begins at the midnight after its start.
    assert await starts(file, Interval.PT1H, within) == every(Interval.PT1H, within)
    assert await starts(file, Interval.PT30M, within) == []


async def test_first_step_applies_to_all_of_the_past(file: Store, tmp_path: Path) -> None:
    """As long as nothing is published, a chosen step needs no midnight."""
    async with file.writing() as connection:
        await fill(connection, [BEFORE, DAY])
        rules = await InForce(AGREED).plan(connection, NOON, PARIS)
        assert rules.publication == AGREED
        await choose(connection, Rules(HALF_HOURS, AT_ONCE), BY, NOON)
        rules = await InForce(AGREED).plan(connection, NOON, PARIS)
        assert (rules.publication, rules.next_step) == (HALF_HOURS, None)
    await close(publishing(file, tmp_path), NOON)
    assert await starts(file, Interval.PT1H, Range(EARLIER, NOON)) == []
    assert await starts(file, Interval.PT30M, Range(EARLIER, NOON))


async def test_rules_say_from_when_another_step_applies(file: Store, tmp_path: Path) -> None:
    async with file.writing() as connection:
        await fill(connection, [BEFORE, DAY])
    await close(publishing(file, tmp_path), NOON)
    midnight = instants(ZONE, DAY).end
    in_force = InForce(AGREED)
    async with file.writing() as connection:
        await choose(connection, Rules(HALF_HOURS, AT_ONCE), BY, NOON)
        rules = await in_force.plan(connection, NOON, PARIS)
        coming = StepChange(Interval.PT1H, Interval.PT30M, midnight)
        assert (rules.publication, rules.next_step) == (AGREED, coming)
        assert rules.chosen.publication == HALF_HOURS
        assert await in_force.plan(connection, NOON + timedelta(hours=1), PARIS) == rules
        # Going back before midnight changes nothing at all.
        await go_back(connection, BY)
        rules = await in_force.plan(connection, NOON, PARIS)
        assert (rules.publication, rules.next_step) == (AGREED, None)
        assert (await in_force.read(connection, midnight)).publication == AGREED
        await choose(connection, Rules(HALF_HOURS, AT_ONCE), BY, NOON)
        await in_force.plan(connection, NOON, PARIS)
        rules = await in_force.read(connection, midnight)
        assert (rules.publication, rules.next_step) == (HALF_HOURS, None)


async def test_direction_that_is_behind_closes_a_day_at_the_step_of_the_others(
    file_town: PublishingTown,
) -> None:
    """Steps that were chosen since change no day that another direction has closed in part."""
    town = file_town
    await town.record(await town.members(3), 100, day=DAY)
    town.publication = HALF_HOURS
    midnight = instants(ZONE, DAY).start
    town.steps = StepChange(Interval.PT30M, Interval.PT1H, midnight + A_DAY)
    await town.look(NOON)
    assert await town.closed(DAY, Interval.PT30M)
    town.steps = StepChange(Interval.PT1H, Interval.PT1H, EARLIER)
    await town.look()
    assert await town.closed(DAY, Interval.PT1H) == [
        hour for hour in await town.closed(DAY, Interval.PT1H) if hour.start.hour >= 22
    ]


async def test_days_before_a_change_keep_the_former_step_however_late_they_close(
    file_town: PublishingTown,
) -> None:
    town = file_town
    await town.record(await town.members(3), 100)
    town.publication = HALF_HOURS
    midnight = instants(ZONE, DAY).end
    town.steps = StepChange(Interval.PT1H, Interval.PT30M, midnight)
    await town.look(NOON + 2 * A_DAY)
    assert len(await town.closed(DAY)) == 22
    assert [half.start for half in await town.closed(DAY, Interval.PT30M)] == every(
        Interval.PT30M, Range(midnight, Range.of_day(DAY).end)
    )


STEPS = (Interval.PT5M, Interval.PT30M, Interval.PT1H)


@pytest.mark.parametrize(("step", "second"), permutations(STEPS, 2))
async def test_database_refuses_a_second_step_in_a_day(
    file: Store, step: Interval, second: Interval
) -> None:
    async with file.writing() as connection:
        town = PublishingTown(connection)
        await town.record(await town.members(3), 100)
        await town.look()
        (cell, *_) = [cell for cell in await town.cells() if cell.start.hour == 3]
        before = cell._replace(interval=step, start=cell.start - timedelta(days=9))
        before = before._replace(day=cell.day - timedelta(days=9))
        await write(connection, [before], [])
    other = before._replace(interval=second, start=before.start + timedelta(hours=1))
    with pytest.raises(DatabaseError, match="another step"):
        async with file.writing() as connection:
            await write(connection, [other], [])


@pytest.mark.parametrize("is_answered", [True, False])
async def test_step_changes_whether_or_not_the_witness_has_answered(
    file: Store, *, is_answered: bool
) -> None:
    """Every closing raised, as the opening of an hour was left between half-hours."""
    asked_at = datetime(2026, 7, 15, 10, tzinfo=UTC)
    async with file.writing() as connection:
        town = MaskedTown(connection, at=asked_at + timedelta(hours=4))
        await town.record(await town.members(3), 100)
        await town.report(await town.masked_homes(3), [400], asked_at)
        await town.close(town.at)
        (asked,) = await openings(connection)
        town.publication = HALF_HOURS
        midnight = instants(ZONE, DAY).end
        town.steps = StepChange(Interval.PT1H, Interval.PT30M, midnight)
        if is_answered:
            await town.close_all(midnight + timedelta(hours=6))
        else:
            while await town.close(midnight + timedelta(hours=6)):
                pass
            assert await openings(connection) == [asked]
        assert len(await town.closed(DAY)) == 22
        first, *_ = await town.closed(DAY, Interval.PT30M)
        assert first.start == midnight
        assert (await town.shown())[10] == (1_500 if is_answered else 300)
        await town.close_all(town.at)
        assert not await openings(connection)
        assert (await town.shown())[10] == 1_500
