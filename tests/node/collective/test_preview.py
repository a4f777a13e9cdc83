"""A preview shows what there would be to see, and leaves nothing behind."""

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from consometers_node.collective import preview
from consometers_node.collective.disclosure import Agreed, Publication, Reason
from consometers_node.collective.preview import Count, Seen, Stretch, foresee, seen
from consometers_node.collective.release import Release
from consometers_node.collective.settings import Settings
from consometers_node.series import Interval
from consometers_node.store import Store
from consometers_node.store.releases import withheld
from consometers_node.store.tables import Base

from ..web.public.town import settings as settings_in
from .publishing import DAY, LATER, Town

NOW = datetime.fromisoformat("2026-07-16T10:00:00+00:00")
FIVE, THREE = Publication(basis=Agreed(5)), Publication(basis=Agreed(3))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path, identifier="kersabiec")


@pytest.fixture
async def told(store: Store) -> Store:
    """Six days that three homes of Lorient told, of which nothing is out: it takes five."""
    async with store.writing() as connection:
        town = Town(connection, FIVE, NOW - timedelta(hours=2))
        homes = await town.members(3, "Lorient")
        for day in range(6):
            await town.tell(homes, 100, day=DAY - timedelta(days=day))
        await town.look(NOW)
    return store


async def all_of(store: Store) -> dict[str, list[tuple[object, ...]]]:
    async with store.reading() as connection:
        return {
            table.name: sorted(map(tuple, await connection.execute(select(table))), key=repr)
            for table in Base.metadata.sorted_tables
        }


async def look(store: Store, settings: Settings, publication: Publication) -> dict[Stretch, Seen]:
    async def count(connection: AsyncConnection, since: date) -> list[Seen]:
        return list(await seen(connection, settings, publication, NOW, since))

    found = await foresee(store, settings, publication, NOW, count)
    return {one.stretch: one for one in found}


async def test_it_counts_what_there_would_be(told: Store, settings: Settings) -> None:
    async with told.reading() as connection:
        now = {one.stretch: one for one in await seen(connection, settings, FIVE, NOW)}
    assert now[Stretch.DAY].everybody.withheld == {Reason.TOO_FEW: 24}
    assert now[Stretch.DAY].everybody.shown == 0
    then = await look(told, settings, THREE)
    assert then[Stretch.DAY].everybody == Count(24)
    assert then[Stretch.DAY].areas == Count(24)
    # A day of July begins two hours before the UTC day: of the first one not all was told.
    assert then[Stretch.MONTH].everybody.shown == 5
    assert then[Stretch.YEAR].everybody.shown == 5
    # Before that day nobody had joined: nobody waits for what is before it.
    assert then[Stretch.YEAR].everybody.withheld == {Reason.PARTLY: 1}
    assert then[Stretch.MONTH].areas == then[Stretch.YEAR].areas == then[Stretch.YEAR].everybody
    assert then[Stretch.MONTH].span.first == date(2026, 6, 15)
    assert then[Stretch.YEAR].span.first == date(2025, 7, 16)


async def test_it_leaves_nothing_behind(told: Store, settings: Settings) -> None:
    before = await all_of(told)
    await look(told, settings, THREE)
    await look(told, settings, Publication(basis=Agreed(3), interval=Interval.PT30M))
    assert await all_of(told) == before


async def test_it_leaves_nothing_behind_where_it_fails(told: Store, settings: Settings) -> None:
    before = await all_of(told)

    async def fail(_connection: AsyncConnection, _since: date) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await foresee(told, settings, THREE, NOW, fail)
    assert await all_of(told) == before


async def test_it_is_what_comes_when_it_is_chosen(told: Store, settings: Settings) -> None:
    foreseen = await look(told, settings, THREE)
    async with told.writing() as connection:
        town = Town(connection, THREE, LATER)
        await Release(THREE, settings.time_zone.key, "kersabiec").look_at(
            connection, await withheld(connection, Interval.PT1H), NOW
        )
        found = await seen(connection, settings, THREE, NOW)
        assert town.publication is THREE
    assert {one.stretch: one for one in found} == foreseen


async def test_who_has_much_looks_at_a_month_at_least(
    told: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "ENOUGH_S", -1)
    found = await look(told, settings, THREE)
    assert found[Stretch.YEAR].span.first == date(2026, 6, 14)
    assert found[Stretch.MONTH].everybody.shown == 5
