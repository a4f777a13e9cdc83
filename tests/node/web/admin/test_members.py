"""Members are found, shown and looked after; each look and each change is written down."""

import csv
from dataclasses import replace
from datetime import UTC, datetime, timedelta
import io
import json
from pathlib import Path
from typing import Any

import pytest

from consometers_node.collective.members import accounts, invitations
from consometers_node.collective.members.members import Member, MemberKind, Members
from consometers_node.collective.members.shares import holdings
from consometers_node.collective.members.sites import Building
from consometers_node.collective.permissions import member_permissions
from consometers_node.collective.permissions.member_permissions import of_member
from consometers_node.collective.witness.register import enrol
from consometers_node.permission import State
from consometers_node.store import Store
from consometers_node.web.admin.log import _in_words
from testing.clocks import sure
from testing.collectives.members import let_be_named
from testing.pages.office import NAME, Office, log, serving, summary
from testing.pages.town import NOW, ZONE, settings
from testing.pages.village import permission_id_of
from testing.witnesses.enrolled import COLLECTIVE, FIRST_HEAD, EnrolledHome, vouch

HOSTILE = (
    "<script>alert(1)</script>",
    "'; DROP TABLE member; --",
    "{{ 7*7 }}",
    "../../etc/passwd",
    "\u202egnp.exe",
    "a" * 3999,
    "%00%0d%0aSet-Cookie:%20a=b",
    "٣",
    "NaN",
    "-1",
    "1e400",
    "",
)


async def join(office: Office, name: str = "home", **how: Any) -> Member:
    async with office.village() as village:
        return await village.join(name, **how)


async def reloaded(office: Office, member: Member) -> Member:
    async with office.store.reading() as connection:
        return await Members(connection, ZONE).get(member.id)


async def test_members_can_be_searched_sorted_and_paged(office: Office) -> None:
    async with office.village() as village:
        for n in range(52):
            await village.join(f"h{n}", area="Lorient" if n % 2 else "Ploemeur", days=3)
        silent = await village.join("quiet", heard=timedelta(days=9))
        await village.members.set_area(silent.id, "Groix")
    browser = await office.enter()
    page = await browser.open("members")
    assert "1 to 50 of 53" in page.text
    page = await browser.open(str(page.url.join(page.url.__class__(page.link("page=2")))))
    assert "51 to 53 of 53" in page.text
    page = await browser.open("members?show=silent")
    assert page.text.count("Groix") == 1
    assert "Lorient " not in page.text.partition("Last data")[2]
    page = await browser.open("members?sort=heard")
    for address in ("members?show=x&sort=y", "members?sort=name", "members?sort=joined&show=left"):
        assert (await browser.open(address)).status == 200
    assert "No member matches this." in (await browser.open("members?q=nowhere")).text


async def test_search_keeps_member_addresses_out_of_urls(office: Office) -> None:
    member = await join(office)
    browser = await office.enter()
    page = await browser.open("members")
    result = await browser.send(page, "members", ("q", "HOME@example.org"))
    assert result.url.path.endswith(f"/members/{member.pseudonym}")
    result = await browser.send(page, "members", ("q", "nobody@example.org"))
    assert "No member matches this." in result.text
    assert "nobody" not in str(result.url)
    result = await browser.send(page, "members", ("q", "lori"))
    assert member.pseudonym in result.text
    result = await browser.send(page, "members", ("q", ""))
    assert result.status == 200


async def test_member_page_shows_everything_but_records(office: Office) -> None:
    member = await join(office, injects=True, problem="item-not-found")
    page = await (await office.enter("fr")).open(f"members/{member.pseudonym}")
    assert page.status == 200
    for words in ("home@example.org", "Toits au soleil", "autorisée", "item-not-found", "Lorient"):
        assert words in page.text
    assert "30 jours sur 30" in page.text
    assert await log(office) == [(NAME, "page"), (NAME, "login")]


