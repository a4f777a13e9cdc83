"""A collective begins with the civil day of the first record, of which all hours are closed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from consometers_node.collective.publication.closing.first_days import first_days
from consometers_node.series import Interval, Range
from consometers_node.store.collective.memberships import first_blocks
from consometers_node.store.collective.publication import closed_intervals
from testing.collectives.publishing import (
    BEFORE,
    CONSUMPTION,
    DAY,
    HOUR,
    HOURS_A_DAY,
    NOON,
    ZONE,
    PublishingTown,
    Value,
)

MIDNIGHT = datetime(2026, 7, 14, 22, tzinfo=UTC)
LAST = HOURS_A_DAY - 1
HOUR_LONG = timedelta(hours=1)
AGES = Range(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))


async def closed_starts(town: PublishingTown, interval: Interval) -> list[datetime]:
    return [each.start for each in await closed_intervals(town.connection, interval, AGES)]


def from_hour(first: int) -> list[Value]:
    return [None] * first + [1000] * (HOURS_A_DAY - first)


@pytest.mark.parametrize(
    ("interval", "day", "values"),
    [
        (Interval.P1D, BEFORE, [24_000]),
        (HOUR, BEFORE, from_hour(22)),
        (HOUR, BEFORE, from_hour(LAST)),
        (HOUR, DAY, from_hour(0)),
        (HOUR, DAY, from_hour(17)),
    ],
    ids=["days", "from-midnight", "from-one", "from-two", "from-evening"],
)
async def test_the_first_closed_day_is_that_of_the_first_record(
    file_town: PublishingTown, interval: Interval, day: date, values: Sequence[Value]
) -> None:
    homes = [await file_town.member(interval=interval) for _ in range(3)]
    # Of all three, the second home is the first to send.
    await file_town.record(homes[1], values, day=day)
    await file_town.record([homes[0], homes[2]], values, day=day + timedelta(days=1))
    await file_town.look()
    assert (await closed_starts(file_town, Interval.P1D))[0] == MIDNIGHT
    hours = await closed_starts(file_town, HOUR)
    assert hours[:HOURS_A_DAY] == [MIDNIGHT + n * HOUR_LONG for n in range(HOURS_A_DAY)]


@pytest.mark.parametrize(
    ("zone", "first", "day"),
    [
        (ZONE, 21, BEFORE),
        (ZONE, 22, DAY),
        ("America/Martinique", 3, BEFORE - timedelta(days=1)),
        ("America/Martinique", 4, BEFORE),
        ("Indian/Reunion", 19, BEFORE),
        ("Indian/Reunion", 20, DAY),
    ],
    ids=lambda value: str(value).replace("/", "-"),
)
async def test_the_day_of_a_record_is_that_of_the_collectives_zone(
    file_town: PublishingTown, zone: str, first: int, day: date
) -> None:
    await file_town.record(await file_town.member(), from_hour(first), day=BEFORE)
    blocks = await first_blocks(file_town.connection)
    days = await first_days(file_town.connection, ZoneInfo(zone), blocks)
    assert days == {CONSUMPTION: day}


async def test_earlier_records_of_a_later_member_leave_the_first_day_as_it_is(
    file_town: PublishingTown,
) -> None:
    """Neither before that day is closed nor later: closing only goes forwards."""
    await file_town.record(await file_town.members(3), 1000, day=DAY)
    await file_town.look(NOON)
    assert not await closed_starts(file_town, Interval.P1D)
    late = await file_town.member(interval=Interval.P1D)
    await file_town.record(late, [24_000], day=DAY - timedelta(days=9))
    await file_town.look()
    assert (await closed_starts(file_town, Interval.P1D))[0] == MIDNIGHT


async def test_hours_before_the_first_record_wait_for_nothing(file_town: PublishingTown) -> None:
    """Otherwise the empty hours would hold up the later ones."""
    waits = timedelta(hours=24)
    file_town.publication = replace(file_town.publication, wait=waits, longest_wait=2 * waits)
    await file_town.record(await file_town.members(3), from_hour(5), day=DAY)
    await file_town.look(NOON)
    assert MIDNIGHT + 7 * HOUR_LONG in await closed_starts(file_town, HOUR)
