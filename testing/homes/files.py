"""Files of energy with invented values, and a home whose data come from such files."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from aiohttp import ClientSession, CookieJar, FormData, web
from yarl import URL

from consometers_node.household.files.brought import bring
from consometers_node.household.files.source import FileSource
from consometers_node.household.node import HomeNode, HouseholdPace
from consometers_node.store import Store
from consometers_node.store.clock import Clock
from consometers_node.web.core.request_context import Person
from consometers_node.web.site import Keys, Site
from consometers_quoalise_network import Identity, Transport
from packages.enedis_files.tests.forms import POINT, enedis_curve
from testing.homes.data_needs import now
from testing.homes.ledgers import NAMING
from testing.homes.served import ADMIN, API_TOKEN, HASTE
from testing.pages.browser import Browser, Page, read

__all__ = ["POINT"]

PARIS = ZoneInfo("Europe/Paris")


def load_curve(
    start: datetime,
    watts: Iterable[int | None],
    *,
    minutes: int = 30,
    business: str = "Consommation",
) -> bytes:
    """Return a load curve of Enedis, whose stamps are the ends of steps; None is missing."""
    rows = [
        f"{(start + n * timedelta(minutes=minutes)).astimezone(PARIS).isoformat()};"
        f"{'' if power is None else power}"
        for n, power in enumerate(watts, 1)
    ]
    return enedis_curve(rows, business=business)


def energies_of_days(first: date, wh: Iterable[int]) -> bytes:
    """Return the energies of civil days."""
    rows = [f"{first + timedelta(days=n):%d/%m/%Y};{value}" for n, value in enumerate(wh)]
    return "\n".join(["Date;Valeur (en Wh)", *rows]).encode()


async def add(store: Store, data: bytes) -> int:
    """Keep a file, and return its number."""
    return await FileSource(store, "en").keep(bring(data).months, now())


class Members:
    """Who is logged in: an administrator, or whom a header names."""

    async def of_request(self, request: web.Request) -> Person:
        user = request.headers.get("X-Remote-User-Id", "")
        return Person(user, "Maïwenn", user == ADMIN)

    def name(self, user_id: str) -> str:
        return user_id


@dataclass
class FileHome:
    """A node that runs, and where its page is."""

    node: HomeNode
    store: Store
    url: URL
    session: ClientSession = field(repr=False)

    def browser(self, user: str = ADMIN, language: str = "en") -> Browser:
        return Browser(self.session, self.url, user, language)

    async def upload(self, data: bytes, *, token: str | None = None, language: str = "en") -> Page:
        """Choose a file on the page, and return what it shows."""
        browser = self.browser(language=language)
        if token is None:
            page = await browser.open("files")
            token = dict(page.form("files").fields)["token"]
        form = FormData()
        form.add_field("token", token)
        form.add_field("file", data, filename=f"{POINT}.csv", content_type="text/csv")
        headers = {"X-Remote-User-Id": ADMIN, "Accept-Language": language}
        async with self.session.post(self.url / "files", data=form, headers=headers) as response:
            return await read(response)


@asynccontextmanager
async def running(store: Store) -> AsyncIterator[FileHome]:
    """Run a node without an account, and serve its page to who logged in."""

    def connect(_who: Identity) -> Transport:
        raise AssertionError

    pace = replace(HouseholdPace().shortened(HASTE), renewal_s=1)
    source = FileSource(store, "en")
    node = HomeNode(store, NAMING, source, connect, clock=Clock(), pace=pace)
    site = Site(node, Keys("an-id", API_TOKEN, "1.0.0"), ingress=("127.0.0.1",), people=Members())
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
        task: asyncio.Task[object] = asyncio.create_task(node.run())
        try:
            async with site.listening("127.0.0.1", 0) as port:
                yield FileHome(node, store, URL(f"http://127.0.0.1:{port}/"), session)
                assert not task.done(), task
        finally:
            task.cancel()
            await asyncio.wait({task})
