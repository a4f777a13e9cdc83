"""The latest published interval of the whole collective."""

from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from consometers_node.collective.publication.figures import FlowRow
from consometers_node.collective.publication.queries import Latest, Published
from consometers_node.series import Direction
from consometers_node.store import Store
from consometers_node.store.groups import GroupKind

from ..web.public.town import HOUR, ZONE, Town, day_of, settings

DRAWN, FED, MADE = Direction.CONSUMPTION, Direction.INJECTION, Direction.PRODUCTION
DAY = date(2026, 6, 9)
EVENING = datetime(2026, 6, 9, 20, tzinfo=UTC)


@pytest.fixture
async def town(store: Store, tmp_path: Path) -> Town:
    return Town(store, settings(tmp_path))


async def last(
    town: Town, until: datetime = EVENING, since: datetime = EVENING - timedelta(days=1)
) -> Latest | None:
    settings = town.settings
    published = Published(settings.identifier, settings.time_zone, settings.publication)
    async with town.store.reading() as connection:
        return await published.latest(connection, since, until)


async def at_hour(town: Town, hour: int) -> Latest:
    """Return what is the last thing published at the end of an hour of the day."""
    latest = await last(town, datetime.combine(DAY, time(hour), ZONE) + HOUR)
    assert latest is not None
    return latest


def energies(row: FlowRow) -> dict[Direction, int]:
    """Return the watt-minutes of the directions that were published."""
    return {
        direction: amount.watt_minutes
        for direction, amount in row.amounts.items()
        if amount.watt_minutes is not None
    }


async def test_latest_interval_has_its_power_and_its_day_so_far(town: Town) -> None:
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
    assert night.interval.drawn.members == 12
    assert energies(night.interval) == {DRAWN: 60_000, FED: 0, MADE: 0}
    assert night.interval.rates.self_sufficiency == 0
    assert night.interval.rates.self_consumption is None
    assert noon.interval.rates.self_sufficiency == Fraction(1500, 2500)
    assert energies(noon.day) == {DRAWN: 13 * 60_000, FED: 30_000, MADE: 120_000}
    assert noon.day.rates.self_sufficiency == Fraction(1500, 14_500)
    assert noon.day.rates.self_consumption == Fraction(3, 4)
    evening = await last(town)
    assert evening == await at_hour(town, 21)


async def test_day_so_far_restarts_at_midnight(town: Town) -> None:
    both = day_of(DAY - timedelta(days=1), DAY, consumption=lambda hour: 60)
    await town.release(await town.group(), both)
    for hour, hours_so_far in ((-2, 23), (-1, 24), (0, 1)):
        until = datetime.combine(DAY, time(), ZONE) + (hour + 1) * HOUR
        latest = await last(town, until)
        assert latest is not None
        assert latest.interval.start == until - HOUR
        assert energies(latest.day) == {DRAWN: hours_so_far * 3600}
        assert latest.interval.rates.self_sufficiency is None
    # What starts before it is asked for is none, and is in the day all the same.
    assert await last(town, EVENING, since=EVENING) is None


async def test_withheld_directions_are_left_out(town: Town) -> None:
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
    assert alone.interval.drawn.members == 0
    assert set(energies(alone.interval)) == {MADE}
    latest = await last(town)
    assert latest is not None
    assert latest.interval.start.astimezone(UTC).hour == 14


async def test_latest_interval_is_of_the_whole_collective_alone(
    town: Town,
) -> None:
    assert await last(town) is None
    await town.group()
    assert await last(town) is None
    await town.release(
        await town.group(GroupKind.AREA, "Lanester"), day_of(DAY, consumption=lambda hour: 1)
    )
    assert await last(town) is None