async def test_ending_a_permission_needs_confirmation(office: Office) -> None:
    member = await join(office)
    browser = await office.enter()
    page = await browser.open(f"members/{member.pseudonym}")
    page = await browser.follow(page, "/end/")
    assert "End “Sunny roofs”?" in page.text
    unsure = await browser.send(page, "/end/")
    assert unsure.status == 422
    assert "Tick the box" in unsure.text
    done = await browser.send(page, "/end/", ("sure", "yes"))
    assert "The permission has ended" in done.text
    (permission,) = await office.read(member_permissions.of_member, member.id)
    assert permission.state is State.TERMINATED
    assert permission.notified_at is None
    assert (await log(office))[:2] == [(NAME, "page"), (NAME, "terminate")]
    assert (await browser.send(page, "/end/", ("sure", "yes"))).status == 404


async def test_permission_of_another_member_cannot_be_ended(office: Office) -> None:
    mine, other = await join(office, "mine"), await join(office, "other")
    browser = await office.enter()
    assert (
        await browser.open(f"members/{mine.pseudonym}/end/{permission_id_of('other')}")
    ).status == 404
    assert (
        await browser.open(f"members/{other.pseudonym}/end/{permission_id_of('other')}")
    ).status == 200
    assert (
        await browser.open(f"members/{other.pseudonym}/end/{permission_id_of('nobody')}")
    ).status == 409


async def test_erasing_a_member_needs_confirmation(office: Office) -> None:
    member = await join(office, days=2)
    browser = await office.enter()
    page = await browser.open(f"members/{member.pseudonym}")
    page = await browser.follow(page, "/erase")
    assert "1 permission ends" in page.text
    assert (await browser.send(page, "/erase")).status == 422
    assert (await reloaded(office, member)).jid is not None
    done = await browser.send(page, "/erase", ("sure", "yes"))
    assert "All records are erased." in done.text
    async with office.store.reading() as connection:
        (permission,) = await member_permissions.of_member(connection, member.id)
        (*_, last) = await member_permissions.register(connection, [permission.id])
    assert permission.series == ()
    assert last.erased == 48
    assert (NAME, "erase") in await log(office)


async def test_account_on_own_server_is_removed_with_its_member(office: Office) -> None:
    member = await join(office)
    plain = await office.enter()
    assert "XMPP account" not in (await plain.open(f"members/{member.pseudonym}/erase")).text
    xmpp = replace(
        office.settings.xmpp,
        account="collective@example.org",
        account_removal_command=("nothing-of-this-name",),
    )
    async with serving(office.store, replace(office.settings, xmpp=xmpp)) as opened:
        browser = await opened.enter()
        page = await browser.open(f"members/{member.pseudonym}/erase")
        assert "Remove its XMPP account on this server too" in page.text
        await browser.send(page, "/erase", ("sure", "yes"), ("account", "yes"))
        assert (NAME, "erase with account") in await log(opened)
        async with opened.village() as village:
            await village.members.forget(member.id, NOW)
        command = xmpp.account_removal_command
        assert await accounts.remove_ordered(opened.store, command, sure(NOW)) == 0
        overview = (await browser.open("")).text
        assert "The account of one erased member is still on the XMPP server." in overview
        assert "No such file or directory" in overview


@pytest.mark.parametrize("ending", ["json", "csv"])
async def test_member_data_can_be_exported(office: Office, ending: str) -> None:
    member = await join(office, days=2)
    browser = await office.enter()
    page = await browser.open(f"members/{member.pseudonym}/export.{ending}")
    assert page.headers["Cache-Control"] == "no-store"
    assert member.pseudonym in page.headers["Content-Disposition"]
    if ending == "json":
        document = json.loads(page.html)
        assert document["member"]["pseudonym"] == member.pseudonym
        assert [read["what"] for read in document["access_log"]] == ["export json"]
    else:
        assert len(list(csv.reader(io.StringIO(page.html)))) == 49
    assert (await log(office))[0] == (NAME, f"export {ending}")


async def let_named(office: Office, member: Member) -> None:
    """Grant to be shown by name, as a member."""
    async with office.village() as village:
        (before,) = await of_member(village.connection, member.id)
        await let_be_named(village.connection, member, before.valid_from)


