"""A host, its homes and a collective: real programs, a real Prosody and its component."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from aiohttp import ClientSession, CookieJar, FormData
import pytest
import pytest_asyncio
from yarl import URL

from consometers_node.collective.members.members import Members
from consometers_node.host.accounts.terms import VERSION
from consometers_quoalise import QuoaliseError
from consometers_quoalise_network import Join, NetworkError, links
from demo.hass import free_port
from demo.servers.prosody import LOOPBACK, Authority, Prosody
from testing.collectives.members import ZONE
from testing.collectives.running import Coop, cooperating
from testing.collectives.served import opened
from testing.homes.data_needs import now
from testing.homes.files import load_curve
from testing.networks import PASSWORD
from testing.pages.browser import Browser, read
from testing.programs.node import NodeProgram
from testing.waiting import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

DOMAIN: Final = "homes.one.test"
ADDRESS: Final = f"ker-anna@{DOMAIN}"
SECRET: Final = "a component's secret, not a home's"
DAYS, WATTS = 3, 400
START = now().replace(hour=0, minute=0, second=0) - timedelta(days=DAYS)
ALL_DAYS = [(START + timedelta(days=n)).date() for n in range(DAYS)]
MORE_WATTS = 600


@dataclass
class World:
    """A host on a server, a collective there, and a browser."""

    host: NodeProgram
    coop: Coop
    page: URL
    session: ClientSession

    async def operator(self) -> Browser:
        """Return the browser of an operator who has logged in."""
        session = ClientSession(cookie_jar=CookieJar(unsafe=True))
        browser = Browser(session, self.page / "administration/", "", "en")
        page = await browser.open("login")
        await browser.send(page, "login", ("name", "operator"), ("password", PASSWORD))
        return browser

    def household(self) -> Browser:
        return Browser(self.session, self.page, "", "fr")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("host")
    async with AsyncExitStack() as stack:
        server = Prosody("one.test", Authority(folder))
        server.component(DOMAIN, SECRET)
        stack.enter_context(server)
        store = await opened(stack, folder / "coop.db")
        jid = server.register("coop", PASSWORD)
        coop = await stack.enter_async_context(cooperating(store, server, jid, folder))
        host = NodeProgram(folder / "host", role="host")
        page = URL(f"http://{LOOPBACK}:{free_port()}/")
        await _set_up(host, server, folder, page)
        await host.start()
        stack.push_async_callback(host.stop)
        session = await stack.enter_async_context(ClientSession(cookie_jar=CookieJar(unsafe=True)))
        world = World(host, coop, page, session)

        async def answers() -> bool:
            try:
                return (await world.household().open("login")).status == 200
            except OSError:
                return False

        await eventually(answers, bool)
        yield world


async def _set_up(host: NodeProgram, server: Prosody, folder: Path, page: URL) -> None:
    """Set a host up as an operator does, by options."""
    secret, password = folder / "secret", folder / "operator"
    secret.write_text(f"{SECRET}\n")
    password.write_text(f"{PASSWORD}\n")
    given = {
        "operator.name": "Foyers de Kersabiec",
        "operator.address": "1 rue du Four, 44350 Kersabiec",
        "operator.contact": "contact@foyers.example",
        "operator.location": "Kersabiec",
        "component.host": LOOPBACK,
        "component.port": str(server.component_port),
        "component.secret_file": str(secret),
        "component.proof": "one.test",
        "component.proof_port": str(server.port),
        "component.ca_file": str(server.ca_file),
        "page.port": str(page.port),
        "page.url": str(page),
    }
    settings = [word for key, value in given.items() for word in ("--set", f"{key}={value}")]
    named = ("--name", "Foyers de Kersabiec", "--domain", DOMAIN)
    await host.do("init", "--role", "host", *named, *settings)
    await host.do("admins", "add", "operator", "--password-file", str(password))


async def test_a_household_joins_by_invitation_and_leaves_nothing(world: World) -> None:
    operator = await world.operator()
    page = await operator.fill("", "invitations", ("days", "3"), ("note", "the well"))
    code = page.text.partition(f"{world.page}create?code=")[2].split()[0]
    await operator.session.close()
    browser = world.household()
    page = await browser.open(f"create?code={code}")
    typed = ("name", "ker-anna"), ("password", PASSWORD), ("again", PASSWORD), ("terms", VERSION)
    page = await browser.send(page, "create", *typed)
    assert ADDRESS in page.text, page.text
    await _bring(browser, WATTS)
    line = links.write(Join(world.coop.jid, await world.coop.invite()))
    page = await browser.fill("home/join", "join", ("invitation", line))
    page = await browser.send(page, "preview", ("series", "files:consumption"))
    page = await browser.send(page, "allow")
    assert "Autorisé" in page.text, page.text
    await _received(world, WATTS)


async def test_a_file_that_replaces_another_is_sent_after_a_kill(world: World) -> None:
    await world.host.kill()
    await world.host.start()
    browser = world.household()

    async def answers() -> bool:
        try:
            return (await browser.open("home/files")).status == 200
        except OSError:
            return False

    await eventually(answers, bool)
    page = await browser.open("home/files")
    await browser.send(page, "remove")
    await _bring(browser, MORE_WATTS)
    await _received(world, MORE_WATTS)


async def test_a_home_is_back_after_a_power_cut_without_a_page(world: World) -> None:
    await world.host.kill()
    await world.host.start()
    asking = world.coop.network.sharing.asking

    async def answers() -> bool:
        try:
            await asking.list_series(ADDRESS)
        except NetworkError, QuoaliseError:
            return False
        return True

    await eventually(answers, bool)


async def test_a_deleted_space_leaves_nothing_at_the_host_nor_the_collective(world: World) -> None:
    browser = world.household()
    page = await browser.fill("delete", "delete", ("password", PASSWORD))
    assert page.url.query.get("done") == "deleted", page.text
    async with world.coop.store.reading() as connection:
        assert await Members(connection, ZONE).by_jid(ADDRESS) is None
    assert await world.coop.values(ALL_DAYS) == {}
    homes = world.host.data / "homes"
    assert [path for path in homes.iterdir() if path.is_dir()] == []


async def _bring(browser: Browser, watts: int) -> None:
    """Bring a load curve of all days, look at it, and keep it."""
    form = FormData()
    page = await browser.open("home/files")
    form.add_field("token", dict(page.form("files").fields)["token"])
    curve = load_curve(START, [watts] * (DAYS * 48))
    form.add_field("file", curve, filename="curve.csv", content_type="text/csv")
    async with browser.session.post(browser.url.joinpath("home/files"), data=form) as response:
        shown = await read(response)
    page = await browser.send(shown, "files/keep")
    assert page.url.query["done"] == "kept", page.text


async def _received(world: World, watts: int) -> None:
    await eventually(
        lambda: world.coop.values(ALL_DAYS),
        lambda values: len(values) >= DAYS * 24 and set(values.values()) == {watts},
    )
