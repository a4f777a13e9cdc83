"""A data need is written, previewed as members will read it, and offered."""

from dataclasses import replace
from itertools import product

import pytest
from sqlalchemy import insert

from consometers_node.collective.members.members import Member
from consometers_node.collective.permissions import needs
from consometers_node.permission import DataNeed, DataNeedSeries, Identification, Reading
from consometers_node.series import Direction, Interval, Quantity
from consometers_node.store.collective.access_log import reads
from consometers_node.store.collective.tables import OwnNeedRow
from consometers_node.web.admin.publication import needs as pages
from consometers_node.wire import read_need_file
from consometers_quoalise import Witness
from testing.homes.data_needs import NEED
from testing.pages.browser import Browser, Page
from testing.pages.office import Office, summary
from testing.pages.town import NOW

FILLED = (
    ("title_fr", "Le prochain toit"),
    ("title_en", "The next roof"),
    ("purpose_fr", "Dimensionner le prochain toit."),
    ("purpose_en", "To size the next roof."),
    ("contact", "data@example.org"),
    ("policy", "https://example.org/data"),
    ("id", "roof"),
)


async def stored_needs(office: Office) -> list[needs.OwnNeed]:
    return await office.read(needs.all_needs)


async def preview(browser: Browser, *filled: tuple[str, str], path: str = "needs/new") -> Page:
    page = await browser.open(path)
    return await browser.send(page, "needs/preview", *filled)


async def test_data_need_is_previewed_then_offered(office: Office) -> None:
    browser = await office.enter()
    page = await preview(browser, *FILLED)
    assert page.status == 200
    for words in ("The next roof", "Le prochain toit", "To size the next roof.", "2 years", "1 an"):
        assert words in page.text
    assert page.text.count("energy from the grid") == 1
    assert await stored_needs(office) == []
    page = await browser.send(page, "needs/offer")
    assert page.url.query_string == "done=offered"
    (need,) = await stored_needs(office)
    assert need.need == DataNeed(
        id="roof",
        version=1,
        title={"fr": "Le prochain toit", "en": "The next roof"},
        purpose={"fr": "Dimensionner le prochain toit.", "en": "To size the next roof."},
        recipients={},
        controller="Énergies de Lorient",
        contact="data@example.org",
        policy="https://example.org/data",
        series=frozenset(DataNeedSeries(Direction.CONSUMPTION, quantity) for quantity in Quantity),
        interval=Interval.PT1H,
        history_days=365,
        duration_days=730,
        retention_days=180,
    )
    assert (await office.read(reads))[0].what == "data need roof version 1 asked for"


async def test_new_version_starts_from_the_previous_one(office: Office) -> None:
    base = replace(
        NEED,
        id="odd/name?",
        title={"br": "Toenn", "fr": "Toit"},
        purpose={"br": "Evit", "fr": "Pour"},
        recipients={"fr": "La mairie"},
        series=frozenset({DataNeedSeries(Direction.PRODUCTION, Quantity.ENERGY)}),
        interval=Interval.P1D,
        history_days=0,
        duration_days=61,
        identification=Identification.DELIVERY_POINT,
    )
    await office.written(lambda connection: needs.offer(connection, base, NOW))
    browser = await office.enter()
    page = await browser.open("needs/odd%2Fname%3F/next")
    assert page.status == 200
    again = await browser.send(page, "needs/preview")
    assert again.status == 422
    assert "This request is the same as the present one" in again.text
    page = await browser.send(page, "needs/preview", ("title_fr", "Un autre toit"))
    page = await browser.send(page, "needs/offer")
    assert page.status == 200
    first, second = (need.need for need in await stored_needs(office))
    assert second == replace(
        first, version=first.version + 1, title={"br": "Toenn", "fr": "Un autre toit"}
    )
    page = await browser.open("needs")
    assert page.text.count("TOML") == 2


async def test_protected_sum_is_offered_with_its_witness(office: Office) -> None:
    browser = await office.enter()
    sums = (*FILLED, ("reading", "sum"), ("witness_jid", "node@commune.example"))
    page = await preview(browser, *sums, ("witness_minimum", "2"))
    assert page.status == 422
    for words in (
        "Protected sums are of hours to come: write 0.",
        "Write the address of its server that begins with https://",
        "Write a whole number from 3 on.",
    ):
        assert words in page.text
    witness = (
        ("witness_url", "https://commune.example/"),
        ("witness_name", "Commune of Lorient"),
        ("witness_contact", "data@commune.example"),
        ("witness_minimum", "5000"),
        ("history", "0"),
    )
    page = await browser.send(page, "needs/preview", *witness)
    assert page.status == 200
    page = await browser.send(page, "needs/offer")
    assert page.url.query_string == "done=offered"
    (own,) = await stored_needs(office)
    assert own.need.reading is Reading.SUM
    assert own.need.witness == Witness(
        jid="node@commune.example",
        name="Commune of Lorient",
        contact="data@commune.example",
        url="https://commune.example",
        minimum=5000,
    )


