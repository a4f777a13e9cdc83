"""`script/demo --small --json`: the municipality publishes what its homes and schools have.

Administrators, the public and the school see it in a browser, in both languages. Leaves pictures
in `.artifacts/demo-admin/`. `script/test tests/e2e/demo/test_demo_collective.py --whole-demo`
looks at the demo as it is without `--small`.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
import csv
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from io import BytesIO
import json
import math
from pathlib import Path
import re
import shutil
import signal
import ssl
import time
from typing import Any, Final
from zoneinfo import ZoneInfo

import aiohttp
from PIL import Image
from playwright.async_api import Browser, Locator, Page, StorageState, expect
import pytest
import pytest_asyncio

from consometers_node.series import Direction, Range
from consometers_quoalise import iso8601
from demo.browser import CHROMIUM, Visitor, person
from demo.hass import Language
from demo.hass.api import Period
from demo.servers.program import clock_behind
from demo.street.plan import COMMUNE, HOUR_S, Home, Plan
from demo.street.source import Building, Recording
from testing.pages import demo_crawl
from testing.pages.crawl import Crawl, Figure, shown
from testing.programs import looks
from testing.programs.demo import Demo, DemoPlace, Records, counted, name_of, owner
from testing.programs.looks import LOOKS, Look, badly_set, faults_of, open_page, texts
from testing.waiting import becomes, eventually
from testing.xmpp.plain_peer import GET_HISTORY, SENML, PlainPeer

pytestmark = [
    pytest.mark.skipif(not shutil.which("prosody"), reason="script/setup gets Prosody"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="script/setup gets Chromium"),
    pytest.mark.timeout(1800),
]

HOUR: Final = timedelta(hours=1)
DAYS: Final = 14
SCHOOLS: Final = 2
MINIMUM: Final = 10
"""Homes that a figure takes."""
UNTIL: Final = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - 24 * HOUR
"""Older than a day, all are waited for; of the last day, who is late may be left out."""
SINCE: Final = UNTIL - timedelta(days=DAYS)
TESTED: Final = Range(SINCE, UNTIL)
WHOLE_DAYS: Final = 15
"""Of a month that a home has, to be counted in its quartiles."""
SETTLED: Final = timedelta(hours=12)
"""How long a collective waits for days that come late."""
PERIODS: Final[Mapping[str, Period]] = {"PT1H": "hour", "P1D": "day", "P1M": "month"}
"""Home Assistant's, by the interval of the open data."""
WITHIN_S: Final = 600
"""A quiet machine needs a tenth of it."""
SITE: Final = "École de Kersabiec"
WORDS: Final[Mapping[Language, tuple[str, str]]] = {
    "en": ("We use", "Our panels produce"),
    "fr": ("Nous utilisons", "Nos panneaux produisent"),
}
NIGHT: Final[Mapping[Language, str]] = {
    "en": "No sun on our panels",
    "fr": "Pas de soleil sur nos panneaux",
}
LANGUAGES: Final[tuple[Language, ...]] = ("en", "fr")
ZONE: Final = ZoneInfo("Europe/Paris")
PICTURES: Final = Path(".artifacts/demo-admin")
LISTED: Final = 50
"""Of members, on each page of their list."""
YEAR: Final = 365
WEEKS_DAYS: Final = 84
NAMES: Final = {
    Direction.CONSUMPTION: "drawn",
    Direction.INJECTION: "fed",
    Direction.PRODUCTION: "made",
}
"""Of energies, in the rows of a page."""
OF_ROWS: Final = """(rows, name) => rows.filter((row) => name in row.dataset)
  .map((row) => [row.querySelector("th").textContent, row.dataset[name]])"""
FRAME: Final = (390, 693)
"""A phone's, as high for its width as a wall that stands upright."""
WALL: Final = (1080, 1920)
GAP: Final = 24
COLOURS: Final = 256
GRAPHS: Final = 4
"""At least, on each page of the dashboard: of the school, its panels, its part of Kermelo's, its
cooperative.
"""


