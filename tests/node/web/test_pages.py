"""Each page in each language: whole, translated, relative, and readable without eyes or mouse."""

import asyncio
from dataclasses import replace
from itertools import pairwise
import re

import pytest
from yarl import URL

from consometers_node.store import PermissionId
from testing.homes.data_needs import NEED
from testing.homes.served import API_TOKEN, DRAWN, GUEST, ServedHome, allow, ask
from testing.pages.browser import Page

PLACES = (
    "",
    "join",
    "permissions",
    "permissions/{asked}",
    "permissions/{allowed}",
    "withdraw/{allowed}",
    "series/1",
    "letters",
    "mine",
    "settings",
    "nowhere",
)
LANGUAGES = ("en", "fr")
SAME_IN_BOTH = {"Consometers", "English", "Français", "Pages", "Version", "Invitation"}


@pytest.fixture
async def places(home: ServedHome) -> dict[str, str]:
    allowed = await ask(home)
    await allow(home, allowed, DRAWN)
    asked = await ask(home, replace(NEED, id="another"))
    return {"asked": asked, "allowed": allowed}


async def pages(home: ServedHome, places: dict[str, str], language: str) -> list[Page]:
    browser = home.browser(language=language)
    opened = [await browser.open(place.format(**places)) for place in PLACES]
    asked = await browser.open(PLACES[3].format(**places))
    opened.append(await browser.send(asked, "preview", ("series", DRAWN)))
    opened.append(await browser.send(asked, "preview", ("history", "many")))
    return opened


@pytest.mark.parametrize("language", LANGUAGES)
async def test_pages_are_complete_and_accessible_and_have_no_dead_links(
    home: ServedHome, places: dict[str, str], language: str
) -> None:
    browser = home.browser(language=language)
    seen = set()
    for page in await pages(home, places, language):
        assert page.status in {200, 404, 422}, (page.url, page.text)
        assert page.language == page.headers["Content-Language"] == language
        assert re.findall(r"<h1[ >]", page.html) == ["<h1>"], page.url
        assert "{{" not in page.html
        assert API_TOKEN not in page.html
        assert "a-token" not in page.html
        # Every address is relative but that of the collective's policy, which a click follows.
        links = {*page.links, *page.loads} - {NEED.policy}
        for address in links | {form.action for form in page.forms}:
            assert not re.search(r"^/|//|:", address), (page.url, address)
        for link in links:
            there = page.url.join(URL(link))
            if there.path not in seen and not link.startswith("#"):
                seen.add(there.path)
                assert (await browser.open(str(there))).status == 200, (page.url, link)
        check_accessibility(page)
    assert len(seen) > 10


def check_accessibility(page: Page) -> None:
    """Every field has a label, and every picture words."""
    labelled = set(re.findall(r'<label for="([^"]+)"', page.html))
    for tag in re.findall(r"<(?:input|select|textarea)[^>]*>", page.html):
        kind = re.search(r'type="(\w+)"', tag)
        if kind and kind[1] in {"hidden", "checkbox"}:
            continue
        name = re.search(r'id="([^"]+)"', tag)
        assert name is not None, (page.url, tag)
        assert name[1] in labelled, (page.url, tag)
    for tag in re.findall(r"<label class=\"tick\">.*?</label>", page.html, re.DOTALL):
        assert "<span>" in tag
    for tag in re.findall(r"<svg[^>]*>", page.html):
        assert "aria-label=" in tag or 'aria-hidden="true"' in tag, tag
    described = re.findall(r'aria-describedby="([^"]+)"', page.html)
    assert set(described) <= set(page.ids)
    levels = [int(level) for level in re.findall(r"<h(\d)", page.html)]
    assert all(after - before <= 1 for before, after in pairwise(levels))


