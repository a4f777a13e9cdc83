"""One household of a host at the home of another, a stranger at all of them, and codes guessed."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from consometers_node.host.accounts import spaces
from consometers_node.store import Store
from consometers_node.web.core.logins import FREE_TRIES
from consometers_node.web.host.page_base import COOKIES
from testing.hosts.spaces import PASSWORD, ServedHost, create, hosting, log_in
from testing.pages.browser import Browser

HOMES = ("ker-anna", "ker-lann")


@pytest.fixture
async def host(file: Store, socket_enabled: None) -> AsyncIterator[ServedHost]:
    async with hosting(file) as served:
        yield served


def key_of(browser: Browser) -> str:
    return browser.session.cookie_jar.filter_cookies(browser.url)[COOKIES.session].value


async def two(host: ServedHost) -> list[Browser]:
    """Return the browsers of two households, of each of which its own collective asks something."""
    browsers = [await host.household(name) for name in HOMES]
    for name in HOMES:
        await host.ask(name)
    return browsers


@pytest.mark.parametrize(
    "place",
    [
        "home/",
        "home/ker-anna",
        "home/ker-anna@foyers.example",
        "home/?home=ker-anna",
        "home/..%2fker-anna",
        "home/%2e%2e/ker-anna@foyers.example/",
    ],
)
async def test_a_session_opens_its_own_home_alone(host: ServedHost, place: str) -> None:
    _, other = await two(host)
    headers = {"X-Remote-User-Name": "ker-anna", "X-Forwarded-User": "ker-anna"}
    page = await other.open(place, **headers)
    assert "Coopérative de ker-lann" in page.text or page.status == 404
    assert "Coopérative de ker-anna" not in page.text


async def test_a_stranger_opens_no_home(host: ServedHost) -> None:
    await two(host)
    stranger = await host.browser()
    for place in ("home/", "home/mine", "password", "delete"):
        page = await stranger.open(place)
        assert page.url.path == "/login", place
        assert "Coopérative" not in page.text


async def test_the_key_of_a_household_is_none_of_an_operator(host: ServedHost) -> None:
    browser, _ = await two(host)
    operator = await host.operator()
    key = key_of(browser)
    page = await browser.open("administration/", Cookie=f"consometers-admin={key}")
    assert page.url.path == "/administration/login"
    page = await operator.open("")
    assert "Coopérative" not in page.text
    assert "ker-anna" in page.text
    assert (await operator.open("/home/")).url.path == "/login"


async def test_the_session_of_a_deleted_space_is_dead(host: ServedHost) -> None:
    browser, _ = await two(host)
    elsewhere = await host.browser()
    await log_in(elsewhere, "ker-anna")
    keys = key_of(browser), key_of(elsewhere)
    page = await browser.fill("delete", "delete", ("password", "wrong password here"))
    assert page.status == 422
    page = await browser.fill("delete", "delete", ("password", PASSWORD))
    assert "Your space is deleted" in page.text
    assert host.addresses == ["ker-lann@foyers.example"]
    for key in keys:
        stranger = await host.browser()
        page = await stranger.open("home/", Cookie=f"{COOKIES.session}={key}")
        assert page.url.path == "/login"
    assert (await log_in(elsewhere, "ker-anna")).status == 403
    assert (await create(await host.browser(), "ker-anna", await host.invite())).status == 422


async def test_a_code_is_used_once_even_at_the_same_time(host: ServedHost) -> None:
    code = await host.invite()
    browsers = [await host.browser() for _ in range(4)]
    made = [create(browser, f"home-{n}", code) for n, browser in enumerate(browsers)]
    statuses = sorted(page.status for page in await asyncio.gather(*made))
    assert statuses == [200, 403, 403, 403]
    async with host.store.reading() as connection:
        assert await spaces.count(connection) == 1


async def test_codes_are_not_guessed(host: ServedHost) -> None:
    browser = await host.browser()
    tried = [(await create(browser, "ker-anna", f"guess{n}")).status for n in range(8)]
    assert tried == [403] * FREE_TRIES + [429] * (8 - FREE_TRIES)
    assert (await create(browser, "ker-anna", await host.invite())).status == 429
    assert host.addresses == []


async def test_names_are_not_compared_for_the_uninvited(host: ServedHost) -> None:
    await two(host)
    answers = [
        (await create(await host.browser(), name, "guess", X_Forwarded_For=f"192.0.2.{n}")).text
        for n, name in enumerate(("ker-anna", "ker-none"))
    ]
    assert answers[0].replace("ker-anna", "") == answers[1].replace("ker-none", "")


async def test_passwords_are_not_guessed(host: ServedHost) -> None:
    await two(host)
    stranger = await host.browser()
    tried = [(await log_in(stranger, "ker-anna", f"wrong {n}")).status for n in range(8)]
    assert tried == [403] * FREE_TRIES + [429] * (8 - FREE_TRIES)
    page = await log_in(await host.browser(), "ker-anna", X_Forwarded_For="192.0.2.1")
    assert page.status == 200


async def test_a_form_of_another_household_changes_nothing(host: ServedHost) -> None:
    browser, other = await two(host)
    forged = (await other.open("delete")).form("delete").fields
    typed = [*[each for each in forged if each[0] == "token"], ("password", PASSWORD)]
    assert (await browser.post("delete", typed)).status == 403
    assert len(host.addresses) == 2
