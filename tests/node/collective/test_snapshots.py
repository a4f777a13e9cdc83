"""What is published of everybody, interval by interval."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from consometers_node.collective.groups import GroupKind
from consometers_node.collective.publication.queries import Published
from consometers_node.collective.publication.snapshots import Moment, latest, moments
from consometers_node.series import Direction
from consometers_node.store import Store

from ..web.public.town import ZONE, Town, day_of, settings

DRAWN, FED, MADE = Direction.CONSUMPTION, Direction.INJECTION, Direction.PRODUCTION
DAY = date(2026, 6, 9)
EVENING = datetime(2026, 6, 9, 20, tzinfo=UTC)


@pytest.fixture
async def town(store: Store, tmp_path: Path) -> Town:
    return Town(store, settings(tmp_path))


async def told(
    town: Town, since: datetime = EVENING - timedelta(days=1), until: datetime = EVENING
) -> list[Moment]:
    of = town.settings
    published = Published(of.identifier, of.time_zone, of.publication)
    async with town.store.reading() as connection:
        return list(await moments(published, connection, since, until))


async def test_of_nobody_nothing_is_told(town: Town) -> None:
    assert await told(town) == []
    await town.group()
    assert await told(town) == []
    assert latest([]) is None


async def test_an_interval_has_its_power_and_its_day_so_far(town: Town) -> None:
    hours = day_of(
        DAY,
        consumption=lambda hour: 1000,
        injection=lambda hour: 500 if hour == 12 else 0,
        production=lambda hour: 2000 if hour == 12 else 0,
    )
    await town.release(await town.group(), hours, members=12)
    found = await told(town)
    assert [one.start.hour for one in found] == list(range(22))
    night, noon = found[0], found[12]
    assert night.start.tzinfo is ZONE
    assert night.minutes == 60
    assert night.members == 12
    assert night.now.watt_minutes == {DRAWN: 60_000, FED: 0, MADE: 0}
    assert night.now.self_sufficiency == 0
    assert night.now.self_consumption is None
    assert noon.now.self_sufficiency == Fraction(1500, 2500)
    assert noon.today.watt_minutes == {DRAWN: 13 * 60_000, FED: 30_000, MADE: 120_000}
    assert noon.today.self_sufficiency == Fraction(1500, 14_500)
    assert noon.today.self_consumption == Fraction(3, 4)
    assert latest(found) == found[-1]


async def test_each_day_begins_with_nothing(town: Town) -> None:
    both = day_of(DAY - timedelta(days=1), DAY, consumption=lambda hour: 60)
    await town.release(await town.group(), both)
    found = await told(town)
    assert [one.start.hour for one in found][:3] == [22, 23, 0]
    assert [one.today.watt_minutes[DRAWN] // 3600 for one in found][:3] == [23, 24, 1]
    assert found[0].now.self_sufficiency is None


async def test_what_is_withheld_is_left_out(town: Town) -> None:
    everybody = await town.group()
    hours = day_of(DAY, consumption=lambda hour: 100, production=lambda hour: 50)
    kept = {
        DRAWN: {at: watts for at, watts in hours[DRAWN].items() if at.hour < 15},
        MADE: {at: watts for at, watts in hours[MADE].items() if at.hour != 10},
    }
    await town.release(everybody, kept)
    found = {one.start.astimezone(UTC).hour: one for one in await told(town)}
    assert set(found[10].now.watt_minutes) == {DRAWN}
    assert found[15].members is None
    assert set(found[15].now.watt_minutes) == {MADE}
    last = latest(list(found.values()))
    assert last is not None
    assert last.start.astimezone(UTC).hour == 14


async def test_of_others_than_everybody_nothing_is_told(town: Town) -> None:
    await town.release(
        await town.group(GroupKind.AREA, "Lanester"), day_of(DAY, consumption=lambda hour: 1)
    )
    assert await told(town) == []