@pytest_asyncio.fixture(scope="module")
async def demo(
    pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Demo]:
    size = () if pytestconfig.getoption("whole_demo") else ("--small",)
    demo = Demo(tmp_path_factory.mktemp("demo"), *size)
    await opened(demo)
    yield demo
    if demo.is_open:
        await demo.end(signal.SIGTERM)


@pytest.fixture(scope="module")
def people(demo: Demo, chromium: Browser) -> People:
    return People(chromium, demo)


async def test_a_collective_sums_its_homes_and_schools(demo: Demo) -> None:
    """Those of all communes in the cooperative, those of its own in the municipality."""
    addresses = demo.addresses
    asked = addresses["series"][0]["identifier"]
    school = (await read(addresses, "observer", addresses["node"]["jid"], asked))[asked]
    for collective in ("municipality", "cooperative"):
        homes = summed_homes(demo, collective)
        members = len(homes) + 1
        expected: dict[datetime, tuple[float, float | None]] = {
            at: (wh, members) for at, wh in summed(addresses, school, homes).items()
        }
        assert len(expected) == round((UNTIL - SINCE) / HOUR)

        async def actual(name: str = collective) -> dict[datetime, tuple[float, float | None]]:
            wh, counts = await sums(demo, name)
            return {at: (value, counts.get(at)) for at, value in wh.items()}

        await becomes(actual, expected, within_s=WITHIN_S)


@pytest.mark.skipif(not clock_behind(HOUR), reason="homes have allowed nothing an hour ago")
async def test_the_witness_opens_sums_that_include_masked_homes(
    demo: Demo,
) -> None:
    """Hours since they allowed it are the sum of what all have, them too, to the Wh."""
    addresses = demo.addresses
    asked = addresses["series"][0]["identifier"]
    until = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - HOUR
    last_hours = Range(until - 3 * HOUR, until)
    homes = [
        home
        for home in Plan.read(Path(addresses["homes"]["plan"])).homes
        if not home.forgets_its_key
    ]

    async def opened() -> tuple[Records, Records]:
        wh, members = await sums(demo, "cooperative", last_hours)
        # The reports of one are invalid.
        whole = {at for at, count in members.items() if count == everybody(demo) - 1}
        school = (await read(addresses, "observer", addresses["node"]["jid"], asked, last_hours))[
            asked
        ]
        truth = summed(addresses, school, homes, last_hours)
        return {at: wh[at] for at in whole}, {at: truth[at] for at in whole if at in truth}

    await eventually(opened, lambda both: both[0] == both[1] != {}, within_s=WITHIN_S)
    protected = addresses["protected_sums"]
    tls = ssl.create_default_context(cafile=protected["ca_file"])
    async with (
        aiohttp.ClientSession() as session,
        session.get(protected["witness"], ssl=tls, headers={"Accept-Language": "en"}) as answer,
    ):
        page = await answer.text()
    enrolled, *_ = map(int, re.findall(r"<dd>(\d+)</dd>", page))
    assert enrolled == protected["homes"]
    # How many it opened is shown from the minimum on.
    assert "Last opening" in page


async def test_open_data_of_a_site_match_its_home_assistant(demo: Demo) -> None:
    """Its open data are hour by hour what its meters and its inverter counted, in Wh."""
    addresses = demo.addresses
    for series in addresses["series"]:
        hours = await counted(addresses, series["statistic"], SINCE, UNTIL)
        assert len(hours) == round((UNTIL - SINCE) / HOUR)

        async def published(direction: str = series["direction"]) -> Records:
            return await open_data(addresses, SITE, direction)

        def is_counted(records: Records, expected: Records = hours) -> bool:
            return records == expected

        await eventually(published, is_counted, within_s=WITHIN_S)


