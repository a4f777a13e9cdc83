"""The reader in a browser, as a person uses it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, Page, expect

from testing.programs import looks
from testing.programs.looks import Look, badly_set, faults_of, open_page, texts

PICTURES: Final = Path(".artifacts/reader")
_ROWS: Final = "rows => rows.map((row) => [row.dataset.start, Number(row.dataset.value)])"
_STORED: Final = """async () => JSON.stringify([
  { ...localStorage }, { ...sessionStorage }, document.cookie, await indexedDB.databases(),
  await caches.keys(), location.href,
])"""


class ReaderPage:
    """Its page, which asks nobody but its own server for anything."""

    def __init__(self, page: Page, look: Look) -> None:
        self.page = page
        self.faults = faults_of(page)
        self.asked = looks.requests_of(page)
        self._look = look
        page.on("websocket", lambda socket: self.asked.append(socket.url))

    async def log_in(self, account: str, password: str) -> None:
        await self.page.fill("#account", account)
        await self.page.fill("#password", password)
        await self._submit("#login")

    async def list_series(self, node: str) -> None:
        await self.page.fill("#node", node)
        await self._submit("#nodes")

    async def show(self, identifier: str, day: date) -> None:
        await self.page.select_option("#series", identifier)
        await self._show(day)

    async def show_another(self, identifier: str, day: date) -> None:
        """Show a series that is not in the list."""
        await self.page.locator("#choice summary").click()
        await self.page.fill("#other", identifier)
        await self._show(day)

    async def records(self) -> dict[datetime, float]:
        rows = await self.page.locator("#rows tr").evaluate_all(_ROWS)
        return {datetime.fromisoformat(start): value for start, value in rows}

    async def notice(self) -> str:
        return await self.page.locator("#notice").inner_text()

    async def download(self) -> str:
        async with self.page.expect_download() as downloaded:
            await self.page.click("#csv")
        return Path(await (await downloaded.value).path()).read_text()

    async def stored(self) -> str:
        """Return all that the browser stores for the page, and its address."""
        return str(await self.page.evaluate(_STORED))

    async def photograph(self, name: str) -> None:
        """Leave a picture of a page that is accessible and well set."""
        assert await looks.violations(self.page) == [], name
        if self._look.language == "fr":
            assert not badly_set(await texts(self.page)), name
        await looks.photograph(self.page, PICTURES / f"{name}.{self._look}.png")

    async def _show(self, day: date) -> None:
        await self.page.fill("#day", day.isoformat())
        await self._submit("#choice")

    async def _submit(self, form: str) -> None:
        await self.page.locator(f"{form} button").click()
        await expect(self.page.locator("html[data-ready]:not([data-busy])")).to_be_attached()


@asynccontextmanager
async def reading(browser: Browser, url: str, look: Look) -> AsyncIterator[ReaderPage]:
    page = await open_page(browser, url, look)
    async with page.context:
        reader = ReaderPage(page, look)
        await page.goto(url)
        await expect(page.locator("html[data-ready]")).to_be_attached()
        yield reader
