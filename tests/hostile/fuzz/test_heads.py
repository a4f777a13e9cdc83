"""Heads and bodies over raw sockets to the real pages: an answer below 500, and no error logged."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
import logging
from pathlib import Path
import re
import sqlite3
from urllib.parse import quote

from hypothesis import strategies as st
import pytest

from consometers_node.store import Store
from consometers_node.web.admin import routes as of_an_administration
from consometers_node.web.core.access import ADMINISTRATION
from consometers_node.web.core.csrf import FIELD, FormTokens
from consometers_node.web.household import routes as of_a_home
from consometers_node.web.public import routes as of_all
from testing.homes import served as home
from testing.hostile.documents import NASTY, damaged
from testing.hostile.exploring import explore
from testing.hostile.headers import HEADERS
from testing.pages import office, town
from testing.run import DEADLINE_S

ANSWERS_WITHIN_S = 0.5
API = ("/api/v1/node", "/api/v1/collectives/{id}/pause", "/api/v1/collectives/{id}/resume")


@dataclass(frozen=True)
class Pages:
    """Where a site listens, what may be asked of it, and how somebody asks who may."""

    port: int
    looks: Iterable[str]
    acts: Iterable[str] = ()
    headers: tuple[tuple[str, str], ...] = ()
    token: str = ""
    writes: bool = False
    """Whether it writes by itself, as a home does that reads its Home Assistant."""


@asynccontextmanager
async def a_home(file: Path) -> AsyncIterator[Pages]:
    store = await Store.open(file)
    async with home.running(store, home.toy()) as opened:
        yield Pages(
            opened.url.port or 0,
            (*of_a_home.LOOKS, *API, "/health", "/static/{name}"),
            (*of_a_home.ACTS, *of_a_home.BY_ANYONE, *API[1:]),
            (
                ("X-Remote-User-Id", home.ADMIN),
                ("X-Ingress-Path", "/api/hassio_ingress/a-token"),
                ("Authorization", f"Bearer {home.API_TOKEN}"),
            ),
            FormTokens(home.API_TOKEN).of_person(home.ADMIN),
            writes=True,
        )
    await store.close()


@asynccontextmanager
async def public_pages(file: Path) -> AsyncIterator[Pages]:
    store = await Store.open(file)
    opened = town.ReleasedTown(store, town.settings(file.parent))
    everybody = await opened.group()
    await opened.join(everybody, 40)
    today = town.NOW.date()
    await opened.release(everybody, town.day_of(today, consumption=lambda hour: 10_000))
    async with town.serving(opened):
        yield Pages(opened.url.port or 0, (*of_all.LOOKS, "/health", "/static/{name}"), ("/",))
    await store.close()


@asynccontextmanager
async def an_administration(file: Path) -> AsyncIterator[Pages]:
    store = await Store.open(file)
    async with office.serving(store, town.settings(file.parent)) as opened:
        await opened.appoint(office.NAME)
        browser = await opened.enter()
        cookies = browser.session.cookie_jar.filter_cookies(browser.url)
        page = await browser.open("needs/new")
        (token,) = {value for form in page.forms for name, value in form.fields if name == FIELD}
        acts = of_an_administration.ACTS.keys() - {"/logout", "/password"}
        yield Pages(
            opened.url.port or 0,
            [
                ADMINISTRATION + path
                for path in (*of_an_administration.LOOKS, *of_an_administration.OPEN)
            ],
            [ADMINISTRATION + path for path in sorted(acts)],
            (("Cookie", "; ".join(f"{name}={cookie.value}" for name, cookie in cookies.items())),),
            token,
        )
    await store.close()


NAMES = st.sampled_from(
    [
        *HEADERS,
        *("Accept-Encoding", "X-Remote-User-Name", "Transfer-Encoding", "Content-Length"),
        *("Connection", "HX-Request", "HX-Target"),
    ]
)
VALUES = NASTY.map(lambda text: text[:3_000].encode()) | st.sampled_from(
    [
        b"\xff\xfe",
        b"[::1",
        b"http://[",
        b"a:b:c",
        b"bytes=5-1",
        b"chunked, gzip",
        b"100-continue",
        b"Bearer \xc3\xa9",
        b"fr;q=\xd9\xa3, en;q=nan, *",
        b'W/"',
        b"multipart/form-data; boundary=",
        b"application/json",
    ]
)
FIELDS = st.sampled_from(
    [
        "name",
        "password",
        "need",
        "version",
        "title_fr",
        "title",
        "purpose",
        "controller",
        "contact",
        "policy",
        "interval",
        "history",
        "duration",
        "retention",
        "series",
        "direction",
        "link",
        "jid",
        "kind",
        "area",
        "count",
        "note",
        "uses",
        "days",
        "language",
        "point",
        "pause",
        "erase",
        "user",
        "minimum",
        "basis",
        "sheets",
        "page",
        "before",
        "search",
    ]
)


@st.composite
def requests(draw: st.DrawFn, pages: Pages) -> tuple[bytes, bool]:
    acts = bool(pages.acts) and draw(st.booleans())
    route = draw(st.sampled_from(sorted(pages.acts if acts else pages.looks)))
    path = re.sub(r"\{(\w+)(?::[^{}]*(?:\{[^{}]*\}[^{}]*)*)?\}", lambda _: draw(PARTS), route)
    query = draw(st.dictionaries(FIELDS, NASTY, max_size=2)) if draw(st.booleans()) else {}
    asked = "&".join(f"{quote(key)}={quote(value[:1_000])}" for key, value in query.items())
    method = (
        "POST" if acts else draw(st.sampled_from(["GET", "GET", "GET", "HEAD", "OPTIONS", "PUT"]))
    )
    fields = draw(st.lists(st.tuples(FIELDS, NASTY), max_size=6)) if acts else []
    has_token = acts and draw(st.booleans())
    if has_token:
        fields.append((FIELD, pages.token))
    body = "&".join(f"{quote(name)}={quote(value[:9_000])}" for name, value in fields)
    if acts and draw(st.integers(0, 7)) == 7:
        body += draw(st.sampled_from(["&%ff=%fe", "&token=%ed%a0%80", "&" * 5_000, "&a=%00"]))
    headers = [
        ("Host", b"127.0.0.1"),
        *((name, value.encode()) for name, value in pages.headers),
        ("Content-Type", b"application/x-www-form-urlencoded"),
        ("Content-Length", str(len(body)).encode()),
        ("Connection", b"close"),
    ]
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(headers) - 1))
        name, value = draw(NAMES), draw(VALUES)
        headers[at : at + draw(st.sampled_from([0, 0, 1]))] = [(name, value)]
    target = path + ("?" + asked if asked else "")
    head = b"".join(
        [
            f"{method} {target} HTTP/1.1\r\n".encode(),
            *(name.encode() + b": " + value + b"\r\n" for name, value in headers),
        ]
    )
    sent = head + b"\r\n" + body.encode()
    return (draw(damaged(sent)) if draw(st.integers(0, 5)) == 5 else sent), has_token


PARTS = st.sampled_from(
    [
        "1",
        "999999999",
        "00000000-0000-4000-8000-000000000000",
        "2026-06",
        "2026-06-10",
        "2026",
        "9999-99",
        "Lorient",
        "%C3%89cole%20de%20Kersabiec",
        "..",
        "%2e%2e%2fnode.db",
        "%00",
        "%ff",
        "a" * 300,
        "app.css",
        "consumption",
        "all",
        "PT1H",
        "P1D",
        "\N{LATIN SMALL LETTER E WITH ACUTE}",
    ]
)


async def send(port: int, request: bytes) -> bytes:
    """Return what comes back to a request, whatever that is."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(DEADLINE_S):
            with suppress(ConnectionError):
                writer.write(request)
                await writer.drain()
                first = b""
                with suppress(TimeoutError):
                    async with asyncio.timeout(ANSWERS_WITHIN_S):
                        first = await reader.read(4_096)
                # A server that waits for more, or for the next request, sees the end here.
                writer.write_eof()
                return first + await reader.read()
    finally:
        writer.close()
    return b""


@pytest.mark.parametrize(
    ("surface", "serving"),
    [
        ("heads of a home", a_home),
        ("heads of public pages", public_pages),
        ("heads of an administration", an_administration),
    ],
)
@pytest.mark.usefixtures("socket_enabled")
def test_pages_answer_any_head(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    surface: str,
    serving: Callable[[Path], AbstractAsyncContextManager[Pages]],
) -> None:
    file = tmp_path / "node.db"
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        pages = runner.run(stack.enter_async_context(serving(file)))
        watching = sqlite3.connect(file)

        def version() -> object:
            return watching.execute("PRAGMA data_version").fetchone()

        def check(request: tuple[bytes, bool]) -> None:
            sent, is_ours = request
            caplog.clear()
            before = version()
            answer = runner.run(send(pages.port, sent))
            if answer:
                status = re.match(rb"HTTP/\d\.\d (\d{3}) ", answer)
                assert status, answer[:100]
                assert int(status[1]) < 500, answer[:300]
                assert b"Traceback" not in answer
            failed = [
                record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR
            ]
            assert failed == []
            assert is_ours or pages.writes or version() == before

        try:
            explore(surface, 60, check, requests(pages))
        finally:
            watching.close()
            runner.run(stack.aclose())