async def test_the_page_of_the_school_shows_consumption_and_production(
    browser: Browser,
    demo: Demo,
) -> None:
    cooperative = demo.addresses["cooperative"]
    assert set(cooperative["sites"]) == {SITE, "École de Kermelo"}
    for language, (drawn, made) in WORDS.items():
        person_there = await person(browser, cooperative["page"], language)
        page = await person_there.new_page()
        await page.goto(cooperative["sites"][SITE])
        await expect(page.locator("h1")).to_have_text(SITE)
        # At night the page says in a sentence that nothing is produced.
        for words in (drawn, re.compile(f"{made}|{NIGHT[language]}")):
            await expect(page.get_by_text(words).first).to_be_visible()
        # Twelve homes hold shares of its panels: as many as are counted in public.
        plant = page.locator("section[aria-labelledby=plant]")
        counts = plant.get_by_role("definition")
        for n, count in enumerate(("720", "12")):
            await expect(counts.nth(n)).to_have_text(re.compile(rf"^{count}(?!\d)"))
        for other in (
            cooperative["hall"],
            cooperative["data"],
            cooperative["challenge"],
            demo.addresses["municipality"]["page"],
        ):
            answer = await page.goto(other)
            assert answer is not None
            assert answer.ok


@pytest.mark.full
@pytest.mark.parametrize("language", LANGUAGES)
async def test_administrators_see_masked_homes_and_export_the_records_of_a_school(
    demo: Demo, people: People, language: Language
) -> None:
    addresses = demo.addresses
    jid = addresses["node"]["jid"].partition("/")[0]
    allowed, complete, masked = {
        "en": ("allowed", "{0} of {0} days complete", "In protected sums alone"),
        "fr": ("autorisée", "{0} jours sur {0} complet", "Seulement en sommes protégées"),
    }[language]
    async with people.administering(Look(language, "light", "desk")) as office:
        page = office.page
        pages = range(math.ceil(everybody(demo) / LISTED))
        lines = [line for n in pages for line in await office.rows(f"members?page={n + 1}")]
        assert len(lines) == everybody(demo)
        assert sum(masked in line for line in lines) == addresses["protected_sums"]["homes"]

        async def invalid() -> int:
            return len(await office.rows("members?show=invalid"))

        await eventually(invalid, (1).__eq__, within_s=WITHIN_S)
        await office.go("members?show=sites")
        sites = await page.locator("table.people th[scope=row]").all_inner_texts()
        assert set(sites) == set(addresses["cooperative"]["sites"])
        await page.get_by_role("link", name=SITE).click()
        await expect(page.locator("h1")).to_have_text(SITE)
        await expect(page.locator("dl.facts").first).to_contain_text(jid)
        await expect(page.locator("article .state")).to_have_text([allowed] * 2)
        held = json.loads(await office.download("export.json"))
        assert (held["member"]["jid"], held["member"]["name"]) == (jid, SITE)
        (given,) = (
            granted for granted in held["member_permission"] if granted["need"] == "members"
        )
        since, allowed_at = (
            datetime.fromisoformat(given[start]) for start in ("records_from", "valid_from")
        )
        assert allowed_at - since == timedelta(days=addresses["homes"]["days"])

        async def ways() -> list[str]:
            await page.reload()
            paragraphs = page.locator("section[aria-labelledby=year] > p.small")
            return [" ".join(words.split()) for words in await paragraphs.all_inner_texts()]

        def are_complete(paragraphs: list[str]) -> bool:
            days = (datetime.now(ZONE).date() - since.astimezone(ZONE).date()).days - 1
            return paragraphs == [complete.format(min(days, YEAR))] * len(addresses["series"])

        # Right after midnight the last hour of a day is still to come.
        await eventually(ways, are_complete, within_s=WITHIN_S)
        await expect(page.locator("section[aria-labelledby=series] tbody tr")).to_have_count(
            len(addresses["series"])
        )
        await office.photograph("school")

        taken = list(csv.DictReader((await office.download("export.csv")).splitlines()))
        for series in addresses["series"]:
            records = {
                datetime.fromisoformat(row["time"]): float(row["value"])
                for row in taken
                if row["direction"] == series["direction"]
            }
            hours = await counted(addresses, series["statistic"], SINCE, UNTIL)
            assert {at: wh for at, wh in records.items() if SINCE <= at < UNTIL} == hours

        await office.go("log")
        lines = await page.locator("tbody tr").all_inner_texts()
        assert [SITE in line for line in lines[:3]] == [True] * 3, lines
        await office.photograph("log")
    async with people.administering(Look(language, "light", "desk"), "municipality") as office:
        assert len(await office.rows("members")) == 1


