"""A stranger on the web: at a home, a collective, its administration and its metrics."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from itertools import product
import logging
from pathlib import Path
import re
import socket
from urllib.parse import urlencode

from aiohttp import web
from playwright.async_api import async_playwright
import pytest
from yarl import URL

from consometers_node.accounts import administrators
from consometers_node.accounts.passwords import AT_ONCE, Passwords
from consometers_node.collective.settings import PageSettings
from consometers_node.rate_limit import TokenBucket
from consometers_node.sharing.changes import Changes
from consometers_node.store import Store
from consometers_node.web.admin import routes as admin_routes
from consometers_node.web.admin.routes import administer
from consometers_node.web.api.metrics import Metrics
from consometers_node.web.core import rate_limit
from consometers_node.web.core.listening import DEEPEST, Bounds, listening
from consometers_node.web.core.logins import FREE_TRIES
from consometers_node.web.core.rate_limit import BYTES_A_TOKEN, MADE_AT_ONCE, visitors
from consometers_node.web.household.routes import (
    ACTS,
    BY_ANYONE,
    FOR_ADMINISTRATORS,
    LOOKS,
    WITH_FILE,
)
from consometers_node.web.public import routes as public_routes
from consometers_node.web.public.front import home as public_home
from consometers_node.web.public.site import PublicSite
from demo.browser import ARGUMENTS, CHROMIUM
from testing.checkout import ROOT
from testing.collectives.watched import watch_of
from testing.homes.served import (
    ADMIN,
    API_TOKEN,
    GUEST,
    ServedHome,
    address_of as home_place,
    ask,
    running,
    toy,
)
from testing.hostile.headers import HEADERS
from testing.pages.cooperative import filled, town
from testing.pages.office import (
    NAME,
    PASSWORD,
    QUICK,
    Office,
    filled as admin_place,
    log_in,
    serving as opened,
)
from testing.pages.town import ReleasedTown, serving, settings
from testing.run import DEADLINE_S

__all__ = ["filled", "town"]

STRANGERS = PageSettings(proxies=())
"""Settings by which loopback is no proxy: requests from there are a visitor's."""
PROXIED = PageSettings(proxies=(ip_network("127.0.0.0/8"),))
FORM = "application/x-www-form-urlencoded"
LANGUAGES = ("en", "fr")


@pytest.fixture
async def home(file: Store, socket_enabled: None) -> AsyncIterator[ServedHome]:
    async with running(file, toy()) as served:
        yield served


@pytest.fixture
async def office(file: Store, tmp_path: Path, socket_enabled: None) -> AsyncIterator[Office]:
    async with opened(file, settings(tmp_path, page=PROXIED)) as served:
        await served.appoint(NAME)
        yield served


