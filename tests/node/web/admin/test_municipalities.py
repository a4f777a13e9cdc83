"""A municipality asks for sums: pages show, allow and withdraw its request."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from consometers_node.permission import DataNeed, Permission, Permissions, State
from consometers_node.series import Device, Direction, Interval
from consometers_node.sharing.names import keep_collective
from consometers_node.sharing.permissions.consent import propose_need
from consometers_node.store import PermissionId, Store
from consometers_node.store.collective.access_log import reads
from consometers_node.store.collective.published_series import own_series
from consometers_quoalise.records.identifier import organisation
from testing.collectives.published import Sum, publish
from testing.homes.data_needs import NEED_OF_SUMS
from testing.pages.browser import Browser, Page
from testing.pages.office import NAME, Office, SessionClock, serving
from testing.pages.town import ZONE, settings

TOWN = "town@example.org"
OWN = str(organisation("lorient"))
EVERYBODY, COMMUNE = f"{OWN}=consumption", f"{OWN}-ploemeur=consumption"
HOUR = timedelta(hours=1)


@asynccontextmanager
async def asked(
    store: Store, folder: Path, need: DataNeed = NEED_OF_SUMS
) -> AsyncIterator[tuple[Office, PermissionId]]:
    """Administer a collective that has published two hours, and is asked for its sums."""
    now = datetime.now(UTC)
    async with serving(store, settings(folder), clock=SessionClock(now)) as office:
        await office.appoint(NAME)
        await keep_collective(store, "lorient")
        hour = now.replace(minute=0, second=0, microsecond=0)
        sums = [Sum(hour - n * HOUR, n * 60_000, 10 + n) for n in (2, 3)]
        published = {
            own_series(Device(device), direction, Interval.PT1H, ZONE.key): sums
            for device, direction in (
                (OWN, Direction.CONSUMPTION),
                (OWN, Direction.INJECTION),
                (f"{OWN}-ploemeur", Direction.CONSUMPTION),
            )
        }
        async with store.writing() as connection:
            await publish(connection, published, now, collective="lorient")
        yield office, await propose_need(store, TOWN, need, "operator", "Town of Lorient")


@pytest.fixture
async def asked_office(
    file: Store, tmp_path: Path, socket_enabled: None
) -> AsyncIterator[tuple[Office, PermissionId]]:
    async with asked(file, tmp_path) as opened:
        yield opened


async def permission(office: Office, number: PermissionId) -> Permission:
    async with office.store.reading() as connection:
        return await Permissions(connection).get(number)


async def logged(office: Office) -> list[tuple[str, str]]:
    return [(read.who, read.what) for read in await office.read(reads)]


async def preview(browser: Browser, number: PermissionId, *values: str) -> Page:
    ticked = [("series", value) for value in values]
    return await browser.fill(f"municipalities/permissions/{number}", "preview", *ticked)


async def test_requested_and_published_sums_can_be_ticked(
    asked_office: tuple[Office, PermissionId],
) -> None:
    office, number = asked_office
    browser = await office.enter()
    page = await browser.follow(await browser.open("municipalities"), str(number))
    form = page.form("preview")
    assert form.offered == [("series", EVERYBODY), ("series", COMMUNE)]
    assert "All members" in page.text
    assert "published sums, and the number of members in each" in page.text


async def test_sums_are_previewed_allowed_and_withdrawn(
    asked_office: tuple[Office, PermissionId],
) -> None:
    office, number = asked_office
    browser = await office.enter()
    page = await preview(browser, number, EVERYBODY)
    assert page.status == 200
    for words in ("3,000 W", "13", "2,000 W", "12", "the name of your collective"):
        assert words in page.text
    assert (await permission(office, number)).state is State.PROPOSED
    page = await browser.send(page, "allow")
    assert "The node sends the sums as soon as they are asked for." in page.text
    granted = await permission(office, number)
    assert granted.state is State.GRANTED
    assert granted.terms is not None
    assert {series.device for series in granted.terms.series} == {OWN}
    assert NAME in page.text
    page = await browser.follow(page, "withdraw")
    assert "Nothing more will leave your collective" in page.text
    erase = next(form for form in page.forms if ("data", "erase") in form.fields)
    page = await browser.post(f"municipalities/withdraw/{number}", erase.fields)
    assert (await permission(office, number)).state is State.WITHDRAWN
    assert [what for who, what in await logged(office) if who == NAME][:2] == [
        f"withdrawn sums of {TOWN}",
        f"allowed sums of {TOWN}",
    ]
    log = await browser.open("log")
    assert f"allowed “sums” to {TOWN}" in log.text


async def test_request_can_be_refused(asked_office: tuple[Office, PermissionId]) -> None:
    office, number = asked_office
    browser = await office.enter("fr")
    page = await browser.fill(f"municipalities/permissions/{number}", "refuse")
    assert (await permission(office, number)).state is State.REFUSED
    assert f"refused sums of {TOWN}" in [what for _, what in await logged(office)]
    assert page.status == 200


async def test_overlapping_sums_cannot_be_allowed_together(
    asked_office: tuple[Office, PermissionId],
) -> None:
    office, number = asked_office
    page = await preview(await office.enter(), number, EVERYBODY, COMMUNE)
    assert page.status == 422
    assert "homes would count twice" in page.text


async def test_unrequested_or_unpublished_sums_are_refused(
    asked_office: tuple[Office, PermissionId],
) -> None:
    office, number = asked_office
    browser = await office.enter()
    page = await preview(browser, number)
    assert "Choose at least one series" in page.text
    for value in (f"{OWN}=injection", "urn:dev:org:60060-other=consumption", "sideways"):
        page = await preview(browser, number, value)
        assert page.status == 422, value
        assert "Nothing is published at this resolution" in page.text


async def test_unpublished_resolution_cannot_be_chosen(
    file: Store, tmp_path: Path, socket_enabled: None
) -> None:
    async with asked(file, tmp_path, replace(NEED_OF_SUMS, interval=Interval.PT30M)) as (
        office,
        number,
    ):
        browser = await office.enter()
        page = await browser.open(f"municipalities/permissions/{number}")
        assert ("interval", "PT1H") in page.form("preview").fields
        assert "PT30M" not in page.html
        page = await browser.send(page, "preview", ("series", EVERYBODY))
        assert page.status == 200


async def test_only_administrators_see_and_answer_requests(
    asked_office: tuple[Office, PermissionId],
) -> None:
    office, number = asked_office
    stranger = await office.browser()
    assert "password" in (await stranger.open(f"municipalities/permissions/{number}")).html
    for path in ("allow", "refuse", "withdraw", "preview"):
        page = await stranger.post(f"municipalities/{path}/{number}", [("series", EVERYBODY)])
        assert "password" in page.html
    browser = await office.enter()
    page = await browser.post(f"municipalities/refuse/{number}", [("token", "forged")])
    assert page.status == 403
    assert (await permission(office, number)).state is State.PROPOSED


async def test_unknown_permission_is_not_found(
    asked_office: tuple[Office, PermissionId],
) -> None:
    office, _ = asked_office
    browser = await office.enter()
    page = await browser.open("municipalities/permissions/2f6c1f0a-52b7-4c39-9d0e-6a1b5f8e7c3d")
    assert page.status == 404
    assert "There is no such permission." in page.text


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("xmpp:", "This is not an invitation"),
        ("xmpp:example.org?register;preauth=abc", "contains “consometers-join”"),
        (f"xmpp:{TOWN}?consometers-join;token=abc", "The node is not on the network yet"),
    ],
)
async def test_failed_invitation_says_why(office: Office, typed: str, says: str) -> None:
    browser = await office.enter()
    page = await browser.fill("municipalities", "municipalities/join", ("invitation", typed))
    assert page.status == 422
    assert says in page.text
    assert typed in dict(page.form("municipalities/join").fields)["invitation"]