async def test_home_is_not_shown_by_name_without_its_permission(office: Office) -> None:
    member, other = await join(office), await join(office, "other")
    await let_named(office, other)
    browser = await office.enter()
    page = await browser.open(f"members/{member.pseudonym}")
    assert "has not allowed you to show it by name" in page.text
    assert not [form for form in page.forms if form.action.endswith("/site")]
    # Its page offers no such form, but that of another member does.
    theirs = await browser.open(f"members/{other.pseudonym}")
    fields = [*theirs.form("/site").fields, ("sure", "yes")]
    fields = [(key, "Chez nous" if key == "name" else value) for key, value in fields]
    refused = await browser.post(f"members/{member.pseudonym}/site", fields)
    assert refused.status == 409
    assert "has not allowed you to show it by name" in refused.text
    assert await reloaded(office, member) == member


async def test_turning_a_home_into_a_public_building_needs_confirmation(office: Office) -> None:
    member = await join(office)
    await let_named(office, member)
    browser = await office.enter()
    page = await browser.open(f"members/{member.pseudonym}")
    school = [
        ("name", "École de Kersabiec"),
        ("building", "school"),
        ("peak_kwp", "36,5"),
        ("surface_m2", "1850"),
        ("words_en", "The roof of the gym."),
        ("words_fr", "Sur le toit du gymnase."),
    ]
    unsure = await browser.send(page, "/site", *school)
    assert unsure.status == 422
    assert "École de Kersabiec" in unsure.html
    assert (await reloaded(office, member)).kind is MemberKind.HOME
    done = await browser.send(page, "/site", *school, ("sure", "yes"))
    assert "Saved." in done.text
    member_now = await reloaded(office, member)
    assert (member_now.kind, member_now.name) == (MemberKind.SITE, "École de Kersabiec")
    assert member_now.description is not None
    assert member_now.description.building is Building.SCHOOL
    assert member_now.description.words.by_language == {
        "fr": "Sur le toit du gymnase.",
        "en": "The roof of the gym.",
    }
    assert (member_now.description.peak_kwp, member_now.description.surface_m2) == (36.5, 1850)
    changed = await browser.send(done, "/site", ("peak_kwp", ""))
    assert changed.status == 200
    member_now = await reloaded(office, member)
    assert member_now.description is not None
    assert member_now.description.peak_kwp is None


async def test_plant_shares_are_set_on_the_page_of_their_holder(office: Office) -> None:
    school, member = await join(office, "school"), await join(office)
    await let_named(office, school)
    browser = await office.enter()
    page = await browser.open(f"members/{member.pseudonym}")
    assert "Shares of the member" not in page.text
    page = await browser.open(f"members/{school.pseudonym}")
    described = ("name", "École"), ("shares", "400"), ("sure", "yes")
    page = await browser.send(page, "/site", *described)
    assert "0 members hold 0 of them." in page.text
    field = f"shares_{school.pseudonym}"
    page = await browser.open(f"members/{member.pseudonym}")
    for typed in ("401", "-1", "3.5", *HOSTILE[:-1]):
        refused = await browser.send(page, "/shares", (field, typed))
        wrong = "Shares of École: Write a whole number, from 0 to 400."
        assert summary(refused) == [(field, wrong)], typed
    page = await browser.send(page, "/shares", (field, "30"))
    assert "Saved." in page.text
    assert "30 of 400 are held by members" in page.text
    assert (NAME, "shares") in await log(office)
    other = await browser.open(f"members/{school.pseudonym}")
    refused = await browser.send(other, "/shares", (field, "371"))
    assert refused.status == 409
    assert "members may hold 370 more" in refused.text
    other = await browser.open(f"members/{school.pseudonym}")
    page = await browser.send(other, "/site", ("shares", "20"))
    assert "Members hold 30: more than there are." in page.text
    page = await browser.open(f"members/{member.pseudonym}")
    page = await browser.send(page, "/shares", (field, ""))
    assert await office.read(holdings, member.id) == []


async def test_invalid_building_values_are_reported_with_their_bounds(office: Office) -> None:
    member = await join(office)
    await let_named(office, member)
    messages = {
        "en": (
            "Surface, in m²: Write a whole number, from 1 to 1,000,000.",
            "Peak power of its panels, in kWp: Write a number above 0, up to 100,000.",
        ),
        "fr": (
            "Surface, en m² : Écrivez un nombre entier, de 1 à 1 000 000.",
            (
                "Puissance crête de ses panneaux, en kWc : "
                "Écrivez un nombre au-dessus de 0, jusqu’à 100 000."
            ),
        ),
    }
    for language, (surface, peak) in messages.items():
        browser = await office.enter(language)
        page = await browser.open(f"members/{member.pseudonym}")
        filled = ("name", "École"), ("sure", "yes"), ("peak_kwp", "0"), ("surface_m2", "-5")
        page = await browser.send(page, "/site", *filled)
        assert summary(page) == [("surface_m2", surface), ("peak_kwp", peak)]
        # The form is folded away at first.
        assert ("details", "open", "") in page.attributes


