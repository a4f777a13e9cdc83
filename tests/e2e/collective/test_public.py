"""The public pages of a collective in a real browser, as people see them: pictures of each.

What they show is an invented year of a cooperative in Lorient. Leaves pictures in
`.artifacts/public/`; `script/test tests/e2e/collective/test_public.py --pictures=docs/images`
renews those of the documentation.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
import struct
from typing import Any, Final

from aiohttp import web
from playwright.async_api import Browser, Page, Route, expect
import pytest
import pytest_asyncio

from consometers_node.store import Store
from consometers_node.web.core.listening import listening
from demo.browser import CHROMIUM, person
from demo.hass import Language
from testing.pages import contest
from testing.pages.lorient import furnish
from testing.pages.town import ReleasedTown, serving, settings
from testing.programs.looks import faults_of, photograph, requests_of

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="script/setup gets Chromium"),
]

PICTURES: Final = Path(".artifacts/public")
SIZES: Final = {
    "desk": (1280, 900),
    "phone": (390, 844),
    "wall": (1920, 1080),
    "upright": (1080, 1920),
}
WALLS: Final = ("wall", "upright")
LOOKS: Final[tuple[tuple[Language, str], ...]] = (("en", "light"), ("fr", "dark"))
SITE: Final = "sites/ecole-de-kersabiec"
PAGES: Final = {
    "front": ("", ("desk", "phone")),
    "month": ("month/2026-06", ("desk", "phone")),
    "year": ("year/2026", ("desk",)),
    "site": (SITE, ("desk", "phone")),
    "card": (f"{SITE}/card", ("phone",)),
    "wall": (f"{SITE}/hall", (*WALLS, "phone")),
    "data": ("data", ("desk",)),
    "withheld": ("areas/larmor-plage", ("desk",)),
}
CHALLENGE: Final = {
    "challenge": ("challenge/1", ("desk", "phone")),
    "challenge-wall": ("challenge/1/hall", (*WALLS, "phone")),
    "poster": ("challenge/1/poster", ("desk", "phone")),
    "diploma": ("challenge/2/diploma/lorient", ("desk", "phone")),
}
DOCUMENTED: Final = {"front": ("", (1280, 1060)), "hall": (f"{SITE}/hall", (1280, 720))}
LANGUAGES: Final[tuple[Language, ...]] = ("en", "fr")
LAST: Final = "Dernières données : 10 juin 2026, 15:00"
REFRESH_MS: Final = 121_000
OVER: Final = """() => {
  const { scrollHeight, clientHeight, scrollWidth, clientWidth } = document.documentElement;
  return [scrollHeight - clientHeight, scrollWidth - clientWidth];
}"""
SMALLEST: Final = """() => Math.min(...[...document.querySelectorAll("h1, h2, p, dt, dd, li, text")]
  .filter((element) => element.checkVisibility() && element.textContent.trim())
  .map((element) => parseFloat(getComputedStyle(element).fontSize)))"""
BY_THE_CLOCK: Final = """
  AbortSignal.timeout = (ms) => {
    const waiting = new AbortController();
    setTimeout(() => waiting.abort(new DOMException("", "TimeoutError")), ms);
    return waiting.signal;
  };
