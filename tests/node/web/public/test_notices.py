"""Who a collective is, the notices that the law asks for, and what search engines read."""

from dataclasses import replace
from datetime import date
import re
from xml.etree import ElementTree

import pytest
from yarl import URL

from consometers_node.collective.about import About, load_about, store_about
from consometers_node.collective.members.members import Members
from consometers_node.collective.permissions import needs
from consometers_node.i18n.text import Text
from consometers_node.series import Direction
from consometers_node.store.collective.groups import GroupKind
from testing.homes.data_needs import NEED
from testing.pages.town import ABOUT, NOW, ZONE, ReleasedTown, day_of, serving

NOTICES = ("about", "legal", "privacy", "accessibility")
SITE = "sites/ecole-de-kersabiec"


def described(html: str, name: str) -> str:
    (content,) = re.findall(rf'<meta (?:name|property)="{name}" content="([^"]*)">', html)
    return str(content)


@pytest.mark.parametrize(
    ("language", "sentence", "members"),
    [
        ("en", ABOUT.sentence.say("en"), "40 homes take part, and 1 public building."),
        ("fr", ABOUT.sentence.say("fr"), "40 foyers participent, avec 1 bâtiment public."),
    ],
)
async def test_home_page_opens_with_the_description(
    town: ReleasedTown, language: str, sentence: str, members: str
) -> None:
    page = await town.browser(language).open("")
    opening = page.text.partition("Énergies de Lorient Énergies de Lorient ")[0]
    assert f"Énergies de Lorient {sentence} {members}" in page.text, opening
    assert described(page.html, "description") == sentence
    for place, words in (("take-part", "mailto:"), ("about#contact", ABOUT.phone)):
        there = await town.browser(language).open(str(page.url.join(URL(page.link(place)))))
        assert words
        assert words in there.html


async def test_every_page_links_to_each_notice(town: ReleasedTown) -> None:
    browser = town.browser("fr")
    for path in ("", "data", SITE, f"{SITE}/month/2026-06", "legal", "nothing"):
        page = await browser.open(path)
        footer = page.html.partition("<footer")[2]
        for notice in NOTICES:
            (link,) = re.findall(rf'href="([^"]*{notice})"', footer)
            assert page.url.join(URL(link)).path == f"/{notice}"
        assert "Accessibilité : non conforme" in footer.replace("\u00a0", " ")


async def test_legal_notice_names_publisher_and_host(town: ReleasedTown) -> None:
    page = await town.browser("fr").open("legal")
    for words in (
        "Énergies de Lorient, association loi de 1901, W561000000",
        "1 quai du Port, 56100 Lorient",
        "+33 2 97 00 00 00",
        "contact@lorient.example",
        "Direction de la publication : la présidence de l’association.",
        "Hébergeur solidaire, 2 quai du Port, 56100 Lorient, +33 2 97 00 00 01",
    ):
        assert words in page.text.replace("\u00a0", " "), words
    assert "tel:+33297000000" in page.links


async def test_privacy_notice_lists_current_data_needs(town: ReleasedTown) -> None:
    async with town.store.writing() as connection:
        await needs.offer(connection, NEED, NOW)
    page = await town.browser("fr").open("privacy")
    for words in (
        "Toits au soleil",
        "Pour dimensionner le prochain toit.",
        "CNIL",
        "un seul cookie",
    ):
        assert words in page.text, words
    assert not {"[", "{"} & set(page.text)


async def test_accessibility_statement_shows_audit_results(town: ReleasedTown) -> None:
    page = await town.browser().open("accessibility")
    assert "nobody has audited them yet" in page.text
    assert "Défenseur des droits, Libre réponse 71120" in page.text
    audited = replace(
        ABOUT,
        audit_on=date(2026, 5, 4),
        audit_by="Access lab",
        audit_percent=62,
        audit_gaps=Text({"fr": "Les graphiques."}),
    )
    async with town.store.writing() as connection:
        await store_about(connection, audited, ABOUT)
        assert await load_about(connection, ABOUT) == audited
    page = await town.browser().open("accessibility")
    assert "The audit by Access lab of 4 May 2026 found that the pages meet 62%" in page.text
    assert "Accessibility: partially compliant" in page.text
    assert '<p lang="fr">Les graphiques.</p>' in page.html