async def test_building_names_are_unique(office: Office) -> None:
    first, second = await join(office, "first"), await join(office, "second")
    for member in (first, second):
        await let_named(office, member)
    browser = await office.enter()
    for member, status in ((first, 200), (second, 409)):
        page = await browser.open(f"members/{member.pseudonym}")
        done = await browser.send(page, "/site", ("name", "The school"), ("sure", "yes"))
        assert done.status == status
    assert "There is already a site named “The school”" in done.text


async def test_member_note_is_exported_and_erased_with_the_member(office: Office) -> None:
    member = await join(office)
    browser = await office.enter()
    page = await browser.fill(f"members/{member.pseudonym}", "/note", ("note", "Second meter"))
    assert ("note", "Second meter") in page.form("/note").fields
    assert (await browser.send(page, "/note", ("note", "a" * 2_001))).status == 422
    exported = json.loads((await browser.open(f"members/{member.pseudonym}/export.json")).html)
    assert exported["member"]["note"] == "Second meter"
    assert (NAME, "note") in await log(office)
    assert "changed the name or the note" in (await browser.open("log")).text
    await browser.fill(f"members/{member.pseudonym}/erase", "/erase", ("sure", "yes"))
    assert (await reloaded(office, member)).note is None
    other = await join(office, "other")
    page = await browser.fill(f"members/{other.pseudonym}", "/note", ("note", "A note"))
    await browser.send(page, "/note", ("note", ""))
    assert (await reloaded(office, other)).note is None


async def test_a_nickname_stands_beside_the_pseudonym_in_the_administration_alone(
    office: Office,
) -> None:
    async with office.village() as village:
        member = await village.join("first")
        await village.join("other")
    browser = await office.enter()
    page = await browser.fill(f"members/{member.pseudonym}", "/note", ("nickname", " The  mill "))
    assert ("nickname", "The mill") in page.form("/note").fields
    assert (await browser.send(page, "/note", ("nickname", "a" * 81))).status == 422
    for place in ("", "members", f"log?member={member.pseudonym}"):
        page = await browser.open(place)
        assert f"The mill {member.pseudonym}" in page.text
    exported = json.loads((await browser.open(f"members/{member.pseudonym}/export.json")).html)
    assert exported["member"]["nickname"] == "The mill"
    visitor = await office.browser()
    for place in ("/", "/data", "/legal", "/privacy"):
        assert "The mill" not in (await visitor.open(place)).html
    await browser.fill(f"members/{member.pseudonym}/erase", "/erase", ("sure", "yes"))
    assert (await reloaded(office, member)).nickname is None
    assert "The mill" not in (await browser.open("members?show=left")).text


async def test_the_note_of_its_invitation_says_who_a_member_is(office: Office) -> None:
    async with office.village() as village:
        expires_at = NOW + timedelta(days=1)
        _, token = await invitations.make(
            village.connection, at=NOW, expires_at=expires_at, note="The mill"
        )
        member = await invitations.admit(village.members, "new@example.org", token, NOW)
    browser = await office.enter()
    page = await browser.open(f"members/{member.pseudonym}")
    assert "Note of its invitation The mill" in page.text
    await browser.fill(f"members/{member.pseudonym}/erase", "/erase", ("sure", "yes"))
    assert "The mill" not in (await browser.open(f"members/{member.pseudonym}")).text


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("the mill", ["the mill"]),
        ("MILL", ["the mill", "miller"]),
        ("nobody", None),
        ("lorient", ["the mill", "miller"]),
    ],
)
async def test_a_nickname_is_found_and_is_in_no_address(
    office: Office, typed: str, shown: list[str] | None
) -> None:
    async with office.village() as village:
        for n, name in enumerate(("the mill", "miller", None)):
            member = await village.join(f"h{n}")
            await village.members.set_note(member.id, None, name)
    browser = await office.enter()
    page = await browser.fill("members", "members", ("q", typed))
    assert page.status == 200
    if typed != "lorient":  # a commune is no person
        assert "mill" not in str(page.url).casefold()
        assert typed not in str(page.url)
    if shown is None:
        assert "No member matches this." in page.text
    else:
        for name in ("the mill", "miller"):
            assert (name in page.text) is (name in shown)