@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_public_pages_show_the_sums_by_day_and_by_night(
    demo: Demo, people: People, look: Look
) -> None:
    """A day of the month is the sum of the hours that the reader received."""
    count = demo.addresses["homes"]["count"]
    # Since they allowed it, those that nobody reads are among them, with the one whose reports are
    # invalid: it is expected, and in no sum.
    counts = count, count + demo.addresses["protected_sums"]["homes"]
    words = {"en": " of {} homes", "fr": " foyers sur {}"}[look.language]
    day = UNTIL.date() - timedelta(days=2)
    midnights = [
        datetime(date.year, date.month, date.day, tzinfo=ZONE) for date in (day, day + timedelta(1))
    ]
    wh, members = await sums(demo, "cooperative")
    drawn = sum(value for at, value in wh.items() if midnights[0] <= at < midnights[1])
    url = demo.addresses["cooperative"]["page"]
    async with people.looking(url, look) as page:
        await page.wait_for_load_state("networkidle")

        async def reporting() -> int:
            await page.reload()
            figures = await page.locator("dl.figures dd").all_inner_texts()
            ways = [words.format(n) for n in counts]
            shown = [each for each in figures if any(way in each for way in ways)]
            return int(shown[0].split()[0]) if shown else 0

        # An hour that is over is published once enough have responded, and stays as it is.
        await eventually(
            reporting,
            lambda homes_counted: MINIMUM <= homes_counted < max(counts),
            within_s=WITHIN_S,
        )
        await page.wait_for_load_state("networkidle")
        await photograph(page, look, "public")
        await page.goto(f"{url}/month/{day:%Y-%m}")
        await page.wait_for_load_state("networkidle")
        # A month begins with the first day with records. French days begin with « 1er ».
        row = page.locator("tbody tr").filter(
            has=page.locator("th", has_text=re.compile(rf"\b{day.day}(er)?$"))
        )
        assert await row.get_attribute("data-drawn") == str(round(drawn))
        assert await row.get_attribute("data-members") == str(round(max(members.values())))
        await photograph(page, look, "month")


async def test_the_school_has_the_sums_of_its_cooperative_in_home_assistant(demo: Demo) -> None:
    """It has the reader's hours, and shows the last of them beside the school's own month."""
    wh, _ = await sums(demo, "cooperative")

    async def stored() -> Records:
        return {at: value for at, value in (await of_collective(demo)).items() if at in wh}

    await eventually(stored, wh.__eq__, within_s=WITHIN_S)
    async with owner(demo.addresses) as api:
        ids = await api.entity_ids(demo.addresses["node"]["entry_id"])

        async def shown(key: str) -> float | None:
            entity_id = ids.get(f"collective_{key}")
            state = "unknown" if entity_id is None else (await api.state(entity_id))["state"]
            return None if state == "unknown" else float(state)

        assert 0 < (await shown("members") or 0) <= everybody(demo)
        mine, median, difference = [
            await shown(f"month_{key}") for key in ("mine", "median", "difference")
        ]
        assert mine is not None or not has_a_month(demo)
        # A public building is no home, and not compared with homes.
        assert (median, difference) == (None, None)
        devices = await api.command("config/device_registry/list")
        pages = {f"{api.url}/config/devices/device/{device['id']}" for device in devices}
    assert pages >= {demo.addresses[each]["device_page"] for each in ("cooperative", "node")}


