"""Equal requests share an answer, as long as it holds."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta

from aiohttp import web
from aiohttp.test_utils import make_mocked_request
import pytest

from consometers_node.collective.publication.policy import InForce
from consometers_node.sharing.changes import Changes
from consometers_node.web.core.rate_limit import visitors
from consometers_node.web.public import response_cache
from consometers_node.web.public.page_base import Guest, PublicPages
from consometers_node.web.public.response_cache import FOR, ResponseCache
from testing.pages.town import NOW, ReleasedTown, day_of, serving

FIRST, SECOND = date(2026, 5, 30), date(2026, 5, 31)
HOURS = f"data/consumption/by/all/PT1H/from/{FIRST}/to/{SECOND}"


@pytest.fixture
async def clock() -> list[timedelta]:
    """The time since `NOW`."""
    return [timedelta()]


@pytest.fixture
def changes() -> Changes:
    return Changes()


@pytest.fixture
async def busy(
    town: ReleasedTown, clock: list[timedelta], changes: Changes
) -> AsyncIterator[ReleasedTown]:
    """The town, served by a node that keeps what it answers."""
    again = ReleasedTown(town.store, town.settings)
    async with serving(again, clock=lambda: NOW + clock[0], changes=changes):
        yield again


async def release(town: ReleasedTown, watts: int, day: date = FIRST) -> None:
    hours = day_of(day, consumption=lambda hour: watts)
    await town.release(await town.group(), hours)


async def test_a_release_renews_the_cached_page_at_once(
    busy: ReleasedTown, changes: Changes
) -> None:
    browser = busy.browser()
    first = await browser.open(HOURS)
    await release(busy, 77_000)
    assert (await browser.open(HOURS)).html == first.html
    changes.notify()
    second = await browser.open(HOURS)
    assert "77000" in second.html
    assert second.headers["ETag"] != first.headers["ETag"]
    for name in ("Content-Type", "Cache-Control", "Content-Security-Policy", "Link"):
        assert (await browser.open(HOURS)).headers[name] == first.headers[name]


async def test_cached_answers_expire(busy: ReleasedTown, clock: list[timedelta]) -> None:
    browser = busy.browser()
    first = await browser.open(HOURS)
    await release(busy, 77_000)
    clock[0] = FOR - timedelta(seconds=1)
    assert (await browser.open(HOURS)).html == first.html
    clock[0] = FOR
    assert "77000" in (await browser.open(HOURS)).html
    # A clock that is set back keeps nothing longer.
    await release(busy, 78_000, SECOND)
    clock[0] = timedelta()
    assert "78000" in (await browser.open(HOURS)).html


async def test_languages_are_cached_apart_and_cookies_never(
    busy: ReleasedTown,
) -> None:
    for _ in range(2):
        assert (await busy.browser("fr").open("")).language == "fr"
        assert (await busy.browser("en").open("")).language == "en"
        assert "Set-Cookie" in (await busy.browser("en").open("?language=fr")).headers
    assert "Set-Cookie" not in (await busy.browser("en").open("")).headers


async def test_a_matching_etag_answers_304_from_the_cache(busy: ReleasedTown) -> None:
    browser = busy.browser()
    page = await browser.open("card")
    again = await browser.open("card", If_None_Match=page.headers["ETag"])
    assert (again.status, again.html) == (304, "")
    assert again.headers["Content-Security-Policy"] == page.headers["Content-Security-Policy"]
    other = await browser.open("card", If_None_Match='"another"')
    assert (other.status, other.html) == (200, page.html)


class Maker:
    """A handler that counts its answers."""

    def __init__(self, status: int = 200, size: int = 10, tag: str = "1") -> None:
        self.made = 0
        self._status = status
        self._size = size
        self._tag = tag

    async def __call__(self) -> web.Response:
        self.made += 1
        await asyncio.sleep(0)
        headers = {"ETag": self._tag} if self._tag else {}
        return web.Response(body=bytes(self._size), status=self._status, headers=headers)


async def test_concurrent_requests_share_one_answer() -> None:
    answers, make = ResponseCache(Changes()), Maker()
    pages = await asyncio.gather(*(answers.answer(("a",), NOW, make) for _ in range(20)))
    assert make.made == 1
    assert len(set(map(id, pages))) == 20


@pytest.mark.parametrize(
    ("changes", "make"),
    [(Changes(), Maker(status=404)), (Changes(), Maker(tag="")), (None, Maker())],
    ids=["error", "no ETag", "no notice of changes"],
)
async def test_uncacheable_answers_are_made_again(changes: Changes | None, make: Maker) -> None:
    answers = ResponseCache(changes)
    for _ in range(2):
        await answers.answer(("a",), NOW, make)
    assert make.made == 2


async def test_answer_that_changes_while_made_is_not_cached() -> None:
    changes = Changes()
    answers, make = ResponseCache(changes), Maker()

    async def makes() -> web.Response:
        changes.notify()
        return await make()

    for _ in range(2):
        await answers.answer(("a",), NOW, makes)
    assert make.made == 2


async def test_cache_size_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(response_cache, "MOST_BYTES", 100)
    answers, make = ResponseCache(Changes()), Maker(size=40)
    for name in ("a", "b", "a", "c", "a", "b"):
        await answers.answer((name,), NOW, make)
    # The latest request stays: b went for c, and c for b.
    assert make.made == 4
    large = Maker(size=101)
    for _ in range(2):
        await answers.answer(("large",), NOW, large)
    assert large.made == 2


async def test_answer_without_etag_is_never_unmodified(town: ReleasedTown) -> None:
    async def look(_pages: PublicPages, _guest: Guest) -> web.StreamResponse:
        return web.Response(text="new")

    pages = PublicPages(
        town.store,
        town.settings,
        "0",
        rules=InForce(town.settings.publication),
        limits=visitors(),
        cache=ResponseCache(None),
        now=lambda: NOW,
    )
    answer = await pages.looks(look)(make_mocked_request("GET", "/new"))
    assert answer.status == 200
