"""The pages of a host: a household's way in and out, and what its operators see."""

from collections.abc import AsyncIterator
import re

import pytest
from sqlalchemy import update

from consometers_node.host.accounts import spaces
from consometers_node.host.accounts.terms import VERSION
from consometers_node.store import Store
from consometers_node.store.collective.access_log import reads
from consometers_node.store.host.tables import SpaceRow
from consometers_node.web.core.logins import FREE_TRIES
from testing.hosts.spaces import PASSWORD, ServedHost, create, hosting, log_in

NEW = "four boats out at sea"


@pytest.fixture
async def host(file: Store, socket_enabled: None) -> AsyncIterator[ServedHost]:
    async with hosting(file) as served:
        yield served


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        ("en", "The people who run this machine can read what you bring here."),
        ("fr", "Les personnes qui font fonctionner cette machine peuvent lire ce que vous y"),
    ],
)
async def test_who_can_read_is_said_where_a_space_is_created(
    host: ServedHost, language: str, shown: str
) -> None:
    page = await (await host.browser(language)).open("create")
    assert shown in page.text
    assert page.language == language


async def test_who_asks_for_no_language_that_is_here_has_that_of_the_settings(
    host: ServedHost,
) -> None:
    browser = await host.browser("br")
    assert (await browser.open("")).language == "fr"
    assert (await create(browser, "ker-anna", await host.invite())).status == 200
    async with host.homes.open("ker-anna@foyers.example") as node:
        assert await node.source.language() == "fr"
    assert (await browser.open("home/")).language == "fr"


async def test_an_open_host_asks_for_no_invitation(file: Store, socket_enabled: None) -> None:
    async with hosting(file, is_open=True) as host:
        browser = await host.browser()
        assert "You need an invitation" not in (await browser.open("")).text
        page = await create(browser, "Ker-Anna", "")
        assert page.status == 200
        assert "ker-anna@foyers.example" in page.text
        assert "Your space is ready." in page.text


@pytest.mark.parametrize(
    ("changed", "shown"),
    [
        (("terms", ""), "Tick the box"),
        (("password", "short"), "at least 12"),
        (("again", "another"), "not the same"),
        (("name", "Ker Anna"), "lower-case letters"),
    ],
)
async def test_a_form_with_an_error_creates_nothing(
    host: ServedHost, changed: tuple[str, str], shown: str
) -> None:
    browser, code = await host.browser(), await host.invite()
    page = await browser.open(f"create?code={code}")
    assert ("code", code) in page.form("create").fields
    typed = {"name": "ker-anna", "password": PASSWORD, "again": PASSWORD, "terms": VERSION}
    sent = (typed | dict([changed])).items()
    page = await browser.send(page, "create", ("code", code), *sent)
    assert page.status == 422
    assert shown in page.text
    assert host.addresses == []
    assert (await create(browser, "ker-anna", code)).status == 200


async def test_logout_ends_the_session(host: ServedHost) -> None:
    browser = await host.household("ker-anna")
    page = await browser.fill("", "logout")
    assert "You are logged out." in page.text
    assert (await browser.open("home/")).url.query["next"] == "home/"
    page = await browser.open("home/")
    page = await browser.send(page, "login", ("name", "KER-ANNA"), ("password", PASSWORD))
    assert page.url.path == "/home/"
    assert (await browser.open("login")).url.path == "/"
    assert (await browser.open("create")).url.path == "/"


async def test_a_form_after_the_end_of_a_session_says_so(host: ServedHost) -> None:
    browser = await host.household("ker-anna")
    page = await browser.open("password")
    async with host.store.writing() as connection:
        await spaces.SESSIONS.end_all(connection, "ker-anna")
    page = await browser.send(page, "password")
    assert "Your session has ended" in page.text


async def test_a_new_password_ends_all_other_sessions(host: ServedHost) -> None:
    here, there = await host.household("ker-anna"), await host.browser()
    await log_in(there, "ker-anna")
    page = await here.fill("password", "password", ("old", "wrong"), ("new", NEW), ("again", NEW))
    assert page.status == 422
    page = await here.fill("password", "password", ("old", PASSWORD), ("new", NEW), ("again", NEW))
    assert "Your password is changed." in page.text
    assert (await here.open("home/")).url.path == "/home/"
    assert (await there.open("home/")).url.path == "/login"
    assert (await log_in(there, "ker-anna")).status == 403
    assert (await log_in(there, "ker-anna", NEW)).status == 200