@pytest.mark.full
@pytest.mark.parametrize("direction", Direction)
async def test_page_open_data_and_home_assistant_show_the_same_figures(
    demo: Demo, people: People, direction: Direction
) -> None:
    """Of each hour, day and month that is over: a year of the whole demo, or what there is."""
    until = UNTIL.date()
    # Of the first hour of all, Home Assistant has no sum before it.
    days = min(YEAR, demo.addresses["homes"]["days"] - 3)
    since = until - timedelta(days=days)
    hours = await published(demo, direction, "PT1H", since, until)
    of_days = await published(demo, direction, "P1D", since, until)
    assert len(of_days) == days

    async def stored() -> Records:
        records = await of_collective(demo, direction, midnight(since), midnight(until))
        return {at: wh for at, wh in records.items() if at in hours}

    expected = {at: wh for at, wh in hours.items() if wh is not None}
    await becomes(stored, expected, within_s=WITHIN_S)
    sums: dict[date, float] = {}
    for at, wh in expected.items():
        day = at.astimezone(ZONE).date()
        sums[day] = sums.get(day, 0) + wh
    assert sums == {at.astimezone(ZONE).date(): wh for at, wh in of_days.items() if wh is not None}
    pages: dict[date, float] = {}
    async with people.looking(demo.addresses["cooperative"]["page"], LOOKS[0]) as page:
        for month in sorted({day.replace(day=1) for day in sums}):
            await page.goto(f"{demo.addresses['cooperative']['page']}/month/{month:%Y-%m}")
            rows = page.locator(".flows tbody tr")
            for day, wh in await rows.evaluate_all(OF_ROWS, NAMES[direction]):
                pages[month.replace(day=int(re.findall(r"\d+", day)[-1]))] = float(wh)
    assert {day: wh for day, wh in pages.items() if since <= day < until} == sums
    assert sums or not panels_are_shown(demo)


@pytest.mark.full
@pytest.mark.timeout(5400)
async def test_each_figure_of_each_day_month_and_year_has_one_value(demo: Demo) -> None:
    """On pages, in JSON, in CSV, and in Home Assistant: of all members, communes and sites.

    All open data, all pages of months and years, and as many of days as `demo_crawl` has time for.
    """
    start = time.monotonic()
    last = UNTIL.date() - timedelta(days=1)

    async def see_imported(crawl: Crawl) -> None:
        await see_statistics(demo, crawl, last)

    total = await demo_crawl.read_all(demo.addresses["cooperative"]["page"], last, see_imported)
    print(
        f"{total.facts} facts of {total.groups} groups, {total.day_pages} pages of days,"
        f" {time.monotonic() - start:.0f} s: {dict(total.sources)}"
    )
    assert not total.contradictions, shown(total.contradictions)
    assert total.sources.keys() == demo_crawl.SOURCES
    assert total.groups > SCHOOLS
    assert total.day_pages >= DAYS


@pytest.mark.full
@pytest.mark.parametrize("language", LANGUAGES)
async def test_pictures_lead_from_an_invitation_to_the_hall(
    demo: Demo, people: People, pictures: Path, language: Language
) -> None:
    """Five pictures in a row: what a household has in its hands, on its phone and on a wall."""
    addresses = demo.addresses
    look = Look(language, "light", "phone")
    frames = []
    async with people.administering(look) as office:
        await office.go("invitations/new")
        await office.page.locator("main button.primary").click()
        async with office.page.expect_popup() as sheet:
            await office.page.locator("form[action$=sheets] button.primary").click()
        printed = await sheet.value
        await printed.wait_for_load_state()
        assert (await printed.pdf()).count(b"/Type /Page\n") == 1
        frames.append(await framed(printed))
    async with people.at_school(look) as visitor:
        page = visitor.page
        await page.goto(addresses["node"]["page"])
        node = page.frame_locator("iframe")
        of_all = node.locator("main section").filter(has_text=addresses["cooperative"]["name"])
        await of_all.first.scroll_into_view_if_needed()
        shared = await framed(page, of_all.first)
        request = of_all.first.locator("a[href*='permissions/']").last
        title = await request.inner_text()
        await request.click()
        await expect(node.locator("h1")).to_have_text(title)
        frames += [await framed(page), shared]
        await shows_graphs(visitor, f"{addresses['dashboard_page']}/now")
        frames.append(await framed(page))
    async with people.looking(f"{addresses['cooperative']['sites'][SITE]}/hall", look) as page:
        await page.set_viewport_size({"width": WALL[0], "height": WALL[1]})
        await page.reload()
        await page.wait_for_load_state("networkidle")
        frames.append(await framed(page, size=WALL))
    save_strip(frames, pictures / f"story.{language}.png")


