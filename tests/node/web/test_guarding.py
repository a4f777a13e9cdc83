"""Access to a home's pages: only forms of ours, sent by an administrator, change anything."""

from itertools import product
from urllib.parse import quote

import pytest
from sqlalchemy import text
from yarl import URL

from consometers_node.permission import Permissions, State
from consometers_node.store import PermissionId
from consometers_node.web.household.routes import ACTS, BY_ANYONE
from testing.homes.served import DRAWN, GUEST, ServedHome, address_of, allow
from testing.pages.browser import Page

FORM = "application/x-www-form-urlencoded"
A_NUMBER = "00000000-0000-0000-0000-000000000000"
HOSTILE = (
    "",
    "-1",
    "0",
    "999999999",
    "9" * 400,
    "'; DROP TABLE permission; --",
    "<script>alert(1)</script>",
    "{{ 7 * 7 }}",
    "%(x)s %s {0}",
    "../../../../etc/passwd",
    "a\r\nSet-Cookie: x=y",
    "\x01\x7f\u202e\ufeff",
    "é" * 500,
    "١٢٣",
    "NaN",
)


async def token(home: ServedHome, user: str = "") -> str:
    browser = home.browser(user) if user else home.browser()
    return next(
        value
        for form in (await browser.open()).forms
        for name, value in form.fields
        if name == "token"
    )


async def states(home: ServedHome) -> list[State]:
    async with home.store.reading() as connection:
        return [permission.state for permission in await Permissions(connection).all()]


async def test_forms_need_their_token(home: ServedHome, asked: PermissionId) -> None:
    tokens = ("", "nonsense", "é", "0" * 64, await token(home, GUEST))
    for pattern, sent_token in product((*ACTS, *BY_ANYONE), tokens):
        page = await home.browser().post(
            address_of(pattern, asked), [("token", sent_token), ("sure", "yes")]
        )
        assert page.status == 403, pattern
        assert "open the page again" in page.text
        assert await states(home) == [State.PROPOSED], pattern


FOREIGN = (
    {"Sec_Fetch_Site": "cross-site"},
    {"Sec_Fetch_Site": "same-site"},
    {"Sec_Fetch_Site": "none"},
    *({"Origin": origin} for origin in ("https://evil.example", "null", "", "http://[")),
)


@pytest.mark.parametrize(
    "own",
    [
        {},
        {"Sec_Fetch_Site": "same-origin"},
        {"Origin": "http://home.local:8123", "X_Forwarded_Host": "home.local:8123"},
    ],
)
async def test_cross_site_forms_are_refused(
    home: ServedHome, asked: PermissionId, own: dict[str, str]
) -> None:
    browser = home.browser()
    page = await browser.open(f"permissions/{asked}")
    for headers in FOREIGN:
        assert (await browser.send(page, "refuse", **headers)).status == 403, headers
        assert await states(home) == [State.PROPOSED]
    assert (await browser.send(page, "refuse", **own)).status == 200
    assert await states(home) == [State.REFUSED]


FIELDS = ("invitation", "series", "interval", "history", "duration", "identification", "jid")
MORE = ("password", "data", "sure", "read", "back", f"direction:{DRAWN}", "direction:nothing")


async def test_hostile_values_change_nothing_and_break_nothing(
    home: ServedHome, asked: PermissionId
) -> None:
    right = await token(home)
    patterns = [*(act for act in ACTS if "refuse" not in act), *BY_ANYONE]
    for pattern, value in product(patterns, HOSTILE):
        fields = [("token", right), *((name, value) for name in (*FIELDS, *MORE))]
        page = await home.browser().post(address_of(pattern, asked), fields)
        assert page.status in {200, 400, 404, 409, 422}, (pattern, value, page.text[:2000])
        assert "Set-Cookie" not in page.headers
        assert await states(home) == [State.PROPOSED]


async def test_hostile_urls_find_nothing(home: ServedHome, asked: PermissionId) -> None:
    browser = home.browser()
    for value in HOSTILE:
        for folder in ("permissions/", "withdraw/", "series/", "static/", "join?invitation="):
            page = await browser.open(folder + quote(value[:900], safe=""))
            assert page.status in {200, 404, 409}, (folder, value)
            assert "root:" not in page.html


NOT_GIVEN = (
    "static/../site.py",
    "static/%2e%2e/site.py",
    "static/..%2fsite.py",
    "static/%2e%2e%2f%2e%2e%2f%2e%2e%2fpyproject.toml",
    "static//etc/passwd",
    "static/vendor",
    "static/vendor/",
    "static/style.css/",
    "static/style.css%00.svg",
    "templates/home.html",
)


async def test_only_static_files_are_served(home: ServedHome) -> None:
    for path in NOT_GIVEN:
        async with home.session.get(URL(f"{home.url}{path}", encoded=True)) as response:
            assert response.status == 404, path


METHODS = ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "POST", "GET")


async def test_a_wrong_method_is_refused(home: ServedHome, asked: PermissionId) -> None:
    paths = ("permissions", f"allow/{asked}", "language", "static/style.css")
    for method, path in product(METHODS, paths):
        is_right = (method, path.partition("/")[0]) in {
            ("GET", "permissions"),
            ("GET", "static"),
            ("POST", "allow"),
            ("POST", "language"),
        }
        if not is_right:
            async with home.session.request(method, home.url.join(URL(path))) as response:
                assert response.status == 405, (method, path)
                assert response.headers["Allow"]


async def test_size_of_requests_is_limited(home: ServedHome) -> None:
    right = await token(home)
    browser = home.browser()
    page = await browser.post("join", [("token", right), ("invitation", "x" * 70_000)])
    assert page.status == 413
    page = await browser.post("join", [("token", right), ("invitation", "x" * 5_000)])
    assert page.status == 400
    page = await browser.post("join", [("token", right), *[("a", "b")] * 700])
    assert page.status == 400


