"""A preview shows what there would be to see, and leaves nothing behind."""

from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from consometers_node.collective.disclosure.reasons import Reason
from consometers_node.collective.disclosure.sdc_rules import Publication
from consometers_node.collective.publication import dry_run
from consometers_node.collective.publication.closing.tabulation import disclosure_secret
from consometers_node.collective.publication.dry_run import (
    Count,
    PreviewPeriod,
    Seen,
    foresee,
    foresee_page,
)
from consometers_node.collective.settings import Settings
from consometers_node.series import Interval
from consometers_node.store import Store
from consometers_node.store.collective.publication import published_groups
from consometers_node.store.collective.tables import GroupId
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.engine.declaration import Base
from testing.collectives.publishing import DAY, PublishingTown
from testing.pages.town import settings as settings_in

NOW = datetime.fromisoformat("2026-07-16T10:00:00+00:00")
FIVE, THREE = Publication(minimum=5), Publication(minimum=3)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path, identifier="kersabiec")


@pytest.fixture
async def filled(store: Store) -> Store:
    """Return a store with six days of three homes of Lorient, unpublished: that takes five."""
    async with store.writing() as connection:
        town = PublishingTown(connection, FIVE, NOW - timedelta(hours=2))
        homes = await town.members(3, "Lorient")
        for day in range(6):
            await town.record(homes, 100, day=DAY - timedelta(days=day))
        await town.look(NOW)
    return store


async def all_rows(store: Store) -> dict[str, list[tuple[object, ...]]]:
    async with store.reading() as connection:
        return {
            table.name: sorted(map(tuple, await connection.execute(select(table))), key=repr)
            for table in Base.metadata.sorted_tables
        }


async def preview(
    store: Store, settings: Settings, publication: Publication
) -> dict[PreviewPeriod, Seen]:
    return {
        foreseen.stretch: foreseen for foreseen in await foresee(store, settings, publication, NOW)
    }


async def test_preview_counts_figures(filled: Store, settings: Settings) -> None:
    by_three = await preview(filled, settings, THREE)
    assert by_three[PreviewPeriod.DAY].everybody == Count(24)
    assert by_three[PreviewPeriod.DAY].areas == Count(24)
    assert by_three[PreviewPeriod.MONTH].everybody == Count(6)
    assert by_three[PreviewPeriod.YEAR].everybody == by_three[PreviewPeriod.YEAR].areas == Count(6)
    assert by_three[PreviewPeriod.MONTH].span.first == date(2026, 7, 10)
    by_five = await preview(filled, settings, FIVE)
    assert by_five[PreviewPeriod.DAY].everybody.withheld == {Reason.BELOW_THRESHOLD: 24}
    assert by_five[PreviewPeriod.YEAR].everybody.withheld == {Reason.BELOW_THRESHOLD: 6}


async def test_preview_ignores_sites(store: Store, settings: Settings) -> None:
    async with store.writing() as connection:
        town = PublishingTown(connection, FIVE, NOW - timedelta(hours=2))
        school = await town.member("Lorient", kind="site", name="École de Kersabiec")
        for member in (*await town.members(3, "Lorient"), school):
            for day in range(2):
                await town.record(member, 100, day=DAY - timedelta(days=day))
    by_five = await preview(store, settings, FIVE)
    assert by_five[PreviewPeriod.DAY].everybody == Count(0, Counter({Reason.BELOW_THRESHOLD: 24}))
    assert by_five[PreviewPeriod.MONTH].everybody == Count(0, Counter({Reason.BELOW_THRESHOLD: 2}))
    assert by_five[PreviewPeriod.DAY].areas.shown == 0
    by_three = await preview(store, settings, THREE)
    assert by_three[PreviewPeriod.DAY].everybody == by_three[PreviewPeriod.DAY].areas == Count(24)


async def test_preview_leaves_the_database_unchanged(filled: Store, settings: Settings) -> None:
    before = await all_rows(filled)
    await preview(filled, settings, THREE)
    await preview(filled, settings, Publication(minimum=3, interval=Interval.PT30M))
    assert await all_rows(filled) == before


async def test_page_preview_shows_figures_as_if_opened_now(
    store: Store, settings: Settings
) -> None:
    async with store.writing() as connection:
        town = PublishingTown(connection, THREE, NOW - timedelta(hours=2))
        await town.record(await town.members(3, "Lorient"), 100)
        # What a preview makes alone: figures are closed by the secret that it had.
        await disclosure_secret(connection)
    before = await all_rows(store)

    async def page(connection: AsyncConnection) -> set[GroupId]:
        return await published_groups(connection)

    everybody, lorient = sorted(await foresee_page(store, settings, THREE, NOW, page, days=2))
    assert everybody != lorient
    assert await all_rows(store) == before


async def test_failed_page_preview_leaves_the_database_unchanged(
    filled: Store, settings: Settings
) -> None:
    before = await all_rows(filled)

    async def fail(_connection: AsyncConnection) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await foresee_page(filled, settings, THREE, NOW, fail, days=2)
    assert await all_rows(filled) == before


async def test_slow_preview_covers_at_least_a_month(
    filled: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dry_run, "ENOUGH_S", -1)
    stretches = await preview(filled, settings, THREE)
    assert stretches[PreviewPeriod.MONTH].everybody.shown == 6