async def test_commune_of_a_member_must_have_the_known_spelling(office: Office) -> None:
    async with office.village() as village:
        await village.join("first", area="Le Faouët")
        member = await village.join("other", area="Lorient")
    browser = await office.enter()
    page = await browser.open(f"members/{member.pseudonym}")
    assert ("option", "value", "Le Faouët") in page.attributes
    page = await browser.send(page, "/area", ("area", "le-faouet"))
    assert page.status == 422
    assert "This commune is known here as “Le Faouët”: write it that way." in page.text
    assert ("area", "le-faouet") in page.form("/area").fields
    assert (await reloaded(office, member)).area == "Lorient"
    await browser.send(page, "/area", ("area", "Le  Faouët"))
    assert (await reloaded(office, member)).area == "Le Faouët"
    # Alone in it, a member may have the spelling of its commune mended.
    await browser.send(page, "/area", ("area", "Groix"))
    await browser.send(page, "/area", ("area", "GROIX"))
    assert (await reloaded(office, member)).area == "GROIX"
    assert (await browser.send(page, "/area", ("area", "a" * 101))).status == 422
    await browser.send(page, "/area", ("area", ""))
    assert (await reloaded(office, member)).area is None


async def test_collectives_can_be_renamed_but_homes_cannot(office: Office) -> None:
    async with office.village() as village:
        town = await village.members.admit("town@example.org", NOW, kind=MemberKind.COLLECTIVE)
        home = await village.join("home")
    browser = await office.enter()
    page = await browser.open(f"members/{town.pseudonym}")
    assert (await browser.send(page, "/name", ("name", ""))).status == 422
    wrong = await browser.send(page, "/name", ("name", "Lorient"), ("website", "lorient.example"))
    assert wrong.status == 422
    assert 'value="lorient.example"' in wrong.html
    website = "https://lorient.example"
    page = await browser.send(page, "/name", ("name", "Lorient"), ("website", website))
    assert page.status == 200
    renamed = await reloaded(office, town)
    assert (renamed.name, renamed.website) == ("Lorient", website)
    form = [*page.form("/name").fields, ("name", "Nobody")]
    fields = [(key, value) for key, value in form if (key, value) != ("name", "")]
    assert (await browser.post(f"members/{home.pseudonym}/name", fields)).status == 409
    # Its own page offers no such form, but another window may be of before.
    assert (await browser.post(f"members/{town.pseudonym}/site", fields)).status == 409
    assert (await reloaded(office, town)).kind is MemberKind.COLLECTIVE


FORMS = ("/site", "/area", "members")


@pytest.mark.parametrize("form", FORMS)
async def test_hostile_input_is_stored_as_text_or_refused(office: Office, form: str) -> None:
    member = await join(office)
    await let_named(office, member)
    browser = await office.enter()
    page = await browser.open("members" if form == "members" else f"members/{member.pseudonym}")
    names = {name for name, _ in page.form(form).fields} - {"token"}
    if form == "/site":
        names |= {"building", "heating", "hot_water"}
    for value in HOSTILE:
        filled = [(name, value) for name in names] + [("sure", "yes")]
        if form == "/site":
            filled = [
                *(field for field in filled if field[0] != "name"),
                ("name", value or "A school"),
            ]
        answer = await browser.send(page, form, *filled)
        assert answer.status in {200, 409, 422}, value
        shown = await browser.open(f"members/{member.pseudonym}")
        assert shown.status == 200


async def test_unknown_members_are_not_found(office: Office) -> None:
    browser = await office.enter()
    for name in ("nobody99", "NOBODY", "..%2f..", "a/b/c", "%00"):
        assert (await browser.open(f"members/{name}")).status == 404, name
    assert (await browser.open("log/1")).status == 404