@pytest.mark.full
async def test_the_demo_ends_without_a_process_and_reopens_with_its_sums(demo: Demo) -> None:
    before = {
        collective: await sums(demo, collective) for collective in ("cooperative", "municipality")
    }
    started = demo.processes
    assert {"demo.hass", "consometers_node", "prosody"} <= set(map(name_of, started))
    assert await demo.end(signal.SIGTERM) == 0
    assert not any(map(name_of, started))

    await opened(demo)
    assert {
        collective: await sums(demo, collective) for collective in ("cooperative", "municipality")
    } == before


def everybody(demo: Demo) -> int:
    """How many members the cooperative has."""
    addresses = demo.addresses
    return int(addresses["homes"]["count"] + addresses["protected_sums"]["homes"]) + SCHOOLS


def has_a_month(demo: Demo) -> bool:
    """Return whether homes have enough whole, settled days of last month."""
    now = datetime.now(ZONE)
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    whole_since = (now - timedelta(days=demo.addresses["homes"]["days"] - 1)).date()
    return (first.date() - whole_since).days >= WHOLE_DAYS and now - first > SETTLED


def panels_are_shown(demo: Demo) -> bool:
    """Return whether enough homes have panels for the public to see what these make."""
    homes = Plan.read(Path(demo.addresses["homes"]["plan"])).homes
    return sum(home.site == "household" and home.kwp > 0 for home in homes) >= MINIMUM


@dataclass(frozen=True)
class Office:
    """The administration of a collective, as one person has it open."""

    page: Page
    look: Look
    root: str

    async def go(self, path: str) -> None:
        answer = await self.page.goto(f"{self.root}{path}")
        assert answer is not None
        assert answer.ok, path

    async def rows(self, path: str) -> list[str]:
        """Read the lines of a table of people."""
        await self.go(path)
        return await self.page.locator("table.people tbody tr").all_inner_texts()

    async def download(self, ending: str) -> str:
        """Take along what a link of the page gives."""
        async with self.page.expect_download() as downloaded:
            await self.page.locator(f"a[href$='{ending}']").click()
        return Path(await (await downloaded.value).path()).read_text()

    async def photograph(self, name: str) -> None:
        await photograph(self.page, self.look, name)


class People:
    """Who looks at the demo in a browser, which complains of nothing meanwhile."""

    def __init__(self, browser: Browser, demo: Demo) -> None:
        self._browser = browser
        self._demo = demo
        self._known: dict[str, StorageState] = {}
        """Who has logged in to which administration."""

    @asynccontextmanager
    async def looking(self, url: str, look: Look, **options: Any) -> AsyncIterator[Page]:
        """Open a page, and see all that it loads."""
        page = await open_page(self._browser, url, look, **options)
        async with page.context:
            faults = faults_of(page)
            await page.goto(url)
            await page.wait_for_load_state("networkidle")
            yield page
            assert not faults, faults

    @asynccontextmanager
    async def administering(
        self, look: Look, collective: str = "cooperative"
    ) -> AsyncIterator[Office]:
        """Log in to a collective's administration with the printed credentials."""
        entry = self._demo.addresses[collective]["administration"]
        storage = self._known.get(collective)
        async with self.looking(entry["page"], look, storage_state=storage) as page:
            if storage is None:
                await page.locator("input[name=name]").fill(entry["username"])
                await page.locator("input[type=password]").fill(entry["password"])
                await page.locator("main button[type=submit]").click()
            await expect(page.locator("input[type=password]")).to_have_count(0)
            self._known[collective] = await page.context.storage_state()
            yield Office(page, look, entry["page"])

    @asynccontextmanager
    async def at_school(self, look: Look) -> AsyncIterator[Visitor]:
        """Log in to the school's Home Assistant."""
        page = await open_page(self._browser, self._demo.addresses["url"], look)
        async with page.context:
            yield await Visitor(page).log_in()


