"""A home asks its collective, on its page, for all that is held of it: real nodes, real Prosody."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
import json
from pathlib import Path
import re
from typing import Final
from zipfile import ZipFile

import pytest
import pytest_asyncio

from consometers_node.collective.members.members import Members
from consometers_node.collective.privacy.own_export import WHAT
from consometers_node.store.collective.access_log import Read, reads
from consometers_quoalise_network import Join, links
from consometers_quoalise_network.address import account_of
from demo.servers.prosody import Authority, Prosody
from testing.collectives.members import ZONE
from testing.collectives.running import Coop, cooperating
from testing.collectives.served import opened, running_member
from testing.homes.served import DRAWN, FED, GUEST, ServedHome
from testing.networks import PASSWORD
from testing.pages.browser import Browser, Page
from testing.programs.node import NodeProgram
from testing.waiting import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

OTHER: Final = "other"
"""Another member, which must stay invisible. Its Home Assistant speaks French."""


ON_ITS_WAY: Final = "The export is on its way"


@dataclass
class World:
    """A collective, two of its members, and their server."""

    server: Prosody
    coop: Coop
    home: ServedHome
    other: ServedHome

    @property
    def jid(self) -> str:
        network = self.home.node.network
        assert network is not None
        return account_of(network.connection.jid)

    async def logged(self) -> list[Read]:
        """Return what the collective's log says of the exports of this home."""
        async with self.coop.store.reading() as connection:
            member = await Members(connection, ZONE).by_jid(self.jid)
            assert member is not None
            return [read for read in await reads(connection, member.id) if read.what == WHAT]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("held")
    async with AsyncExitStack() as stack:
        server = stack.enter_context(Prosody("one.test", Authority(folder)))
        store = await opened(stack, folder / "coop.db")
        jid = server.register("coop", PASSWORD)
        coop = await stack.enter_async_context(cooperating(store, server, jid, folder))
        home, other = [
            await running_member(stack, folder, coop, name, series=series, language=language)
            for name, series, language in (("home", DRAWN, "en"), (OTHER, FED, "fr"))
        ]
        yield World(server, coop, home, other)


async def open_export_page(browser: Browser) -> Page:
    """Open the page of what the one collective holds."""
    return await browser.follow(await browser.open("mine"), "access-requests/")


async def request_export(browser: Browser) -> Page:
    """Ask for it, and return the page once the answer is there."""
    await browser.send(await open_export_page(browser), "access-requests/")
    return await eventually(
        partial(open_export_page, browser), lambda page: ON_ITS_WAY not in page.text
    )


async def body(browser: Browser, page: Page, file: str) -> tuple[int, str]:
    url = page.url.join(page.url.with_path(f"{page.url.path}/{file}"))
    headers = {"X-Remote-User-Id": browser.user}
    async with browser.session.get(url, headers=headers) as response:
        return response.status, await response.text()


async def test_a_home_requests_and_downloads_its_records(world: World) -> None:
    browser = world.home.browser()
    page = await request_export(browser)
    assert "Received and checked" in page.text
    status, words = await body(browser, page, "export.json")
    document = json.loads(words)
    assert (status, document["member"]["jid"]) == (200, world.jid)
    values = [value for part in document["block"] for _, value in part["records"]]
    assert set(values) == {350}
    assert len(values) > 100
    status, table = await body(browser, page, "records.csv")
    assert (status, len(table.splitlines())) == (200, len(values) + 1)
    assert "Copies received" in page.text
    assert "Maïwenn" in page.text
    (read,) = await world.logged()
    assert read.records == len(values)


async def test_an_export_shows_one_member_and_no_guest_reads_it(world: World) -> None:
    page = await open_export_page(world.home.browser())
    _, words = await body(world.home.browser(), page, "export.json")
    assert OTHER not in words
    guest = world.home.browser(GUEST)
    assert (await body(guest, page, "export.json"))[0] == 403
    assert not (await guest.open(str(page.url))).forms[1:]
    document = json.loads(
        (
            await body(
                world.other.browser(), await request_export(world.other.browser()), "export.json"
            )
        )[1]
    )
    values = {value for part in document["block"] for _, value in part["records"]}
    assert values == {120}


async def test_the_access_command_writes_the_export_into_a_file(
    world: World, tmp_path: Path
) -> None:
    node, file = NodeProgram(tmp_path), tmp_path / "held.zip"
    await node.log_in(world.server, world.server.register("third", PASSWORD), PASSWORD)
    invitation = links.write(Join(world.coop.jid, await world.coop.invite()))
    await node.do("join", invitation)
    printed = await node.do("access", world.coop.jid, "--output", str(file), "--json")
    assert json.loads(printed)["sha256"] == sha256(file.read_bytes()).hexdigest()
    assert file.stat().st_mode & 0o777 == 0o600
    with ZipFile(file) as archive:
        document = json.loads(archive.read("export.json"))
    assert (document["member"]["jid"], document["block"]) == ("third@one.test", [])
    assert json.loads(await node.do("export"))["access_request"][0]["size"]
    with pytest.raises(AssertionError, match="This home never joined"):
        await node.do("access", "nobody@one.test", "--output", str(file))


async def test_a_request_succeeds_after_a_killed_server_cut_it_off(world: World) -> None:
    world.server.kill()
    page = await request_export(world.home.browser())
    assert "Received and checked" not in page.text
    await asyncio.to_thread(world.server.start)
    await eventually(partial(_request_again, world), bool, within_s=180)
    assert len(await world.logged()) == 1


async def _request_again(world: World) -> bool:
    """Ask again once the request that was cut off is over."""
    browser = world.home.browser()
    page = await open_export_page(browser)
    if ON_ITS_WAY not in page.text:
        page = await browser.send(page, "access-requests/")
    return "Received and checked" in page.text


async def test_after_a_withdrawal_only_erased_records_cannot_be_exported(
    world: World,
) -> None:
    for home, data in ((world.home, "keep"), (world.other, "erase")):
        browser = home.browser()
        page = await browser.follow(await browser.open("permissions"), "withdraw")
        form = next(form for form in page.forms if ("data", data) in form.fields)
        page = await browser.post(str(page.url), form.fields)
        assert "Withdrawn" in page.text
        permission = page.url.path.rpartition("/")[2]

        async def confirmed(browser: Browser = browser, permission: str = permission) -> bool:
            page = await browser.open(f"permissions/{permission}")
            return "The collective confirmed it" in page.text

        await eventually(confirmed, bool)
    page = await request_export(world.other.browser())
    assert (
        "Coop of Kersabiec refuses: Ce collectif ne détient rien sous votre adresse." in page.text
    )
    page = await request_export(world.home.browser())
    assert re.search(r"exported less than an hour ago: ask again in \d+ min\.", page.text)
