"""A page as people see it: in their language, by day or by night, at a desk or on a phone."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path
import re
from typing import Any, Final, Literal

from playwright.async_api import Browser, ConsoleMessage, Error, Page

from demo.browser import person
from demo.hass import Language
from testing.programs.addon import Visitor
from testing.run import FULL

type Device = Literal["desk", "phone"]
type Scheme = Literal["light", "dark"]

VIEWPORTS: Final = {"desk": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}


@dataclass(frozen=True)
class Look:
    """How one person looks."""

    language: Language
    scheme: Scheme
    device: Device

    def __str__(self) -> str:
        return f"{self.device}.{self.scheme}.{self.language}"


LOOKS: Final = (
    Look("en", "light", "desk"),
    Look("fr", "dark", "phone"),
    *((Look("fr", "dark", "desk"), Look("en", "light", "phone")) if FULL else ()),
)


_TEXTS: Final = """() => {
  const whole = document.body ?? document.documentElement, pieces = [];
  const walker = document.createTreeWalker(whole, NodeFilter.SHOW_TEXT);
  for (let node; node = walker.nextNode();) {
    const around = node.parentElement;
    const text = node.data.replace(/[ \\n]+/g, " ").replace(/^ | $/g, "");
    if (text && !around.closest("body [lang], code, script, style, datalist")) pieces.push(text);
  }
  return pieces;
}"""
"""What a page says, also where it is folded away, without what it quotes in a language it names."""
_APART: Final = re.compile(r"(?<![\u202f\u00a0])[;:!?»%](?=\s|$)|«(?![\u202f\u00a0])|\d k?Wh?\b")


_AXE: Final = (files("axe_playwright_python") / "axe.min.js").read_text()
_RUN_AXE: Final = """async () => (await axe.run(document, { resultTypes: ["violations"] }))
  .violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.html}`))"""


async def violations(page: Page) -> list[str]:
    """Return what axe finds on a page."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(_AXE)
    listed: list[str] = await page.evaluate(_RUN_AXE)
    return listed


async def open_page(browser: Browser, url: str, look: Look, **options: Any) -> Page:
    """Open an empty page with that language, colour scheme and size."""
    seen = {"color_scheme": look.scheme, "viewport": VIEWPORTS[look.device], **options}
    context = await person(browser, url, look.language, **seen)
    return await context.new_page()


async def photograph(page: Page, file: Path, *, full_page: bool = True) -> None:
    """Leave a picture of a page that fits its window."""
    wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, (file.name, wide)
    file.parent.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=file, full_page=full_page, animations="disabled")


def requests_of(page: Page) -> list[str]:
    """Return a list of what the browser asks for, which grows as it does."""
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    return requests


def faults_of(page: Page) -> list[str]:
    """Return a list of what the browser complains of on a page, which grows as it does."""
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(f"{message.text} ({page.url})"))
    return faults


async def texts(page: Page) -> list[str]:
    """Return what the open page says, piece by piece."""
    pieces: list[str] = await page.evaluate(_TEXTS)
    return pieces


def badly_set(pieces: list[str]) -> list[str]:
    """Return the French pieces in which a mark may be parted from its word at the end of a line."""
    return [piece for piece in pieces if _APART.search(piece)]


class Looks:
    """One visitor's page, open in all looks. What a person does is done in the first."""

    def __init__(self, pages: Mapping[Look, Page], pictures: Path) -> None:
        self._pages = pages
        self._pictures = pictures
        self.faults: list[str] = []
        """What browsers complained of: scripts that failed, what was not let in."""
        self.asked: list[str] = []
        """All that browsers asked for."""
        for look, page in pages.items():
            page.on("pageerror", partial(self._hear_error, look))
            page.on("console", partial(self._hear, look))
            page.on("request", lambda asked: self.asked.append(asked.url))

    @property
    def page(self) -> Page:
        return next(iter(self._pages.values()))

    async def picture(self, name: str) -> None:
        """Photograph, in all looks, the page that is open in the first one."""
        for look, page in self._pages.items():
            if page is not self.page:
                await page.goto(self.page.url)
            await photograph(page, self._pictures / f"page.{name}.{look}.png")

    async def picture_of_a_form(self, name: str, form: str, *ticked: str, shows: str) -> None:
        """Photograph, in all looks, what a form of the open page shows when it is filled in."""
        where = self.page.url
        for look, page in self._pages.items():
            await page.goto(where)
            for selector in ticked:
                await page.check(selector)
            await page.click(f"{form} button.primary")
            await page.wait_for_selector(shows)
            await photograph(page, self._pictures / f"page.{name}.{look}.png")

    def _hear_error(self, look: Look, error: Error) -> None:
        self.faults.append(f"{look}: {error}")

    def _hear(self, look: Look, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.faults.append(f"{look}: {message.text} ({message.location['url']})")


async def enter(page: Page, visitor: Visitor) -> Page:
    """Log a browser in as a user of Home Assistant."""
    for name, value in visitor.cookies.items():
        await page.context.add_cookies([{"name": name, "value": value, "url": visitor.api.url}])
    return page


@asynccontextmanager
async def looking(browser: Browser, visitor: Visitor, pictures: Path) -> AsyncIterator[Looks]:
    """Open the page, in each look."""
    pages = {
        look: await enter(await open_page(browser, visitor.api.url, look), visitor)
        for look in LOOKS
    }
    looks = Looks(pages, pictures)
    for page in pages.values():
        await page.goto(f"{visitor.page}/")
    try:
        yield looks
    finally:
        for page in pages.values():
            await page.context.close()