"""
"""An installed clock leaves this one timeout to the browser: now it is by the clock as well."""


@pytest_asyncio.fixture(scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ReleasedTown]:
    folder = tmp_path_factory.mktemp("public")
    store = await Store.open(folder / "node.db")
    made = ReleasedTown(store, settings(folder))
    await furnish(made)
    async with serving(made):
        yield made
    await store.close()


@pytest_asyncio.fixture(scope="module")
async def village(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ReleasedTown]:
    """A collective with a challenge that runs, and one that is over."""
    folder = tmp_path_factory.mktemp("village")
    store = await Store.open(folder / "node.db")
    made = ReleasedTown(store, settings(folder))
    await contest.fill(made)
    for last in (contest.LAST.isoformat(), "2026-05-31"):
        await contest.set_up(made, replace(contest.TYPED, last_day=last))
    async with serving(made):
        yield made
    await store.close()


async def opened(
    browser: Browser, town: ReleasedTown, language: Language, device: str = "desk", **options: Any
) -> Page:
    width, height = SIZES[device]
    seen = {"viewport": {"width": width, "height": height}, **options}
    return await (await person(browser, str(town.url), language, **seen)).new_page()


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
async def test_every_page_fits_its_window_and_loads_nothing_from_elsewhere(
    browser: Browser, town: ReleasedTown, village: ReleasedTown, language: Language, scheme: str
) -> None:
    served = [
        *((town, name, *page) for name, page in PAGES.items()),
        *((village, name, *page) for name, page in CHALLENGE.items()),
    ]
    for place, name, path, devices in served:
        url = str(place.url)
        for device in devices:
            page = await opened(browser, place, language, device, color_scheme=scheme)
            faults, requests = faults_of(page), requests_of(page)
            await page.goto(f"{url}{path}")
            await page.wait_for_load_state("networkidle")
            high = await page.evaluate("document.documentElement.scrollHeight - innerHeight")
            assert device not in WALLS or high <= 0, (name, device, high)
            picture = PICTURES / f"public.{name}.{device}.{scheme}.{language}.png"
            await photograph(page, picture, full_page=device not in WALLS)
            await page.context.close()
            assert not faults
            assert not [request for request in requests if not request.startswith(url)]


@pytest.mark.full
@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_documentation_has_its_pictures(
    browser: Browser, town: ReleasedTown, pictures: Path, language: Language
) -> None:
    for name, (path, (width, height)) in DOCUMENTED.items():
        viewport = {"width": width, "height": height}
        page = await opened(browser, town, language, viewport=viewport)
        await page.goto(f"{town.url}{path}")
        await page.wait_for_load_state("networkidle")
        await page.screenshot(path=pictures / f"public-{name}.{language}.png")


@pytest.mark.parametrize("device", WALLS)
async def test_a_wall_can_be_read_from_five_metres(
    browser: Browser, town: ReleasedTown, device: str
) -> None:
    long = max(SIZES[device])
    page = await opened(browser, town, "fr", device)
    await page.goto(f"{town.url}hall")
    await page.wait_for_load_state("networkidle")
    assert await page.evaluate(SMALLEST) >= 0.0125 * long
    marks = await page.locator(".ticks text").filter(visible=True).all_text_contents()
    hours = {mark for mark in marks if mark.endswith(":00")}
    assert 4 <= len(hours) <= 8


async def test_figures_do_not_overlap_on_a_phone(browser: Browser, town: ReleasedTown) -> None:
    page = await opened(browser, town, "en", "phone")
    for path in ("hall", f"{SITE}/hall"):
        await page.goto(f"{town.url}{path}")
        boxes = await page.locator(".three > div").evaluate_all(
            "all => all.map((box) => [box.scrollWidth - box.clientWidth, box.offsetLeft])"
        )
        assert {over for over, _ in boxes} == {0}
        assert len({left for _, left in boxes}) == 1


@asynccontextmanager
async def elsewhere(body: str) -> AsyncIterator[str]:
    """Serve a page of another site."""

    async def show(_: web.Request) -> web.Response:
        return web.Response(text=body, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", show)
    async with listening(app, "127.0.0.1", 0) as port:
        yield f"http://127.0.0.1:{port}/"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", ["", SITE])
async def test_an_embedded_page_fits_its_frame(
    browser: Browser, town: ReleasedTown, language: Language, path: str
) -> None:
    page = await opened(browser, town, language)
    await page.goto(f"{town.url}{path}")
    await page.locator("details", has=page.locator("pre")).locator("summary").click()
    pasted = await page.locator("pre code").inner_text()
    async with elsewhere(f"<!doctype html><title>Elsewhere</title>{pasted}") as address:
        await page.goto(address)
        frame = await (await page.locator("iframe").element_handle()).content_frame()
        assert frame is not None
        await frame.wait_for_selector(".embedded h1")
        assert await frame.evaluate(OVER) == [0, 0]
        assert await frame.evaluate("document.documentElement.lang") == language


async def test_an_embedded_page_renews_its_figures_in_place(
    browser: Browser, town: ReleasedTown
) -> None:
    """It does not load again: who reads it, or has its link in focus, is left there."""
    page = await opened(browser, town, "fr")
    await page.context.clock.install()
    frame_of = f'<!doctype html><iframe src="{town.url}card" title="Card"></iframe>'
    async with elsewhere(frame_of) as address:
        await page.goto(address)
        card = page.frame_locator("iframe")
        await expect(card.locator(".moment")).to_have_text("Maintenant – de 14:00 à 15:00")
        await card.locator("a").focus()
        (_, frame) = page.frames
        await frame.evaluate("window.isTheSame = true")
        town.now += timedelta(hours=5)
        try:
            await page.context.clock.fast_forward(REFRESH_MS)
            await expect(card.locator(".moment")).to_have_text(LAST)
        finally:
            town.now -= timedelta(hours=5)
        await expect(card.locator("a")).to_be_focused()
        assert await frame.evaluate("window.isTheSame")


async def test_a_chart_counts_members_in_words_but_not_those_of_a_building(
    browser: Browser, town: ReleasedTown
) -> None:
    page = await opened(browser, town, "fr")
    for path, count, words in (("", 39, "(39 membres)"), ("", 1, "(1 membre)"), (SITE, 1, "")):
        await page.goto(f"{town.url}{path}")
        rows = page.locator(".flows tbody tr")
        await rows.evaluate_all(f"all => all.forEach((row) => row.dataset.members = {count})")
        await page.locator(".drawing").hover()
        readout = page.locator(".readout")
        await expect(readout).to_contain_text("kWh")
        if words:
            await expect(readout).to_contain_text(words)
        else:
            await expect(readout).not_to_contain_text("(")


async def test_a_chart_is_downloaded_as_a_png(browser: Browser, town: ReleasedTown) -> None:
    page = await opened(browser, town, "fr")
    await page.goto(f"{town.url}day/2026-06-09")
    async with page.expect_download() as download:
        await page.locator("button.png").click()
    picture = await download.value
    assert picture.suggested_filename == "2026-06-09.png"
    size = Path(await picture.path()).read_bytes()[:24]
    assert size.startswith(b"\x89PNG")
    assert struct.unpack(">II", size[16:]) == (1920, 1120)


async def test_a_printed_page_is_complete(browser: Browser, town: ReleasedTown) -> None:
    """All rows of the table, and nothing to click, though nobody opened it."""
    for language in LANGUAGES:
        page = await opened(browser, town, language, java_script_enabled=False)
        await page.goto(f"{town.url}month/2026-05")
        await page.emulate_media(media="print")
        assert await page.locator(".flows tbody tr").filter(visible=True).count() == 31
        assert await page.locator("nav, button, .share").filter(visible=True).count() == 0
        assert await page.locator(".drawing rect").first.is_visible()
        await photograph(page, PICTURES / f"public.print.{language}.png", full_page=True)


async def test_a_poster_and_a_diploma_fit_one_sheet_each(
    browser: Browser, village: ReleasedTown
) -> None:
    for path, sheet in (
        ("challenge/1/poster", b"/MediaBox [0 0 594.95996 841.91998]"),
        ("challenge/2/diploma/lorient", b"/MediaBox [0 0 841.91998 594.95996]"),
    ):
        page = await opened(browser, village, "fr", color_scheme="dark")
        await page.goto(f"{village.url}{path}")
        printed = await page.pdf(prefer_css_page_size=True)
        assert printed.count(b"/Type /Page\n") == 1
        assert sheet in printed
        assert await page.locator(".back").is_visible()
        await page.emulate_media(media="print")
        assert not await page.locator(".back").is_visible()


async def test_a_refresh_keeps_an_open_table_open(browser: Browser, town: ReleasedTown) -> None:
    page = await opened(browser, town, "fr")
    context = page.context
    await context.clock.install()
    await page.goto(str(town.url))
    await page.locator(".flows summary").click()
    await page.locator(".flows .scroll").evaluate("element => element.scrollTo(0, 150)")
    await expect(page.locator(".moment")).to_have_text("Maintenant – de 14:00 à 15:00")
    town.now += timedelta(hours=5)
    try:
        await context.clock.fast_forward(REFRESH_MS)
        await expect(page.locator(".moment")).to_have_text(LAST)
    finally:
        town.now -= timedelta(hours=5)
    await expect(page.locator(".flows details")).to_have_attribute("open", "")
    await expect(page.locator(".flows summary")).to_be_focused()
    assert await page.locator(".flows .scroll").evaluate("element => element.scrollTop") == 150
    await context.clock.fast_forward(REFRESH_MS)
    await expect(page.locator(".moment")).to_have_text("Maintenant – de 14:00 à 15:00")


async def test_a_wall_keeps_its_figures_when_the_network_is_cut(
    browser: Browser, town: ReleasedTown
) -> None:
    page = await opened(browser, town, "fr")
    context = page.context
    await page.goto(f"{town.url}{SITE}/hall")
    before = await page.locator(".three").inner_text()
    await expect(page.locator(".when")).to_have_text("Maintenant – de 14:00 à 15:00")
    await context.set_offline(True)
    await expect(page.locator("#offline")).to_contain_text(LAST)
    await expect(page.locator("#offline")).to_be_visible()
    assert await page.locator(".three").inner_text() == before
    await expect(page.locator(".when")).to_have_text(LAST)
    await context.set_offline(False)
    await expect(page.locator("#offline")).to_be_hidden()
    await expect(page.locator(".when")).to_have_text("Maintenant – de 14:00 à 15:00")


async def never(_: Route) -> None:
    """Take a request, and answer nothing."""


async def test_a_wall_waits_half_a_minute_for_a_node_that_never_answers(
    browser: Browser, town: ReleasedTown
) -> None:
    page = await opened(browser, town, "fr")
    context = page.context
    await context.clock.install()
    await page.add_init_script(BY_THE_CLOCK)
    await page.goto(f"{town.url}{SITE}/hall")
    before = await page.locator(".three").inner_text()
    await page.route("**/hall", never)
    async with page.expect_request("**/hall"):
        await context.clock.fast_forward(REFRESH_MS)
    await context.clock.fast_forward(20_000)
    await expect(page.locator("#offline")).to_be_hidden()
    await context.clock.fast_forward(12_000)
    await expect(page.locator("#offline")).to_be_visible()
    await expect(page.locator(".when")).to_have_text(LAST)
    assert await page.locator(".three").inner_text() == before
    await page.unroute("**/hall", never)
    await context.clock.fast_forward(REFRESH_MS)
    await expect(page.locator("#offline")).to_be_hidden()
