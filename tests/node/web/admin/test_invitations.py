"""Invitations are created and shown once; their tokens stand nowhere else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
import logging
from pathlib import Path
import sys

import pytest

from consometers_node.collective.members import invitations
from consometers_node.collective.members.accounts import NoAccount, invite
from consometers_node.collective.members.members import MemberKind
from consometers_node.collective.members.shares import promised
from consometers_node.collective.members.sites import Description
from consometers_node.collective.permissions.member_permissions import of_member
from consometers_node.store import Store
from consometers_node.store.collective.access_log import reads
from consometers_node.web.admin.words import ACCOUNTS_GUIDE
from consometers_quoalise_network import Join, links
from testing.collectives.members import let_be_named
from testing.pages.browser import Browser, Page
from testing.pages.office import NAME, Office, serving, summary
from testing.pages.town import NOW

ACCOUNT = "xmpp:kersabiec.example?register;preauth=abc"


async def stored_invitations(office: Office) -> list[invitations.Invitation]:
    return await office.read(invitations.all_invitations)


async def created(browser: Browser, *filled: tuple[str, str]) -> Page:
    page = await browser.open("invitations/new")
    return await browser.send(page, "invitations", *filled)


def sheets(page: Page) -> list[str]:
    return [value for name, value in page.form("sheets").fields if name == "sheet"]


async def test_invitation_can_carry_plant_shares(office: Office) -> None:
    async with office.village() as village:
        school = await village.join("school")
        (before,) = await of_member(village.connection, school.id)
        await let_be_named(village.connection, school, before.valid_from)
        plant = Description(shares=400)
        await village.members.present(school.id, "École", plant, village.now)
    browser = await office.enter()
    field = f"shares_{school.pseudonym}"
    assert (await created(browser, (field, "401"))).status == 422
    assert (await created(browser, (field, "12"))).status == 200
    (invitation,) = await stored_invitations(office)
    (holding,) = (await office.read(promised))[invitation.id]
    assert (holding.plant.name, holding.shares) == ("École", 12)
    assert "12 shares of École" in (await browser.open("invitations")).text


async def test_invitation_is_created_and_shown_once(office: Office) -> None:
    browser = await office.enter()
    page = await created(browser, ("area", "Lorient"), ("note", "Marché"), ("days", "7"))
    (invitation,) = await stored_invitations(office)
    assert (invitation.kind, invitation.area, invitation.note, invitation.most_uses) == (
        MemberKind.HOME,
        "Lorient",
        "Marché",
        1,
    )
    assert invitation.expires_at == NOW + timedelta(days=7)
    (link,) = sheets(page)
    join = links.read(link)
    assert isinstance(join, Join)
    assert join.collective == "coop@example.org"
    assert await office.read(invitations.by_token, join.token) == invitation
    assert page.html.count("<svg") >= 1
    assert 'class="segno"' in page.html
    assert str(page.url).endswith("/administration/invitations")
    assert page.headers["Cache-Control"] == "no-store"
    page = await browser.open("invitations")
    assert "Marché" in page.text
    assert join.token not in page.html


async def test_commune_of_an_invitation_must_have_the_known_spelling(office: Office) -> None:
    browser = await office.enter()
    await created(browser, ("area", "Le Faouët"))
    page = await browser.open("invitations/new")
    assert ("option", "value", "Le Faouët") in page.attributes
    page = await created(browser, ("area", "LE FAOUET"), ("note", "Marché"), ("days", "7"))
    assert page.status == 422
    assert "known here as “Le Faouët”: write it that way." in page.text
    assert {("area", "LE FAOUET"), ("note", "Marché"), ("days", "7")} <= {
        *page.form("invitations").fields
    }
    assert len(await stored_invitations(office)) == 1
    page = await browser.send(page, "invitations", ("area", "Le Faouët"))
    assert page.status == 200
    assert {invitation.area for invitation in await stored_invitations(office)} == {"Le Faouët"}


async def test_tokens_appear_in_no_log_and_no_url(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    browser = await office.enter()
    page = await created(browser)
    (link,) = sheets(page)
    join = links.read(link)
    assert isinstance(join, Join)
    paper = await browser.send(page, "sheets", ("in", "fr"))
    assert join.token in paper.html
    assert join.token not in caplog.text
    assert not [
        address for address in (*page.links, *page.loads, str(paper.url)) if join.token in address
    ]
    assert all(join.token not in entry.what for entry in await office.read(reads))


async def test_resubmitted_form_creates_no_second_invitation(office: Office) -> None:
    browser = await office.enter()
    form = (await browser.open("invitations/new")).form("invitations")
    fields = dict(form.fields)
    await browser.post("invitations", list(fields.items()))
    page = await browser.post("invitations", list({**fields, "count": "3"}.items()))
    assert page.status == 409
    assert "were created already" in page.text
    for hostile in ("", "x" * 32, "A" * 32, "0" * 33):
        page = await browser.post("invitations", list({**fields, "form": hostile}.items()))
        assert page.status == 409
    assert len(await stored_invitations(office)) == 1


async def test_invitations_are_printed_in_both_languages(office: Office) -> None:
    browser = await office.enter()
    page = await created(browser, ("count", "40"), ("note", "<b>fête</b>"))
    assert len(sheets(page)) == 40
    assert 'class="segno"' not in page.html
    assert "<b>" not in page.html
    for tag, words in (("fr", "Rejoignez Énergies de Lorient"), ("en", "Join Énergies de Lorient")):
        paper = await browser.send(page, "sheets", ("in", tag))
        assert paper.status == 200
        assert paper.language == tag
        assert paper.text.count(words) == 40
        assert paper.html.count('<article class="sheet">') == 40
        policy = paper.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "script" not in policy


async def test_only_our_own_invitations_are_printed(office: Office) -> None:
    browser = await office.enter()
    page = await created(browser)
    for sheet in (
        "",
        "https://example.org",
        "xmpp:other@example.org?consometers-join;token=abcdefghijklmnop",
        "xmpp:coop@example.org?consometers-join;token=abcdefghijklmnop",
        "xmpp:coop@example.org?consometers-join;token=abcdefghijklmnop javascript:alert(1)",
        f"{ACCOUNT} {ACCOUNT}",
        "x" * 3900,
    ):
        paper = await browser.send(page, "sheets", ("in", "fr"), ("sheet", sheet))
        assert paper.status in {400, 409}, sheet
    good = sheets(page)[0]
    paper = await browser.send(page, "sheets", ("in", "fr"), ("sheet", f"{good} {good}"))
    assert paper.status == 400
    assert (await browser.send(page, "sheets", ("in", "de"))).status == 400
    assert (await browser.send(page, "sheets", ("in", "fr"), without="sheet")).status == 400
    assert (await browser.open("invitations/sheets")).url.path == "/administration/invitations"


async def test_invitation_is_revoked(office: Office) -> None:
    browser = await office.enter()
    await created(browser)
    page = await browser.fill("invitations", "revoke")
    assert "It can no longer be used." in page.text
    assert "None is valid" in page.text
    page = await browser.open("invitations?show=ended")
    assert "revoked 10 June 2026" in page.text
    (invitation,) = await stored_invitations(office)
    assert invitation.revoked_at == NOW
    entry = (await office.read(reads))[0]
    assert (entry.who, entry.what) == (NAME, f"invitation {invitation.id} revoked")


async def test_long_list_is_paged(office: Office) -> None:
    browser = await office.enter()
    await created(browser, ("count", "100"), ("any", "yes"), ("kind", "site"))
    page = await browser.open("invitations")
    assert "100 valid" in page.text
    assert page.text.count("0, without a limit") == 50
    assert "1 to 50 of 100" in page.text
    page = await browser.open("invitations?page=2")
    assert page.text.count("0, without a limit") == 50
    office.clock.now += timedelta(days=31)
    page = await (await office.enter()).open("invitations?show=ended")
    assert "its time is over" in page.text


HOSTILE = {
    "count": ("0", "101", "١٢", "9" * 4000),
    "days": ("3661", "-1"),
    "uses": ("0", "many"),
    "kind": ("admin",),
    "area": ("x" * 101,),
    "note": ("x" * 201,),
    "account": ("yes",),
}


async def test_invalid_values_create_no_invitation(office: Office) -> None:
    browser = await office.enter()
    for name, value in ((name, value) for name, values in HOSTILE.items() for value in values):
        page = await created(browser, (name, value))
        assert page.status == 422, name
        assert "Please correct the following" in page.text
    assert await stored_invitations(office) == []


async def test_errors_are_listed_in_page_order(office: Office) -> None:
    browser = await office.enter()
    page = await created(browser, ("days", "0"), ("uses", "0"), ("count", "0"), ("kind", ""))
    assert [name for name, _ in summary(page)] == ["kind", "count", "uses", "days"]
    assert summary(page)[2][1].endswith(": Write a whole number, from 1 to 100,000.")


@asynccontextmanager
async def giving_accounts(office: Office, program: str) -> AsyncIterator[Office]:
    command = (sys.executable, "-c", program)
    settings = office.settings
    with_command = replace(settings, xmpp=replace(settings.xmpp, account_command=command))
    async with serving(office.store, with_command) as opened:
        yield opened


async def test_each_invitation_gets_an_account(office: Office) -> None:
    async with giving_accounts(office, f"print('{ACCOUNT}')") as opened:
        browser = await opened.enter()
        page = await created(browser, ("account", "yes"), ("count", "2"))
        assert [sheet.split()[1] for sheet in sheets(page)] == [ACCOUNT, ACCOUNT]
        assert page.html.count('class="segno"') == 4
        paper = await browser.send(page, "sheets", ("in", "fr"))
        assert paper.text.count("Prenez un compte") == 2


async def test_failed_account_creation_invites_nobody(office: Office) -> None:
    async with giving_accounts(office, "raise SystemExit('<i>no</i>')") as opened:
        page = await created(await opened.enter(), ("account", "yes"))
        assert page.status == 409
        assert "<i>no</i>" in page.text
        assert "<i>" not in page.html
        assert await stored_invitations(office) == []


async def test_missing_account_command_is_reported(file: Store, tmp_path: Path) -> None:
    with pytest.raises(NoAccount, match="No such file"):
        await invite([str(tmp_path / "nothing")])


async def test_the_form_asks_for_no_key_of_the_settings(office: Office) -> None:
    browser = await office.enter()
    page = await browser.open("invitations/new")
    assert "account_command" not in page.text
    assert "ask the person who runs the server" in page.text
    assert ACCOUNTS_GUIDE["en"] in page.links
    refused = await browser.send(page, "invitations", ("account", "yes"))
    assert summary(refused)[0][0] == "account"
    assert "account_command" not in refused.text
