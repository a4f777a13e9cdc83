"""What the public pages answer where they have nothing to show."""

import pytest

from testing.pages.town import ReleasedTown


@pytest.mark.parametrize(
    ("language", "title"), [("en", "Page not found"), ("fr", "Page introuvable")]
)
async def test_a_missing_page_says_so(town: ReleasedTown, language: str, title: str) -> None:
    page = await town.browser(language).open("nothing")
    assert page.status == 404
    assert f"<h1>{title}</h1>" in page.html
    assert f"<title>{title} – " in page.html
    assert (await town.browser(language).open(page.link("take-part"))).status == 200


async def test_a_long_address_gives_no_long_answer(town: ReleasedTown) -> None:
    page = await town.browser().open("a" * 3_000)
    assert page.status == 404
    usual = await town.browser().open("nothing")
    assert len(page.html) <= len(usual.html)


async def test_without_figures_no_menu_leads_to_a_missing_page(empty: ReleasedTown) -> None:
    page = await empty.browser().open("")
    menu = page.html.partition("<nav")[2].partition("</nav>")[0]
    for link in [link for link in page.links if f'"{link}"' in menu]:
        assert (await empty.browser().open(link)).status == 200, link
    assert "month/" not in menu