async def exchange(port: int, sent: bytes, source: str = "127.0.0.1") -> bytes:
    """Send bytes, and return all that comes before the connection ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
    writer.write(sent)
    try:
        return await reader.read()
    finally:
        writer.close()


def head(target: str, *lines: bytes, method: str = "GET") -> bytes:
    """Write a request whose answer ends the connection."""
    first = f"{method} {target} HTTP/1.1".encode()
    return b"\r\n".join([first, *lines, b"Connection: close", b"", b""])


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


@contextmanager
def no_fault(caplog: pytest.LogCaptureFixture, *secrets: str) -> Iterator[None]:
    """Check that meanwhile the log shows no fault, and nothing that was sent."""
    caplog.clear()
    with caplog.at_level(logging.DEBUG, "aiohttp"):
        yield
    faults = [each for each in caplog.records if each.levelno >= logging.ERROR or each.exc_info]
    assert faults == []
    assert not [secret for secret in secrets if secret in caplog.text]


# Wrong tokens.


async def test_wrong_tokens_do_not_lock_out_the_right_one(home: ServedHome) -> None:
    url = home.url / "api/v1/node"
    answers = []
    for n in range(200):
        wrong = {"Authorization": f"Bearer wrong{n}"} if n % 2 else {}
        async with home.session.get(url, headers=wrong) as answer:
            answers.append(answer.status)
    assert answers[:10] == [401] * 10
    assert answers.count(429) > 100
    right = {"Authorization": f"Bearer {API_TOKEN}"}
    async with home.session.get(url, headers=right) as answer:
        assert answer.status == 200


async def test_wrong_tokens_are_counted_by_address(home: ServedHome) -> None:
    port = home.url.port or 0
    sent = head("/api/v1/node", b"Host: localhost", b"Authorization: Bearer wrong")
    attacker = [status_of(await exchange(port, sent, "127.0.0.2")) for _ in range(30)]
    assert attacker[:10] == [401] * 10
    assert 429 in attacker
    assert status_of(await exchange(port, sent, "127.0.0.3")) == 401


# Passwords of administrators.


async def tries(office: Office, times: int, address: Callable[[int], str]) -> list[int]:
    """Try wrong passwords of an administrator, from addresses that a proxy forwards."""
    browser = await office.browser()
    page = await browser.open("login")
    statuses = []
    for n in range(times):
        headers = {"X_Forwarded_For": address(n)}
        sent = ("name", NAME), ("password", f"wrong {n}")
        statuses.append((await browser.send(page, "login", *sent, **headers)).status)
    return statuses


async def test_tries_from_other_addresses_lock_no_administrator_out(
    office: Office,
) -> None:
    tried = await tries(office, 100, lambda n: f"198.51.100.{n}")
    assert set(tried) == {403}
    page = await log_in(await office.browser(), NAME, PASSWORD, X_Forwarded_For="192.0.2.1")
    assert page.status == 200


async def test_tries_from_the_same_address_lock_no_known_browser_out(
    office: Office,
) -> None:
    browser = await office.enter()
    page = await browser.send(await browser.open(""), "logout")
    assert "You are logged out." in page.text
    tried = await tries(office, 20, lambda _: "127.0.0.1")
    assert tried == [403] * FREE_TRIES + [429] * (20 - FREE_TRIES)
    assert (await log_in(await office.browser(), NAME, PASSWORD)).status == 429
    assert (await log_in(browser, NAME, PASSWORD)).status == 200


async def test_a_known_browser_has_a_limit_of_tries_too(office: Office) -> None:
    browser = await office.enter()
    await browser.send(await browser.open(""), "logout")
    answers = [(await log_in(browser, NAME, f"wrong {n}")).status for n in range(FREE_TRIES + 1)]
    assert answers == [403] * FREE_TRIES + [429]


FORGED = ("", "a", f"{'A' * 22}.{'0' * 64}", f"{'A' * 22}.", "é" * 22, f"{'A' * 4000}.{'0' * 64}")


async def test_a_forged_cookie_makes_no_browser_known(office: Office) -> None:
    await tries(office, FREE_TRIES, lambda _: "127.0.0.1")
    for cookie in FORGED:
        browser = await office.browser()
        jar = browser.session.cookie_jar
        jar.update_cookies({"consometers-admin-browser": cookie}, office.url / "administration/")
        assert (await log_in(browser, NAME, PASSWORD)).status == 429, cookie


async def test_a_browser_is_known_for_one_name_and_one_password(office: Office) -> None:
    other = "Trésorerie"
    await office.appoint(other)
    browser = await office.enter()
    await browser.send(await browser.open(""), "logout")
    await tries(office, FREE_TRIES, lambda _: "127.0.0.1")
    assert (await log_in(browser, other, PASSWORD)).status == 429
    assert (await log_in(browser, NAME, PASSWORD)).status == 200
    await browser.send(await browser.open(""), "logout")
    hashed = await Passwords(QUICK).hash(PASSWORD)
    await office.written(
        lambda connection: administrators.change_password(connection, NAME, hashed)
    )
    await tries(office, FREE_TRIES, lambda _: "127.0.0.1")
    assert (await log_in(browser, NAME, PASSWORD)).status == 429


async def test_ipv6_addresses_are_counted_by_home_and_by_site(
    office: Office,
) -> None:
    tried = await tries(office, FREE_TRIES + 1, lambda n: f"2001:db8:1:1::{n:x}")
    assert tried == [403] * FREE_TRIES + [429]
    tried = await tries(office, 60, lambda n: f"2001:db8:2:{n:x}::1")
    assert tried.count(403) == 40
    page = await log_in(await office.browser(), NAME, PASSWORD, X_Forwarded_For="2001:db8:3::1")
    assert page.status == 200


async def test_the_forwarded_address_on_the_last_line_counts(
    office: Office,
) -> None:
    """HAProxy adds a line; what a visitor wrote stands above."""
    browser = await office.browser()
    page = await browser.open("login")
    fields = [*page.form("login").fields, ("password", "wrong"), ("name", NAME)]
    form = urlencode([field for field in fields if field[1]]).encode()
    (cookie,) = browser.session.cookie_jar
    answers = []
    for n in range(FREE_TRIES + 1):
        sent = head(
            "/administration/login",
            b"Host: localhost",
            f"X-Forwarded-For: 198.51.100.{n}".encode(),
            b"X-Forwarded-For: 203.0.113.7",
            f"Cookie: {cookie.key}={cookie.value}".encode(),
            f"Content-Type: {FORM}\r\nContent-Length: {len(form)}".encode(),
            method="POST",
        )
        answers.append(status_of(await exchange(office.url.port or 0, sent + form)))
    assert answers == [403] * FREE_TRIES + [429]


async def test_waiting_passwords_of_strangers_leave_room_for_a_known_browser() -> None:
    passwords = Passwords(QUICK)
    hashed = await passwords.hash(PASSWORD)
    await passwords.check(hashed, "wrong")
    await passwords._turn.acquire()
    strangers = [asyncio.create_task(passwords.check(hashed, "wrong")) for _ in range(AT_ONCE + 10)]
    known_browser = asyncio.create_task(passwords.check(hashed, PASSWORD, is_known=True))
    # All of them are in line now, or were sent away.
    await asyncio.sleep(0)
    passwords._turn.release()
    answers = await asyncio.gather(*strangers, return_exceptions=True)
    assert [answer for answer in answers if answer is False] == [False] * AT_ONCE
    assert await known_browser


# Connections that keep a server waiting.


async def test_incomplete_requests_are_closed(town: ReleasedTown) -> None:
    """400 of each kind, from a stranger and from a proxy: none is there after the bounds."""
    bounds = Bounds(head_s=0.3, body_s=0.3, lingers_s=0.1, connections=2000, of_one=2000)
    halves = (
        b"",
        b"G",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ",
        head("/", b"Host: localhost", b"Content-Length: 9"),
        head(
            "/administration/login",
            b"Host: localhost",
            f"Content-Type: {FORM}\r\nContent-Length: 900".encode(),
            method="POST",
        )
        + b"name=",
        head("/", b"Host: localhost", b"Transfer-Encoding: chunked", method="POST") + b"5\r\nab",
    )
    for proxies in ((), (ip_network("127.0.0.0/8"),)):
        own = replace(town.settings, page=PageSettings(proxies=proxies))
        public = PublicSite(town.store, own, "0")
        administer(public.app, town.store, own, "0", passwords=Passwords(QUICK))
        async with public.listening("127.0.0.1", 0, bounds) as port:
            # A proxy may keep a connection open on which it has asked for nothing.
            some = [half for half in halves if half or not proxies]
            sent = [some[n % len(some)] for n in range(400)]
            async with asyncio.timeout(DEADLINE_S):
                await asyncio.gather(*(ends(port, half) for half in sent))


async def ends(port: int, sent: bytes) -> None:
    """Send something, and wait until the other end has had enough."""
    with suppress(ConnectionError):
        await exchange(port, sent)


PATIENCE_S = 60
"""After so long without an answer, most browsers and proxies give up."""
KEPT_BY_HOME_ASSISTANT_S = 15
"""Its sessions use a connection again that was idle for less (aiohttp's `TCPConnector`)."""


@pytest.fixture
async def go_on(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Return what has the loop's clock go on by some seconds at once."""
    loop = asyncio.get_running_loop()
    steady, ahead = loop.time, 0.0

    def advance(seconds: float) -> None:
        nonlocal ahead
        ahead += seconds

    monkeypatch.setattr(loop, "time", lambda: steady() + ahead)
    return advance


async def begun(port: int, sent: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Send the beginning of a request, and return once the server has read it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    if b"Expect:" in sent:
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    else:
        # The server reads in turn: what it answers came after what it got before.
        assert status_of(await exchange(port, head("/health", b"Host: localhost"))) == 200
    return reader, writer


HALF_HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: "
HALF_BODY = head(
    "/administration/login",
    b"Host: localhost",
    f"Content-Type: {FORM}\r\nContent-Length: 900\r\nExpect: 100-continue".encode(),
    method="POST",
)


@pytest.mark.parametrize("half", [HALF_HEAD, HALF_BODY], ids=["head", "body"])
async def test_an_incomplete_request_ends_before_others_lose_patience(
    town: ReleasedTown, go_on: Callable[[float], None], half: bytes
) -> None:
    """A visitor who waits for its place still gets it. These are the bounds of production."""
    own = replace(town.settings, page=STRANGERS)
    public = PublicSite(town.store, own, "0")
    administer(public.app, town.store, own, "0", passwords=Passwords(QUICK))
    async with public.listening("127.0.0.1", 0) as port:
        reader, writer = await begun(port, half)
        go_on(PATIENCE_S)
        for _ in range(10):
            # What is over by then has ended meanwhile.
            assert status_of(await exchange(port, head("/health", b"Host: localhost"))) == 200
        assert reader.at_eof() or isinstance(reader.exception(), ConnectionError)
        writer.close()


async def test_an_idle_connection_lasts_as_long_as_home_assistant_keeps_it(
    town: ReleasedTown, go_on: Callable[[float], None]
) -> None:
    """A shorter one could end in the moment of its next request, which would be lost."""
    public = PublicSite(town.store, replace(town.settings, page=STRANGERS), "0")
    async with public.listening("127.0.0.1", 0) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(2):
            writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert await reader.readuntil(b"This node is well.\n")
            go_on(KEPT_BY_HOME_ASSISTANT_S)
        assert not reader.at_eof()
        writer.close()


@pytest.mark.parametrize("page", ["SECURITY.md", "docs/collective.md", "docs/collective.fr.md"])
def test_documentation_states_the_bounds_of_requests(page: str) -> None:
    text, bounds = (ROOT / page).read_text().replace("\N{NO-BREAK SPACE}", " "), Bounds()
    (line,) = (line for line in text.splitlines() if re.search(r"\b30 s\b", line))
    stated = [float(seconds) for seconds in re.findall(r"\b(\d+) s\b", line)]
    assert stated == [bounds.head_s, bounds.body_s]


@pytest.mark.usefixtures("socket_enabled")
async def test_a_handler_whose_visitor_left_ends_with_the_listener() -> None:
    """The store is closed next: nothing may still read it."""
    reached, left, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def waiting(request: web.Request) -> web.StreamResponse:
        reached.set()
        try:
            with suppress(ConnectionError):
                await request.read()
            left.set()
            await asyncio.Event().wait()
        finally:
            ended.set()
        return web.Response()

    app = web.Application()
    app.add_routes([web.post("/", waiting)])
    async with listening(app, "127.0.0.1", 0) as port, asyncio.timeout(DEADLINE_S):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head("/", b"Host: localhost", b"Content-Length: 9", method="POST"))
        await reached.wait()
        writer.close()
        await left.wait()
    assert ended.is_set()


async def test_a_proxy_keeps_its_connections(town: ReleasedTown) -> None:
    public = PublicSite(town.store, replace(town.settings, page=PROXIED), "0")
    async with public.listening("127.0.0.1", 0, Bounds(head_s=0.05)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(2):
            writer.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert await reader.readuntil(b"This node is well.\n")
            # Five times longer than a stranger may wait.
            await asyncio.sleep(0.25)
        writer.close()


async def test_connections_of_one_address_leave_room_for_others(town: ReleasedTown) -> None:
    """What only waits ends for what comes, and nobody is kept out."""
    public = PublicSite(town.store, replace(town.settings, page=STRANGERS), "0")
    bounds = Bounds(connections=30, of_one=10)
    request = head("/health", b"Host: localhost")
    async with public.listening("127.0.0.1", 0, bounds) as port, AsyncExitStack() as stack:
        for n in range(400):
            source = f"127.0.1.{n % 8}"
            _, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
            stack.callback(writer.close)
            writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: ")
        for source in ("127.0.2.1", "127.0.1.1"):
            async with asyncio.timeout(DEADLINE_S):
                assert status_of(await exchange(port, request, source)) == 200


async def test_an_unread_answer_is_closed(socket_enabled: None) -> None:
    ended = asyncio.Event()

    async def much(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(bytes(64 * 1024))
        finally:
            ended.set()

    app = web.Application()
    app.add_routes([web.get("/", much)])
    async with listening(app, "127.0.0.1", 0, (), Bounds(unread_s=0.3)) as port:
        stubborn = socket.socket()
        stubborn.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stubborn.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(stubborn, ("127.0.0.1", port))
        await loop.sock_sendall(stubborn, head("/", b"Host: localhost"))
        async with asyncio.timeout(DEADLINE_S):
            await ended.wait()
        stubborn.close()


# Pages that are not kept.


@dataclass
class Making:
    """Counts answers that are being made, of one address and of all, and lets none end."""

    most: int = 0
    made: int = 0
    now: int = 0
    may_end: asyncio.Event = field(default_factory=asyncio.Event)


async def test_unknown_parameters_share_one_cached_page(
    town: ReleasedTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = 0
    look = public_home.look

    async def counted(*given: object, **how: object) -> web.Response:
        nonlocal made
        made += 1
        return await look(*given, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(public_home, "look", counted)
    async with serving(
        ReleasedTown(town.store, town.settings), visitors(), changes=Changes()
    ) as served:
        browser = served.browser()
        pages = await asyncio.gather(
            *(browser.open(f"?x={n}&language=fr&{n}={n}") for n in range(30)),
            *(browser.open(f"?{n}") for n in range(30)),
        )
    assert {page.status for page in pages} == {200}
    assert made == len(LANGUAGES)


async def test_long_answers_count_as_many_requests(town: ReleasedTown) -> None:
    """A season of hours takes long to make: an address gets a few of them, then it waits."""
    season = "data/consumption/by/all/PT1H/from/2026-03-11/to/2026-06-09"
    requests = 60
    limits = TokenBucket(at_once=requests, a_second=1, clock=lambda: 0.0)
    own = ReleasedTown(town.store, replace(town.settings, page=PROXIED))
    async with serving(own, limits, changes=Changes()) as served:
        browser = served.browser()
        got, length = 0, 1
        for _ in range(requests):
            page = await browser.open(season)
            if page.status == 429:
                break
            assert page.status == 200
            length = len(page.html.encode())
            got += length
        assert page.status == 429
        assert 0 < int(page.headers["Retry-After"]) <= requests + 1
        assert length > 10 * BYTES_A_TOKEN
        assert got <= requests * BYTES_A_TOKEN + length
        page = await browser.open(X_Forwarded_For="203.0.113.99")
        assert page.status == 200


DEEP = (b"/" * 4_000, b"/a" * 2_000, b"/administration" + b"/" * 4_000, b"/%2F" * 1_000)


async def test_a_long_address_gets_a_short_answer(servers_of_all: Servers) -> None:
    for (port, _), target in product(servers_of_all.values(), DEEP):
        sent = b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        answer = await exchange(port, sent)
        assert 400 <= status_of(answer) < 500
        assert len(answer) < len(sent), target[:20]


def test_every_route_is_within_the_depth_of_addresses() -> None:
    administration = [
        f"/administration{each}" for each in (*admin_routes.LOOKS, *admin_routes.ACTS)
    ]
    routes = [*public_routes.LOOKS, *LOOKS, *FOR_ADMINISTRATORS, *ACTS, *administration]
    assert max(route.count("/") for route in routes) <= DEEPEST


async def test_many_pages_of_one_address_delay_nobody_else(
    town: ReleasedTown, monkeypatch: pytest.MonkeyPatch
) -> None:
    """120 different pages at once: a few are made, the others wait, another visitor does not."""
    making = Making()
    look = public_home.look

    async def slow(*given: object, **how: object) -> web.Response:
        making.now += 1
        making.made += 1
        making.most = max(making.most, making.now)
        try:
            if making.made <= MADE_AT_ONCE:
                await making.may_end.wait()
            return await look(*given, **how)  # type: ignore[arg-type]
        finally:
            making.now -= 1

    monkeypatch.setattr(public_home, "look", slow)
    own = ReleasedTown(town.store, replace(town.settings, page=PROXIED))
    async with serving(own, visitors(), changes=Changes()) as served:
        browser = served.browser()
        attack = [
            asyncio.create_task(
                browser.open("", X_Forwarded_For="203.0.113.7", Host=f"192.0.2.{n}")
            )
            for n in range(120)
        ]
        while making.made < MADE_AT_ONCE:
            await asyncio.sleep(0)
        async with asyncio.timeout(DEADLINE_S):
            page = await browser.open("", X_Forwarded_For="203.0.113.99")
        assert page.status == 200
        making.may_end.set()
        answers = [page.status for page in await asyncio.gather(*attack)]
    assert making.most <= MADE_AT_ONCE + 1
    assert set(answers) == {200, 429}
    assert answers.count(200) >= MADE_AT_ONCE + rate_limit.MOST_WAITING


# Who may.


LOOK_AT_HOME = {"nobody": 200, "guest": 200, "administrator": 200}
FOR_ONE = {"nobody": 403, "guest": 403, "administrator": 200}


def of_home() -> Iterator[tuple[str, str, dict[str, int]]]:
    """Yield every route of a home, and how each visitor is answered; 200 means let in."""
    for pattern in LOOKS:
        yield "GET", pattern, LOOK_AT_HOME
    for pattern in FOR_ADMINISTRATORS:
        yield "GET", pattern, FOR_ONE
    for pattern in (*ACTS, *WITH_FILE):
        yield "POST", pattern, FOR_ONE
    for pattern in BY_ANYONE:
        yield "POST", pattern, LOOK_AT_HOME
    yield "GET", "/static/style.css", LOOK_AT_HOME
    yield "GET", "/health", LOOK_AT_HOME


async def test_each_route_of_a_home_opens_to_its_users_alone(home: ServedHome) -> None:
    permission_id = await ask(home)
    routes = {
        (route.method, route.resource.canonical)
        for route in served_routes(home)
        if route.method != "HEAD" and route.resource is not None
    }
    listed = {(method, canonical(pattern)) for method, pattern, _ in of_home()}
    apis = {(method, path) for method, path in routes if path.startswith("/api/")}
    assert routes - apis == {
        (method, "/static/{name}" if path.startswith("/static") else path)
        for method, path in listed
    }
    users = {"nobody": "", "guest": GUEST, "administrator": ADMIN}
    for visitor, user in users.items():
        for method, pattern, may in of_home():
            browser = home.browser(user)
            place = home_place(pattern, permission_id)
            # The form has no token: a logged-in person reads that it is not ours.
            page = await (browser.post(place, []) if method == "POST" else browser.open(place))
            is_refused = "Only an administrator" in page.text and page.status == 403
            assert is_refused is (may[visitor] == 403), (visitor, method, pattern, page.status)
            assert page.status < 500


async def test_no_route_of_a_home_opens_without_ingress_and_no_api_without_the_token(
    file: Store, socket_enabled: None
) -> None:
    async with running(file, toy(), ingress={"172.30.32.2"}) as home:
        for method, pattern, _ in of_home():
            if pattern == "/health":
                continue
            url = home.url.join(URL(home_place(pattern, "0" * 36)))
            headers = {"X-Remote-User-Id": ADMIN, "Authorization": f"Bearer {API_TOKEN}"}
            async with home.session.request(method, url, headers=headers) as answer:
                assert answer.status == 403, pattern
        for route in served_routes(home):
            assert route.resource is not None
            path = route.resource.canonical.replace("{id}", "1")
            if not path.startswith("/api/"):
                continue
            for header in ("", "Bearer ", "Bearer wrong", f"Basic {API_TOKEN}", API_TOKEN):
                url = home.url.join(URL(path))
                async with home.session.request(
                    route.method, url, headers={"Authorization": header} if header else {}
                ) as answer:
                    assert answer.status in {401, 429}, (path, header)


def served_routes(home: ServedHome) -> list[web.AbstractRoute]:
    return list(home.site._app.router.routes())


def canonical(pattern: str) -> str:
    """Return a pattern as the router names it: without what its parts are made of."""
    path, depth = "", 0
    is_name = True
    for letter in pattern:
        depth += letter == "{"
        is_name = (is_name and letter != ":") or depth == 0
        if is_name or (letter == "}" and depth == 1):
            path += letter
        depth -= letter == "}"
    return path


async def test_administrators_alone_export_the_records_of_a_home(home: ServedHome) -> None:
    for name in ("consometers.json", "consometers.csv"):
        for user in (
            GUEST,
            "",
            "0" * 32,
            ADMIN.upper(),
            ADMIN[:-1],
            f"{ADMIN}0",
            f"{ADMIN},{GUEST}",
        ):
            page = await home.browser(user).open(f"mine/{name}")
            assert page.status == 403, user
            assert "records" not in page.html.partition("<main")[2]
            assert "Content-Disposition" not in page.headers
        assert (await home.browser().open(f"mine/{name}")).status == 200


async def test_each_route_of_an_administration_opens_to_administrators_alone(
    office: Office,
) -> None:
    strangers = [await office.browser(), await office.browser()]
    jar = strangers[1].session.cookie_jar
    jar.update_cookies({"consometers-admin": "A" * 43}, office.url / "administration/")
    inside = await office.enter()
    for pattern in admin_routes.LOOKS:
        for browser in strangers:
            page = await browser.open(admin_place(pattern))
            assert page.url.path == "/administration/login", pattern
        assert (await inside.open(admin_place(pattern))).url.path != "/administration/login"
    for pattern in admin_routes.ACTS:
        for browser in strangers:
            page = await browser.post(admin_place(pattern), [])
            assert page.url.path == "/administration/login", pattern
        assert (await inside.post(admin_place(pattern), [])).status in {403, 404}, pattern
    assert {*admin_routes.OPEN, *admin_routes.ADMITS} == {"/login"}


async def test_public_routes_change_nothing(office: Office) -> None:
    browser = await office.browser()
    for pattern in public_routes.LOOKS:
        url = office.url.join(URL(public_place(pattern)))
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            # An address that no route takes would get 404.
            async with browser.session.request(method, url) as answer:
                assert answer.status == 405, (method, pattern)


def public_place(pattern: str) -> str:
    """Return an address that a public route takes."""
    parts = {"year": "2026", "month": "2026-06", "day": "2026-06-10", "challenge": "1"}
    return re.sub(
        r"\{(\w+)(?::(?:[^{}]|\{[^{}]*\})*)?\}", lambda part: parts.get(part[1], "abc"), pattern
    )


# Headers that are no text.


NO_TEXT = (
    b"\xff\xfe",
    b"\xe9",
    b"\xed\xb2\x80",
    b"Bearer \xff",
    b"https://\xff",
    b"a\x00b",
    b"\x7f",
)
ODD = (
    b"", b":", b"//", b"%zz", b"[", b"[::1", b"http://[", b"https://[::1", b"a:b:c", b"a,b",
    b"evil.example:99999999", b"'\"><script>", b"x" * 8000, b"q=" + b"9" * 500, b"fr;q=nan,en;q=1",
    b"fr;q=inf", b"Bearer \xc3\xa9", "caf\u00e9".encode(), b"\t",
)  # fmt: skip
ON_A_HOME = ("/", "/api/v1/node", "/nowhere")
ON_A_COLLECTIVE = ("/data/openapi.json", "/administration/login", "/nowhere")


async def send_all(
    port: int, paths: tuple[str, ...], values: tuple[bytes, ...], *usual: bytes
) -> dict[tuple[str, str, bytes], int]:
    """Send each value in each header to each page, and return the status of each answer."""
    statuses = {}
    for name in HEADERS:
        for value in values:
            others = [
                line for line in usual if not line.lower().startswith(f"{name.lower()}:".encode())
            ]
            for path in paths:
                sent = head(path, *others, f"{name}: ".encode() + value)
                statuses[name, path, value] = status_of(await exchange(port, sent))
    return statuses


type Servers = dict[str, tuple[int, tuple[str, ...]]]
"""Port and paths of each."""


USUAL = (
    b"Host: localhost",
    f"X-Remote-User-Id: {ADMIN}".encode(),
    f"Authorization: Bearer {API_TOKEN}".encode(),
)


@pytest.fixture
async def second(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(tmp_path / "second.db")
    yield store
    await store.close()


@pytest.fixture
async def servers_of_all(
    home: ServedHome, second: Store, town: ReleasedTown, tmp_path: Path
) -> AsyncIterator[Servers]:
    async with (
        opened(second, settings(tmp_path, page=PROXIED)) as office,
        Metrics(watch_of(town)).listening("127.0.0.1", 0) as metrics,
    ):
        await office.appoint(NAME)
        yield {
            "home": (home.url.port or 0, ON_A_HOME),
            "collective": (office.url.port or 0, ON_A_COLLECTIVE),
            "metrics": (metrics, ("/metrics", "/nowhere")),
        }


async def test_undecodable_headers_are_refused_and_odd_ones_cause_no_error(
    servers_of_all: Servers, caplog: pytest.LogCaptureFixture
) -> None:
    for port, paths in servers_of_all.values():
        with no_fault(caplog, "127.0.0.1"):
            statuses = await send_all(port, paths, NO_TEXT, *USUAL)
        assert not [sent for sent, status in statuses.items() if status != 400]
        with no_fault(caplog, "script"):
            statuses = await send_all(port, paths[:1], ODD, *USUAL)
        assert not [sent for sent, status in statuses.items() if status >= 500]
        assert not [sent for sent in statuses if sent[0] == "Host" and statuses[sent] == 200]


async def test_a_secret_in_an_invalid_head_is_not_logged(
    servers_of_all: Servers, caplog: pytest.LogCaptureFixture
) -> None:
    for port, _ in servers_of_all.values():
        with no_fault(caplog, "a-secret", "127.0.0.1"):
            for name in (b"Authorization", b"X-Remote-User-Id", b"Cookie"):
                for bad in (b"\x00", b"\x7f", b"\xff", b"x" * 9000):
                    sent = head("/", b"Host: localhost", name + b": a-secret" + bad)
                    assert status_of(await exchange(port, sent)) == 400, (name, bad)


async def test_repeated_host_and_identity_headers_are_refused(servers_of_all: Servers) -> None:
    for version, (port, paths) in product(("1.0", "1.1"), servers_of_all.values()):
        first = f"GET {paths[0]} HTTP/{version}\r\n".encode()
        for lines, expected in (
            (b"", {400} if version == "1.1" else {200, 421}),
            (b"Host: localhost\r\nHost: localhost\r\n", {400}),
            (b"Host: localhost\r\nHost: evil.example\r\n", {400}),
            (b"Host: a b\r\n", {400}),
            (b"Host: evil.example/\r\n", {400}),
            (b"Host: u:p@localhost\r\n", {400}),
        ):
            sent = first + lines + b"Connection: close\r\n\r\n"
            assert status_of(await exchange(port, sent)) in expected, (version, paths, lines)
        for name in ("Authorization", "Origin", "X-Remote-User-Id", "Sec-Fetch-Site"):
            twice = f"{name}: a\r\n".encode() * 2
            sent = first + b"Host: localhost\r\nConnection: close\r\n" + twice + b"\r\n"
            assert status_of(await exchange(port, sent)) == 400


NO_ADDRESS = (
    b"/\xff", b"/static/\xff", b"/?a=\xff", b"/?language=\xed\xb2\x80", b"/data/\xff", b"/%ff",
    b"/?%ff=%ff", b"/?language=%ff", b"/%00", b"/?" + b"a=b&" * 2000, b"/" + b"a" * 7000, b"*",
    b"//", b"/./../x", b"http://evil.example/", b"http://[/", b"evil.example:443", b"/;x",
)  # fmt: skip


NO_FORM = (
    b"token=%ff%fe&name=%ff&password=%ff",
    b"\xff\xfe\xfd",
    b"name=%00&password=%00",
    b"name=" + b"%ed%b2%80" * 500,
    b"=&=&=&" * 300,
    b"name=a&name=b&name=c&token=a&token=b",
)


async def test_undecodable_addresses_and_forms_cause_no_error(
    servers_of_all: Servers, caplog: pytest.LogCaptureFixture
) -> None:
    lines = b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    for (port, _), target in product(servers_of_all.values(), NO_ADDRESS):
        with no_fault(caplog):
            answer = await exchange(port, b"GET " + target + lines)
        assert 200 <= status_of(answer) < 500, target
    for name, path in (("home", "/join"), ("collective", "/administration/login")):
        port, _ = servers_of_all[name]
        for body in NO_FORM:
            kind = f"Content-Type: {FORM}\r\nContent-Length: {len(body)}".encode()
            with no_fault(caplog):
                answer = await exchange(port, head(path, *USUAL, kind, method="POST") + body)
            assert status_of(answer) in {400, 403}, body


# Requests within requests.


HIDDEN = b"GET /administration/login HTTP/1.1\r\nHost: localhost\r\n\r\n"


FRAMING = (
    b"Content-Length: 0\r\nContent-Length: 57",
    b"Content-Length: 57, 0",
    b"Content-Length: +57",
    b"Content-Length: 0x39",
    b"Content-Length : 57",
    b"Content-Length: 57\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    b"Transfer-Encoding: xchunked",
    b"Transfer-Encoding:\x0bchunked",
    b"Transfer-Encoding: identity, chunked, identity",
    b"X: a\nTransfer-Encoding: chunked",
    b"X: a\r\n folded: chunked",
)


async def test_no_request_is_smuggled_within_another(
    servers_of_all: Servers,
) -> None:
    """One answer comes, or it is a refusal and the connection ends: never two."""
    for port, _ in servers_of_all.values():
        for lines in FRAMING:
            sent = b"POST /x HTTP/1.1\r\nHost: localhost\r\n" + lines + b"\r\n\r\n" + HIDDEN
            answer = await exchange(port, sent)
            assert status_of(answer) == 400, lines
            assert answer.count(b"HTTP/1.1 ") + answer.count(b"HTTP/1.0 ") == 1


# A browser that resolves somebody else's name to this address (DNS rebinding), and other sites.


@asynccontextmanager
async def lured() -> AsyncIterator[Callable[[str, str, str], Awaitable[str]]]:
    """Start a browser whose DNS says that evil.example is this machine.

    Yield what runs a script of a page at an origin, which then asks for a path of that origin.
    """
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                *ARGUMENTS,
                "--host-resolver-rules=MAP evil.example 127.0.0.1",
                # Newer browsers guard a machine by themselves. What holds is to hold without.
                "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests",
            ],
        )
        page = await browser.new_page()
        await page.route(
            "**/lure", lambda route: route.fulfill(body="<p>Come in</p>", content_type="text/html")
        )

        async def asks(origin: str, method: str, path: str) -> str:
            await page.goto(f"{origin}/lure")
            script = """async ([method, path, admin]) => {
                const sent = {method, headers: {"X-Remote-User-Id": admin}, cache: "no-store"};
                const answer = await fetch(path, sent);
                return `${answer.status} ${await answer.text()}`;
            }"""
            return str(await page.evaluate(script, [method, path, ADMIN]))

        try:
            yield asks
        finally:
            await browser.close()


@pytest.mark.skipif(not CHROMIUM.exists(), reason="script/setup gets Chromium")
async def test_dns_rebinding_reads_nothing_and_changes_nothing(
    file: Store, second: Store, town: ReleasedTown, tmp_path: Path
) -> None:
    own = settings(tmp_path, page=PageSettings(names=("energies.example.org",)))
    async with (
        running(file, toy(), ingress={"172.30.32.2"}) as home,
        opened(second, own) as office,
        Metrics(watch_of(town), own.page.names).listening("127.0.0.1", 0) as metrics,
        lured() as asks,
    ):
        evil = "http://evil.example"
        for path in ("/", "/mine/consometers.json", "/settings", "/health", "/api/v1/node"):
            answer = await asks(f"{evil}:{home.url.port}", "GET", path)
            assert answer[:3] in {"401", "403"}, (path, answer)
        for path in ("/", "/card", "/data/groups.json", "/administration/login", "/health"):
            answer = await asks(f"{evil}:{office.url.port}", "GET", path)
            assert answer.startswith("421 "), (path, answer)
            # As a visitor on this machine it is there: the test could fail.
            assert (await asks(f"http://127.0.0.1:{office.url.port}", "GET", path))[:3] == "200"
        for path in ("/join", "/settings", "/api/v1/collectives/1/pause"):
            answer = await asks(f"{evil}:{home.url.port}", "POST", path)
            assert answer[:3] in {"401", "403"}, (path, answer)
        for path in ("/administration/login", "/administration/logout"):
            assert (await asks(f"{evil}:{office.url.port}", "POST", path)).startswith("421 ")
        assert (await asks(f"{evil}:{metrics}", "GET", "/metrics")).startswith("421 ")
        assert (await asks(f"http://localhost:{metrics}", "GET", "/metrics")).startswith("200 ")


HOSTS = {
    "energies.example.org": 200,
    "ENERGIES.example.org:8080": 200,
    "energies.example.org.": 200,
    "127.0.0.1": 200,
    "192.168.1.20:8080": 200,
    "[::1]:8080": 200,
    "localhost:8080": 200,
    "node": 200,
    "cooperative.local": 200,
    "evil.example": 421,
    "energies.example.org.evil.example": 421,
    "127.0.0.1.evil.example": 421,
    "127.0.0.1.nip.io:8080": 421,
    "evil.localhost.example": 421,
}
"""Names under which somebody asks, and how they are answered."""


async def test_a_collective_answers_under_its_own_names_alone(
    file: Store, tmp_path: Path, socket_enabled: None
) -> None:
    own = settings(tmp_path, page=PageSettings(names=("energies.example.org",)))
    async with opened(file, own) as office:
        for (host, status), path in product(HOSTS.items(), ("/health", "/administration/login")):
            answer = await exchange(office.url.port or 0, head(path, f"Host: {host}".encode()))
            assert status_of(answer) == status, host


async def test_other_sites_may_frame_the_card_alone(
    home: ServedHome, second: Store, tmp_path: Path
) -> None:
    """No button of ours can be laid under one of theirs."""
    permission_id = await ask(home)
    for path in ("", f"permissions/{permission_id}", "settings", "join"):
        policy = (await home.browser().open(path)).headers["Content-Security-Policy"]
        assert "frame-ancestors 'self'" in policy
    async with opened(second, settings(tmp_path)) as office:
        browser = await office.browser()
        for path, ancestors in (
            ("/", "'none'"),
            ("/hall", "'none'"),
            ("/administration/login", "'none'"),
            ("/card", "*"),
        ):
            policy = (await browser.open(path)).headers["Content-Security-Policy"]
            assert f"frame-ancestors {ancestors}" in policy
            assert "form-action 'none'" in policy or path.startswith("/administration")
