"""Administrators see how each hour was closed, and how far the past is."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from consometers_node.collective.disclosure.reasons import Reason
from consometers_node.collective.disclosure.sdc_rules import Publication
from consometers_node.collective.publication.policy import AT_ONCE, Opening
from consometers_node.collective.publication.reading.closed_hours import (
    Hour,
    IntervalState,
    hours,
    missing,
    progress,
)
from consometers_node.series import Interval
from testing.collectives.publishing import (
    AGREED,
    BEFORE,
    CONSUMPTION,
    DAY,
    NOON,
    ZONE,
    PublishingTown,
)

PARIS = ZoneInfo(ZONE)
OPENING = Opening(AT_ONCE, "Maëlle", NOON)


async def hours_of(
    town: PublishingTown, day: date = DAY, publication: Publication = AGREED
) -> list[Hour]:
    return list(await hours(town.connection, publication, PARIS, day, NOON))


def states(hours: list[Hour]) -> list[IntervalState | Reason]:
    return [hour.outcomes[CONSUMPTION].state for hour in hours]


async def test_closed_hours_show_their_response_and_reason(file_town: PublishingTown) -> None:
    homes = await file_town.members(4)
    await file_town.record(homes[:2], 1000, day=DAY)
    await file_town.record(homes[2:], [1000] * 8 + [100_000] + [None] * 15, day=DAY)
    await file_town.record(homes[2], [1000] * 8 + [1000] + [None] * 15, day=DAY)
    await file_town.look(NOON)
    # Midnight in Lorient is 22:00 UTC, which has no record; noon UTC is 14:00.
    hours = await hours_of(file_town)
    assert [hour.start.hour for hour in hours] == [*range(14)]
    assert states(hours) == [
        *[IntervalState.NOTHING] * 2,
        *[IntervalState.PUBLISHED] * 8,
        Reason.DOMINANCE,
        Reason.BELOW_THRESHOLD,
        *[IntervalState.WAITING] * 2,
    ]
    assert [
        (outcome.response, outcome.expected)
        for outcome in (hour.outcomes[CONSUMPTION] for hour in hours)
    ][9:12] == [(4, 4), (4, 4), (2, 4)]
    assert missing(hours) == {
        (CONSUMPTION, IntervalState.NOTHING): 2,
        (CONSUMPTION, Reason.DOMINANCE): 1,
        (CONSUMPTION, Reason.BELOW_THRESHOLD): 1,
    }


async def test_overdue_hours_are_late(file_town: PublishingTown) -> None:
    await file_town.record(await file_town.members(3), 1000, day=DAY)
    assert (
        states(await hours_of(file_town)) == [IntervalState.LATE] * 11 + [IntervalState.WAITING] * 3
    )


async def test_hours_without_records_of_any_home_are_missing(
    file_town: PublishingTown,
) -> None:
    homes = await file_town.members(3)
    await file_town.record(homes, 1000, day=BEFORE - timedelta(days=9))
    await file_town.look(NOON)
    # Nobody has sent anything for ten days: nothing is expected, and all of it is missing.
    assert missing(await hours_of(file_town)) == {(CONSUMPTION, IntervalState.NOTHING): 13}


async def test_hours_are_shown_at_the_step_of_their_day(file_town: PublishingTown) -> None:
    await file_town.record(await file_town.members(3), [1000] * 10, day=DAY)
    await file_town.look(NOON)
    finer = Publication(minimum=3, interval=Interval.PT30M)
    hours = await hours_of(file_town, publication=finer)
    assert hours == await hours_of(file_town)
    assert len(hours) == 14


async def test_progress_runs_from_the_first_record_to_the_opening(
    file_town: PublishingTown,
) -> None:
    async def past() -> tuple[date, float] | None:
        hours = await progress(file_town.connection, AGREED, PARIS, OPENING)
        return None if hours is None else (hours.until.date(), round(hours.share, 2))

    assert await past() is None
    homes = await file_town.members(3)
    first = datetime(2026, 7, 1, tzinfo=UTC)
    for n in range(15):
        await file_town.record(homes, 1000, day=first.date() + timedelta(days=n))
    assert await past() == (date(2026, 7, 1), 0)
    file_town.opened_at = NOON
    await file_town.look(first + timedelta(days=7, hours=3))
    assert await past() == (date(2026, 7, 8), 0.49)
    await file_town.look(NOON)
    assert await past() is None
