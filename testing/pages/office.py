"""A collective's administration: its pages are served to loopback, and a browser may log in."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html import unescape
import re
from typing import Any, Concatenate

from aiohttp import ClientSession, CookieJar
from argon2 import PasswordHasher
from yarl import URL

from consometers_node.accounts import administrators
from consometers_node.accounts.passwords import Passwords
from consometers_node.collective.ingestion.arrivals import Arrivals
from consometers_node.collective.monitoring.backups import BackupStep, note
from consometers_node.collective.monitoring.health import Watch
from consometers_node.collective.publication.closing.closer import Closer, WaitRule
from consometers_node.collective.publication.policy import AT_ONCE, open_from
from consometers_node.collective.settings import Settings
from consometers_node.rate_limit import GrowingWait, TokenBucket
from consometers_node.store import Store
from consometers_node.store.collective.access_log import reads
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.web.admin.page_base import AdminPages
from consometers_node.web.admin.routes import administer
from consometers_node.web.core.logins import TRIES
from consometers_node.web.public.site import PublicSite
from testing.clocks import set_aside_the_clock_of
from testing.pages.browser import Browser, Page
from testing.pages.town import NOW, UNLIMITED, ZONE
from testing.pages.village import Village

NAME, PASSWORD = "Secrétariat", "three boats in the bay"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


SOMEWHERE = re.compile(r"\{\w+(?::[^{}]*(?:\{[^{}]*\}[^{}]*)*)?\}")


def filled(path: str) -> str:
    """Return an address that a route with parts takes, or at least one of its kind."""
    return SOMEWHERE.sub("abcdefgh", path).removeprefix("/")


class SessionClock:
    """The time, for sessions and rate limits."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now
        self.seconds = 1000.0

    def go_on(self, by: timedelta) -> None:
        self.now += by
        self.seconds += by.total_seconds()


@dataclass
class Office:
    """Its database, its clock and its visitors."""

    store: Store
    settings: Settings
    clock: SessionClock
    pages: AdminPages
    url: URL
    stack: AsyncExitStack = field(repr=False)

    async def browser(self, language: str = "en") -> Browser:
        """Open a browser that has no cookie yet."""
        session = ClientSession(cookie_jar=CookieJar(unsafe=True))
        await self.stack.enter_async_context(session)
        return Browser(session, self.url.join(URL("/administration/")), "", language)

    async def enter(self, language: str = "en", name: str = NAME) -> Browser:
        """Open a browser, and log in."""
        browser = await self.browser(language)
        page = await log_in(browser, name, PASSWORD)
        assert page.status == 200, page.text
        return browser

    @asynccontextmanager
    async def village(self) -> AsyncIterator[Village]:
        """Admit members."""
        async with self.store.writing() as connection:
            yield Village(connection, ZONE, NOW)

    async def read[**P, T](
        self,
        work: Callable[Concatenate[AsyncConnection, P], Awaitable[T]],
        *arguments: P.args,
        **options: P.kwargs,
    ) -> T:
        """Read something from the database."""
        async with self.store.reading() as connection:
            return await work(connection, *arguments, **options)

    async def written[T](self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Write something into the database."""
        async with self.store.writing() as connection:
            return await work(connection)

    async def appoint(self, name: str) -> None:
        hashed = await Passwords(QUICK).hash(PASSWORD)
        async with self.store.writing() as connection:
            await administrators.add(connection, name, hashed, self.clock.now)


async def log_in(browser: Browser, name: str, password: str, **headers: str) -> Page:
    page = await browser.open("login")
    return await browser.send(page, "login", ("name", name), ("password", password), **headers)


def summary(page: Page) -> list[tuple[str, str]]:
    """Return the errors above a form: each field and its message."""
    links = re.findall(r'<li><a href="#(\w+)">(.*?)</a></li>', page.html)
    return [(name, " ".join(unescape(words).split())) for name, words in links]


@asynccontextmanager
async def serving(
    store: Store, settings: Settings, node: Any = None, clock: SessionClock | None = None
) -> AsyncIterator[Office]:
    clock = clock or SessionClock()
    async with store.writing() as connection:
        await set_aside_the_clock_of(connection)
    public = PublicSite(
        store, settings, "0", limits=TokenBucket(UNLIMITED, 1), now=lambda: clock.now
    )
    pages = administer(
        public.app,
        store,
        settings,
        "0",
        Watch(node, "0", lambda: clock.now) if node else None,
        passwords=Passwords(QUICK),
        tries=GrowingWait(TRIES, lambda: clock.seconds),
        now=lambda: clock.now,
    )
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(public.listening("127.0.0.1", 0))
        url = URL(f"http://127.0.0.1:{port}/")
        yield Office(store, settings, clock, pages, url, stack)


async def log(office: Office) -> list[tuple[str, str]]:
    return [(each.who, each.what) for each in await office.read(reads)]


DAY = timedelta(days=1)


async def settle_together(
    office: Office,
    *,
    homes: int = 12,
    hours: int = 13,
    large: int = 400,
    late: int = 0,
    idle: int = 0,
) -> None:
    """Admit homes that have sent all up to some hour of today; open, and close what is due.

    One of them may be `large`, and the `idle` ones draw nothing.
    """
    async with office.village() as village:
        for n in range(homes):
            watts = 0 if n >= homes - idle else 400 if n else large
            await village.join(f"h{n}", days=3, hours_today=hours, watts=watts)
        for n in range(late):
            await village.join(f"late{n}", days=3, hours_today=hours - 3)
        await open_from(village.connection, AT_ONCE, "Maëlle", NOW - 10 * DAY)
        for step in BackupStep:
            await note(village.connection, step, NOW - timedelta(hours=5))
    await close_due(office)


async def close_due(office: Office) -> None:
    """Close what is due, of a node that is online for ten days."""
    settings, now = office.settings, office.clock.now
    online = now - 10 * DAY
    waiting = WaitRule(online_since=online, opened_at=online, arrivals=Arrivals())
    async with office.village() as village:
        closer = Closer(village.members, settings.identifier, settings.publication, waiting, now)
        while await closer.close():
            pass
