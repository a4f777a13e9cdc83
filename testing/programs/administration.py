"""A collective's administration, furnished and entered in a browser."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final

from playwright.async_api import Page, expect

from consometers_node.collective.ingestion.validation import MemberMessage, take
from consometers_node.collective.members import invitations
from consometers_node.collective.members.members import Members
from consometers_node.collective.members.sites import Building, Description, Heat
from consometers_node.collective.monitoring.backups import BackupStep, note
from consometers_node.collective.publication.policy import AT_ONCE, open_from
from consometers_node.sharing.names import keep_collective
from consometers_node.store import Store
from consometers_node.store.engine.connection import AsyncConnection
from testing.collectives.members import let_be_named, meter
from testing.collectives.records import pushed_data
from testing.pages.office import NAME, PASSWORD, Office, SessionClock, close_due, serving
from testing.pages.town import ZONE, settings
from testing.pages.village import Village

HOMES: Final = 40
DAYS: Final = 60
AREAS: Final = ("Lorient", "Larmor-Plage", "Ploemeur")


@asynccontextmanager
async def furnished(folder: Path) -> AsyncIterator[Office]:
    """Serve the administration of a collective that publishes."""
    store = await Store.open(folder / "node.db")
    now = datetime.now(UTC)
    await keep_collective(store, "lorient")
    await furnish(store, now)
    async with serving(store, settings(folder), clock=SessionClock(now)) as office:
        await office.appoint(NAME)
        await office.written(lambda connection: open_from(connection, AT_ONCE, NAME, now))
        await close_due(office)
        yield office
    await store.close()


async def furnish(store: Store, now: datetime) -> None:
    """Admit members: some send all, some a part, some nothing."""
    random = Random(3)
    today = now.astimezone(ZONE).date()
    async with store.writing() as connection:
        village = Village(connection, ZONE, now)
        for n in range(HOMES):
            late = {
                today - timedelta(back): random.choice((0.0, 0.3, 0.5, 0.9))
                for back in range(1, DAYS)
                if random.random() < 0.04
            }
            await village.join(
                f"home{n}",
                area=AREAS[n % len(AREAS)],
                days=DAYS if n % 4 else 12,
                shares=late if n % 4 else None,
                injects=n % 3 == 0,
                heard=None if n % 13 == 6 else timedelta(days=4 if n % 9 == 4 else 0, hours=1),
                problem="item-not-found" if n == 3 else None,
                hours_today=now.hour,
            )
        school = await village.join("school", days=DAYS, injects=True)
        described = Description(
            building=Building.SCHOOL, heating=Heat.WOOD, surface_m2=1_200, peak_kwp=36
        )
        await let_be_named(connection, school, now - timedelta(days=1), valid_from=now)
        await Members(connection, ZONE).present(school.id, "École de Kersabiec", described, now)
        await village.invite("guest")
        await village.join("next door", days=DAYS, meter_of="home1")
        await deliver_too_much(connection, "home2", now)
        soon = now + timedelta(days=3)
        await invitations.make(connection, at=now, expires_at=soon, most_uses=20, note="Marché")
        await note(connection, BackupStep.MADE, now - timedelta(hours=6))
        await note(connection, BackupStep.TESTED, now - timedelta(days=5))


async def deliver_too_much(connection: AsyncConnection, name: str, now: datetime) -> None:
    """Send what no home draws, as a home."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    data = pushed_data(meter(name), midnight, [29_000, 31_500, 640])
    assert await take(
        connection,
        [MemberMessage(f"{name}@example.org", data)],
        ZONE.key,
        midnight + timedelta(days=1),
    ) == [None]


async def entered(office: Office, page: Page) -> Page:
    """Log in, as an administrator does."""
    await page.goto(f"{office.url}administration/")
    await page.locator("input[name=name]").fill(NAME)
    await page.locator("input[name=password]").fill(PASSWORD)
    await page.locator("main button").first.click()
    await expect(page.locator("input[name=password]")).to_have_count(0)
    return page
