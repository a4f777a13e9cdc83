"""A browser on Home Assistant: Debian's Chromium, headless, driven by Playwright."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
import os
from pathlib import Path
from typing import Any, Final, Literal, Self

from playwright.async_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    async_playwright,
    expect,
)

from .hass.api import PASSWORD, USER
from .hass.folder import Language

CHROMIUM: Final = Path("/usr/bin/chromium")
ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LOCALES: Final[dict[Language, str]] = {"en": "en-GB", "fr": "fr-FR"}
# A page of Home Assistant's draws itself first, then requests its data.
_TIMEOUT_MS: Final = 120_000
# Charts draw themselves when their data are there.
_DRAWING_MS: Final = 1_500
_SETTLING_MS: Final = 300
_HEADER: Final = 72
"""The pixels above a dashboard."""


@asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    """Start a browser without a page.

    Its pages have the clock that `faketime` sets for other programs: with it, Chromium would wait
    for nothing and keep a core busy.
    """
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=list(ARGUMENTS),
            env={name: value for name, value in os.environ.items() if name != "LD_PRELOAD"},
            timeout=_TIMEOUT_MS,
        )
        try:
            yield browser
        finally:
            await browser.close()


async def person(browser: Browser, url: str, language: Language, **options: Any) -> BrowserContext:
    """Return the browser of a person who reads that language, on one site."""
    context = await browser.new_context(
        base_url=url,
        locale=LOCALES[language],
        reduced_motion="reduce",
        **{
            "timezone_id": "Europe/Paris",
            "viewport": {"width": 1280, "height": 900},
            **options,
        },
    )
    context.set_default_timeout(_TIMEOUT_MS)
    if "FAKETIME" in os.environ:
        await context.clock.install(time=datetime.now(UTC))
    return context


class Visitor:
    """A person's actions on the pages of Home Assistant. Selectors reach into its shadow DOM."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def log_in(self) -> Self:
        """Log in as the owner of Home Assistant."""
        await self.page.goto("/")
        await self.page.locator("input[name=username]").fill(USER)
        await self.page.locator("input[name=password]").fill(PASSWORD)
        await self.page.keyboard.press("Enter")
        await self.page.locator("home-assistant-main").wait_for()
        return self

    # The dialog that adds an integration

    async def start_flow(self, domain: str) -> None:
        """Open the dialog as a link in a document does, which asks for confirmation first."""
        await self.page.goto(f"/config/integrations/dashboard/add?domain={domain}")
        await self.page.locator("dialog-box").get_by_role("button", name="OK").click()
        await self.step("menu").wait_for()

    async def choose(self, option: str) -> None:
        """Choose from the dialog's menu, by the label."""
        await self.step("menu").get_by_text(option, exact=True).click()
        await self.step("form").wait_for(state="attached")

    def step(self, kind: Literal["menu", "form", "progress", "create-entry", "abort"]) -> Locator:
        """The fields of a step; a form without fields has no height."""
        return self.page.locator(f"step-flow-{kind}")

    @property
    def error(self) -> Locator:
        """The errors in the dialog."""
        return self.page.locator("dialog-data-entry-flow ha-alert[alert-type=error]")

    async def type_port(self, port: str) -> None:
        """Choose to type a port, below the detected ones, and type it."""
        field = self.page.locator("ha-selector-serial_port")
        await field.click()
        await self.page.locator("ha-picker-combo-box [role=option]").last.click()
        typed = field.locator("input")
        await expect(typed).to_be_focused()
        # The field empties itself when it appears, perhaps while one types.
        while await field.evaluate("field => field.value") != port:
            await typed.fill("")
            await typed.fill(port)
            await self.page.wait_for_timeout(_SETTLING_MS)
        await typed.press("Tab")

    async def fill(self, field: str, text: str) -> None:
        """Fill in a field of the dialog, by its label."""
        fields = self.step("form").locator("ha-selector").filter(has_text=field)
        await fields.locator("input").fill(text)

    async def submit(self) -> None:
        """Submit the dialog."""
        await self.page.locator("dialog-data-entry-flow ha-button[slot=primaryAction]").click()

    # Views

    async def shows(self, element: str) -> None:
        """Wait until an element is there with its contents."""
        await self.page.locator(element).first.wait_for()
        await self.page.wait_for_load_state("networkidle")
        await self.page.wait_for_timeout(_DRAWING_MS)

    async def see_yesterday(self) -> None:
        """Go a day back on the Energy dashboard: that day has all of its hours."""
        await self.shows("hui-energy-period-selector")
        await self.page.locator(
            "hui-energy-period-selector .overflow > ha-icon-button"
        ).first.click()
        await self.shows("hui-energy-usage-graph-card")

    async def whole_picture(self, path: Path) -> None:
        """Take a screenshot of all of a dashboard, which scrolls within its window."""
        size = self.page.viewport_size
        assert size is not None
        view = self.page.locator("hui-sections-view")
        # What was below the window may be drawn, and be higher, once it is within.
        for _ in range(2):
            high = await view.evaluate("view => view.scrollHeight")
            await self.page.set_viewport_size({**size, "height": high + _HEADER})
            await self.page.wait_for_timeout(_DRAWING_MS)
        await self.picture(path)
        await self.page.set_viewport_size(size)

    async def picture(self, path: Path) -> None:
        """Take a screenshot of the window."""
        path.parent.mkdir(parents=True, exist_ok=True)
        # A pressed button looks so until the pointer has been elsewhere for a while.
        for height in (700, 20):
            await self.page.mouse.move(640, height)
            await self.page.wait_for_timeout(_SETTLING_MS)
        await self.page.screenshot(path=path, animations="disabled")
