"""An administrator writes to members, whose pages show it: real nodes, real Prosody."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio

from consometers_node.collective.members.members import Members
from consometers_quoalise import Letter, NotAuthorized
from consometers_quoalise_network import Asking
from demo.servers.prosody import Authority, Prosody
from testing.collectives.members import ZONE
from testing.collectives.running import Coop, cooperating
from testing.collectives.served import opened, running_member
from testing.homes.data_needs import now
from testing.homes.served import DRAWN, FED, ServedHome, running, toy
from testing.networks import PASSWORD, reach, transport
from testing.pages.browser import Browser
from testing.pages.office import NAME, Office, SessionClock, log, serving
from testing.sentences import says
from testing.waiting import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]


@dataclass
class World:
    """A collective with its administration, a member that is there and one that comes and goes."""

    server: Prosody
    folder: Path
    coop: Coop
    office: Office
    home: ServedHome
    away: AsyncExitStack
    other: ServedHome

    async def write(self, place: str, *body: tuple[str, str]) -> str:
        """Send a message from the administration's form; return the page that follows."""
        browser = await self.office.enter()
        shown = await browser.fill(place, "letter", *body)
        assert "Send this message?" in shown.text
        return (await browser.send(shown, "letter", ("sure", "yes"))).text

    async def member_page(self, name: str) -> str:
        async with self.coop.store.reading() as connection:
            member = await Members(connection, ZONE).by_jid(f"{name}@one.test")
        assert member is not None
        return f"members/{member.pseudonym}"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("letters")
    async with AsyncExitStack() as stack:
        server = stack.enter_context(Prosody("one.test", Authority(folder)))
        store = await opened(stack, folder / "coop.db")
        jid = server.register("coop", PASSWORD)
        coop = await stack.enter_async_context(cooperating(store, server, jid, folder))
        home = await running_member(stack, folder, coop, "home", series=DRAWN)
        away = await stack.enter_async_context(AsyncExitStack())
        other = await running_member(away, folder, coop, "other", series=FED)
        office = await stack.enter_async_context(
            serving(store, coop.settings, coop.node, SessionClock(now()))
        )
        await office.appoint(NAME)
        yield World(server, folder, coop, office, home, away, other)


async def text_of(browser: Browser, place: str) -> str:
    return (await browser.open(place)).text


async def test_a_message_goes_from_the_form_to_the_household_s_page(world: World) -> None:
    place = await world.member_page("home")
    after = await world.write(
        f"{place}/letter",
        ("body_fr", "Bonjour,\nvotre nœud se tait."),
        ("body_en", "Hello,\nyour node is silent."),
    )
    assert "The message is on its way" in after
    browser = world.home.browser()
    await eventually(partial(text_of, browser, ""), lambda text: "1 new message" in text)
    assert "your node is silent." in await text_of(browser, "letters")
    french = await text_of(world.home.browser(language="fr"), "letters")
    assert "votre nœud se tait." in french
    assert "No message yet." in await text_of(world.other.browser(), "letters")
    admin = await world.office.enter()
    await eventually(partial(text_of, admin, place), lambda text: "– received," in text)
    assert (NAME, "message") in await log(world.office)


async def test_a_node_that_is_away_receives_its_message_once_it_is_back(world: World) -> None:
    await world.away.aclose()
    after = await world.write("letters?to=all", ("body_en", "We meet on Friday."))
    assert "The message is on its way" in after
    browser = world.home.browser()
    await eventually(
        partial(text_of, browser, "letters"), lambda text: "We meet on Friday." in text
    )
    admin, place = await world.office.enter(), await world.member_page("other")
    assert "– not received yet" in await text_of(admin, place)
    async with AsyncExitStack() as stack:
        again = await opened(stack, world.folder / "other.db")
        other = await stack.enter_async_context(running(again, toy(), server=reach(world.server)))
        await eventually(
            partial(text_of, other.browser(), "letters"),
            lambda text: "We meet on Friday." in text,
        )
        await eventually(partial(text_of, admin, place), lambda text: "– received," in text)


async def test_a_stranger_s_message_is_refused_with_a_reason(world: World) -> None:
    letter = Letter(id=str(uuid4()), time=datetime.now(UTC), body={"en": "Buy something."})
    stranger = world.server.register("stranger", PASSWORD)
    async with transport(world.server, stranger) as connection:
        await connection.online()
        with pytest.raises(NotAuthorized, check=says("accepts no message from you")):
            await Asking(connection).send_letter("home@one.test", letter)
    assert "Buy something." not in await text_of(world.home.browser(), "letters")


async def test_a_household_that_has_withdrawn_is_not_written_to(world: World) -> None:
    place = f"{await world.member_page('home')}/letter"
    browser = world.home.browser()
    page = await browser.follow(await browser.open("permissions"), "withdraw")
    form = next(form for form in page.forms if ("data", "erase") in form.fields)
    assert "Withdrawn" in (await browser.post(str(page.url), form.fields)).text
    admin = await world.office.enter()
    await eventually(partial(text_of, admin, place), lambda text: "Nobody can receive" in text)