async def photograph(page: Page, look: Look, name: str) -> None:
    """Leave a picture of a page, which sets French as French is set."""
    if look.language == "fr":
        assert not badly_set(await texts(page)), name
    await looks.photograph(page, PICTURES / f"{name}.{look}.png")


async def shows_graphs(visitor: Visitor, url: str) -> None:
    """Wait until all graphs of a dashboard are drawn. A balance takes minutes to bring its past."""
    cards = visitor.page.locator("hui-statistics-graph-card")

    async def graphs() -> tuple[int, int]:
        await visitor.page.goto(url)
        await visitor.shows("hui-sections-view hui-heading-card")
        drawn = cards.filter(has=visitor.page.locator("canvas"))
        return await drawn.count(), await cards.count()

    await eventually(graphs, lambda n: n[0] == n[1] >= GRAPHS, within_s=WITHIN_S)


async def framed(
    page: Page, above: Locator | None = None, *, size: tuple[int, int] = FRAME
) -> bytes:
    """Photograph a page in one size, from an element on."""
    width, height = size
    await page.set_viewport_size({"width": width, "height": height})
    if above is not None:
        await above.evaluate("element => element.scrollIntoView()")
    await page.evaluate("document.fonts.ready.then(() => true)")
    # Home Assistant's own, while one of its pages loads.
    await expect(page.locator("ha-spinner:visible")).to_have_count(0)
    return await page.screenshot(animations="disabled")


def save_strip(frames: Sequence[bytes], path: Path) -> None:
    """Put pictures in a row, as on a film."""
    width, height = FRAME
    strip = Image.new("RGB", (len(frames) * (width + GAP) - GAP, height), "white")
    for place, frame in enumerate(frames):
        with Image.open(BytesIO(frame)) as picture:
            strip.paste(picture.convert("RGB").resize(FRAME), (place * (width + GAP), 0))
    path.parent.mkdir(parents=True, exist_ok=True)
    strip.quantize(COLOURS).save(path, optimize=True)


async def opened(demo: Demo) -> None:
    """Open it, and say how long that took."""
    start = time.monotonic()
    await demo.open()
    print(f"script/demo --small was up after {time.monotonic() - start:.0f} s")


async def of_collective(
    demo: Demo,
    direction: Direction = Direction.CONSUMPTION,
    since: datetime = SINCE,
    until: datetime = UNTIL,
    period: Period = "hour",
) -> Records:
    """What Home Assistant has of the hours of the cooperative, in Wh; or of days or months."""
    async with owner(demo.addresses) as api:
        names = [
            row["statistic_id"]
            for row in await api.command("recorder/list_statistic_ids")
            if row["source"] == "consometers" and row["statistic_id"].endswith(f"_{direction}")
        ]
    return await counted(demo.addresses, names[0], since, until, period) if names else {}


async def see_statistics(demo: Demo, crawl: Crawl, last: date) -> None:
    """Note what Home Assistant has of all members, up to a day, once it has each published hour."""
    hours, end = crawl.points["all", "PT1H"], midnight(last + timedelta(days=1))
    for direction in Direction:
        names = sorted(
            datetime.fromisoformat(start)
            for start, figures in hours.items()
            if direction in figures and figures[direction]["value"] is not None
        )
        if not names:
            continue
        read = partial(of_collective, demo, direction, names[0], end)
        # Of the first hour of all, Home Assistant has no sum before it.
        are_there = {*names[1:]}.issubset
        await eventually(read, are_there, within_s=WITHIN_S)
        for interval, period in PERIODS.items():
            for at, wh in (await read(period)).items():
                figure = Figure("all", interval, iso8601.shown(at.astimezone(ZONE)), direction)
                # Of a month that goes on there is nothing yet.
                if figure.start in crawl.points["all", interval]:
                    crawl.see(figure, "Home Assistant", wh)


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZONE)


