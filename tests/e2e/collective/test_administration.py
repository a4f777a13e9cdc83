"""The administration of a collective in a real browser, as its administrators see it.

It has forty invented homes and a school. Leaves pictures in `.artifacts/administration/`;
`script/test tests/e2e/collective/test_administration.py --pictures=docs/images` renews those of the
documentation.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from playwright.async_api import Browser, expect
import pytest
import pytest_asyncio

from consometers_node.sharing.permissions.consent import propose_need
from consometers_node.store import Store
from consometers_node.store.clock import confirm
from demo.browser import CHROMIUM
from demo.hass import Language
from testing.homes.data_needs import NEED_OF_SUMS
from testing.pages.office import NAME, Office, serving
from testing.pages.town import settings
from testing.programs.administration import entered, furnished
from testing.programs.looks import LOOKS, Look, faults_of, open_page, photograph, requests_of

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="script/setup gets Chromium"),
]

ARTIFACTS: Final = Path(".artifacts/administration")
PAGES: Final = {
    "overview": "",
    "members": "members",
    "needs": "needs",
    "invitations": "invitations",
    "invitation": "invitations/new",
    "publication": "publication",
    "challenges": "challenges",
    "about": "about",
    "figures": "figures",
    "municipalities": "municipalities",
    "register": "register",
    "log": "log",
    "health": "health",
}
MEMBERS: Final = {
    "member": "members",
    "aside": "members?show=aside",
    "contested": "members?show=contested",
}
"""Lists whose first member is opened."""
TRIED: Final = "14"
"""So many homes are of one commune alone, when all have responded."""
DOCUMENTED: Final = {"overview": "", "publication": "publication"}
COOP: Final = "coop@example.org"
LANGUAGES: Final[tuple[Language, ...]] = ("en", "fr")


@pytest_asyncio.fixture(scope="module")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    async with furnished(tmp_path_factory.mktemp("office")) as office:
        yield office


@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_codes_of_a_witness_are_made_printed_and_revoked(
    browser: Browser, tmp_path: Path, look: Look
) -> None:
    store = await Store.open(tmp_path / "node.db")
    try:
        async with serving(store, settings(tmp_path, witness_for=(COOP,))) as office:
            await office.appoint(NAME)
            page = await entered(office, await open_page(browser, str(office.url), look))
            faults = faults_of(page)
            await page.goto(f"{office.url}administration/codes/new")
            await photograph(page, ARTIFACTS / f"admin.codes.form.{look}.png")
            await page.locator("#count").fill("3")
            await page.locator("main button[type=submit]").click()
            await page.locator("code.link").first.wait_for()
            await photograph(page, ARTIFACTS / f"admin.codes.made.{look}.png")
            async with page.context.expect_page() as opened:
                await page.locator(f"button[name=in][value={look.language}]").click()
            sheets = await opened.value
            await sheets.locator(".letters").last.wait_for()
            assert await sheets.locator("article.sheet").count() == 3
            await photograph(sheets, ARTIFACTS / f"admin.codes.sheets.{look}.png")
            await page.goto(f"{office.url}administration/codes")
            await page.locator("table a[href*=revoke]").first.click()
            await page.locator("button.danger").click()
            await page.locator(".notice.good").wait_for()
            await photograph(page, ARTIFACTS / f"admin.codes.ended.{look}.png")
            assert not faults
    finally:
        await store.close()


@pytest.mark.parametrize("language", ["en", "fr"])
async def test_a_witness_finds_its_pages_in_one_line_at_a_desk(
    browser: Browser, tmp_path: Path, language: Language
) -> None:
    """Its administration has one page more than that of other collectives."""
    store = await Store.open(tmp_path / "node.db")
    try:
        async with serving(store, settings(tmp_path, witness_for=(COOP,))) as office:
            await office.appoint(NAME)
            look = Look(language, "light", "desk")
            page = await entered(office, await open_page(browser, str(office.url), look))
            links = page.locator(".top nav a")
            places = [await links.nth(n).bounding_box() for n in range(await links.count())]
            assert len(places) == 12
            assert len({place and place["y"] for place in places}) == 1
    finally:
        await store.close()


@pytest.mark.parametrize(("name", "witness_for"), [("collective", ()), ("witness", (COOP,))])
@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_the_first_steps_fit_their_window(
    browser: Browser, tmp_path: Path, look: Look, name: str, witness_for: tuple[str, ...]
) -> None:
    store = await Store.open(tmp_path / "node.db")
    try:
        written = settings(tmp_path, webhook=None, witness_for=witness_for)
        async with serving(store, written) as office:
            await office.appoint(NAME)
            page = await entered(office, await open_page(browser, str(office.url), look))
            faults = faults_of(page)
            steps = page.locator(".steps li")
            assert await steps.count() == (5 if witness_for else 6)
            # One of them is done: the settings name a contact.
            assert await page.locator(".steps li.done").count() == 1
            await photograph(page, ARTIFACTS / f"admin.first-steps.{name}.{look}.png")
            assert not faults
    finally:
        await store.close()


@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_every_page_fits_its_window_and_loads_nothing_from_elsewhere(
    browser: Browser, office: Office, look: Look
) -> None:
    page = await entered(office, await open_page(browser, str(office.url), look))
    faults, requests = faults_of(page), requests_of(page)
    for name, path in PAGES.items():
        await page.goto(f"{office.url}administration/{path}")
        await photograph(page, ARTIFACTS / f"admin.{name}.{look}.png")
    for name, path in MEMBERS.items():
        await page.goto(f"{office.url}administration/{path}")
        await page.locator("table a[href]").first.click()
        await photograph(page, ARTIFACTS / f"admin.{name}.{look}.png")
    assert not faults
    assert not [url for url in requests if not url.startswith(str(office.url))]


@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_an_administrator_answers_a_municipality(
    browser: Browser, office: Office, look: Look
) -> None:
    town = f"town-{look}@example.org"
    number = await propose_need(office.store, town, NEED_OF_SUMS, "operator", "Commune de Lorient")
    # What closed the past put the clock forward.
    await office.written(lambda connection: confirm(connection, datetime.now(UTC)))
    page = await entered(office, await open_page(browser, str(office.url), look))
    faults = faults_of(page)
    await page.goto(f"{office.url}administration/municipalities")
    await page.locator(f"a.button[href$='permissions/{number}']").click()
    await photograph(page, ARTIFACTS / f"admin.municipalities.asked.{look}.png")
    await page.locator("input[name=series]").first.check()
    await page.locator("form[action*='/preview/'] button[type=submit]").click()
    await expect(page.locator(".agreement")).to_be_visible()
    await photograph(page, ARTIFACTS / f"admin.municipalities.preview.{look}.png")
    await page.locator("form[action*='/allow/'] button").click()
    await expect(page.locator(".state.granted")).to_be_visible()
    await photograph(page, ARTIFACTS / f"admin.municipalities.granted.{look}.png")
    await page.locator("a.button[href*='/withdraw/']").click()
    await photograph(page, ARTIFACTS / f"admin.municipalities.withdraw.{look}.png")
    await page.locator("form button.primary").click()
    await expect(page.locator(".state.withdrawn")).to_be_visible()
    assert not faults


@pytest.mark.full
@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_documentation_has_its_pictures(
    browser: Browser, office: Office, pictures: Path, language: Language
) -> None:
    look = Look(language, "light", "desk")
    page = await entered(office, await open_page(browser, str(office.url), look))
    for name, path in DOCUMENTED.items():
        await page.goto(f"{office.url}administration/{path}")
        await page.screenshot(path=pictures / f"admin-{name}.{language}.png")
    await page.locator("input[name=minimum]").fill(TRIED)
    await page.locator("form[action$='publication/preview'] button[type=submit]").click()
    await expect(page.locator("table.outlook")).to_be_visible()
    await page.screenshot(path=pictures / f"admin-preview.{language}.png")