async def test_pages_are_fully_translated(home: ServedHome, places: dict[str, str]) -> None:
    english = [_sentences(page) for page in await pages(home, places, "en")]
    french = [_sentences(page) for page in await pages(home, places, "fr")]
    for place, template, other in zip(PLACES, english, french, strict=False):
        same = {words for words in template & other if re.search(r"[A-Za-z]{4}", words)}
        data = {
            words
            for words in same
            if re.search(r"sensor\.|Linky|urn:|@|https:|Coop|Maïwenn|Guest|v0|0\.1\.0", words)
        }
        assert same - data <= SAME_IN_BOTH, place


async def test_chosen_language_is_remembered(home: ServedHome) -> None:
    browser = home.browser(language="en")
    page = await browser.open("mine")
    (form,) = (form for form in page.forms if "language" in form.action)
    chosen = [*form.fields, ("language", "fr")]
    page = await browser.post("language", chosen)
    assert page.url.path == "/mine"
    assert page.language == "fr"
    assert (await browser.open()).language == "fr"
    page = await browser.post("language", [*form.fields, ("language", "tlh")])
    assert page.language == "fr"


async def test_language_follows_the_browser(home: ServedHome) -> None:
    for accepted, language in (
        ("fr-CA,fr;q=0.9,en;q=0.8", "fr"),
        ("de,en;q=0.5,fr;q=0.7", "fr"),
        ("de", "en"),
        ("", "en"),
        ("fr;q=0", "en"),
        ("FR", "fr"),
        ("*,;;q=x,en-GB;q=nan", "en"),
        ("xx," * 2300, "en"),
    ):
        assert (await home.browser(language=accepted).open()).language == language, accepted


async def test_guests_see_everything_and_no_form(
    home: ServedHome, places: dict[str, PermissionId]
) -> None:
    browser = home.browser(GUEST)
    for place in PLACES:
        page = await browser.open(place.format(**places))
        assert [form for form in page.forms if "language" not in form.action] == [], page.url
    page = await browser.open(f"permissions/{places['allowed']}")
    assert "Maïwenn" in page.text


async def test_page_reports_unreachable_home_assistant(home: ServedHome) -> None:
    number = await ask(home)
    browser = home.browser()
    await browser.open()
    home.toy.status = 503
    await home.toy.hang_up()
    while home.node.source.is_connected:
        await asyncio.sleep(0.01)
    page = await browser.open(f"permissions/{number}")
    assert page.status == 200
    assert "Home Assistant cannot list the series to share" in page.text


async def test_texts_in_another_language_are_tagged(home: ServedHome) -> None:
    french = replace(NEED, title={"fr": "Toits au soleil"}, purpose={"fr": "Pour un toit."})
    number = await ask(home, replace(french, recipients={"fr": "Personne."}))
    for path in ("", "permissions", f"permissions/{number}"):
        page = await home.browser().open(path)
        assert '<bdi lang="fr">Toits au soleil</bdi>' in page.html
        same = await home.browser(language="fr").open(path)
        assert "Toits au soleil" in same.text
        assert '<bdi lang="fr">' not in same.html


def _sentences(page: Page) -> set[str]:
    body = re.sub(r"<(script|style|code).*?</\1>", "", page.html, flags=re.DOTALL)
    return {" ".join(sentence.split()) for sentence in re.findall(r">([^<]+)<", body)} - {""}


async def test_words_of_a_collective_stand_apart(home: ServedHome) -> None:
    words = dict.fromkeys(("en", "fr"), "<b>גג</b>")
    need = replace(NEED, title=words, purpose=words, controller="סלע", contact="קשר")
    number = await ask(home, need)
    browser = home.browser()
    page = await browser.open(f"permissions/{number}")
    for name in ("&lt;b&gt;גג&lt;/b&gt;", "סלע", "קשר", "coop@example.org"):
        assert f"<bdi>{name}</bdi>" in page.html
    preview = await browser.send(page, "preview", ("series", DRAWN))
    quoted = "“\u2068&lt;b&gt;גג&lt;/b&gt;\u2069”"
    for name in (quoted, "\u2068סלע\u2069", "\u2068coop@example.org\u2069"):
        assert name in preview.html
