"""Who may log in, for how long, and which cookies and headers a browser receives."""

from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from itertools import product

import pytest
from sqlalchemy import select

from consometers_node.accounts import administrators
from consometers_node.accounts.passwords import Passwords
from consometers_node.accounts.sessions import IDLE, LONGEST
from consometers_node.collective.settings import PageSettings
from consometers_node.rate_limit import GrowingWait
from consometers_node.store.collective.access_log import reads
from consometers_node.store.collective.tables import AdministratorRow, AdminSessionRow
from consometers_node.web.core.admin_pages import COOKIES
from consometers_node.web.core.logins import FREE_TRIES, TRIES, of_address
from testing.pages.browser import Browser
from testing.pages.office import NAME, PASSWORD, QUICK, Office, log_in, serving

COOKIE = COOKIES.session


async def key_of(browser: Browser) -> str:
    cookies = browser.session.cookie_jar.filter_cookies(browser.url)
    return cookies[COOKIE].value


async def test_correct_password_logs_in(office: Office) -> None:
    browser = await office.browser()
    page = await browser.open("")
    assert page.url.path == "/administration/login"
    page = await log_in(browser, NAME, PASSWORD)
    assert (page.status, page.url.path) == (200, "/administration/")
    assert NAME in page.text
    (entry,) = await office.read(reads)
    assert (entry.who, entry.what) == (NAME, "login")


async def test_wrong_credentials_are_refused(office: Office) -> None:
    browser = await office.browser()
    for name, password in (
        (NAME, "three boats in the ba"),
        (NAME, ""),
        (NAME.lower(), PASSWORD),
        ("nobody", PASSWORD),
        ("", ""),
        ("' OR 1=1 --", "' OR 1=1 --"),
        ("<script>alert(1)</script>", "x" * 3999),
        (NAME, f" {PASSWORD}"),
    ):
        office.clock.go_on(timedelta(days=1))
        page = await log_in(browser, name, password)
        assert page.status == 403, name
        assert "Wrong name or password" in page.text
        assert not password or f'"{password}"' not in page.html
        assert (await browser.open("")).url.path == "/administration/login"


async def test_login_returns_to_the_requested_page(office: Office) -> None:
    browser = await office.browser()
    page = await browser.open("password")
    assert page.url.query["next"] == "password"
    page = await browser.send(page, "login", ("name", NAME), ("password", PASSWORD))
    assert page.url.path == "/administration/password"


async def test_login_never_redirects_to_another_site(office: Office) -> None:
    for place in (
        "https://example.org/",
        "//example.org/",
        "/\\example.org",
        "javascript:alert(1)",
        "..//example.org",
        "\r\nSet-Cookie: a=b",
        "%2f%2fexample.org",
        "?a=b",
        "a" * 300,
    ):
        browser = await office.browser()
        filled = (("name", NAME), ("password", PASSWORD), ("next", place))
        page = await browser.fill("login", "login", *filled)
        assert page.url.origin() == office.url.origin(), place
        assert page.url.path == "/administration/"


async def test_login_replaces_the_session_key(office: Office) -> None:
    """Even one that somebody else chose."""
    browser, other = await office.browser(), await office.browser()
    before = "A" * 43
    browser.session.cookie_jar.update_cookies({COOKIE: before}, office.url / "administration/")
    await browser.open("login")
    assert await key_of(browser) == before
    await log_in(browser, NAME, PASSWORD)
    assert await key_of(browser) != before
    page = await other.open("", Cookie=f"{COOKIE}={before}")
    assert page.url.path == "/administration/login"


async def test_idle_session_expires(office: Office) -> None:
    browser = await office.enter()
    for _ in range(3):
        office.clock.go_on(IDLE - timedelta(minutes=1))
        assert (await browser.open("")).url.path == "/administration/"
    office.clock.go_on(IDLE)
    assert (await browser.open("")).url.path == "/administration/login"


