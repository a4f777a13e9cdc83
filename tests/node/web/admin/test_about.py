"""An administrator says who the collective is, for its public pages."""

from dataclasses import replace
from decimal import Decimal
from html import escape
from pathlib import Path
from typing import Any

import pytest

from consometers_node.collective.about import KEYS, About, Subject, group_of, load_about, values_of
from consometers_node.i18n.text import Text
from consometers_node.store import Store
from consometers_node.store.collective.access_log import reads
from testing.pages.office import NAME, Office, serving, settle_together, summary
from testing.pages.town import ABOUT, NOW, settings


async def test_description_appears_on_the_public_pages(office: Office) -> None:
    browser = await office.enter("fr")
    page = await browser.open("about")
    assert "Il manque" not in page.text
    page = await browser.fill("about", "about", ("phone", "02 97 11 22 33"), ("publisher", ""))
    assert "Enregistré." in page.text
    legal = await browser.open("/legal")
    assert "02 97 11 22 33" in legal.text
    assert "Direction de la publication" not in legal.text
    assert ABOUT.mail
    assert ABOUT.mail in legal.text
    expected = replace(ABOUT, phone="02 97 11 22 33", publisher=None)
    assert await office.read(load_about, ABOUT) == expected
    # What the file says otherwise later on still counts where nobody wrote over it.
    moved = replace(ABOUT, address="3 quai du Port", phone="02 97 44 55 66")
    assert await office.read(load_about, moved) == replace(expected, address="3 quai du Port")
    (entry, *_) = [read for read in await office.read(reads, None, NOW) if "about" in read.what]
    assert entry.who == NAME
    assert "a modifié ce que les pages disent du collectif" in (await browser.open("log")).text


async def test_each_declared_field_is_in_the_form_of_its_subject(office: Office) -> None:
    browser = await office.enter()
    html = {subject: (await browser.open(subject)).html for subject in Subject}
    for name, key in KEYS.items():
        subject = group_of(key).subject
        (other,) = set(Subject) - {subject}
        assert f'id="{name}"' not in html[other]
        assert (
            f'<label for="{name}">{escape(key.what.say("en").rstrip("."))}</label>' in html[subject]
        )
        language = f' lang="{key.language}"' if key.language else ""
        assert f' id="{name}" name="{name}" maxlength="500"{language}' in html[subject]


async def test_invalid_values_are_refused_and_stay_in_the_form(office: Office) -> None:
    browser = await office.enter()
    wrong = (("phone", "none"), ("mail", "contact"), ("audit_percent", "62"))
    page = await browser.fill("about", "about", *wrong)
    assert page.status == 422
    assert [name for name, _ in summary(page)] == ["mail", "phone"]
    assert 'value="none"' in page.html
    page = await browser.fill("about", "about", ("audit_percent", "62"))
    assert [name for name, _ in summary(page)] == ["audit_on", "audit_by"]
    assert await office.read(load_about, ABOUT) == ABOUT


async def test_missing_legal_notice_is_a_task_until_written(
    file: Store, tmp_path: Path, socket_enabled: None
) -> None:
    async with serving(file, settings(tmp_path, about=About(mail="coop@example.org"))) as office:
        await office.appoint(NAME)
        await settle_together(office)
        browser = await office.enter()
        page = await browser.open("")
        assert "All is well" not in page.text
        assert (
            "The public pages do not say who you are yet. Missing: one sentence in French,"
            " one sentence in English." in page.text
        )
        assert (
            "The legal notice lacks what the law requires. Missing: the telephone number for the"
            " public, the postal address" in page.text
        )
        assert page.link("about")
        typed = [(name, str(value)) for name, value in values_of(ABOUT).items() if value]
        await browser.fill("about", "about", *typed)
        assert "All is well" in (await browser.open("")).text


async def test_co2_factor_needs_its_source(office: Office) -> None:
    browser = await office.enter()
    page = await browser.fill("figures", "figures", ("co2_grams", "40"))
    assert page.status == 422
    assert [name for name, _ in summary(page)] == ["co2_source_fr", "co2_source_en", "co2_year"]
    source = (("co2_source_fr", "Exemple"), ("co2_source_en", "Example"))
    await browser.fill("figures", "figures", ("co2_grams", "40"), *source, ("co2_year", "2025"))
    about = await office.read(load_about, ABOUT)
    assert about.co2 == (40, Text({"fr": "Exemple", "en": "Example"}), 2025)


async def test_prices_need_each_other_and_a_source(office: Office) -> None:
    browser = await office.enter()
    page = await browser.fill("figures", "figures", ("local_price", "15,5"), ("grid_price", "much"))
    assert page.status == 422
    assert [name for name, _ in summary(page)] == ["grid_price"]
    page = await browser.fill("figures", "figures", ("local_price", "15,5"))
    assert [name for name, _ in summary(page)] == [
        "grid_price",
        "price_source_fr",
        "price_source_en",
    ]
    source = ("price_source_fr", "Exemple"), ("price_source_en", "Example")
    prices = ("local_price", "15,5"), ("grid_price", "20.5")
    await browser.fill("figures", "figures", *prices, *source)
    about = await office.read(load_about, ABOUT)
    assert about.prices == (
        Decimal("15.5"),
        Decimal("20.5"),
        Text({"fr": "Exemple", "en": "Example"}),
    )
    assert about.prices.saved == Decimal("0.05")


async def test_prices_and_co2_are_in_a_form_of_their_own(office: Office) -> None:
    browser = await office.enter()
    source = ("price_source_fr", "Exemple"), ("price_source_en", "Example")
    prices = ("local_price", "15"), ("grid_price", "20")
    page = await browser.fill("figures", "figures", *prices, *source)
    assert "Saved." in page.text
    assert "changed the prices or the CO₂ factor" in (await browser.open("log")).text
    # The other form neither has nor empties them.
    await browser.fill("about", "about", ("phone", "02 97 11 22 33"))
    about = await office.read(load_about, ABOUT)
    assert about.prices is not None
    assert about.phone == "02 97 11 22 33"
    await browser.fill("figures", "figures", *((name, "") for name, _ in (*prices, *source)))
    about = await office.read(load_about, ABOUT)
    assert (about.prices, about.phone) == (None, "02 97 11 22 33")


@pytest.mark.parametrize(
    ("about", "words", "to"),
    [
        ({"phone": None}, "The legal notice lacks", "about"),
        ({"co2_grams": 40}, "The CO₂ factor is incomplete", "figures"),
        ({"grid_price": Decimal(20)}, "The prices of a kWh are incomplete", "figures"),
    ],
)
async def test_what_is_missing_leads_to_its_form(
    office: Office, about: dict[str, Any], words: str, to: str
) -> None:
    await settle_together(office)
    lacking = replace(office.settings, about=replace(ABOUT, **about))
    async with serving(office.store, lacking) as opened:
        html = (await (await opened.enter()).open("")).html
        # What the other form lacks does not hinder this one.
        other = "about" if to == "figures" else "figures"
        page = await (await opened.enter()).fill(other, other)
        assert "Saved." in page.text
    (concern,) = [line for line in html.splitlines() if words in line]
    assert f'/{to}">View</a>' in concern
