"""The add-on beside a real Home Assistant, and a household that shares and withdraws on its page.

All that the add-on has of Home Assistant goes through its Supervisor. The page is in a real
browser, behind ingress; the collective is on another XMPP server. Leaves pictures in `.artifacts/`.
The tests follow one another on one home.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
import shutil
import socket
from typing import Any, Final
from zoneinfo import ZoneInfo

import aiohttp
from playwright.async_api import Browser, Locator, Page, expect
import pytest
import pytest_asyncio
from sqlalchemy import select

from consometers_node.collective.members.members import MemberKind
from consometers_node.series import Direction, Range
from consometers_node.store.collective.tables import MemberPermissionRow
from consometers_quoalise_network import Join, links
from consometers_tic_virtual import Contract, Linky
from consometers_tic_virtual.world import SCHOOL, World as Building
from demo.browser import CHROMIUM, Visitor as Person
from demo.hass import FlowStep, Hass, free_port
from demo.school.furnishing import show_on_energy_dashboard
from demo.school.history import Hour, hours, import_history, whole_hour
from demo.servers.prosody import LOOPBACK, Prosody
from demo.servers.supervisor import Supervisor
from testing.collectives.running import Coop
from testing.homes.data_needs import NEED
from testing.programs.addon import AddOn, Visitor, visiting
from testing.programs.holding import held, run_collective
from testing.programs.looks import LOOKS, Looks, enter, looking, open_page
from testing.programs.metered_home import DOMAIN
from testing.waiting import eventually

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="script/setup gets Chromium"),
    pytest.mark.skipif(not shutil.which("prosody"), reason="script/setup gets Prosody"),
]

HOUR: Final = timedelta(hours=1)
PARIS: Final = ZoneInfo("Europe/Paris")
NOW: Final = whole_hour(datetime.now(UTC))
HELD_BACK: Final = 3
"""Hours that Home Assistant counts while the household looks."""
DRAWN: Final = "sensor.linky_energy_drawn"
INJECTED: Final = "sensor.linky_energy_injected"
ENTITIES: Final = {"energy_drawn": DRAWN, "energy_injected": INJECTED}
MEMBER: Final = ("noel", "a family, a password")
HASSIO: Final = "hassio"
NOT_ON_THE_NETWORK: Final = "off"
"""Nobody gave it an account."""
NODE_IS_AWAY: Final = "Error fetching Consometers data: Nothing answers"
UNAVAILABLE: Final = "unavailable"
HISTORY_DAYS: Final = 40
ASKED: Final = replace(
    NEED,
    title={"en": "What our village produces", "fr": "Ce que produit notre village"},
    purpose={
        "en": "To show on the wall of the town hall, hour by hour, how much of what the village"
        " uses is made on its own roofs.",
        "fr": "Montrer sur le mur de la mairie, heure par heure, quelle part de ce que le village"
        " consomme vient de ses propres toits.",
    },
    recipients={
        "en": "The town, in sums of ten homes or more.",
        "fr": "La commune, par dix foyers ou plus.",
    },
    history_days=HISTORY_DAYS,
    retention_days=180,
)


@dataclass
class World:
    """A home, its add-on, and a collective."""

    hass: Hass
    supervisor: Supervisor
    addon: AddOn
    port: int
    """Of the page."""
    session: aiohttp.ClientSession
    coop: Coop
    account: str
    """An invitation to an account."""
    invitation: str
    hours: Sequence[Hour]
    counted: int = 0
    """How many of the hours Home Assistant has."""
    since: datetime = NOW
    """From when on records are asked for, or were allowed, whatever hours have passed since."""

    @property
    def registration(self) -> dict[str, Any]:
        """The discovery message that the add-on sent to its Supervisor."""
        return dict(self.supervisor.discovered[DOMAIN].config)

    async def node(self) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.registration['token']}"}
        async with self.session.get(
            f"http://{LOOPBACK}:{self.port}/api/v1/node", headers=headers
        ) as answer:
            status: dict[str, Any] = await answer.json()
            return status

    async def reads_home_assistant(self) -> bool:
        connected: bool = (await self.node())["home_assistant"]["connected"]
        return connected

    async def flows(self) -> list[FlowStep]:
        """The discovered entry that Home Assistant would add."""
        flows = await self.hass.api.command("config_entries/flow/progress")
        return [flow for flow in flows if flow["context"]["source"] == HASSIO]

    async def connected(self) -> str:
        """The state of the entity that says whether the node is there."""
        (entry,) = await self.hass.api.entries(DOMAIN)
        entity_ids = await self.hass.api.entity_ids(entry["entry_id"])
        if "connected" not in entity_ids:
            return "missing"
        return (await self.hass.api.state(entity_ids["connected"]))["state"]

    async def count(self, until: int) -> None:
        """Count on in Home Assistant, and announce it."""
        await import_history(self.hass.api, ENTITIES, list(self.hours[self.counted : until]))
        self.counted = until
        await self.hass.api.request("POST", "events/recorder_hourly_statistics_generated")

    @property
    def drawn(self) -> dict[datetime, int]:
        """The energy drawn that Home Assistant counted in each hour of the request."""
        return {
            hour.start: hour.end.drawn_wh - before.end.drawn_wh
            for before, hour in pairwise(self.hours[: self.counted])
            if hour.start >= self.since
        }

    async def received(self) -> dict[datetime, int]:
        """The records of this home at the collective."""
        within = Range(self.hours[0].start, self.hours[-1].start + HOUR)
        sums = await held(self.coop.store, Direction.CONSUMPTION, within)
        return {start: value for start, (value, _) in sums.items()}


@pytest_asyncio.fixture(scope="module")
async def world(
    servers: tuple[Prosody, Prosody], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("addon")
    home_server, coop_server = servers
    port = free_port()
    async with AsyncExitStack() as stack:
        # Its members read no sums.
        coop = await run_collective(
            stack, folder, coop_server, lambda settings: replace(settings, tells_members=False)
        )
        supervisor = await stack.enter_async_context(Supervisor(port))
        hass = await stack.enter_async_context(
            Hass(folder / "hass", supervised=supervisor.supervised, level="debug")
        )
        supervisor.oversee(hass)
        addon = AddOn(
            folder / "addon",
            supervisor,
            port,
            CONSOMETERS_SERVER=f"{LOOPBACK}:{home_server.port}",
            CONSOMETERS_CA_FILE=str(home_server.ca_file),
        )
        meter = Linky(Building(SCHOOL, phases=3), Contract(phases=3, producer=True))
        counted = list(hours(NOW - timedelta(days=HISTORY_DAYS + 2), NOW, meter))
        world = World(
            hass,
            supervisor,
            addon,
            port,
            await stack.enter_async_context(aiohttp.ClientSession()),
            coop,
            account=home_server.invite(),
            invitation=links.write(Join(coop.jid, await coop.invite(ASKED, MemberKind.SITE))),
            hours=counted,
        )
        await hass.api.add_user("Noël", *MEMBER)
        stack.push_async_callback(addon.stop)
        await addon.start()
        yield world


async def _furnish(world: World) -> None:
    """Add a meter to the home and to its Energy dashboard."""
    api, shown = world.hass.api, world.hours[-1].end
    for entity, value, name in (
        (DRAWN, shown.drawn_wh, "Linky Énergie soutirée"),
        (INJECTED, shown.injected_wh, "Linky Énergie injectée"),
    ):
        attributes = {
            "friendly_name": name,
            "unit_of_measurement": "Wh",
            "device_class": "energy",
            "state_class": "total_increasing",
        }
        state = {"state": str(value), "attributes": attributes}
        await api.request("POST", f"states/{entity}", state)
    await world.count(len(world.hours) - HELD_BACK)
    await show_on_energy_dashboard(api, ENTITIES)


@pytest_asyncio.fixture(scope="module")
async def owner(world: World) -> AsyncIterator[Visitor]:
    async with visiting(world.hass, world.supervisor) as visitor:
        await eventually(visitor.status, lambda status: status == 200)
        yield visitor


@pytest_asyncio.fixture(scope="module")
async def member(world: World) -> AsyncIterator[Visitor]:
    """Somebody who lives there, and administrates nothing."""
    async with visiting(world.hass, world.supervisor, *MEMBER) as visitor:
        yield visitor


@pytest_asyncio.fixture(scope="module")
async def looks(
    chromium: Browser, world: World, owner: Visitor, pictures: Path
) -> AsyncIterator[Looks]:
    await _furnish(world)
    async with looking(chromium, owner, pictures) as looks:
        yield looks


@pytest.fixture
def page(looks: Looks) -> Page:
    return looks.page


async def test_the_addon_registers_with_its_supervisor(world: World) -> None:
    async def is_registered() -> bool:
        return DOMAIN in world.supervisor.discovered

    await eventually(is_registered, bool)
    assert world.registration["host"] == socket.gethostname()
    assert world.registration["port"] == world.port


async def test_the_addon_reads_home_assistant_without_a_personal_token(world: World) -> None:
    await eventually(world.reads_home_assistant, bool)


async def test_home_assistant_discovers_the_addon(world: World) -> None:
    (flow,) = await eventually(world.flows, bool)
    assert flow["step_id"] == "hassio_confirm"
    step = await world.hass.api.submit(flow)
    assert step["type"] == "create_entry"
    await eventually(world.connected, NOT_ON_THE_NETWORK.__eq__)


async def test_the_addon_stops_at_once_while_home_assistant_is_connected(world: World) -> None:
    # A Supervisor kills what has not ended by then.
    async with asyncio.timeout(45):
        await world.addon.stop()
    await eventually(world.connected, UNAVAILABLE.__eq__)


async def test_home_assistant_recognises_the_restarted_addon(world: World) -> None:
    await world.addon.start()
    await eventually(world.connected, NOT_ON_THE_NETWORK.__eq__)
    assert await world.flows() == []


async def test_the_page_opens_through_ingress(owner: Visitor) -> None:
    async with owner.ask() as answer:
        assert answer.status == 200
        assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]


async def test_the_page_refuses_direct_requests(world: World, owner: Visitor) -> None:
    (admin,) = await _administrators(owner)
    claimed = {"X-Remote-User-Id": admin, "X-Forwarded-For": "172.30.32.2"}
    async with world.session.get(f"http://{LOOPBACK}:{world.port}/", headers=claimed) as answer:
        assert answer.status == 403


async def test_no_member_passes_for_an_administrator(owner: Visitor, member: Visitor) -> None:
    (admin,) = await _administrators(owner)
    claimed = {"X-Remote-User-Id": admin, "x-remote-user-display-name": "Kersabiec"}
    async with member.ask("join", headers=claimed) as answer:
        assert "Only an administrator" in await answer.text()
    async with owner.ask("join") as answer:
        assert "Only an administrator" not in await answer.text()


async def test_every_user_finds_the_page_in_the_sidebar(world: World, member: Visitor) -> None:
    slug = world.supervisor.slug
    for api in (world.hass.api, member.api):
        assert (await api.command("get_panels"))[slug]["title"] == "Consometers"
    async with member.ask() as answer:
        assert answer.status == 200


@pytest.mark.parametrize("path", ["api/v1/node", "health"])
async def test_the_api_needs_its_token_through_ingress_too(owner: Visitor, path: str) -> None:
    async with owner.ask(path) as answer:
        assert answer.status == (401 if path.startswith("api/") else 200)


async def test_the_addon_reconnects_to_a_restarted_home_assistant(world: World) -> None:
    assert await world.reads_home_assistant()
    await world.hass.stop()
    await eventually(world.reads_home_assistant, False.__eq__)

    async def problem() -> str:
        return str((await world.node())["home_assistant"]["problem"])

    # First the connection is lost; then the Supervisor says that nobody is behind it.
    await eventually(problem, lambda words: "502" in words)
    await world.hass.start()
    await eventually(world.reads_home_assistant, bool)
    await eventually(world.connected, NOT_ON_THE_NETWORK.__eq__)
    assert await world.flows() == []


async def test_logs_show_no_other_problem_and_no_token(world: World) -> None:
    messages = [problem.message for problem in world.hass.problems()]
    assert [message for message in messages if not message.startswith(NODE_IS_AWAY)] == []
    assert world.supervisor.token not in world.addon.log
    assert world.registration["token"] not in world.addon.log


async def _administrators(owner: Visitor) -> list[str]:
    users = await owner.api.command("config/auth/list")
    return [user["id"] for user in users if user["is_owner"]]


# A household shares and withdraws.


async def test_the_page_shows_that_nothing_is_shared(page: Page, looks: Looks) -> None:
    await expect(page.get_by_role("heading", level=1)).to_have_text("You share nothing with anyone")
    await looks.picture("1-nothing")


async def test_an_invitation_gives_the_home_an_address(
    world: World, page: Page, looks: Looks
) -> None:
    await page.get_by_role("link", name="Join a collective").click()
    await _open(page, world.account)
    await expect(page.get_by_role("status").last).to_contain_text("@one.test")
    await looks.picture("2-join")


async def test_the_page_shows_the_request_of_a_collective(
    world: World, page: Page, looks: Looks
) -> None:
    await _open(page, world.invitation)
    await expect(page.get_by_role("heading", level=1)).to_have_text("What our village produces")
    await expect(page.locator("main")).to_contain_text("To show on the wall of the town hall")
    await expect(page.locator("main")).to_contain_text("coop@two.test")
    await expect(page.locator("main")).to_contain_text("Linky Énergie soutirée")
    await looks.picture("3-asked")


async def test_no_series_is_ticked_and_one_is_required(page: Page) -> None:
    boxes = page.get_by_role("checkbox")
    await expect(boxes).to_have_count(2)
    assert not [box for box in await boxes.all() if await box.is_checked()]
    await page.get_by_role("button", name="See what would leave").click()
    await expect(page.locator("#series-error")).to_be_visible()


async def test_the_preview_shows_the_records_that_would_leave(
    world: World, page: Page, looks: Looks
) -> None:
    world.since = datetime.now(UTC).replace(microsecond=0) - timedelta(days=HISTORY_DAYS)
    await looks.picture_of_a_form(
        "4-preview",
        "form[action*=preview]",
        f'input[value="{DRAWN}"]',
        shows="figure canvas",
    )
    shown = {
        datetime.fromtimestamp(int(await row.get_attribute("data-at") or 0), UTC): float(
            await row.get_attribute("data-value") or 0
        )
        for row in await page.locator("tr[data-at]").all()
    }
    assert shown
    assert shown.items() <= world.drawn.items()
    assert await world.received() == {}


async def test_the_collective_receives_allowed_records(
    world: World, page: Page, looks: Looks
) -> None:
    await page.get_by_role("button", name="Allow").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("What our village produces")

    async def granted() -> Sequence[tuple[datetime, datetime]]:
        ranges = select(MemberPermissionRow.records_from, MemberPermissionRow.valid_from)
        async with world.coop.store.reading() as connection:
            return (await connection.execute(ranges)).tuples().all()

    ((world.since, valid_from),) = await eventually(granted, bool)
    assert valid_from - world.since == timedelta(days=HISTORY_DAYS)
    await eventually(world.received, lambda received: received == world.drawn)
    await _home(page)
    await _received_up_to(page, world)
    await looks.picture("5-shared")


async def test_the_collective_receives_new_records(world: World, page: Page) -> None:
    await world.count(world.counted + 1)
    await eventually(world.received, world.drawn.__eq__)
    await _received_up_to(page, world)


async def test_a_paused_home_sends_nothing(world: World, page: Page, looks: Looks) -> None:
    await page.get_by_role("button", name="Pause").click()
    await expect(_card(page)).to_contain_text("Paused: nothing leaves")
    before = await world.received()
    await world.count(world.counted + 1)
    await _shows(page, "1 record (you paused)")
    assert await world.received() == before
    await looks.picture("6-paused")


async def test_a_resumed_home_sends_waiting_records(world: World, page: Page) -> None:
    await page.get_by_role("button", name="Resume").click()
    await expect(_card(page)).not_to_contain_text("Paused: nothing leaves")
    await eventually(world.received, world.drawn.__eq__)
    await _received_up_to(page, world)


async def test_a_member_of_the_household_can_only_read(
    browser: Browser, world: World, member: Visitor, page: Page, pictures: Path
) -> None:
    seen = await enter(await open_page(browser, world.hass.url, LOOKS[0]), member)
    for path in ("/", "/permissions", "/join", "/settings"):
        await seen.goto(member.page + path)
        buttons = seen.locator("main").get_by_role("button")
        await expect(buttons).to_have_count(0)
    await seen.goto(f"{member.page}/")
    await expect(_card(seen)).to_contain_text("Shared")
    await seen.screenshot(path=pictures / "page.7-member.png", full_page=True)
    token = await seen.locator("input[name=token]").first.get_attribute("value")
    for path in ("pause/1", "join"):
        sent = await seen.request.post(f"{member.page}/{path}", form={"token": token or ""})
        assert sent.status == 403
        assert "Only an administrator" in await sent.text()
    await page.reload()
    await expect(_card(page)).to_contain_text("Shared")


async def test_the_page_is_in_home_assistants_sidebar(
    browser: Browser, world: World, pictures: Path
) -> None:
    visitor = await Person(await open_page(browser, world.hass.url, LOOKS[0])).log_in()
    await visitor.page.goto(world.supervisor.panel_path)
    inside = visitor.page.frame_locator("iframe")
    await expect(inside.get_by_role("heading", level=1)).to_have_text("Where your data goes")
    await visitor.picture(pictures / "page.8-sidebar.png")


async def test_a_withdrawal_erases_the_records_and_shows_the_receipt(
    world: World, page: Page, looks: Looks
) -> None:
    held = len(await world.received())
    await page.get_by_role("link", name="What our village produces").click()
    await looks.picture("9-granted")
    await page.get_by_role("link", name="Withdraw").click()
    await looks.picture("10-withdraw")
    await _follow(page, page.get_by_role("button", name="Withdraw and erase"))
    await _shows(page, f"It erased {held} records.")
    assert await world.received() == {}
    await looks.picture("11-withdrawn")


async def test_the_other_pages_have_their_pictures(
    page: Page, owner: Visitor, looks: Looks
) -> None:
    for path in ("permissions", "mine", "settings"):
        await page.goto(f"{owner.page}/{path}")
        await looks.picture(f"12-{path}")


async def test_browsers_reported_no_fault(owner: Visitor, looks: Looks) -> None:
    nothing_ticked = [fault for fault in looks.faults if "status of 422" in fault]
    assert looks.faults == nothing_ticked
    assert len(nothing_ticked) == 1
    elsewhere = [url for url in looks.asked if not url.startswith((owner.page, "data:"))]
    assert elsewhere == []


async def _open(page: Page, invitation: str) -> None:
    await page.get_by_label("Invitation").fill(invitation)
    await page.get_by_role("button", name="Open the invitation").click()


def _card(page: Page) -> Locator:
    return page.locator("section.card")


async def _home(page: Page) -> None:
    await _follow(page, page.get_by_role("link", name="Home", exact=True))


async def _follow(page: Page, link: Locator) -> None:
    """Click, and wait for the page that comes: a page that is just leaving cannot be reloaded."""
    async with page.expect_navigation():
        await link.click()


async def _shows(page: Page, words: str) -> None:
    """Reload the page until it shows these words."""

    async def shown_text() -> str:
        await page.reload()
        return " ".join((await page.locator("main").inner_text()).split())

    await eventually(shown_text, lambda shown: words in shown)


async def _received_up_to(page: Page, world: World) -> None:
    until = (world.hours[world.counted - 1].start + HOUR).astimezone(PARIS)
    # Waiting records would stand between them.
    await _shows(page, f"{until:%H:%M} Shared 1 series")