async def test_malformed_forms_are_refused(home: ServedHome) -> None:
    for content_type, body in (
        ("application/json", b"{}"),
        ("text/plain", b"token=x"),
        ("multipart/form-data; boundary=x", b"--x--"),
        (FORM + "; charset=nonsense", b"token=x"),
        (FORM, b"token=%ff%fe"),
        (FORM, b"\xff\xfe"),
        (FORM, b"token=a%00b"),
    ):
        headers = {"Content-Type": content_type, "X-Remote-User-Id": home.browser().user}
        async with home.session.post(home.url.join(URL("join")), data=body, headers=headers) as got:
            assert got.status in {400, 403}, (content_type, body)


async def test_ingress_path_is_not_trusted(home: ServedHome) -> None:
    elsewhere = ("/", "//evil.example/x", "https://evil.example", "/api/hassio_ingress/../x")
    for value in (*elsewhere, '"><script>', "x" * 5000):
        page = await home.browser().open("permissions", X_Ingress_Path=value)
        assert page.status == 200, value
        assert "evil" not in page.html


async def test_choice_of_language_never_redirects_to_another_site(home: ServedHome) -> None:
    right = await token(home)
    for back in ("//evil.example", "https://evil.example", "/x", "..", "a/b/c", "a\\b"):
        fields = [("token", right), ("language", "en"), ("back", back)]
        assert (await home.browser().post("language", fields)).url == home.url, back


async def test_an_error_page_hides_the_error(
    home: ServedHome, asked: PermissionId, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr("consometers_node.web.household.home.collectives", fail)
    page = await home.browser().open()
    assert page.status == 500
    assert "secret" not in page.html


async def test_responses_have_security_headers(home: ServedHome, asked: PermissionId) -> None:
    browser = home.browser()
    for path in ("", "nowhere", f"permissions/{asked}", "mine/consometers.csv", "static/page.js"):
        page = await browser.open(path)
        assert "default-src 'none'" in page.headers["Content-Security-Policy"], path
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert page.headers["Referrer-Policy"] == "same-origin"
        control = page.headers["Cache-Control"]
        assert control == ("no-cache" if path.startswith("static") else "no-store")


async def test_answered_request_cannot_be_answered_again(
    home: ServedHome, asked: PermissionId
) -> None:
    browser = home.browser()
    page = await browser.open(f"permissions/{asked}")
    await allow(home, asked, DRAWN)
    assert (await browser.send(page, "preview", ("series", DRAWN))).status == 409
    assert (await browser.send(page, "refuse")).status == 409
    assert await states(home) == [State.GRANTED]


async def tamper(home: ServedHome, *events: str, way: str = "ABORT, 'tampered'") -> None:
    """Refuse or pass over, in the database, changes of the register and the permission."""
    async with home.store.writing() as connection:
        for event in events:
            name = event.partition(" ")[0]
            body = f"BEFORE {event} BEGIN SELECT RAISE({way}); END"
            await connection.execute(text(f"CREATE TRIGGER tampered_{name} {body}"))


async def withdraw(home: ServedHome, asked: PermissionId) -> Page:
    fields = [("token", await token(home)), ("data", "erase")]
    return await home.browser().post(f"withdraw/{asked}", fields)


NOTHING_LEAVES = "No more data leaves"


async def test_withdrawal_holds_without_the_register_and_can_be_repeated(
    home: ServedHome, asked: PermissionId
) -> None:
    done, says = f"Withdrawn. {NOTHING_LEAVES}", "could not be written in the register"
    await allow(home, asked, DRAWN)
    await tamper(home, "INSERT ON register")
    page = await withdraw(home, asked)
    assert says in page.text
    assert done not in page.text
    assert await states(home) == [State.WITHDRAWN]
    async with home.store.writing() as connection:
        assert not await Permissions(connection).may_leave(asked)
        await connection.execute(text("DROP TRIGGER tampered_INSERT"))
    assert f"withdraw/{asked}" in (await home.browser().open("permissions")).html
    page = await withdraw(home, asked)
    assert done in page.text
    assert says not in page.text
    assert (await withdraw(home, asked)).status == 409


@pytest.mark.parametrize(
    ("events", "way"),
    [
        (("UPDATE ON permission",), "ABORT, 'tampered'"),
        (("INSERT ON register", "UPDATE ON permission"), "IGNORE"),
    ],
    ids=["refuses", "ignores"],
)
async def test_failed_withdrawal_never_claims_that_nothing_leaves(
    home: ServedHome, asked: PermissionId, events: tuple[str], way: str
) -> None:
    await allow(home, asked, DRAWN)
    await tamper(home, *events, way=way)
    page = await withdraw(home, asked)
    assert "Stop the node" in page.text
    assert page.status == 503 or way == "IGNORE"
    done = await home.browser().open(f"permissions/{asked}?done=withdrawn")
    assert NOTHING_LEAVES not in page.text + done.text
    assert await states(home) == [State.GRANTED]


async def test_only_granted_permissions_can_be_withdrawn(
    home: ServedHome, asked: PermissionId
) -> None:
    browser = home.browser()
    assert (await browser.open(f"withdraw/{asked}")).status == 409
    fields = [("token", await token(home)), ("data", "erase")]
    assert (await browser.post(f"withdraw/{asked}", fields)).status == 409
    assert (await browser.post(f"withdraw/{A_NUMBER}", fields)).status == 404
    assert (await browser.post("pause/77", fields)).status == 404