async def test_session_expires_even_while_used(office: Office) -> None:
    browser = await office.enter()
    steps = LONGEST // timedelta(minutes=50)
    for _ in range(steps):
        office.clock.go_on(timedelta(minutes=50))
        assert (await browser.open("")).url.path == "/administration/"
    office.clock.go_on(timedelta(minutes=50))
    assert (await browser.open("")).url.path == "/administration/login"


async def test_logout_ends_the_session(office: Office) -> None:
    browser = await office.enter()
    key = await key_of(browser)
    page = await browser.fill("", "logout")
    assert "You are logged out." in page.text
    other = await office.browser()
    assert (await other.open("", Cookie=f"{COOKIE}={key}")).url.path == "/administration/login"


async def test_password_change_ends_all_other_sessions(office: Office) -> None:
    here, there = await office.enter(), await office.enter()
    new = "four boats out at sea"
    page = await here.fill("password", "password", ("old", PASSWORD), ("new", new), ("again", new))
    assert "Your password is changed." in page.text
    assert (await here.open("")).url.path == "/administration/"
    assert (await there.open("")).url.path == "/administration/login"
    assert (await log_in(there, NAME, PASSWORD)).status == 403
    assert (await log_in(there, NAME, new)).status == 200


async def test_bad_new_password_is_refused(office: Office) -> None:
    browser, good = await office.enter(), "four boats out at sea"
    for old, new, again, problem in (
        ("wrong", good, good, "not your present"),
        (PASSWORD, "short", "short", "at least 12"),
        (PASSWORD, good, "four boats", "not the same"),
        (PASSWORD, "n" * 1001, "n" * 1001, "at most 1000"),
        (PASSWORD, NAME * 3, NAME * 3, "easy to guess"),
    ):
        typed = (("old", old), ("new", new), ("again", again))
        page = await browser.fill("password", "password", *typed)
        assert page.status == 422, problem
        assert problem in page.text
    assert (await log_in(await office.browser(), NAME, PASSWORD)).status == 200


async def test_removed_administrator_is_logged_out(office: Office) -> None:
    browser = await office.enter()
    await office.written(lambda connection: administrators.remove(connection, NAME))
    assert (await browser.open("")).url.path == "/administration/login"
    assert "admins add" in (await browser.open("login")).text
    assert (await log_in(browser, NAME, PASSWORD)).status == 403


async def test_database_holds_only_hashes_of_sessions_and_passwords(office: Office) -> None:
    browser = await office.enter()
    async with office.store.reading() as connection:
        row = (await connection.execute(select(AdminSessionRow.__table__))).one()
        hashed = (await connection.execute(select(AdministratorRow.password_hash))).scalar_one()
    assert await key_of(browser) not in repr(tuple(row))
    assert hashed.startswith("$argon2id$")
    assert PASSWORD not in hashed


async def test_weak_password_hash_is_replaced_at_login(office: Office) -> None:
    office.pages.passwords = Passwords()
    await office.enter()
    hashed = await office.read(administrators.password_hash, NAME)
    assert hashed is not None
    assert "m=47104,t=2,p=1" in hashed
    await office.enter()


# Forms.


async def test_forged_form_tokens_are_refused(office: Office) -> None:
    browser, other = await office.enter(), await office.enter()
    of_another_session = (await other.open("")).form("logout").fields
    forged = [[("token", token)] for token in ("", "a", "0" * 64, "é" * 64)]
    for form in [*forged, of_another_session, []]:
        assert (await browser.post("logout", form)).status == 403, form
    assert (await browser.open("")).url.path == "/administration/"


async def test_cross_site_forms_are_refused(office: Office) -> None:
    for name, value in (
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("Origin", "https://example.org"),
        ("Origin", "null"),
    ):
        browser = await office.browser()
        login = await log_in(browser, NAME, PASSWORD, **{name: value})
        await log_in(browser, NAME, PASSWORD)
        logout = await browser.fill("", "logout", **{name: value})
        for page in (login, logout):
            assert page.status == 403, (name, value)
            assert "too old, or was not ours" in page.text


async def test_oversized_form_is_refused(office: Office) -> None:
    browser = await office.enter()
    page = await browser.post("logout", [("a", "b" * 300_000)])
    assert page.status == 413


# Headers of responses.


