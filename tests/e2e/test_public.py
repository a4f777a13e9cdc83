"""The public pages of a collective in a real browser, as people see them: pictures of each.

What they show is an invented year of a cooperative in Lorient. Leaves pictures in
`.artifacts/public/`; `script/test tests/e2e/test_public.py --pictures=docs/images` renews those
of the documentation.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from playwright.async_api import expect
import pytest
import pytest_asyncio

from consometers_node.store import Store
from demo.browser import CHROMIUM, launched, person
from demo.hass import Language
from tests.node.web.public.lorient import furnish
from tests.node.web.public.town import Town, serving, settings

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="script/setup gets Chromium"),
]

PICTURES: Final = Path(".artifacts/public")
SIZES: Final = {"desk": (1280, 900), "phone": (390, 844), "wall": (1920, 1080)}
LOOKS: Final[tuple[tuple[Language, str], ...]] = (("en", "light"), ("fr", "dark"))
SITE: Final = "sites/ecole-de-kersabiec"
PAGES: Final = {
    "front": ("", ("desk", "phone")),
    "month": ("month/2026-06", ("desk", "phone")),
    "year": ("year/2026", ("desk",)),
    "site": (SITE, ("desk", "phone")),
    "card": (f"{SITE}/card", ("phone",)),
    "wall": (f"{SITE}/hall", ("wall",)),
    "data": ("data", ("desk",)),
    "withheld": ("areas/larmor-plage", ("desk",)),
}
DOCUMENTED: Final = {"front": ("", (1280, 1060)), "hall": (f"{SITE}/hall", (1280, 720))}
LANGUAGES: Final[tuple[Language, ...]] = ("en", "fr")


@pytest_asyncio.fixture(scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    folder = tmp_path_factory.mktemp("public")
    store = await Store.open(folder / "node.db")
    made = Town(store, settings(folder))
    await furnish(made)
    async with serving(made):
        yield made
    await store.close()


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
async def test_every_page_fits_its_window_and_asks_nobody_else(
    town: Town, language: Language, scheme: str
) -> None:
    faults: list[str] = []
    asked: list[str] = []
    url = str(town.url)
    PICTURES.mkdir(parents=True, exist_ok=True)
    async with launched() as browser:
        for name, (path, devices) in PAGES.items():
            for device in devices:
                width, height = SIZES[device]
                viewport = {"width": width, "height": height}
                context = await person(
                    browser, url, language, color_scheme=scheme, viewport=viewport
                )
                page = await context.new_page()
                page.on("console", lambda said: faults.append(said.text))
                page.on("pageerror", lambda error: faults.append(str(error)))
                page.on("request", lambda one: asked.append(one.url))
                await page.goto(f"{url}{path}")
                await page.wait_for_load_state("networkidle")
                wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert wide <= 0, (name, device, wide)
                picture = PICTURES / f"public.{name}.{device}.{scheme}.{language}.png"
                await page.screenshot(path=picture, full_page=device != "wall")
                await context.close()
    assert not faults
    assert not [one for one in asked if not one.startswith(url)]


@pytest.mark.parametrize("language", LANGUAGES)
async def test_they_are_pictured(town: Town, pictures: Path, language: Language) -> None:
    async with launched() as browser:
        for name, (path, (width, height)) in DOCUMENTED.items():
            viewport = {"width": width, "height": height}
            page = await (
                await person(browser, str(town.url), language, viewport=viewport)
            ).new_page()
            await page.goto(f"{town.url}{path}")
            await page.wait_for_load_state("networkidle")
            await page.screenshot(path=pictures / f"public-{name}.{language}.png")


async def test_a_wall_keeps_what_it_has_when_the_network_is_cut(town: Town) -> None:
    async with launched() as browser:
        context = await person(browser, str(town.url), "fr")
        page = await context.new_page()
        await page.goto(f"{town.url}{SITE}/hall")
        before = await page.locator(".three").inner_text()
        await context.set_offline(True)
        await expect(page.locator("#offline")).to_be_visible()
        assert await page.locator(".three").inner_text() == before
        await expect(page.locator(".when")).to_contain_text("14:00 à 15:00")
        await context.set_offline(False)
        await expect(page.locator("#offline")).to_be_hidden()