async def test_identifiers_of_data_needs_are_unique(office: Office) -> None:
    browser = await office.enter()
    await browser.send(await preview(browser, *FILLED), "needs/offer")
    page = await preview(browser, *FILLED)
    assert page.status == 422
    assert "already a data request of this name" in page.text


async def test_outdated_preview_is_not_offered(office: Office) -> None:
    browser = await office.enter()
    await browser.send(await preview(browser, *FILLED), "needs/offer")
    page = await preview(browser, ("title_en", "A roof"), path="needs/roof/next")
    other = await preview(browser, ("title_en", "Our roof"), path="needs/roof/next")
    await browser.send(other, "needs/offer")
    page = await browser.send(page, "needs/offer")
    assert page.status == 409
    assert "read it again" in page.text
    assert len(await stored_needs(office)) == 2
    await browser.send(page, "needs/offer")
    assert len(await stored_needs(office)) == 3


async def test_preview_leads_back_to_the_filled_form(office: Office) -> None:
    browser = await office.enter()
    page = await preview(browser, *FILLED)
    page = await browser.post("needs/form", page.form("needs/offer").fields)
    assert dict(page.form("needs/preview").fields)["title_en"] == "The next roof"


async def test_data_need_is_stopped_and_resumed(office: Office) -> None:
    browser = await office.enter()
    await browser.send(await preview(browser, *FILLED), "needs/offer")
    page = await browser.fill("needs", "needs/roof/close")
    assert "is stopped" in page.text
    assert (await stored_needs(office))[0].closed_at is not None
    page = await browser.send(page, "needs/roof/reopen")
    assert (await stored_needs(office))[0].closed_at is None
    await browser.send(page, "needs/roof/close")
    # The same again, by the form.
    page = await preview(browser, path="needs/roof/next")
    await browser.send(page, "needs/offer")
    (need,) = await stored_needs(office)
    assert need.closed_at is None
    for way in ("close", "reopen"):
        token = page.form("needs/offer").fields[0]
        assert (await browser.post(f"needs/none/{way}", [token])).status == 409


async def test_toml_export_reads_back_the_same(office: Office) -> None:
    hostile = replace(
        NEED,
        id="../../<b>\x7f",
        title={"en": 'A "quoted" \\ title\n\x7f', "fr": "Été"},
        recipients={"en": "]\n[title]"},
    )
    await office.written(lambda connection: needs.offer(connection, hostile, NOW))
    (need,) = await stored_needs(office)
    browser = await office.enter()
    page = await browser.open("needs")
    link = next(link for link in page.links if link.endswith(".toml"))
    async with browser.session.get(page.url.join(type(page.url)(link, encoded=True))) as response:
        assert response.status == 200
        assert response.headers["Content-Disposition"] == 'attachment; filename="b-1.toml"'
        assert read_need_file(await response.read()) == need.need
    assert "<b>" not in page.html


async def test_page_of_a_data_need_lists_members_who_answered(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "_AT_ONCE", 3)
    async with office.village() as village:
        for n in range(4):
            await village.join(f"home{n}", area="Larmor-Plage", heard=None)
    browser = await office.enter()
    page = await browser.open("needs")
    assert "4 members" in page.text
    stored = (await stored_needs(office))[0].need
    page = await browser.open(f"needs/{stored.id}/{stored.version}")
    assert "allowed : 4" in page.text.replace("allowed:", "allowed :")
    assert page.text.count("Larmor-Plage") == 3
    page = await browser.open(f"needs/{stored.id}/{stored.version}?page=2")
    assert page.text.count("Larmor-Plage") == 1
    assert any("members/" in link for link in page.links)