async def test_pages_cannot_be_cached_or_framed(office: Office) -> None:
    browsers = (await office.browser(), await office.enter())
    for browser, path in product(browsers, ("", "login", "password", "nothing", "logout")):
        page = await browser.open(path, **{"If-None-Match": "*"})
        assert page.status in {200, 404, 405}
        assert page.headers["Cache-Control"] == "no-store"
        policy = page.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy
        assert "default-src 'none'" in policy
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert "ETag" not in page.headers


@pytest.mark.parametrize(
    ("headers", "secure"), [({}, False), ({"X-Forwarded-Proto": "https"}, True)]
)
async def test_session_cookie_stays_in_this_browser(
    office: Office, headers: dict[str, str], secure: bool
) -> None:
    browser = await office.browser()
    page = await browser.open("login", **headers)
    cookie = page.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Path=/administration" in cookie
    assert ("Secure" in cookie) is secure
    assert "Max-Age" not in cookie


async def test_a_missing_page_answers_404(office: Office) -> None:
    browser = await office.enter()
    assert (await browser.open("nothing")).status == 404
    assert (await browser.open("logout")).status == 405
    assert (await browser.open("/administration")).url.path == "/administration/"


async def test_public_pages_are_served_beside_the_administration(office: Office) -> None:
    page = await (await office.browser()).open("/")
    assert page.status == 200
    assert "administration" not in page.headers.get("Set-Cookie", "")


# Rate limits.


async def test_repeated_failed_logins_must_wait(office: Office) -> None:
    browser = await office.browser()
    for _ in range(FREE_TRIES):
        assert (await log_in(browser, NAME, "wrong")).status == 403
    page = await log_in(browser, NAME, PASSWORD)
    assert page.status == 429
    assert int(page.headers["Retry-After"]) == 2
    office.clock.go_on(timedelta(seconds=3))
    assert (await log_in(browser, NAME, PASSWORD)).status == 200


async def test_login_attempts_cannot_forge_their_address(office: Office) -> None:
    """Only the reverse proxy is believed, and this one asks from elsewhere."""
    settings = replace(office.settings, page=PageSettings(proxies=(ip_network("192.0.2.0/24"),)))
    async with serving(office.store, settings) as other:
        browser = await other.browser()
        for n in range(FREE_TRIES):
            headers = {"X_Forwarded_For": f"203.0.113.{n}"}
            assert (await log_in(browser, f"nobody{n}", "wrong", **headers)).status == 403
        page = await log_in(browser, NAME, PASSWORD, X_Forwarded_For="203.0.113.99")
        assert page.status == 429


def test_waits_grow_up_to_a_quarter_of_an_hour() -> None:
    now = 0.0
    tries = GrowingWait(TRIES, lambda: now)
    sources = of_address("192.0.2.1")
    waits = []
    for _ in range(40):
        wait = tries.take(sources)
        if wait is not None:
            waits.append(wait)
            now += wait
            assert tries.take(sources) is None
    assert waits[:4] == [2, 4, 8, 16]
    assert waits == sorted(waits)
    assert waits[-1] == TRIES.most_seconds


async def test_unknown_name_takes_as_long_to_refuse() -> None:
    """A hash is made or checked as often, whether or not the name exists."""
    worked: list[str | None] = []

    class Counting(Passwords):
        def _work(self, password: str, hashed: str | None) -> str:
            worked.append(hashed)
            return super()._work(password, hashed)

    passwords = Counting(QUICK)
    hashed = await passwords.hash(PASSWORD)
    await passwords.check(hashed, "wrong")
    worked.clear()
    assert not await passwords.check(hashed, "wrong")
    of_somebody = len(worked)
    worked.clear()
    assert not await passwords.check(None, "wrong")
    assert len(worked) == of_somebody == 1
    assert worked[0] is not None


async def test_password_of_the_decoy_hash_is_refused() -> None:
    passwords = Passwords(QUICK)
    passwords._decoy = QUICK.hash(PASSWORD)
    assert not await passwords.check(None, PASSWORD)
    assert not await passwords.check("what is no hash", PASSWORD)