async def test_an_open_session_is_no_licence_to_guess(host: ServedHost) -> None:
    browser = await host.household("ker-anna")
    wrong = ("password", "wrong password here")
    tried = [(await browser.fill("delete", "delete", wrong)).status for _ in range(FREE_TRIES + 1)]
    assert tried == [422] * FREE_TRIES + [429]
    assert (await browser.fill("delete", "delete", ("password", PASSWORD))).status == 429
    assert "ker-anna@foyers.example" in host.addresses


async def test_changed_terms_are_accepted_before_the_home_opens(host: ServedHost) -> None:
    browser = await host.household("ker-anna")
    async with host.store.writing() as connection:
        await connection.execute(update(SpaceRow).values(terms_version="2026-01-01"))
    for place in ("", "home/"):
        assert (await browser.open(place)).url.path == "/terms"
    page = await browser.open("terms")
    assert "The terms have changed" in page.text
    await browser.send(page, "terms", ("terms", "2026-01-01"))
    assert (await browser.open("home/")).url.path == "/terms"
    await browser.send(page, "terms", ("terms", VERSION))
    assert (await browser.open("home/")).url.path == "/home/"
    assert "The terms have changed" not in (await browser.open("terms")).text


async def test_a_missing_page_is_refused_in_words(host: ServedHost) -> None:
    browser = await host.household("ker-anna")
    page = await browser.open("nothing")
    assert page.status == 404
    assert "Page not found" in page.text


async def test_pages_are_not_stored_and_files_are(host: ServedHost) -> None:
    page = await (await host.browser()).open("login")
    assert page.headers["Cache-Control"] == "no-store"
    style = next(each for each in page.loads if "style.css" in each)
    assert "immutable" in (await (await host.browser()).open(style)).headers["Cache-Control"]


async def test_an_operator_sees_names_sizes_and_dates(host: ServedHost) -> None:
    await host.household("ker-anna")
    home = host.register.of("ker-anna@foyers.example")
    (home.folder / "more").write_bytes(b"x" * 3_400_000)
    page = await (await host.operator()).open("")
    assert "Spaces in use: 1 of 1,000." in page.text
    assert "ker-anna" in page.text
    assert re.search(r"\b[3-5](\.\d+)? MB", page.text)


async def test_spaces_are_listed_in_pages(
    host: ServedHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consometers_node.web.host.operator.PER_PAGE", 1)
    for name in ("ker-anna", "ker-lann"):
        await host.household(name)
    operator = await host.operator()
    for asked, name, other in (
        ("1", "anna", "lann"),
        ("2", "lann", "anna"),
        ("99", "lann", "anna"),
    ):
        page = await operator.open(f"?page={asked}")
        assert f"ker-{name}" in page.text
        assert f"ker-{other}" not in page.text
    assert "ker-anna" in (await operator.open("?page=x")).text


async def test_an_operator_invites_and_revokes(host: ServedHost) -> None:
    operator = await host.operator()
    page = await operator.open("")
    sent = ("days", "3"), ("note", "the house by the well")
    page = await operator.send(page, "invitations", *sent)
    code = page.text.partition("https://foyers.example/create?code=")[2].split()[0]
    assert "the house by the well" in page.text
    assert code not in (await operator.open("")).text
    page = await operator.send(await operator.open(""), "revoke")
    assert "can no longer be used" in page.text
    assert (await create(await host.browser(), "ker-anna", code)).status == 403
    async with host.store.reading() as connection:
        noted = [(each.who, each.what) for each in await reads(connection)]
    assert noted == [
        ("Operator", "space invitation revoked"),
        ("Operator", "space invitation"),
        ("Operator", "login"),
    ]


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("days", "0", "from 1 to 90"),
        ("days", "91", "from 1 to 90"),
        ("days", "soon", "from 1 to 90"),
        ("note", "n" * 201, "at most 200"),
    ],
)
async def test_an_invitation_with_an_error_is_not_made(
    host: ServedHost, field: str, value: str, shown: str
) -> None:
    operator = await host.operator()
    page = await operator.open("")
    page = await operator.send(page, "invitations", (field, value))
    assert page.status == 422
    assert shown in page.text
    assert "create?code=" not in page.text
