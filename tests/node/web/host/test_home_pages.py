"""A household without Home Assistant: a file, a permission, and what a deletion leaves."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

from aiohttp import FormData
import pytest

from consometers_node.collective.members.members import Members
from consometers_node.store import Store
from consometers_quoalise_network import Join, links
from testing.collectives.members import ZONE
from testing.collectives.running import Coop, cooperating
from testing.homes.data_needs import now
from testing.homes.files import load_curve
from testing.hosts.spaces import PASSWORD, ServedHost, hosting, log_in
from testing.networks import Memory, in_memory
from testing.pages.browser import Browser, Page, read
from testing.waiting import eventually

ADDRESS = "ker-anna@foyers.example"
DAYS = 3
WATTS = 400
START = now().replace(hour=0, minute=0, second=0) - timedelta(days=DAYS)
ALL_DAYS = [(START + timedelta(days=n)).date() for n in range(DAYS)]


@pytest.fixture
def memory() -> Memory:
    return in_memory()[1]


@pytest.fixture
async def coop(store: Store, memory: Memory, tmp_path: Path) -> AsyncIterator[Coop]:
    async with cooperating(store, memory, "coop@two.test", tmp_path) as coop:
        yield coop


@pytest.fixture
async def host(
    file: Store, coop: Coop, memory: Memory, socket_enabled: None
) -> AsyncIterator[ServedHost]:
    async with hosting(file, network=memory) as served:
        yield served


async def look_at(browser: Browser, data: bytes) -> Page:
    """Choose a file on the page, and return what it shows."""
    form = FormData()
    page = await browser.open("home/files")
    form.add_field("token", dict(page.form("files").fields)["token"])
    form.add_field("file", data, filename="curve.csv", content_type="text/csv")
    async with browser.session.post(browser.url.joinpath("home/files"), data=form) as response:
        return await read(response)


async def bring(browser: Browser, data: bytes) -> Page:
    """Choose a file on the page, and keep it."""
    return await browser.send(await look_at(browser, data), "files/keep")


async def join(browser: Browser, coop: Coop) -> Page:
    """Allow a collective all that it asks."""
    line = links.write(Join(coop.jid, await coop.invite()))
    page = await browser.fill("home/join", "join", ("invitation", line))
    page = await browser.send(page, "preview", ("series", "files:consumption"))
    return await browser.send(page, "allow")


async def share(host: ServedHost, coop: Coop) -> Browser:
    """Bring a file as a new household, and share it until the collective has it."""
    browser = await host.household("ker-anna")
    page = await bring(browser, load_curve(START, [WATTS] * (DAYS * 48)))
    assert page.status == 200, page.text
    page = await join(browser, coop)
    assert "Allowed." in page.text, page.text
    values = await eventually(
        lambda: coop.values(ALL_DAYS), lambda values: len(values) >= DAYS * 24
    )
    assert set(values.values()) == {WATTS}
    return browser


async def test_a_file_reaches_a_collective_and_all_is_erased_with_the_space(
    host: ServedHost, coop: Coop
) -> None:
    browser = await share(host, coop)
    page = await browser.fill("delete", "delete", ("password", PASSWORD))
    assert "Your space is deleted" in page.text, page.text
    assert host.addresses == []
    async with coop.store.reading() as connection:
        assert await Members(connection, ZONE).by_jid(ADDRESS) is None
    assert await coop.values(ALL_DAYS) == {}


async def test_a_space_stays_until_its_erasure_is_confirmed_or_given_up(
    file: Store, coop: Coop, memory: Memory, socket_enabled: None
) -> None:
    async with hosting(file, network=memory, tells_within_s=0.1) as host:
        browser = await share(host, coop)
        await coop.stop()
        page = await browser.fill("delete", "delete", ("password", PASSWORD))
        assert page.status == 409
        assert "not confirmed yet that they erase your data: Coop of Kersabiec." in page.text
        assert host.addresses == [ADDRESS]
        typed = ("password", PASSWORD), ("untold", "yes")
        page = await browser.send(page, "delete", *typed)
        assert "Your space is deleted" in page.text, page.text
        assert host.addresses == []
        await coop.start()


@pytest.mark.parametrize(
    "page", [".", "join", "permissions", "mine", "files", "settings", "letters"]
)
@pytest.mark.parametrize("language", ["en", "fr"])
async def test_no_page_of_a_hosted_home_speaks_of_home_assistant(
    host: ServedHost, page: str, language: str
) -> None:
    await host.household("ker-anna")
    browser = await host.browser(language)
    await log_in(browser, "ker-anna")
    shown = await browser.open(f"home/{page}")
    assert (shown.status, shown.language) == (200, language), shown.text
    assert "Home Assistant" not in shown.text


async def test_a_host_has_the_account_of_its_homes(host: ServedHost) -> None:
    """A household that entered another account would take its home off this host."""
    browser = await host.household("ker-anna")
    page = await browser.open("home/settings")
    assert ADDRESS in page.text
    token = dict(page.form("point").fields)["token"]
    typed = [("token", token), ("jid", "me@elsewhere.test"), ("password", PASSWORD)]
    assert (await browser.post("home/settings", typed)).status == 404
    assert "Use an existing XMPP address" not in page.text


async def test_a_shown_file_waits_for_its_household_alone(host: ServedHost) -> None:
    browsers = [await host.household(name) for name in ("ker-anna", "ker-lann")]
    shown = await look_at(browsers[0], load_curve(START, [WATTS] * 48))
    assert shown.form("files/keep").fields
    token = dict((await browsers[1].open("home/files")).form("files").fields)["token"]
    page = await browsers[1].post("home/files/keep", [("token", token)])
    assert page.url.query.get("done") != "kept"
    page = await browsers[0].send(shown, "files/keep")
    assert page.url.query["done"] == "kept"
