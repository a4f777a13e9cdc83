"""The secret of the confidential parameter: made once, the same for all, and nowhere to be read."""

from base64 import b64encode
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

import consometers_node
from consometers_node.collective.disclosure.sdc_rules import Publication
from consometers_node.collective.ingestion.arrivals import Arrivals
from consometers_node.collective.members.members import Members
from consometers_node.collective.privacy import export
from consometers_node.collective.publication.closing.closer import Closer, WaitRule
from consometers_node.collective.publication.closing.tabulation import disclosure_secret
from consometers_node.collective.publication.dry_run import PreviewPeriod, foresee
from consometers_node.collective.settings import Settings
from consometers_node.series import Interval
from consometers_node.store import Store
from consometers_node.store.collective.tables import ClosedIntervalRow
from consometers_node.store.settings import DISCLOSURE_SECRET, secret, set_secret
from testing.collectives.publishing import BEFORE, DAY, PublishingTown
from testing.pages.town import settings as settings_in

NOW = datetime.fromisoformat("2026-07-16T10:00:00+00:00")
TEN = Publication(minimum=10)
SECRET = bytes(range(100, 132))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path, identifier="kersabiec")


async def fill(store: Store) -> None:
    """Store hours in which two homes are hidden from each other by 24 % of what they draw."""
    async with store.writing() as connection:
        town = PublishingTown(connection, TEN, NOW - timedelta(hours=2))
        large = await town.members(2, "Lorient")
        small = await town.members(10, "Lorient")
        for day in (BEFORE, DAY):
            await town.record(large, [int(500 * 1.19**hour) for hour in range(24)], day=day)
            await town.record(small, [int(12 * 1.19**hour) for hour in range(24)], day=day)


async def close(store: Store, settings: Settings) -> int:
    """Close all that was sent, and return how many hours of the day of the preview passed."""
    waiting = WaitRule(online_since=NOW, opened_at=NOW + timedelta(days=1), arrivals=Arrivals())
    async with store.writing() as connection:
        members = Members(connection, settings.time_zone)
        closer = Closer(members, settings.identifier, TEN, waiting, NOW)
        while await closer.close():
            pass
        midnight = datetime.combine(DAY, datetime.min.time(), settings.time_zone)
        row = ClosedIntervalRow
        query = select(func.count()).where(
            row.interval == Interval.PT1H,
            row.start >= midnight,
            row.start < midnight + timedelta(days=1),
            row.reason.is_(None),
            row.response > 0,
        )
        return (await connection.execute(query)).scalar_one()


async def test_hours_that_the_preview_shows_are_published(store: Store, settings: Settings) -> None:
    async with store.writing() as connection:
        await set_secret(connection, DISCLOSURE_SECRET, SECRET)
    await fill(store)
    seen = {each.stretch: each for each in await foresee(store, settings, TEN, NOW)}
    shown = seen[PreviewPeriod.DAY].everybody.shown
    assert 0 < shown < 24
    assert await close(store, settings) == shown


async def test_hours_are_closed_by_the_secret_that_the_preview_made(
    store: Store, settings: Settings
) -> None:
    await fill(store)
    seen = {each.stretch: each for each in await foresee(store, settings, TEN, NOW)}
    async with store.reading() as connection:
        made = await secret(connection, DISCLOSURE_SECRET)
    assert made is not None
    assert len(made) == len(SECRET)
    assert await close(store, settings) == seen[PreviewPeriod.DAY].everybody.shown
    async with store.writing() as connection:
        assert await disclosure_secret(connection) == made


async def test_secret_is_in_no_log_and_no_export(
    store: Store, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    async with store.writing() as connection:
        await set_secret(connection, DISCLOSURE_SECRET, SECRET)
    await fill(store)
    await close(store, settings)
    written = [caplog.text]
    async with store.reading() as connection:
        for member in await Members(connection, settings.time_zone).all():
            written += [part async for part in export.as_json(connection, member)]
            written += [part async for part in export.as_csv(connection, member)]
    for text in written:
        for spelled in (SECRET.hex(), b64encode(SECRET).decode(), repr(SECRET), repr([*SECRET])):
            assert spelled not in text


def test_secrets_are_read_by_what_draws_from_them_alone() -> None:
    """So no page, answer, metric or command can show one."""
    program = Path(consometers_node.__file__).parent
    readers = {
        str(file.relative_to(program))
        for file in program.rglob("*.py")
        if any(name in file.read_text() for name in ("DISCLOSURE_SECRET", "WITNESS_SECRET"))
    }
    assert readers == {
        "collective/publication/closing/tabulation.py",
        "collective/witness/service.py",
        "store/settings.py",
    }
    drawers = {
        str(file.relative_to(program))
        for file in program.rglob("*.py")
        if "disclosure_secret(" in file.read_text()
    }
    assert drawers == {
        "collective/publication/dry_run.py",
        "collective/publication/closing/tabulation.py",
    }
