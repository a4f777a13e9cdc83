"""Every page of a role, linked or not: whole, without barriers, in one language.

The public pages of a collective, its administration, and a household's pages: as its administrator
and as somebody else at home see them, and where its data come from files. Each page is looked at by
axe in one look, and in the full run in all: on a phone, a tablet and a desk, by day, by night and
on paper, in both languages. Those to which no link leads are looked at in all looks in each run.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
import gzip
from itertools import product
from pathlib import Path
import re
from typing import Any, Final
from urllib.parse import urljoin, urlsplit
from uuid import uuid4

from aiohttp import web
from playwright.async_api import Browser, BrowserContext, Page, Response, expect
import pytest
import pytest_asyncio

from consometers_node.store import Store
from consometers_node.store.household.letters import ReceivedLetter, add
from consometers_node.store.tables import PeerId
from consometers_node.web.household import routes as household_routes
from consometers_node.web.public import routes as public_routes
from consometers_node.web.public.challenges import Drawn
from consometers_node.web.public.front import preview_picture
from consometers_node.web.public.routes import SHOWN
from demo.browser import CHROMIUM, person
from demo.hass import Language
from testing.homes.data_needs import NEED
from testing.homes.files import load_curve, running as running_on_files
from testing.homes.served import ADMIN, DRAWN, GUEST, allow, ask, running, toy
from testing.pages import contest
from testing.pages.cooperative import SITE
from testing.pages.languages import strangers
from testing.pages.layout import PAPER, cut_tables, lost_on_paper
from testing.pages.lorient import furnish as furnish_town
from testing.pages.town import ReleasedTown, serving as serving_town, settings
from testing.programs.administration import entered, furnished
from testing.programs.looks import badly_set, texts, violations
from testing.run import FULL
from testing.witnesses.enrolled import COLLECTIVE, new_witness

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="script/setup gets Chromium"),
    pytest.mark.timeout(1800),
]

LANGUAGES: Final[tuple[Language, ...]] = ("en", "fr")
LOOKS: Final = (
    *product((390, 768, 1280), ("light", "dark"), LANGUAGES),
    *product((PAPER["width"],), ("print",), LANGUAGES),
)
ENDS: Final = tuple(look for look in LOOKS if look[0] != 768)
"""Without the tablet, which has the layout of a desk."""
STRIDE: Final = 5
"""From page to page, so that neighbours are opened in different ways."""
HEIGHT: Final = 900
NOWHERE: Final = "nowhere"
"""An address that no page has."""
MOST_PAGES: Final = 100
FIRST_LOAD_BYTES: Final = 100_000
NAMED: Final = {
    "sites",
    "areas",
    "diploma",
    "members",
    "permissions",
    "series",
    "withdraw",
    "needs",
}
"""Path segments before a name or id: one page of each kind is opened."""
SHOWN_BY_A_BROWSER: Final = re.compile("text/html|image/svg")
FILES: Final = "/files"
"""Of homes alone whose data come from files."""
NO_PAGE: Final = re.compile(r"\.(csv|json|png|txt|xml)$|^/data/")
"""Addresses of files for programs."""


@dataclass
class Role:
    """Somebody who looks at pages."""

    start: str
    headers: Mapping[str, str] = field(default_factory=dict)
    logs_in: Any = None
    unlinked: Sequence[str] = ()
    """Pages to which no other page leads."""
    answers: Sequence[Callable[[Page], Awaitable[None]]] = ()
    """Opens pages that answer a form."""
    routes: Sequence[str] = ()
    """Addresses of which each is opened for one at least, as aiohttp has them."""


@pytest_asyncio.fixture(
    scope="module", params=["public", "administration", "household", "guest", "files"]
)
async def role(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Role]:
    async with ROLES[request.param](tmp_path_factory.mktemp("role")) as role:
        yield role


@asynccontextmanager
async def public(folder: Path) -> AsyncIterator[Role]:
    store = await Store.open(folder / "node.db")
    town = ReleasedTown(store, settings(folder, witness_for=(COLLECTIVE,)))
    await furnish_town(town)
    await compete(town)
    async with serving_town(town, witness=await new_witness(store)):
        shown = [f"{place}{path}" for place in ("", f"/sites/{SITE}") for path in SHOWN]
        drawn = [
            f"{place}/{period}.svg"
            for place in ("", f"/sites/{SITE}", "/areas/lorient")
            for period in ("day/2026-06-09", "month/2026-05", "year/2026")
        ]
        periods = ("day/2026-06-09", "month/2026-05", "year/2026")
        drawn += [
            *(f"/sharing/{period}.svg" for period in periods),
            *(f"/challenge/1/{chart}.svg" for chart in Drawn),
            "/growth.svg",
        ]
        others = (preview_picture.PATH, NOWHERE)
        unlinked = [path.removeprefix("/") for path in (*shown, *others, *drawn)]
        routes = [route for route in public_routes.LOOKS if NO_PAGE.search(route) is None]
        yield Role(str(town.url), unlinked=unlinked, routes=routes)
    await store.close()


async def compete(town: ReleasedTown) -> None:
    """Set a challenge that is over: its pages have a ranking, weeks and diplomas."""
    communes = {"Lanester": 12_000, "Guidel": 10_000, "Quéven": 11_000}
    school = "École Bois-Bissonnet"
    await contest.fill(town, communes=communes, schools=[school])
    participants = ("lanester", "guidel", "queven", "ecole-bois-bissonnet")
    typed = replace(contest.TYPED, last_day="2026-05-31", participants=participants)
    await contest.set_up(town, typed)


@asynccontextmanager
async def administration(folder: Path) -> AsyncIterator[Role]:
    async with furnished(folder) as office:
        start = f"{office.url}administration/"
        answers = [
            partial(sent, address=f"{start}{path}", form=form, title=title)
            for path, form, title in (
                ("publication", "publication/preview", ""),
                ("invitations/new", "invitations", ""),
                ("needs/by-name/next", "needs/preview", "Sunny and windy roofs"),
            )
        ]
        yield Role(start, logs_in=partial(entered, office), unlinked=[NOWHERE], answers=answers)


@asynccontextmanager
async def household(folder: Path, user: str = ADMIN) -> AsyncIterator[Role]:
    store = await Store.open(folder / "node.db")
    async with running(store, toy()) as home:
        allowed = await ask(home)
        await allow(home, allowed, DRAWN)
        asked = await ask(home, replace(NEED, id="another"))
        now = datetime.now(UTC)
        letter = ReceivedLetter(
            peer_id=PeerId(1),
            id=str(uuid4()),
            written_at=now,
            received_at=now,
            body={"en": "We meet on Tuesday at the school.", "fr": "Réunion mardi soir à l’école."},
        )
        async with store.writing() as connection:
            await add(connection, letter)
        role = Role(str(home.url), {"X-Remote-User-Id": user}, unlinked=[NOWHERE])
        if user == ADMIN:
            role.routes = [route for route in household_routes.LOOKS if route != FILES]
            address = f"{home.url}permissions/{asked}"
            role.answers = [partial(sent, address=address, form=f"preview/{asked}", ticks="series")]
        yield role
    await store.close()


@asynccontextmanager
async def guest(folder: Path) -> AsyncIterator[Role]:
    async with household(folder, GUEST) as role:
        yield role


@asynccontextmanager
async def files(folder: Path) -> AsyncIterator[Role]:
    """A home whose data come from files: one is kept, another shown."""
    first, another = datetime(2026, 5, 1, tzinfo=UTC), folder / "another.csv"
    another.write_bytes(load_curve(datetime(2026, 6, 1, tzinfo=UTC), [400, None, *48 * 40 * [600]]))
    async with AsyncExitStack() as stack:
        store = await Store.open(folder / "node.db")
        stack.push_async_callback(store.close)
        home = await stack.enter_async_context(running_on_files(store))
        shown = await home.upload(load_curve(first, 48 * [500]))
        await home.browser().send(shown, "files/keep")
        role = Role(str(home.url), {"X-Remote-User-Id": ADMIN}, routes=[FILES])
        role.answers = [partial(brought, address=f"{home.url}files", file=another)]
        yield role


ROLES: Final = {
    "public": public,
    "administration": administration,
    "household": household,
    "guest": guest,
    "files": files,
}


async def sent(page: Page, *, address: str, form: str, ticks: str = "", title: str = "") -> None:
    """Send a form of a page, with the first of some boxes ticked, or another title."""
    await page.goto(address)
    if title:
        await page.locator("input[name=title_en]").fill(title)
    if ticks:
        await page.locator(f"input[name={ticks}]:enabled").first.check()
    was = await page.locator("main").inner_text()
    async with page.expect_response(lambda answer: answer.url.endswith(form)) as answers:
        await page.locator(f"form[action$='{form}'] button[type=submit]").first.click()
    await expect(page.locator("main")).not_to_have_text(was, use_inner_text=True)
    assert (await answers.value).ok, await page.locator("main").inner_text()


async def brought(page: Page, *, address: str, file: Path) -> None:
    """Choose a file on its page, which shows what is in it."""
    await page.goto(address)
    await page.locator("input[type=file]").set_input_files(file)
    async with page.expect_response(lambda answer: answer.request.method == "POST") as answers:
        await page.locator("form[enctype] button[type=submit]").click()
    await expect(page.locator("form[action$='files/keep']")).to_be_visible()
    assert (await answers.value).ok


def looks_at(place: int, *, is_unlinked: bool = False) -> Sequence[tuple[int, str, Language]]:
    """Return the ways in which a page is opened: all in the full run, else one."""
    if FULL:
        return LOOKS
    return ENDS if is_unlinked else [LOOKS[STRIDE * place % len(LOOKS)]]


def kind_of(url: str) -> tuple[str, ...]:
    """Return what an address has in common with those of other months, members and so on."""
    parts = urlsplit(url)
    segments = parts.path.strip("/").split("/")
    kind = [
        "…" if re.search(r"\d", segment) or (place and segments[place - 1] in NAMED) else segment
        for place, segment in enumerate(segments)
    ]
    return (*kind, *sorted(pair.partition("=")[0] for pair in parts.query.split("&")))


async def links(page: Page, root: str) -> list[str]:
    """Return the addresses of further pages of the role."""
    hrefs = await page.locator("a[href]:not([download])").evaluate_all(
        "all => all.map((link) => link.getAttribute('href'))"
    )
    urls = [urljoin(page.url, href).partition("#")[0] for href in hrefs]
    return [
        url
        for url in urls
        if url.startswith(root) and "language=" not in url and "." not in url.rpartition("/")[2]
    ]


def missing(routes: Iterable[str], urls: Iterable[str]) -> list[str]:
    """Return the routes of pages that none of these addresses is of."""
    paths = {urlsplit(url).path for url in urls}
    missed = []
    for route in routes:
        info = web.UrlDispatcher().add_resource(route).get_info()
        pattern = info.get("pattern", re.compile(re.escape(info.get("path", ""))))
        if not any(pattern.fullmatch(path) for path in paths):
            missed.append(route)
    return missed


async def opened(browser: Browser, role: Role, language: Language) -> Page:
    options: dict[str, Any] = {"extra_http_headers": dict(role.headers)} if role.headers else {}
    context: BrowserContext = await person(browser, role.start, language, **options)
    page = await context.new_page()
    if role.logs_in is not None:
        await role.logs_in(page)
    return page


def size_of(url: str, body: bytes) -> int:
    """Return how many bytes are sent: all is compressed but the forms of an administration."""
    return len(body if "/administration" in url else gzip.compress(body))


@dataclass
class Findings:
    """What is wrong on the pages of a role."""

    barriers: list[object] = field(default_factory=list)
    strangers: list[object] = field(default_factory=list)
    """Text in another language, or parted from its marks."""
    cut: list[object] = field(default_factory=list)
    lost: list[object] = field(default_factory=list)

    async def look(
        self, pages: Mapping[Language, Page], looks: Iterable[tuple[int, str, Language]]
    ) -> None:
        """Look at a page that is open in each language."""
        for language, page in pages.items():
            pieces = await texts(page)
            badly = badly_set(pieces) if language == "fr" else []
            self.strangers += [(page.url, text) for text in (*strangers(pieces, language), *badly)]
            self.cut += [(page.url, language, table) for table in await cut_tables(page)]
            self.lost += [(page.url, language, loss) for loss in await lost_on_paper(page)]
        for width, medium, language in looks:
            page = pages[language]
            await page.set_viewport_size({"width": width, "height": HEIGHT})
            if medium == "print":
                await page.emulate_media(media="print")
            else:
                await page.emulate_media(media="screen", color_scheme=medium)  # type: ignore[arg-type]
            barriers = await violations(page)
            self.barriers += [(page.url, width, medium, language, node) for node in barriers]
            await page.emulate_media(media="screen")


async def test_every_page_is_accessible_whole_and_in_one_language(
    browser: Browser, role: Role
) -> None:
    pages = {language: await opened(browser, role, language) for language in LANGUAGES}
    unlinked = [f"{role.start}{path}" for path in role.unlinked]
    urls = [role.start, *unlinked]
    # A picture has the address of a page, and an ending.
    kinds = {kind_of(url) for url in urls if not url.endswith(".svg")}
    several = [url for url in unlinked if url.endswith((*SHOWN, NOWHERE))]
    findings = Findings()
    for place, url in enumerate(urls):
        for page in pages.values():
            answer = await page.goto(url)
            assert answer is not None
            assert answer.status == (404 if url.endswith(NOWHERE) else 200), url
            if SHOWN_BY_A_BROWSER.match(answer.headers["content-type"]) is None:
                break
        else:
            await findings.look(pages, looks_at(place, is_unlinked=url in several))
            for link in await links(pages["en"], role.start):
                if kind_of(link) not in kinds and len(urls) < MOST_PAGES:
                    kinds.add(kind_of(link))
                    urls.append(link)
    for open_answer in role.answers:
        for page in pages.values():
            await open_answer(page)
        await findings.look(pages, looks_at(0, is_unlinked=True))
    print(len(urls), "pages")
    assert missing(role.routes, urls) == []
    assert findings == Findings()
    assert 5 < len(urls) < MOST_PAGES


async def test_the_first_page_is_light(browser: Browser, role: Role) -> None:
    """As it is sent by what stands in front, Home Assistant or the proxy of deploy/."""
    entered = await opened(browser, role, "fr")
    storage = await entered.context.storage_state()
    headers = {"extra_http_headers": dict(role.headers)} if role.headers else {}
    context = await person(browser, role.start, "fr", storage_state=storage, **headers)
    page = await context.new_page()
    answers: dict[str, Response] = {}
    page.on("response", lambda answer: answers.update({answer.url: answer}))
    await page.goto(role.start)
    await page.wait_for_load_state("networkidle")
    sizes = [size_of(url, await answer.body()) for url, answer in answers.items()]
    assert len(sizes) > 3
    assert sum(sizes) <= FIRST_LOAD_BYTES
