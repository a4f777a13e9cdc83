"""A request for protected sums on the home's pages: who holds what, and what is refused."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
import json
from pathlib import Path

import pytest
from yarl import URL

from consometers_node.permission import DataNeed
from consometers_node.sharing.account import save
from consometers_node.sharing.export import as_json
from consometers_node.sharing.records.masked_reports import keep_keys, load_keys
from consometers_node.store.clock import confirm
from consometers_node.store.household.enrolments import code_of, enrolments, update_enrolment
from consometers_node.wire.witness_requests import Call
from consometers_quoalise_network import Account, Identity, Server
from demo.servers.prosody import Authority
from testing.homes.data_needs import NEED, PROTECTED, WITNESS
from testing.homes.served import API_TOKEN, DRAWN, GUEST, ServedHome, allow, ask
from testing.waiting import eventually
from testing.witnesses.toy import CODE, ToyWitness, serving

COOP = "coop@energies.example"
WHO_COULD = (
    "The collective and the witness together could read you; so could either of them together with"
    " all but you of the homes in a sum."
)
CODE_OF = f"The code that {WITNESS.name} gave you"


@pytest.fixture
def own_authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


@pytest.fixture
async def witness(
    home: ServedHome, own_authority: Authority, tmp_path: Path
) -> AsyncIterator[ToyWitness]:
    """A witness whose authority the home trusts, as it does for its server."""
    nowhere = Server(host="127.0.0.1", port=9, ca_file=own_authority.file)
    await save(home.store, Identity(Account("home@one.test", "secret"), nowhere))
    async with serving(ToyWitness(), own_authority, tmp_path) as witness:
        yield witness


def need_of(witness: ToyWitness, policy: str = "On the wall of the town hall") -> DataNeed:
    named = replace(WITNESS, jid="commune@kersabiec.example", url=witness.url)
    return replace(PROTECTED, witness=named, policy=policy)


async def test_request_names_both_bodies_and_previews_the_report(
    home: ServedHome, witness: ToyWitness
) -> None:
    number = await ask(home, need_of(witness), COOP)
    browser = home.browser()
    page = await browser.open(f"permissions/{number}")
    for words in (WHO_COULD, PROTECTED.controller, WITNESS.name, witness.url, "at least 10 homes"):
        assert words in page.text
    preview = await browser.send(page, "preview", ("series", DRAWN))
    assert "Leaves as" in preview.text
    assert "350 Wh" in preview.text
    assert WHO_COULD in preview.text
    assert CODE_OF in preview.text
    page = await browser.send(preview, "allow", ("code", CODE))
    assert "Allowed" in page.text


@pytest.mark.parametrize("typed", ["", "BCDFG", CODE.replace("B", "A")])
async def test_a_protected_request_is_not_allowed_without_a_code(
    home: ServedHome, witness: ToyWitness, typed: str
) -> None:
    number = await ask(home, need_of(witness), COOP)
    browser = home.browser()
    preview = await browser.fill(f"permissions/{number}", "preview", ("series", DRAWN))
    page = await browser.send(preview, "allow", ("code", typed))
    assert page.status == 422
    assert "four groups of five letters" in page.text
    # What was typed is still there, to be compared with the sheet.
    assert ("code", typed) in page.form("allow").fields
    page = await browser.send(page, "allow", ("code", CODE.lower().replace("-", " ")))
    assert "Allowed" in page.text
    async with home.store.reading() as connection:
        assert await code_of(connection, number) == CODE


async def test_a_code_that_the_witness_refuses_is_corrected_on_the_page(
    home: ServedHome, witness: ToyWitness
) -> None:
    number = await ask(home, need_of(witness), COOP)
    browser = home.browser()
    preview = await browser.fill(f"permissions/{number}", "preview", ("series", DRAWN))
    await browser.send(preview, "allow", ("code", CODE.replace("B", "C")))
    async with home.store.writing() as connection:
        await confirm(connection, datetime.now(UTC))
    home.node.look_again()

    async def problem() -> bool:
        return "does not accept the code" in (await browser.open(f"permissions/{number}")).text

    await eventually(problem, bool)
    page = await browser.open(f"permissions/{number}")
    page = await browser.send(page, "code", ("code", "BCDFG"))
    assert (page.status, "four groups of five letters" in page.text) == (422, True)
    page = await browser.send(page, "code", ("code", CODE))
    assert "The code is saved." in page.text
    await eventually(partial(shown, home), bool)
    page = await browser.open(f"permissions/{number}")
    assert "Key confirmed" in page.text
    assert CODE_OF not in page.text
    page = await browser.follow(page, f"withdraw/{number}")
    assert f"you need another code from {WITNESS.name}" in page.text
    guest = await home.browser(GUEST).open(f"permissions/{number}")
    assert guest.status == 200


async def test_what_needs_no_code_takes_none(home: ServedHome, witness: ToyWitness) -> None:
    number = await ask(home, need_of(witness), COOP)
    browser = home.browser()
    page = await browser.open(f"permissions/{number}")
    token = dict(page.form("preview").fields)["token"]
    page = await browser.post(f"code/{number}", [("token", token), ("code", CODE)])
    assert page.status == 409
    assert "needs no code" in page.text


async def test_pages_api_and_export_show_opened_hours(
    home: ServedHome, witness: ToyWitness
) -> None:
    number = await ask(home, need_of(witness), COOP)
    await allow(home, number, DRAWN)
    browser = home.browser()
    page = await browser.open(f"permissions/{number}")
    assert "Nothing leaves before the witness has confirmed" in page.text
    async with home.store.writing() as connection:
        await confirm(connection, datetime.now(UTC))
    home.node.look_again()
    await eventually(
        partial(shown, home), lambda is_shown: is_shown and Call.OPENINGS in witness.asked
    )
    opened = (
        "720 hours opened, each with 36 homes or more."
        " 2 reports of this home were invalid, and are in no sum. Update this node; if later ones"
        " are invalid too, withdraw the permission and allow again with another code."
    )
    for path in (f"permissions/{number}", "mine"):
        page = await browser.open(path)
        assert opened in page.text
        assert WHO_COULD in page.text
    async with home.session.get(
        home.url.join(URL("api/v1/node")), headers={"Authorization": f"Bearer {API_TOKEN}"}
    ) as response:
        (collective,) = (await response.json())["collectives"]
    (permission,) = collective["permissions"]
    assert permission["protected"]["opened_hours"] == {"consumption": 720}
    assert permission["protected"]["least_homes"] == 36
    assert permission["protected"]["invalid_hours"] == 2
    exported = "".join([part async for part in as_json(home.store)])
    (enrolment,) = json.loads(exported)["enrolment"]
    assert enrolment["summary"]["homes"] == 40
    async with home.store.reading() as connection:
        keys = await load_keys(connection, number)
    assert keys is not None
    for secret in (keys.day_key.secret, keys.nonce_secret, keys.authentication_key):
        assert secret.hex() not in exported


async def test_page_says_that_a_home_whose_key_was_lost_enrolled_again(
    home: ServedHome, witness: ToyWitness
) -> None:
    """Its reports of that day were masked with the former key: nothing is wrong with the node."""
    number = await ask(home, need_of(witness), COOP)
    await allow(home, number, DRAWN)
    async with home.store.writing() as connection:
        await confirm(connection, datetime.now(UTC))
    home.node.look_again()
    await eventually(partial(shown, home), bool)
    lost = ("Former key lost", "Clé précédente perdue")
    enrols = ("This home enrols again by its code.", "Ce foyer se réinscrit avec son code.")
    again = ("This home enrolled again by its code.", "Ce foyer s’est réinscrit avec son code.")
    among = ("about those. If more follow", "rien à faire. S’il en vient d’autres")

    async def says() -> set[tuple[str, str]]:
        """Return the sentences that the page says in both languages."""
        english, french = [
            (await home.browser(language=language).open(f"permissions/{number}")).text
            for language in ("en", "fr")
        ]
        return {
            words
            for words in (lost, enrols, again, among)
            if words[0] in english and words[1] in french
        }

    assert await says() == set()
    async with home.store.writing() as connection:
        await keep_keys(connection, number, None)
    home.node.look_again()
    await eventually(says, {lost, again, among}.__eq__)
    # Until the witness has the new key.
    async with home.store.writing() as connection:
        await update_enrolment(connection, number, enrolled_at=None, receipt=None)
    assert await says() == {lost, enrols}
    # Its code is here: nobody is asked for it.
    assert CODE_OF not in (await home.browser().open(f"permissions/{number}")).text


async def test_what_is_in_a_sum_is_not_offered_by_itself(
    home: ServedHome, witness: ToyWitness
) -> None:
    await allow(home, await ask(home, need_of(witness), COOP), DRAWN)
    number = await ask(home, NEED, COOP)
    page = await home.browser().open(f"permissions/{number}")
    assert "by itself or in protected sums" in page.text
    disabled = [name for tag, name, _ in page.attributes if tag == "input" and name == "disabled"]
    assert len(disabled) == 1
    page = await home.browser().fill(f"permissions/{number}", "preview", ("series", DRAWN))
    assert page.status == 422
    assert not any("allow" in form.action for form in page.forms)


async def shown(home: ServedHome) -> bool:
    async with home.store.reading() as connection:
        return any(stored.summary for stored in (await enrolments(connection)).values())


async def test_dependent_witness_cannot_be_allowed(home: ServedHome, witness: ToyWitness) -> None:
    same_site = need_of(witness, f"{witness.url}/policy")
    for need, jid, words in (
        (need_of(witness), "coop@sub.kersabiec.example", "not independent"),
        (same_site, COOP, "has the same key"),
        (need_of(ToyWitness(url="https://localhost:9")), "coop@other.example", "cannot be reached"),
    ):
        number = await ask(home, need, jid)
        page = await home.browser().open(f"permissions/{number}")
        if words != "not independent":
            page = await home.browser().send(page, "preview", ("series", DRAWN))
        assert words in page.text
        assert not any("preview" in form.action for form in page.forms)
        assert any("refuse" in form.action for form in page.forms)


async def test_witness_of_an_unknown_authority_cannot_be_allowed(
    home: ServedHome, witness: ToyWitness, tmp_path: Path
) -> None:
    other = Authority(tmp_path / "other")
    nowhere = Server(host="127.0.0.1", port=9, ca_file=other.file)
    await save(home.store, Identity(Account("home@one.test", "secret"), nowhere))
    number = await ask(home, need_of(witness), COOP)
    page = await home.browser().fill(f"permissions/{number}", "preview", ("series", DRAWN))
    assert "authority is unknown" in page.text
    assert not any("preview" in form.action for form in page.forms)


async def test_household_sets_the_minimum_of_homes(home: ServedHome, witness: ToyWitness) -> None:
    browser = home.browser()
    page = await browser.fill("settings", "sums", ("minimum", "2"))
    assert "from 3 to" in page.text
    page = await browser.fill("settings", "sums", ("minimum", "50"))
    assert "The number of homes is saved." in page.text
    guest = await home.browser(GUEST).open("settings")
    assert "At least 50 homes in each sum." in guest.text
    number = await ask(home, need_of(witness), COOP)
    page = await browser.open(f"permissions/{number}")
    assert "your settings demand 50" in page.text
    assert not any("preview" in form.action for form in page.forms)
