"""Codes of a witness: made and shown once, printed in both languages, listed, revoked."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
import logging
from pathlib import Path

import pytest

from consometers_node.collective.witness import codes
from consometers_node.collective.witness.codes import MOST_AT_ONCE, BadCode, CodeState
from consometers_node.collective.witness.register import enrol
from consometers_node.store import Store
from consometers_node.store.collective.access_log import reads
from consometers_protected_sums.codes import read
from testing.pages.browser import Browser, Page
from testing.pages.office import NAME, Office, serving
from testing.pages.town import NOW, settings
from testing.witnesses.enrolled import COLLECTIVE, FIRST_HEAD, EnrolledHome

OTHER = "other@energies.example"


@pytest.fixture
async def witness(file: Store, tmp_path: Path, socket_enabled: None) -> AsyncIterator[Office]:
    """The administration of the witness of two collectives."""
    async with serving(file, settings(tmp_path, witness_for=(COLLECTIVE, OTHER))) as office:
        await office.appoint(NAME)
        yield office


async def made(browser: Browser, *filled: tuple[str, str]) -> Page:
    return await browser.send(await browser.open("codes/new"), "codes", *filled)


def printed(page: Page) -> list[str]:
    return [value for name, value in page.form("sheets").fields if name == "sheet"]


async def use(witness: Office, code: str) -> EnrolledHome:
    """Enrol a home by a code, at the time of the database."""
    home = EnrolledHome(code=code)
    async with witness.store.writing() as connection:
        await enrol(connection, home.enrolment(), FIRST_HEAD, datetime.now(UTC))
    return home


async def test_codes_are_made_and_shown_once(
    witness: Office, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    browser = await witness.enter()
    page = await made(browser, ("count", "3"), ("days", "30"))
    shown = printed(page)
    assert len({read(code) for code in shown}) == 3
    for code in shown:
        assert page.html.count(code) == 2
    stored = await witness.read(codes.all_codes)
    assert {(code.collective, code.expires_at) for code in stored} == {
        (COLLECTIVE, NOW + timedelta(days=30))
    }
    assert page.headers["Cache-Control"] == "no-store"
    listed = await browser.open("codes")
    assert "3 unused" in listed.text
    for each in stored:
        assert each.id in listed.text
    for code in shown:
        assert code not in listed.html
        assert code not in caplog.text
        assert not [address for address in page.links if code in address]
    (entry,) = [entry for entry in await witness.read(reads) if "codes" in entry.what]
    assert entry.what == f"3 codes made for {COLLECTIVE}"
    assert f"made codes for {COLLECTIVE} (3)" in (await browser.open("log")).text


async def test_codes_are_for_the_chosen_collective(witness: Office) -> None:
    browser = await witness.enter()
    await made(browser, ("collective", OTHER), ("count", "1"))
    (code,) = await witness.read(codes.all_codes)
    assert code.collective == OTHER


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("count", "0"),
        ("count", str(MOST_AT_ONCE + 1)),
        ("days", "none"),
        ("collective", "nobody@energies.example"),
    ],
)
async def test_a_wrong_field_makes_no_code(witness: Office, field: str, value: str) -> None:
    page = await made(await witness.enter(), (field, value))
    assert page.status == 422
    assert f'href="#{field}"' in page.html
    assert await witness.read(codes.all_codes) == []


async def test_a_form_that_is_sent_twice_makes_codes_once(witness: Office) -> None:
    browser = await witness.enter()
    form = await browser.open("codes/new")
    assert (await browser.send(form, "codes", ("count", "2"))).status == 200
    page = await browser.send(form, "codes", ("count", "2"))
    assert (page.status, "created already" in page.text) == (409, True)
    assert len(await witness.read(codes.all_codes)) == 2


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            (
                "Code of your household",
                "so could either of them together with all but you of the homes in a sum.",
                "Use this code before 8 September 2026",
            ),
        ),
        (
            "fr",
            (
                "Code de votre foyer",
                "l’un ou l’autre le pourrait aussi avec tous les autres foyers d’une somme.",
                "Utilisez ce code avant le 8 septembre 2026",
            ),
        ),
    ],
)
async def test_sheets_have_one_code_each_in_the_chosen_language(
    witness: Office, language: str, words: tuple[str, ...]
) -> None:
    browser = await witness.enter()
    page = await made(browser, ("count", "2"))
    paper = await browser.send(page, "sheets", ("in", language))
    assert (paper.status, paper.language) == (200, language)
    assert paper.html.count('<article class="sheet">') == 2
    assert paper.html.count("<svg") == 2
    stored = await witness.read(codes.all_codes)
    for shown in (*words, *printed(page), *(code.id for code in stored), COLLECTIVE):
        assert shown in paper.text
    assert paper.loads == paper.links == []
    assert "form-action 'none'" in paper.headers["Content-Security-Policy"]


@pytest.mark.parametrize("foreign", ["BCDFG-HJKLM-PRSTX-ZBCDF", "BCDFG", ""])
async def test_nothing_else_is_printed_as_a_code(witness: Office, foreign: str) -> None:
    browser = await witness.enter()
    page = await made(browser, ("count", "1"))
    paper = await browser.send(page, "sheets", ("sheet", foreign), ("in", "fr"))
    assert paper.status == 400


async def test_used_and_revoked_codes_are_listed_apart(witness: Office) -> None:
    browser = await witness.enter()
    first, second, _ = printed(await made(browser, ("count", "3"), ("days", "3660")))
    home = await use(witness, first)
    number = {
        name: (await witness.read(codes.by_code, code)).id
        for name, code in (("used", first), ("unused", second))
    }
    page = await browser.open("codes?show=used")
    assert number["used"] in page.text
    assert number["unused"] not in page.text
    assert home.pseudonym not in page.text
    # What becomes of a home is said before.
    page = await browser.follow(page, f"codes/{number['used']}/revoke")
    assert "it is in no further sum" in page.text
    page = await browser.send(page, "revoke")
    assert "The code is revoked." in page.text
    assert "1 revoked or expired" in page.text
    page = await browser.follow(await browser.open("codes"), f"codes/{number['unused']}/revoke")
    assert "No home can enrol by it any more." in page.text
    await browser.send(page, "revoke")
    states = {code.id: code.state(NOW) for code in await witness.read(codes.all_codes)}
    assert states[number["used"]] is states[number["unused"]] is CodeState.REVOKED
    for code in (first, second):
        with pytest.raises(BadCode):
            await use(witness, code)
    page = await browser.open("codes?show=ended")
    assert "2 revoked or expired" in page.text
    assert "used on" in page.text
    assert "1 unused" in page.text


async def test_expired_codes_are_listed_as_such(witness: Office) -> None:
    browser = await witness.enter("fr")
    await made(browser, ("count", "1"), ("days", "1"))
    witness.clock.go_on(timedelta(days=2))
    browser = await witness.enter("fr")
    page = await browser.open("codes?show=ended")
    assert "expiré le 11 juin 2026, inutilisé" in page.text


async def test_an_unknown_code_is_not_found(witness: Office) -> None:
    browser = await witness.enter()
    assert (await browser.open("codes/00000000/revoke")).status == 404


async def test_only_a_witness_has_codes(office: Office, tmp_path: Path) -> None:
    browser = await office.enter()
    page = await browser.open()
    assert not [link for link in page.links if link.endswith("/codes")]
    for path in ("codes", "codes/new"):
        assert (await browser.open(path)).status == 404
