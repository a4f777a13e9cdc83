"""A host with its homes: its pages are served to loopback, and its network is in memory."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from aiohttp import ClientSession, CookieJar, web
from argon2 import PasswordHasher
from yarl import URL

from consometers_node.accounts import administrators
from consometers_node.accounts.passwords import Passwords
from consometers_node.host.accounts import invitations
from consometers_node.host.accounts.terms import VERSION, Operator
from consometers_node.host.homes.hosting import HostedHomes
from consometers_node.host.homes.register import HomeRegister
from consometers_node.host.settings import ComponentSettings, HostSettings, PageSettings
from consometers_node.household.node import HouseholdPace
from consometers_node.permission import Permissions
from consometers_node.rate_limit import GrowingWait
from consometers_node.store import Store
from consometers_node.store.peers import add_peer
from consometers_node.web.core.logins import TRIES
from consometers_node.web.host.page_base import HostServices
from consometers_node.web.host.routes import application
from consometers_quoalise_network import Identity, Transport
from testing.clocks import set_aside_the_clock_of
from testing.homes.data_needs import NEED, now
from testing.homes.served import HASTE
from testing.networks import Memory, in_memory, transport
from testing.pages.browser import Browser, Page
from testing.pages.office import SessionClock
from testing.run import DEADLINE_S

OPERATOR = Operator(
    name="Foyers de Kersabiec",
    address="1 rue du Four, 44350 Kersabiec",
    contact="contact@foyers.example",
    location="Kersabiec",
)
SETTINGS = HostSettings(
    name="Foyers de Kersabiec",
    operator=OPERATOR,
    domain="foyers.example",
    component=ComponentSettings(secret_file=Path("secret"), proof="foyers.example"),
    page=PageSettings(url="https://foyers.example"),
)
PASSWORD = "three boats in the bay"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass
class ServedHost:
    """A host with its homes, its clock and its visitors."""

    store: Store
    homes: HostedHomes
    register: HomeRegister
    clock: SessionClock
    url: URL
    stack: AsyncExitStack = field(repr=False)

    async def browser(self, language: str = "en", place: str = "/") -> Browser:
        """Open a browser that has no cookie yet."""
        session = ClientSession(cookie_jar=CookieJar(unsafe=True))
        await self.stack.enter_async_context(session)
        return Browser(session, self.url.join(URL(place)), "", language)

    async def invite(self) -> str:
        async with self.store.writing() as connection:
            _, token = await invitations.make(
                connection, at=self.clock.now, expires_at=self.clock.now.replace(year=2100)
            )
        return token

    async def household(self, name: str) -> Browser:
        """Open a browser, and create a space with it."""
        browser = await self.browser()
        page = await create(browser, name, await self.invite())
        assert page.status == 200, page.text
        return browser

    @property
    def addresses(self) -> list[str]:
        """Of the homes."""
        return [home.address for home in self.register.all()]

    async def ask(self, name: str) -> str:
        """Ask a household for something as a collective, and return the collective's name."""
        coop = f"Coopérative de {name}"
        async with self.homes.open(f"{name}@{SETTINGS.domain}") as node:
            async with node.store.writing() as connection:
                peer = await add_peer(connection, f"coop-{name}@two.test", coop, now())
                await Permissions(connection).propose(peer.id, NEED, now())
            node.look_again()
        return coop

    async def operator(self) -> Browser:
        """Open a browser, and log in as an operator."""
        hashed = await Passwords(QUICK).hash(PASSWORD)
        async with self.store.writing() as connection:
            await administrators.add(connection, "Operator", hashed, self.clock.now)
        browser = await self.browser(place="/administration/")
        page = await log_in(browser, "Operator")
        assert page.status == 200, page.text
        return browser


async def create(browser: Browser, name: str, code: str, **headers: str) -> Page:
    """Fill in the form for a new space."""
    page = await browser.open("create")
    typed = ("password", PASSWORD), ("again", PASSWORD), ("terms", VERSION)
    return await browser.send(page, "create", ("code", code), ("name", name), *typed, **headers)


async def log_in(browser: Browser, name: str, password: str = PASSWORD, **headers: str) -> Page:
    page = await browser.open("login")
    return await browser.send(page, "login", ("name", name), ("password", password), **headers)


@asynccontextmanager
async def hosting(
    store: Store,
    *,
    is_open: bool = False,
    network: Memory | None = None,
    tells_within_s: float = DEADLINE_S,
) -> AsyncIterator[ServedHost]:
    """Serve the pages of a host, whose homes are on a network in memory."""
    memory, clock = network or in_memory()[0], SessionClock()

    def connect(who: Identity) -> Transport:
        return transport(memory, who.account.jid)

    with TemporaryDirectory() as folder, closing(HomeRegister.open(Path(folder))) as register:
        pace = replace(HouseholdPace().shortened(HASTE), renewal_s=1)
        async with (
            HostedHomes(
                register, connect, SETTINGS.language, pace=pace, tells_within_s=tells_within_s
            ) as homes,
            _serving(store, homes, register, clock, is_open=is_open) as served,
        ):
            yield served


@asynccontextmanager
async def _serving(
    store: Store,
    homes: HostedHomes,
    register: HomeRegister,
    clock: SessionClock,
    *,
    is_open: bool,
) -> AsyncIterator[ServedHost]:
    services = HostServices(
        store,
        replace(SETTINGS, is_open=is_open),
        homes,
        "0",
        Passwords(QUICK),
        GrowingWait(TRIES, lambda: clock.seconds),
        lambda: clock.now,
    )
    async with store.writing() as connection:
        await set_aside_the_clock_of(connection)
    async with AsyncExitStack() as stack:
        runner = web.AppRunner(application(services))
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield ServedHost(store, homes, register, clock, URL(f"http://{host}:{port}/"), stack)