# The register, the log, the health page.


async def test_register_of_processing_is_shown_and_exported(office: Office) -> None:
    await join(office)
    browser = await office.enter("fr")
    page = await browser.open("register")
    assert "Pour dimensionner le prochain toit." in page.text
    assert "le membre" in page.text
    document = json.loads((await browser.open("register.json")).html)
    assert document[0]["permissions_granted"] == 1
    (titles, row) = csv.reader(io.StringIO((await browser.open("register.csv")).html))
    assert dict(zip(titles, row, strict=True))["purpose"] == "Pour dimensionner le prochain toit."
    (_, change) = csv.reader(io.StringIO((await browser.open("permissions.csv")).html))
    assert change[1:4] == [permission_id_of("home"), "granted", "member"]
    assert page.link("policy.md")
    policy = await browser.open("policy.md")
    assert policy.headers["Content-Type"].startswith("text/markdown")
    assert "Pour dimensionner le prochain toit." in policy.html
    assert "## Vos droits" in policy.html


@pytest.mark.usefixtures("socket_enabled")
async def test_register_of_processing_includes_the_work_as_a_witness(
    file: Store, tmp_path: Path
) -> None:
    home = EnrolledHome()
    async with file.writing() as connection:
        await vouch(connection, home)
        await enrol(connection, home.enrolment(), FIRST_HEAD, datetime.now(UTC))
    async with serving(file, settings(tmp_path, witness_for=(COLLECTIVE,))) as office:
        await office.appoint(NAME)
        browser = await office.enter("fr")
        page = await browser.open("register")
        assert f"Témoin de {COLLECTIVE}" in page.text
        assert "Aucune donnée n’a jamais été demandée" not in page.text
        (entry,) = json.loads((await browser.open("register.json")).html)
        (titles, row) = csv.reader(io.StringIO((await browser.open("register.csv")).html))
    assert entry["permissions_granted"] == 1
    assert dict(zip(titles, row, strict=True))["title"] == f"Témoin de {COLLECTIVE}"


async def test_csv_cells_are_never_formulas(office: Office) -> None:
    await join(office, id="=cmd")
    page = await (await office.enter()).open("permissions.csv")
    assert ",'=cmd," in page.html


async def test_the_access_log_shows_who_read_whose_data(office: Office) -> None:
    member, other = await join(office, "one"), await join(office, "two")
    browser = await office.enter()
    for each in (member, other):
        await browser.open(f"members/{each.pseudonym}")
    page = await browser.open(f"log?member={member.pseudonym}&days=365")
    assert f"Access log of {member.pseudonym}" in page.text
    assert other.pseudonym not in page.text
    assert "viewed the member’s page" in page.text
    assert other.pseudonym in (await browser.open("log")).text
    assert (await browser.open("log?member=nobody&days=x&page=9")).status == 200


@pytest.mark.parametrize(
    ("what", "french"),
    [
        ("page", "a consulté la page du membre"),
        ("data need roof version 2 asked for", "a demandé « roof », version 2"),
        ("12 invitations made for home", "a créé des invitations (12)"),
        (
            "publication basis=law wait_minutes=20 opens=not yet new=rule",
            (
                "a choisi les règles de publication : le minimum légal,"
                " clôture après 20 min sans nouvelle donnée,"
                " seulement après ouverture par un administrateur, new=rule"
            ),
        ),
        (
            "publication opens=now",
            "a choisi les règles de publication : à partir de cet instant",
        ),
        ("something else", "something else"),
    ],
)
def test_logged_actions_are_translated(what: str, french: str) -> None:
    assert _in_words(what).say("fr") == french


async def test_the_health_page_works_without_a_node(office: Office) -> None:
    page = await (await office.enter("fr")).open("health")
    assert "cette page montre seulement sa base de données" in page.text
    assert "SQLite" in page.text
    assert NAME in page.text


async def test_erased_member_keeps_a_page_as_proof(office: Office) -> None:
    member = await join(office)
    async with office.village() as village:
        await village.members.forget(member.id, NOW)
    page = await (await office.enter()).open(f"members/{member.pseudonym}")
    assert page.status == 200
    assert "erased" in page.text
    assert not [form for form in page.forms if form.action.endswith("/area")]
