"""A household on its page takes an address, meets a collective, looks, allows, pauses, stops."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
import csv
from dataclasses import replace
from datetime import timedelta
from functools import partial
import html
import io
import json
from typing import override

import pytest

from consometers_node.permission import Permissions, State
from consometers_node.series import Interval
from consometers_node.store import PermissionId, Store
from consometers_node.wire.needs import write_need
from consometers_quoalise import DataNeed, ItemNotFound, QuoaliseError
from consometers_quoalise_network import Asker
from demo.servers.prosody import Prosody
from testing.homes.data_needs import NEED, now
from testing.homes.running import StoringCollective, bare
from testing.homes.served import (
    ADMIN,
    API_TOKEN,
    DRAWN,
    FED,
    MADE,
    NAME,
    SUBSCRIBED,
    UNKNOWN,
    ServedHome,
    allow,
    running,
    toy,
)
from testing.networks import PASSWORD, reach
from testing.pages.browser import Browser, Page
from testing.waiting import eventually
from testing.xmpp.fixtures import MakeNode, NewAccount, XmppNode


class Asks(StoringCollective):
    """A collective that asks those whom it invited for something."""

    def __init__(self) -> None:
        super().__init__()
        self.needs = [write_need(NEED)]

    @override
    async def get_data_needs(self, asker: Asker, invitation: str | None) -> Iterable[DataNeed]:
        if self.refuses is not None:
            raise self.refuses
        if invitation != "sesame":
            raise ItemNotFound
        return await super().get_data_needs(asker, invitation)


@pytest.fixture
def collective() -> Asks:
    return Asks()


@pytest.fixture
async def coop(other_server: Prosody, new_node: MakeNode, collective: Asks) -> XmppNode:
    return await new_node(other_server, collective, keep=collective.keep)


@pytest.fixture
def invitation(coop: XmppNode) -> str:
    return f"xmpp:{bare(coop)}?consometers-join;token=sesame"


@pytest.fixture
async def house(file: Store, server: Prosody) -> AsyncIterator[ServedHome]:
    async with running(file, toy(), server=reach(server)) as opened:
        yield opened


async def shows(look: Callable[[], Awaitable[Page]], words: str) -> Page:
    return await eventually(look, lambda page: words in page.text)


async def join(browser: Browser, invitation: str) -> Page:
    return await browser.fill("join", "join", ("invitation", invitation))


async def test_household_joins_previews_allows_pauses_and_withdraws(
    house: ServedHome, server: Prosody, coop: XmppNode, collective: Asks, invitation: str
) -> None:
    browser = house.browser()
    page = await join(browser, invitation)
    assert (page.status, "no address yet" in page.text) == (422, True)

    page = await join(browser, await asyncio.to_thread(server.invite))
    assert "This home now has the address home-" in page.text
    again = await join(browser, await asyncio.to_thread(server.invite))
    assert "already has an address" in again.text

    page = await join(browser, invitation)
    assert page.url.path.startswith("/permissions/")
    for words in ("Sunny roofs", "To size the next roof.", "Coop of Kersabiec", "dpo@coop.example"):
        assert words in page.text
    assert "nothing is ticked for you" in page.text
    assert [name for name, _ in page.form("preview").fields] == [
        "token",
        "interval",
        "history",
        "duration",
    ]
    assert dict(page.form("preview").offered).keys() == {"series"}

    page = await browser.send(page, "preview", ("series", DRAWN), ("history", "7"))
    assert page.html.count("data-value=") in {23, 24}
    assert "350 W" in page.text
    assert f"You allow, until {(now() + timedelta(days=365)).astimezone().date()}" in page.text
    assert collective.permissions == {}
    page = await browser.send(page, "allow")
    assert "Allowed." in page.text
    assert "Maïwenn" in page.text
    number = page.url.path.rpartition("/")[2]

    page = await shows(lambda: browser.open(f"permissions/{number}"), "The collective confirmed it")
    assert number in collective.permissions
    (name,) = collective.permissions[number].series
    assert str(name) in page.html
    assert house.node.network is not None
    address = house.node.network.connection.jid
    # A collective that subscribes to nothing has received nothing, and lacks nothing.
    page = await shows(browser.open, "Read on demand nothing read yet")
    assert "Received up to" not in page.text
    async for _ in coop.asking.history(address, name, now() - timedelta(days=3), now()):
        pass
    await shows(browser.open, "Read on demand last read:")
    await coop.asking.subscribe(address, name)
    page = await browser.open(f"permissions/{number}")
    assert "Sent as it comes" in page.text
    assert "has requested no data" not in page.text
    page = await shows(browser.open, f"{NAME} energy from the grid 7 of 7 days complete Days sent")
    assert "Received up to" in page.text

    page = await browser.send(page, "pause")
    assert "Paused: nothing leaves" in page.text
    page = await browser.send(page, "resume")
    assert "Paused" not in page.text

    page = await browser.open(f"withdraw/{number}")
    (erase, _) = (form for form in page.forms if "withdraw" in form.action)
    page = await browser.post(f"withdraw/{number}", erase.fields)
    assert "Withdrawn. No more data leaves" in page.text
    page = await shows(lambda: browser.open(f"permissions/{number}"), "It erased 1 record.")
    assert collective.erases == [True]
    assert "Nothing is shared" in (await browser.open()).text


async def test_existing_account_is_tested_before_it_is_saved(
    house: ServedHome, server: Prosody, new_account: NewAccount
) -> None:
    browser = house.browser()
    jid = new_account(server)
    page = await browser.fill("settings", "settings", ("jid", jid), ("password", "wrong"))
    assert page.status == 422
    assert "refuses the address" in page.text
    assert ("password", "") in page.form("settings").fields
    assert house.node.network is None
    for typed in ("", "nobody", "a@b@c", "é" * 900):
        filled = (("jid", typed), ("password", "x"))
        page = await browser.fill("settings", "settings", *filled)
        assert page.status == 422, typed
    page = await browser.send(page, "settings", ("jid", jid), ("password", PASSWORD))
    assert "this address is saved" in page.text
    page = await shows(lambda: browser.open("settings"), "It is on the network.")
    assert PASSWORD not in page.html


async def test_health_page_reports_lost_xmpp_connection(
    file: Store, own: Prosody, new_account: NewAccount
) -> None:
    async with running(file, toy(), server=reach(own)) as house:
        browser = house.browser()
        typed = (("jid", new_account(own)), ("password", PASSWORD))
        await browser.fill("settings", "settings", *typed)
        await shows(lambda: browser.open("settings"), "It is on the network.")
        await shows(lambda: browser.open("health"), "This node is well.")
        await asyncio.to_thread(own.stop)
        await shows(lambda: browser.open("health"), "XMPP is away.")


async def test_invalid_invitation_is_reported_beside_its_field(house: ServedHome) -> None:
    for typed, expected in (
        ("", "This is not an invitation"),
        ("https://coop.example", "This is not an invitation"),
        ("xmpp:coop@two.test?consometers-join", "This is not an invitation"),
        ("xmpp:one.test?register;preauth=nonsense", "used up, expired"),
    ):
        page = await join(house.browser(), typed)
        assert page.status == 422, typed
        assert expected in page.text
        assert f">{typed}</textarea>" in page.html
        assert 'aria-describedby="invitation-error"' in page.html


async def test_refusal_by_the_collective_is_shown(
    house: ServedHome,
    server: Prosody,
    new_account: NewAccount,
    collective: Asks,
    invitation: str,
) -> None:
    browser = house.browser()
    filled = (("jid", new_account(server)), ("password", PASSWORD))
    await browser.fill("settings", "settings", *filled)
    page = await join(browser, invitation.replace("sesame", "stranger"))
    assert (page.status, "refuses" in page.text) == (422, True)
    page = await join(browser, "xmpp:nobody@two.test?consometers-join;token=sesame")
    assert (page.status, "is offline" in page.text) == (422, True)
    collective.refuses = QuoaliseError()
    assert (await join(browser, invitation)).status == 422
    collective.refuses, collective.needs = None, []
    assert "has no data request at present" in (await join(browser, invitation)).text
    collective.needs = [write_need(NEED), write_need(replace(NEED, id="another"))]
    assert (await join(browser, invitation)).url.path == "/permissions"


async def test_invitation_in_the_url_only_prefills_the_form(home: ServedHome) -> None:
    page = await home.browser().open("join?invitation=xmpp:a@b.test?consometers-join;token=x")
    assert ("invitation", "xmpp:a@b.test?consometers-join;token=x") in page.form("join").fields


async def test_coarser_choice_than_requested_is_granted(
    home: ServedHome, asked: PermissionId
) -> None:
    browser = home.browser()
    page = await browser.open(f"permissions/{asked}")
    choice = (("series", DRAWN), ("series", FED), ("interval", "P1D"), ("history", "3"))
    page = await browser.send(page, "preview", *choice, ("duration", "10"))
    assert "every day" in page.text
    await browser.send(page, "allow")
    async with home.store.reading() as connection:
        terms = (await Permissions(connection).get(asked)).terms
    assert terms is not None
    assert terms.interval is Interval.P1D
    assert {series.device for series in terms.series} == {DRAWN, FED}
    assert (terms.valid_from - terms.records_from).days == 3
    assert (terms.valid_until - terms.valid_from).days == 10


BEYOND: tuple[tuple[tuple[tuple[str, str], ...], str], ...] = (
    ((), "Choose at least one series"),
    ((("series", UNKNOWN),), "choose again"),
    ((("series", MADE),), "choose again"),
    ((("series", DRAWN), ("interval", "PT5M")), "finer than requested"),
    ((("series", DRAWN), ("interval", "PT7M")), "finer than requested"),
    ((("series", DRAWN), ("history", "31")), "from 0 to 30"),
    ((("series", DRAWN), ("history", "-1")), "from 0 to 30"),
    ((("series", DRAWN), ("duration", "0")), "from 1 to 365"),
    ((("series", DRAWN), ("duration", "1e3")), "from 1 to 365"),
)


async def test_choice_beyond_the_request_is_reported_beside_its_field(
    home: ServedHome, asked: PermissionId
) -> None:
    for filled, expected in BEYOND:
        page = await home.browser().fill(f"permissions/{asked}", "preview", *filled)
        assert page.status == 422, filled
        assert expected in page.text
        for name, value in filled:
            assert value in page.html or name == "interval" or value in {UNKNOWN, MADE}


async def test_changed_choice_must_be_previewed_again(
    home: ServedHome, asked: PermissionId
) -> None:
    browser = home.browser()
    page = await browser.fill(f"permissions/{asked}", "preview", ("series", DRAWN))
    page = await browser.send(page, "allow", ("history", "1"))
    assert page.status == 409
    assert "changed since you read it" in page.text
    async with home.store.reading() as connection:
        assert (await Permissions(connection).get(asked)).state is State.PROPOSED
    assert "Allowed." in (await browser.send(page, "allow")).text


async def test_register_stores_the_text_that_was_shown(
    home: ServedHome, asked: PermissionId
) -> None:
    browser = home.browser(language="fr")
    page = await browser.fill(f"permissions/{asked}", "preview", ("series", DRAWN))
    shown = page.html.partition('<div class="agreement">')[2].partition("</div>")[0]
    await browser.send(page, "allow")
    async with home.store.reading() as connection:
        register = Permissions(connection)
        last = (await register.entries(asked))[-1]
        agreement = await register.shown_text(last)
    assert agreement is not None
    assert (agreement.language, last.who) == ("fr", ADMIN)
    assert html.unescape(shown) == agreement.body


async def test_subscribed_power_of_the_meter_is_shown_before_it_leaves_and_kept_up_to_date(
    home: ServedHome, asked: PermissionId
) -> None:
    browser = home.browser()
    page = await browser.open(f"permissions/{asked}")
    assert page.text.count("sent with the subscribed power of its meter, 6 kVA") == 1
    page = await browser.send(page, "preview", ("series", DRAWN), ("series", FED))
    assert page.text.count("The subscribed power of its meter leaves too: 6 kVA") == 1
    assert f"{DRAWN}: the subscribed power of its meter, 6 kVA at present" in page.text
    assert f"{FED}: the subscribed power" not in page.text
    page = await browser.send(page, "allow")
    assert "Subscribed power of its meter, sent too: 6 kVA." in page.text
    for state in home.toy.answers["get_states"]:
        if state["entity_id"] == SUBSCRIBED:
            state["state"] = "9"
    await shows(
        partial(browser.open, f"permissions/{asked}"),
        "Subscribed power of its meter, sent too: 9 kVA.",
    )


async def test_subscribed_power_that_changes_before_the_answer_is_read_again(
    home: ServedHome, asked: PermissionId
) -> None:
    browser = home.browser()
    page = await browser.fill(f"permissions/{asked}", "preview", ("series", DRAWN))
    for state in home.toy.answers["get_states"]:
        if state["entity_id"] == SUBSCRIBED:
            state["state"] = "9"
    page = await browser.send(page, "allow")
    assert (page.status, "This data request changed since you read it" in page.text) == (409, True)
    assert "9 kVA" in page.text


async def test_statistic_is_offered_once_its_direction_is_set(
    home: ServedHome, asked: PermissionId
) -> None:
    browser = home.browser()
    page = await browser.open(f"permissions/{asked}")
    assert ("series", UNKNOWN) not in page.form("preview").offered
    page = await browser.fill("settings", "directions", (f"direction:{UNKNOWN}", "injection"))
    assert "The directions are saved." in page.text
    assert (f"direction:{UNKNOWN}", "injection") in page.form("directions").fields
    page = await browser.open(f"permissions/{asked}")
    assert ("series", UNKNOWN) in page.form("preview").offered
    page = await browser.open("settings")
    await browser.send(page, "directions", (f"direction:{UNKNOWN}", ""))
    page = await browser.open(f"permissions/{asked}")
    assert ("series", UNKNOWN) not in page.form("preview").offered


async def test_pages_show_only_the_last_digits_of_a_delivery_point(home: ServedHome) -> None:
    browser = home.browser(language="fr")
    page = await browser.fill("settings", "point", ("point", "12"))
    assert page.status == 422
    assert "a 14 chiffres" in page.text
    page = await browser.send(page, "point", ("point", "30001610071843"))
    assert "se termine par 1843" in page.text
    assert "3000161007" not in page.html
    assert home.node.naming.delivery_point == "30001610071843"
    page = await browser.send(page, "point", ("point", ""))
    assert "Aucun numéro n’est enregistré ici." in page.text


async def test_all_data_can_be_exported_and_erased(home: ServedHome, asked: PermissionId) -> None:
    await allow(home, asked, DRAWN)
    browser = home.browser()
    await shows(browser.open, "missing Days sent")
    download = await browser.open("mine/consometers.json")
    assert "attachment" in download.headers["Content-Disposition"]
    document = json.loads(download.html)
    assert document["permission"][0]["id"] == asked
    assert len(document["block"][0]["records"]) > 100
    assert API_TOKEN not in download.html
    table = await browser.open("mine/consometers.csv")
    rows = list(csv.DictReader(io.StringIO(table.html)))
    assert {row["statistic"] for row in rows} == {DRAWN}
    assert {row["value"] for row in rows} == {"350"}

    page = await browser.open("mine")
    unsure = await browser.send(page, "mine")
    assert (unsure.status, "Tick the box" in unsure.text) == (422, True)
    page = await browser.send(page, "mine", ("sure", "yes"))
    assert "every permission is withdrawn" in page.text
    assert "No records are stored here" in page.text
    async with home.store.reading() as connection:
        assert (await Permissions(connection).get(asked)).state is State.WITHDRAWN