HOSTILE = {
    ("id", "lower-case"): ("", "Toit", "../etc", "a" * 41),
    ("title_fr", "same languages"): ("",),
    ("policy", "https://"): ("http://example.org", "javascript:alert(1)", "https://é.example"),
    ("contact", "Write one line."): ("", "x" * 301),
    ("series_consumption", "Choose the data to request"): ("", "everything"),
    ("interval", "Choose one of these"): ("PT1S",),
    ("identification", "Choose one of these"): ("everybody",),
    ("history", "whole number"): ("-1", "101"),
    ("duration", "whole number"): ("0", "²"),
    ("duration_unit", "whole number"): ("centuries",),
    ("retention", "whole number"): ("9" * 100,),
    ("purpose_fr", "not complete"): ("\x0b\x1b",),
    ("title_en", "not complete"): ("\ufffe",),
    ("base", "no such data request"): ("nothing",),
}


async def test_invalid_values_offer_nothing(office: Office) -> None:
    browser = await office.enter()
    page = await browser.open("needs/new")
    fields = dict(page.form("needs/preview").fields) | dict(FILLED) | {"version": "1"}
    for (name, words), values in HOSTILE.items():
        for value, way in product(values, ("preview", "offer")):
            page = await browser.post(f"needs/{way}", list({**fields, name: value}.items()))
            assert page.status in {404, 422}, name
            assert words in page.text
    assert await stored_needs(office) == []


async def test_errors_are_listed_in_page_order(office: Office) -> None:
    browser = await office.enter()
    empty = ("title_fr", "title_en", "purpose_fr", "purpose_en", "contact", "policy", "id")
    page = await preview(browser, *(dict(FILLED) | dict.fromkeys(empty, "")).items())
    assert [name for name, _ in summary(page)] == ["title", "purpose", "contact", "policy", "id"]
    page = await preview(browser, *(dict(FILLED) | {"history": "101"}).items())
    ((name, problem),) = summary(page)
    assert name == "history"
    assert problem.endswith(": Write a whole number: 0 to 36,600 days in all.")


async def test_markup_in_a_text_is_escaped(office: Office) -> None:
    browser = await office.enter()
    page = await preview(
        browser, *(dict(FILLED) | {"purpose_en": "<img src=x onerror=alert(1)>"}).items()
    )
    assert "<img src=x" not in page.html
    assert "<img src=x onerror=alert(1)>" in page.text


async def test_unknown_data_needs_are_not_found(office: Office) -> None:
    browser = await office.enter()
    for path in ("needs/roof/1", "needs/roof/next", "needs/roof/999999999999", "needs/x/1.toml"):
        page = await browser.open(path)
        assert page.status == 404
        assert "no such data request" in page.text


async def store_unreadable(office: Office) -> Member:
    """Ask a member for something that this program cannot read any more."""
    async with office.village() as village:
        body = '<data-needs xmlns="urn:none"/>'
        lost = {"need": "lost", "version": 3, "body": body, "offered_at": NOW}
        await village.connection.execute(insert(OwnNeedRow).values(lost))
        return await village.join("home")


async def test_an_unreadable_need_is_reported_and_blocks_no_other(office: Office) -> None:
    member = await store_unreadable(office)
    first = "“lost”, version 3, cannot be read: nobody can allow it."
    (lost,) = await office.read(needs.unreadable)
    assert lost.problem is not None
    browser = await office.enter()
    page = await browser.open("needs")
    words = ("lost , version 3", "Members cannot allow it", "restore a backup", "Details")
    for expected in (*words, lost.problem.say("en"), NEED.title["en"]):
        assert expected in page.text, expected
    assert first in (await browser.open("")).text
    register = (await browser.open("register")).text
    assert first[:16] in register
    assert "asked since" in register
    for path in (
        *("members", f"members/{member.pseudonym}", f"members/{member.pseudonym}/export.json"),
        *("invitations/new", "needs/new", "publication", "log", "health"),
        *("register.json", "register.csv", "permissions.csv"),
    ):
        assert (await browser.open(path)).status == 200, path
    assert (await browser.open("needs/lost/3")).status == 404
    page = await browser.send(page, "needs/lost/close")
    assert "is stopped" in page.text
    assert "Members cannot allow it" not in page.text
    assert first not in (await browser.open("")).text


async def test_an_unreadable_need_is_replaced_by_the_next_version(office: Office) -> None:
    await store_unreadable(office)
    browser = await office.enter()
    page = await preview(browser, *(dict(FILLED) | {"id": "lost"}).items())
    assert page.status == 200
    await browser.send(page, "needs/offer")
    assert ("lost", 4) in [(need.need.id, need.need.version) for need in await stored_needs(office)]
    (lost,) = await office.read(needs.unreadable)
    assert lost.closed_at is not None
