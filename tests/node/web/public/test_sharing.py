"""The neighbours' sun: what members shared, and would share with more panels or members."""

from dataclasses import replace
from decimal import Decimal
import re

from yarl import URL

from consometers_node.i18n.text import Text
from testing.pages.town import ReleasedTown, serving


async def test_month_shows_shared_energy_and_simulates_more_panels(town: ReleasedTown) -> None:
    """2 kW are injected for 12 hours of a day, while 10 kW are drawn: all of it is shared."""
    browser = town.browser()
    page = await browser.open("month/2025-06")
    assert page.link("sharing/month/2025-06")
    page = await browser.open("sharing/month/2025-06")
    assert "Could be shared between neighbours 720 kWh" in page.text
    assert "Other members could use 100%" in page.text
    assert "Other members could cover 10%" in page.text
    assert "× 3 2,160 kWh 100% 30%" in page.text
    assert "× 4 2,880 kWh 100% 40%" in page.text
    assert "× 0.5 720 kWh 100% 20%" in page.text
    assert "Saved" not in page.text
    page = await browser.open("sharing/year/2025")
    assert "Other members could use 100%" in page.text


async def test_what_could_be_shared_is_drawn_on_one_scale(town: ReleasedTown) -> None:
    """Four times the panels share four times as much; more members change nothing."""
    page = await town.browser("fr").open("sharing/month/2025-06")
    picture = await town.browser("fr").open(str(page.url.join(URL(page.link(".svg")))))
    assert picture.headers["Content-Type"] == "image/svg+xml; charset=utf-8"
    assert 'filename="sharing-2025-06.svg"' in picture.headers["Content-Disposition"]
    for html in (page.html, picture.html):
        widths = re.findall(r'width="([\d.]+)%" height="1.3em"', html)
        assert widths == ["7.5", "15.0", "22.5", "30.0", "45.0", "60.0", *6 * ["15.0"]]
    assert "Partageable entre voisins, juin 2025" in picture.text
    assert "Plus de panneaux, les mêmes membres" in picture.text
    assert (await town.browser().open("sharing/month/2025-03.svg")).status == 404


async def test_day_shows_shared_energy(town: ReleasedTown) -> None:
    browser = town.browser()
    page = await browser.open("day/2025-06-02")
    assert page.link("sharing/day/2025-06-02")
    page = await browser.open("sharing/day/2025-06-02")
    assert "The neighbours’ sun, Monday 2 June 2025" in page.text
    assert "Could be shared between neighbours 24 kWh" in page.text
    assert "Other members could cover 10%" in page.text
    assert page.link("sharing/month/2025-06")
    assert page.link("sharing/day/2025-06-01")
    assert page.link("sharing/day/2025-06-03")


async def test_savings_are_shown_once_prices_are_set(town: ReleasedTown) -> None:
    about = replace(
        town.settings.about,
        local_price=Decimal("15.5"),
        grid_price=Decimal("20.5"),
        price_source=Text({"fr": "Exemple", "en": "Example"}),
    )
    town.settings = replace(town.settings, about=about)
    async with serving(town) as other:
        page = await other.browser().open("sharing/month/2025-06")
        assert "Members would save €36.00" in page.text
        assert "at 15.5 c€/kWh between members instead of 20.5 c€/kWh (Example)" in page.text
        page = await other.browser("fr").open("sharing/month/2025-06")
        assert "36,00 €" in page.text.replace("\u202f", " ").replace("\xa0", " ")


async def test_period_without_data_says_so(town: ReleasedTown) -> None:
    page = await town.browser().open("sharing/month/2025-03")
    assert page.status == 200
    assert "Nothing is known of this period" in page.text
    for path in ("sharing/month/2025-13", "sharing/year/1999", "sharing/day/2025-06-31"):
        assert (await town.browser().open(path)).status == 404