async def test_missing_description_leaves_no_gap(town: ReleasedTown) -> None:
    unknown = replace(town.settings, about=About())
    async with serving(ReleasedTown(town.store, unknown)) as silent:
        for language in ("en", "fr"):
            for path in ("", "take-part", *NOTICES):
                page = await silent.browser(language).open(path)
                assert page.status == 200
                assert "None" not in page.text
                assert not re.search(r"[,:] *[.,]|<dl[^>]*>\s*</dl>|<(p|dd|dt)>\s*</", page.html)
        page = await silent.browser().open("about")
        assert "has not given its contact details" in page.text


async def test_pages_carry_metadata_for_other_programs(town: ReleasedTown) -> None:
    for path in ("", "month/2026-06", SITE, "about"):
        page = await town.browser("fr").open(path, X_Forwarded_Proto="https")
        own = f"https://{town.url.authority}/{path}"
        assert f'<link rel="canonical" href="{own}?language=fr">' in page.html
        assert page.alternates == {
            "en": f"{own}?language=en",
            "fr": f"{own}?language=fr",
            "x-default": own,
        }
        assert described(page.html, "og:url") == f"{own}?language=fr"
        assert described(page.html, "og:locale") == "fr_FR"
        image = URL(described(page.html, "og:image"))
        icon = await town.browser().open(image.path_qs.removeprefix("/"))
        assert icon.headers["Content-Type"] == "image/png"
    titles = {
        described((await town.browser().open(path)).html, "og:title")
        for path in ("", SITE, *NOTICES)
    }
    assert len(titles) == 2 + len(NOTICES)
    for path in ("hall", "card", "nothing", f"{SITE}/card"):
        page = await town.browser().open(path)
        assert described(page.html, "robots") == "noindex"
        assert not page.alternates


async def test_robots_find_public_pages_alone(town: ReleasedTown) -> None:
    browser = town.browser()
    robots = await browser.open("robots.txt")
    assert robots.headers["Content-Type"].startswith("text/plain")
    assert "Disallow: /administration\n" in robots.html
    (address,) = re.findall(r"^Sitemap: (.*)$", robots.html, re.MULTILINE)
    sitemap = await browser.open(address)
    assert sitemap.headers["Content-Type"].startswith("application/xml")
    urls = [
        URL(entry.text or "")
        for entry in ElementTree.fromstring(sitemap.html).iter()
        if entry.tag.endswith("loc")
    ]
    paths = [url.path for url in urls]
    assert {
        "/",
        "/about",
        "/take-part",
        "/data",
        "/year/2025",
        "/year/2026",
        f"/{SITE}",
        f"/{SITE}/year/2026",
    } <= {*paths}
    assert "/areas/larmor-plage" in paths
    assert len(paths) == len({*paths})
    assert not [path for path in paths if re.search("admin|hall|card|member", path)]
    for url in urls:
        assert (await browser.open(str(url))).status == 200
    icon = await browser.open("favicon.ico")
    assert icon.headers["Content-Type"] == "image/png"


async def test_home_page_of_a_municipality_opens_with_its_territory(empty: ReleasedTown) -> None:
    everybody = await empty.group()
    await empty.below(everybody, Direction.CONSUMPTION)
    drawn = day_of(NOW.date(), consumption=lambda _: 10_000)
    await empty.release(everybody, drawn, members=40)
    await empty.release(await empty.group(GroupKind.REST), drawn, members=20)
    page = await empty.browser("fr").open("")
    assert "territoire" not in page.text.replace("un territoire", "")
    async with empty.store.writing() as connection:
        members = Members(connection, ZONE)
        (below,) = await members.all()
        await members.rename(below.id, "Énergies de Kersabiec", "https://kersabiec.example/")
    # The rest is no commune.
    assert "Par commune" not in (await empty.browser("fr").open("")).text
    await empty.release(await empty.group(GroupKind.AREA, "Lanester"), drawn, members=20)
    page = await empty.browser("fr").open("")
    own = ("L’énergie d’un territoire", "Notre territoire", "Énergies de Kersabiec", "Lanester")
    places = [page.text.index(words) for words in (*own, "Pris au réseau")]
    assert places == sorted(places)
    assert "https://kersabiec.example/" in page.links
    assert "1 collectif participe." in page.text
    assert "below@example.org" not in page.html
    page = await empty.browser().open("about")
    assert "https://kersabiec.example/" in page.links
    assert "Homes take part in one of these collectives." in page.text
