"""`script/demo --small --json`: what the municipality tells is what homes and schools have."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
import shutil
import signal
import time
from typing import Any, Final

import aiohttp
from playwright.async_api import expect
import pytest
import pytest_asyncio

from demo.browser import CHROMIUM, launched, person
from demo.hass import Language
from demo.street.plan import HOUR_S, Plan
from demo.street.source import Building, Recording
from tests.e2e.test_demo import Demo, Place, Records, counted, name_of
from tests.e2e.waiting import eventually
from tests.node.xmpp.plain import GET_HISTORY, SENML, Plain

pytestmark = [
    pytest.mark.skipif(not shutil.which("prosody"), reason="script/setup gets Prosody"),
    pytest.mark.skipif(not CHROMIUM.exists(), reason="script/setup gets Chromium"),
    pytest.mark.timeout(1800),
]

HOUR: Final = timedelta(hours=1)
DAYS: Final = 14
SCHOOLS: Final = 2
UNTIL: Final = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - 24 * HOUR
"""Older than a day, all are waited for; of the last day, who is late may be left out."""
SINCE: Final = UNTIL - timedelta(days=DAYS)
WITHIN_S: Final = 600
"""A quiet machine needs a tenth of it."""
SITE: Final = "École de Kersabiec"
WORDS: Final[Mapping[Language, tuple[str, str]]] = {
    "en": ("We use", "Our panels make"),
    "fr": ("Nous utilisons", "Nos panneaux produisent"),
}


@pytest_asyncio.fixture(scope="module")
async def demo(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Demo]:
    demo = Demo(tmp_path_factory.mktemp("demo"), "--small")
    await opened(demo)
    yield demo
    if demo.is_open:
        await demo.end(signal.SIGTERM)


async def test_the_municipality_tells_the_sum_of_what_all_have(demo: Demo) -> None:
    told = demo.told
    asked = told["series"][0]["identifier"]
    school = (await read(told, "observer", told["node"]["jid"], asked))[asked]
    await agrees(demo, "municipality", summed(told, school))
    await agrees(demo, "cooperative", summed(told, school))


async def test_it_tells_of_how_many_members_each_sum_is(demo: Demo) -> None:
    count = demo.told["homes"]["count"] + SCHOOLS
    hours = round((UNTIL - SINCE) / HOUR)
    for collective in ("cooperative", "municipality"):

        async def members(of: str = collective) -> list[float]:
            return list((await sums(demo, of))[1].values())

        await eventually(members, lambda found: found == hours * [count], within_s=WITHIN_S)


async def test_a_site_is_published_as_its_home_assistant_counts(demo: Demo) -> None:
    """Its open data are hour by hour what its meters and its inverter counted, in Wh."""
    told = demo.told
    for one in told["series"]:
        hours = await counted(told, one["statistic"], SINCE, UNTIL)
        assert len(hours) == round((UNTIL - SINCE) / HOUR)

        async def published(direction: str = one["direction"]) -> Records:
            return await open_data(told, SITE, direction)

        def is_counted(found: Records, of: Records = hours) -> bool:
            return found == of

        await eventually(published, is_counted, within_s=WITHIN_S)


async def test_the_page_of_the_school_shows_what_it_draws_and_what_its_panels_make(
    demo: Demo,
) -> None:
    told = demo.told["cooperative"]
    assert set(told["sites"]) == {SITE, "École de Kermelo"}
    async with launched() as browser:
        for language, (drawn, made) in WORDS.items():
            person_there = await person(browser, told["page"], language)
            page = await person_there.new_page()
            await page.goto(told["sites"][SITE])
            await expect(page.locator("h1")).to_have_text(SITE)
            for words in (drawn, made):
                await expect(page.get_by_text(words).first).to_be_visible()
            for other in (told["hall"], told["data"], demo.told["municipality"]["page"]):
                answer = await page.goto(other)
                assert answer is not None
                assert answer.ok


async def test_the_administration_lets_in_whom_it_tells(demo: Demo) -> None:
    for collective in ("cooperative", "municipality"):
        told = demo.told[collective]["administration"]
        async with launched() as browser:
            page = await (await person(browser, told["page"], "en")).new_page()
            await page.goto(told["page"])
            await page.locator("input[name=name]").fill(told["username"])
            await page.locator("input[type=password]").fill(told["password"])
            await page.locator("button[type=submit]").first.click()
            await expect(page.locator("input[type=password]")).to_have_count(0)


async def test_ended_it_leaves_no_process_and_opened_again_it_still_tells(demo: Demo) -> None:
    before = {one: await sums(demo, one) for one in ("cooperative", "municipality")}
    started = demo.processes
    assert {"demo.hass", "consometers_node", "prosody"} <= set(map(name_of, started))
    assert await demo.end(signal.SIGTERM) == 0
    assert not any(map(name_of, started))

    await opened(demo)
    assert {one: await sums(demo, one) for one in ("cooperative", "municipality")} == before


async def opened(demo: Demo) -> None:
    """Open it, and say how long that took."""
    start = time.monotonic()
    await demo.open()
    print(f"script/demo --small was up after {time.monotonic() - start:.0f} s")


async def open_data(told: Any, site: str, direction: str) -> Records:
    """Ask for what a site is known to have, as anybody may."""
    of = told["cooperative"]
    name = of["sites"][site].rpartition("/")[2]
    days = f"from/{SINCE.date() - timedelta(days=1)}/to/{UNTIL.date()}"
    place = f"{of['data']}/{direction}/by/{name}/PT1H/{days}"
    async with aiohttp.ClientSession() as session, session.get(place) as answer:
        assert answer.ok, await answer.text()
        values = (await answer.json())["values"]
    records = {datetime.fromisoformat(one["start"]): one["value"] for one in values}
    return {start: value for start, value in records.items() if SINCE <= start < UNTIL}


async def agrees(demo: Demo, collective: str, wanted: Records) -> None:
    """Wait until a collective tells that, and nothing else. A site may come after homes."""

    async def differs() -> dict[datetime, tuple[float | None, float | None]]:
        found, _ = await sums(demo, collective)
        return {
            start: (found.get(start), wanted.get(start))
            for start in sorted(found.keys() | wanted.keys())
            if found.get(start) != wanted.get(start)
        }

    await eventually(differs, lambda left: not left, within_s=WITHIN_S)


async def sums(demo: Demo, collective: str) -> tuple[Records, Records]:
    """What a collective tells the reader of all its members, and of how many that is."""
    of_all = demo.told[collective]
    (name,) = (
        one["identifier"]
        for one in of_all["series"]
        if one["identifier"].endswith("_consumption/power/active/raw")
    )
    found = await read(demo.told, "reader", of_all["jid"], name)
    return found.get(name, {}), found.get(f"{name}/members", {})


async def read(told: Any, who: str, jid: str, identifier: str) -> Mapping[str, Records]:
    """Ask as any client does, with nothing of ours; give what comes by its names."""
    account = told[who]
    place = account if "port" in account else told["xmpp"]
    at = Place(place["port"], Path(place["ca_file"]))
    asked = GET_HISTORY.format(
        identifier=identifier, start=SINCE.isoformat(), end=UNTIL.isoformat()
    )
    async with Plain(at, account["jid"], account["password"], priority=-1) as plain:
        answer = await plain.ask(jid, asked)
    found: dict[str, dict[datetime, float]] = {}
    name, begin = "", 0.0
    for record in answer.iter(SENML):
        # What is based on a name or a time stays so until there is another (RFC 8428).
        name, begin = record.get("bn", name), float(record.get("bt", begin))
        start = datetime.fromtimestamp(begin + float(record.get("t", 0)), UTC)
        found.setdefault(name, {})[start] = float(record.get("v", "nan"))
    return found


def summed(told: Any, school: Records) -> Records:
    """What the school counted, with what the others have by the buildings that they live in."""
    first, end = (int(at.timestamp()) // HOUR_S for at in (SINCE, UNTIL))
    found = dict(school)
    plan = Plan.read(Path(told["homes"]["plan"]))
    assert len(plan.homes) == told["homes"]["count"] + 1
    for home in plan.homes:
        building = Building(home.site, home.kwp, home.seed)
        source = (
            building if home.recording is None else Recording(Path(plan.folder) / home.recording)
        )
        for hour in source.hours(first, end):
            found[datetime.fromtimestamp(hour.n * HOUR_S, UTC)] += hour.drawn_wh
    return found
