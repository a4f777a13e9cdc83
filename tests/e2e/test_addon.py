"""The add-on beside a real Home Assistant: all that it has of it goes through its Supervisor.

The tests follow one another on one Home Assistant.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
import socket
from typing import Any, Final

import aiohttp
import pytest
import pytest_asyncio

from demo.hass import FlowStep, Hass, free_port
from demo.supervisor import LOOPBACK, Supervisor
from tests.e2e.addon import AddOn, Visitor, visiting
from tests.e2e.home import DOMAIN
from tests.e2e.waiting import eventually

pytestmark = pytest.mark.e2e

MEMBER: Final = ("noel", "a family, a password")
HASSIO: Final = "hassio"
NOT_ON_THE_NETWORK: Final = "off"
"""Nobody gave it an account."""
NODE_IS_AWAY: Final = "Error fetching Consometers data: Nothing answers"
UNAVAILABLE: Final = "unavailable"


@dataclass
class Home:
    """A home, and what the add-on's API says there."""

    hass: Hass
    supervisor: Supervisor
    addon: AddOn
    port: int
    session: aiohttp.ClientSession

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


@pytest_asyncio.fixture(scope="module")
async def home(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Home]:
    folder = tmp_path_factory.mktemp("addon")
    port = free_port()
    async with (
        Supervisor(port) as supervisor,
        Hass(folder / "hass", supervised=supervisor.supervised, level="debug") as hass,
        aiohttp.ClientSession() as session,
    ):
        supervisor.oversee(hass)
        addon = AddOn(folder / "addon", supervisor, port)
        await addon.start()
        try:
            yield Home(hass, supervisor, addon, port, session)
        finally:
            await addon.stop()


@pytest_asyncio.fixture(scope="module")
async def owner(home: Home) -> AsyncIterator[Visitor]:
    async with visiting(home.hass, home.supervisor) as visitor:
        yield visitor


@pytest_asyncio.fixture(scope="module")
async def member(home: Home) -> AsyncIterator[Visitor]:
    """Somebody who lives there, and administrates nothing."""
    await home.hass.api.add_user("Noël", *MEMBER)
    async with visiting(home.hass, home.supervisor, *MEMBER) as visitor:
        yield visitor


async def test_the_addon_registers_with_its_supervisor(home: Home) -> None:
    async def is_registered() -> bool:
        return DOMAIN in home.supervisor.discovered

    await eventually(is_registered, bool)
    assert home.registration["host"] == socket.gethostname()
    assert home.registration["port"] == home.port


async def test_the_addon_reads_home_assistant_without_a_personal_token(home: Home) -> None:
    await eventually(home.reads_home_assistant, bool)


async def test_home_assistant_discovers_the_addon(home: Home) -> None:
    (flow,) = await eventually(home.flows, bool)
    assert flow["step_id"] == "hassio_confirm"
    step = await home.hass.api.submit(flow)
    assert step["type"] == "create_entry"
    await eventually(home.connected, NOT_ON_THE_NETWORK.__eq__)


async def test_the_addon_stops_at_once_while_home_assistant_is_connected(home: Home) -> None:
    # A Supervisor kills what has not ended by then.
    async with asyncio.timeout(45):
        await home.addon.stop()
    await eventually(home.connected, UNAVAILABLE.__eq__)


async def test_home_assistant_recognises_the_restarted_addon(home: Home) -> None:
    await home.addon.start()
    await eventually(home.connected, NOT_ON_THE_NETWORK.__eq__)
    assert await home.flows() == []


async def test_the_page_opens_through_ingress(owner: Visitor) -> None:
    async with owner.ask() as answer:
        assert answer.status == 200
        assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]


async def test_the_page_refuses_direct_requests(home: Home, owner: Visitor) -> None:
    (admin,) = await _administrators(owner)
    claimed = {"X-Remote-User-Id": admin, "X-Forwarded-For": "172.30.32.2"}
    async with home.session.get(f"http://{LOOPBACK}:{home.port}/", headers=claimed) as answer:
        assert answer.status == 403


async def test_no_member_passes_for_an_administrator(owner: Visitor, member: Visitor) -> None:
    (admin,) = await _administrators(owner)
    claimed = {"X-Remote-User-Id": admin, "x-remote-user-display-name": "Kersabiec"}
    async with member.ask("join", headers=claimed) as answer:
        assert "Only an administrator" in await answer.text()
    async with owner.ask("join") as answer:
        assert "Only an administrator" not in await answer.text()


async def test_every_user_finds_the_page_in_the_sidebar(home: Home, member: Visitor) -> None:
    slug = home.supervisor.slug
    for api in (home.hass.api, member.api):
        assert (await api.command("get_panels"))[slug]["title"] == "Consometers"
    async with member.ask() as answer:
        assert answer.status == 200


@pytest.mark.parametrize("path", ["api/v1/node", "health"])
async def test_the_api_needs_its_token_through_ingress_too(owner: Visitor, path: str) -> None:
    async with owner.ask(path) as answer:
        assert answer.status == (401 if path.startswith("api/") else 200)


async def test_the_addon_reconnects_to_a_restarted_home_assistant(home: Home) -> None:
    assert await home.reads_home_assistant()
    await home.hass.stop()
    await eventually(home.reads_home_assistant, False.__eq__)
    problem = (await home.node())["home_assistant"]["problem"]["en"]
    assert "502" in problem
    await home.hass.start()
    await eventually(home.reads_home_assistant, bool)
    await eventually(home.connected, NOT_ON_THE_NETWORK.__eq__)
    assert await home.flows() == []


async def test_logs_show_no_other_problem_and_no_token(home: Home) -> None:
    messages = [problem.message for problem in home.hass.problems()]
    assert [message for message in messages if not message.startswith(NODE_IS_AWAY)] == []
    assert home.supervisor.token not in home.addon.log
    assert home.registration["token"] not in home.addon.log


async def _administrators(owner: Visitor) -> list[str]:
    users = await owner.api.command("config/auth/list")
    return [user["id"] for user in users if user["is_owner"]]
