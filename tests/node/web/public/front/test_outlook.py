"""What the first page and the wall say while the panels produce nothing, and since the start."""

from dataclasses import replace
from datetime import UTC, date, datetime
import re

from testing.pages.night import NIGHT, at_night
from testing.pages.town import ReleasedTown, day_of, serving


async def test_at_night_yesterday_and_the_month_replace_zeros(empty: ReleasedTown) -> None:
    await at_night(empty)
    page = await empty.browser().open()
    for words in (
        "Produced on 9 June 2026 72 kWh",
        "Produced in June 2026 144 kWh +20% compared with the same days a year earlier",
        "Next sunny hours 08:00 to 20:00",
        "From the grid since midnight 40 kWh",
    ):
        assert words in page.text, words
    for zero in (" 0 kW", " 0 W", " 0%", " 0 kg"):
        assert zero not in page.text.partition("Today")[0].partition("Our sun")[0], zero
    assert "Produced since midnight" not in page.text
    assert "Shared locally 0" not in page.text


async def test_at_night_the_wall_shows_what_the_sun_did(empty: ReleasedTown) -> None:
    await at_night(empty)
    page = await empty.browser("fr").open("hall")
    assert "Produit le 9 juin 2026 72 kWh" in page.text.replace("\u202f", " ")
    assert "Prochaines heures de soleil 08:00 à 20:00 comme ces sept derniers jours" in page.text


async def test_in_the_evening_the_wall_shows_the_day(town: ReleasedTown) -> None:
    town.now = datetime(2026, 6, 9, 20, 10, tzinfo=UTC)
    page = await town.browser().open("hall")
    assert "Solar production 72 kWh since midnight" in page.text


async def test_the_wall_has_a_code_to_the_page_at_its_public_address(town: ReleasedTown) -> None:
    page = await town.browser().open("sites/ecole-de-kersabiec/hall")
    local = f"{town.url}sites/ecole-de-kersabiec"
    assert f"<title>{local}</title>" in page.html
    names = replace(town.settings.page, names=("energies.example",))
    town.settings = replace(town.settings, page=names)
    async with serving(town):
        page = await town.browser().open("sites/ecole-de-kersabiec/hall")
    assert "<title>https://energies.example/sites/ecole-de-kersabiec</title>" in page.html


async def test_since_the_start_adds_up_published_days(town: ReleasedTown) -> None:
    page = await town.browser().open()
    # Thirty days of June 2025, and two of June 2026.
    assert "Since 1 June 2025 Produced 2,304 kWh" in page.text
    assert "Panels of public buildings 36 kWp" in page.text


async def test_growth_is_the_homes_of_published_sums_by_month(empty: ReleasedTown) -> None:
    """A month without a sum leaves a gap; a home that joins counts once it is in a sum."""
    everybody = await empty.group()
    await empty.join(everybody, 60)
    empty.now = NIGHT
    for month, homes in ((1, 30), (2, 34), (5, 60)):
        first = date(2026, month, 1)
        hours = day_of(first, first.replace(day=2), consumption=lambda hour: 10_000)
        await empty.release(everybody, hours, homes)
    page = await empty.browser("fr").open()
    assert "Janvier 2026 30 Février 2026 34 Mai 2026 60" in page.text
    picture = await empty.browser("fr").open("growth.svg")
    assert "Foyers dans nos sommes, mois par mois" in picture.text
    for html in (page.html, picture.html):
        bars = re.findall(r'<rect class="drawn" fill="#\w+" x="([\d.]+)%" y="([\d.]+)%"', html)
        assert bars == [("1.8", "50.0"), ("21.8", "43.33"), ("81.8", "0.0")]


async def test_a_curve_needs_three_months(town: ReleasedTown) -> None:
    assert "growth.svg" not in (await town.browser().open()).html
    assert (await town.browser().open("growth.svg")).status == 404


async def test_a_new_collective_has_no_sum_since_the_start(empty: ReleasedTown) -> None:
    await at_night(empty)
    empty.now = NIGHT.replace(year=2025)
    page = await empty.browser().open()
    assert "Homes in our sums" not in page.text