async def published(
    demo: Demo, direction: Direction, interval: str, since: date, until: date
) -> dict[datetime, float | None]:
    """Ask for the open data of all members, some weeks at a time."""
    place = f"{demo.addresses['cooperative']['data']}/{direction}/by/all/{interval}"
    values: dict[datetime, float | None] = {}
    async with aiohttp.ClientSession() as session:
        while since < until:
            last = min(until, since + timedelta(days=WEEKS_DAYS)) - timedelta(days=1)
            async with session.get(f"{place}/from/{since}/to/{last}") as answer:
                assert answer.ok, await answer.text()
                for value in (await answer.json())["values"]:
                    start = datetime.fromisoformat(value["start"]).astimezone(UTC)
                    values[start] = value["value"]
            since = last + timedelta(days=1)
    return values


async def open_data(addresses: Any, site: str, direction: str) -> Records:
    """Ask for what a site is known to have, as anybody may."""
    cooperative = addresses["cooperative"]
    name = cooperative["sites"][site].rpartition("/")[2]
    days = f"from/{SINCE.date() - timedelta(days=1)}/to/{UNTIL.date()}"
    place = f"{cooperative['data']}/{direction}/by/{name}/PT1H/{days}"
    async with aiohttp.ClientSession() as session, session.get(place) as answer:
        assert answer.ok, await answer.text()
        values = (await answer.json())["values"]
    records = {datetime.fromisoformat(value["start"]): value["value"] for value in values}
    return {start: value for start, value in records.items() if SINCE <= start < UNTIL}


async def sums(demo: Demo, collective: str, within: Range = TESTED) -> tuple[Records, Records]:
    """Return the sums that a collective answers to the reader, and their member counts."""
    of_all = demo.addresses[collective]
    (name,) = (
        series["identifier"]
        for series in of_all["series"]
        if series["identifier"].endswith("_consumption/power/active/raw")
    )
    records = await read(demo.addresses, "reader", of_all["jid"], name, within)
    return records.get(name, {}), records.get(f"{name}/members", {})


async def read(
    addresses: Any,
    who: str,
    jid: str,
    identifier: str,
    within: Range = TESTED,
) -> Mapping[str, Records]:
    """Ask as any client does, with nothing of ours; give what comes by its names."""
    account = addresses[who]
    place = account if "port" in account else addresses["xmpp"]
    at = DemoPlace(place["port"], Path(place["ca_file"]))
    asked = GET_HISTORY.format(
        identifier=identifier, start=within.start.isoformat(), end=within.end.isoformat()
    )
    async with PlainPeer(at, account["jid"], account["password"], priority=-1) as plain:
        answer = await plain.ask(jid, asked)
    records_by_name: dict[str, dict[datetime, float]] = {}
    name, begin = "", 0.0
    for record in answer.iter(SENML):
        # What is based on a name or a time stays so until there is another (RFC 8428).
        name, begin = record.get("bn", name), float(record.get("bt", begin))
        start = datetime.fromtimestamp(begin + float(record.get("t", 0)), UTC)
        records_by_name.setdefault(name, {})[start] = float(record.get("v", "nan"))
    return records_by_name


def summed_homes(demo: Demo, collective: str) -> Sequence[Home]:
    """Those that a collective reads, and Kermelo, which is a building of the same program."""
    addresses = demo.addresses["homes"]
    read = [home for home in Plan.read(Path(addresses["plan"])).homes if not home.masked]
    assert len(read) == addresses["count"] + SCHOOLS - 1
    return [home for home in read if collective == "cooperative" or home.area == COMMUNE]


def summed(
    addresses: Any, school: Records, homes: Sequence[Home], within: Range = TESTED
) -> Records:
    """What the school counted, with what homes have by the buildings that they live in."""
    first, end = (int(at.timestamp()) // HOUR_S for at in (within.start, within.end))
    total = dict(school)
    folder = Path(Plan.read(Path(addresses["homes"]["plan"])).folder)
    for home in homes:
        building = Building(home.site, home.kwp, home.seed)
        source = building if home.recording is None else Recording(folder / home.recording)
        for hour in source.hours(first, end):
            start = datetime.fromtimestamp(hour.n * HOUR_S, UTC)
            if start in total:
                total[start] += hour.drawn_wh
    return total
