"""Public buildings: each and all, by floor area, beside a year earlier, and as a file."""

from collections.abc import Callable
import csv
from dataclasses import replace
from datetime import timedelta
import io

from consometers_node.collective.members.sites import Building, Description, Heat
from testing.pages.cooperative import SCHOOL, SITE
from testing.pages.town import NOW, ReleasedTown, day_of

YESTERDAY = NOW.date() - timedelta(days=1)
A_YEAR_AGO = YESTERDAY.replace(year=YESTERDAY.year - 1)
LIBRARY = Description(building=Building.LIBRARY, heating=Heat.HEAT_PUMP, surface_m2=400)


def always(watts: int) -> Callable[[int], int]:
    return lambda hour: watts


async def table(town: ReleasedTown, path: str) -> dict[str, dict[str, str]]:
    page = await town.browser().open(path)
    assert page.status == 200
    assert page.headers["Content-Type"].startswith("text/csv")
    return {row["building"]: row for row in csv.DictReader(io.StringIO(page.html))}


async def test_buildings_are_added_up_by_floor_area(empty: ReleasedTown) -> None:
    """The school consumed what its own page says, on 1,850 m²; the library 24 kWh on 400 m²."""
    everybody = await empty.group()
    await empty.release(everybody, day_of(YESTERDAY, consumption=always(9_000)))
    school = await empty.site("École de Kersabiec", SCHOOL, "Lorient")
    hours = day_of(
        YESTERDAY,
        consumption=always(10_000),
        production=always(6_000),
        injection=always(2_000),
    )
    await empty.release(school, hours, 1, homes=0)
    library = await empty.site("Médiathèque", LIBRARY, "Lorient")
    await empty.release(library, day_of(YESTERDAY, consumption=always(1_000)), 1, homes=0)
    hall = await empty.site("Salle de Kermélo", Description(building=Building.COMMUNITY))
    await empty.release(hall, day_of(YESTERDAY, consumption=always(500)), 1, homes=0)
    its_own = await empty.browser().open(f"sites/{SITE}/month/2026-06")
    assert 'data-figure="total-consumption" data-value="336000"' in its_own.html
    page = await empty.browser().open("buildings/month/2026-06")
    rows = await table(empty, "buildings/month/2026-06.csv")
    assert rows[SITE]["used_wh"] == "336000"
    assert float(rows[SITE]["used_wh_per_m2"]) == round(336_000 / 1850, 1)
    assert rows["mediatheque"]["used_wh"] == rows["mediatheque"]["consumption_wh"] == "24000"
    assert rows["mediatheque"]["used_wh_per_m2"] == "60"
    assert rows["mediatheque"]["heating"] == "heat-pump"
    assert rows["salle-de-kermelo"]["used_wh_per_m2"] == ""
    assert "Salle de Kermélo floor area not stated" in page.text
    # Both that state their floor area, and not the third.
    assert page.text.count("0.16 kWh/m² 2,250 m² in all") == 1
    assert "All together 3 buildings per m²: 2 of them" in page.text
    assert page.text.index("0.18 kWh/m²") < page.text.index("0.06 kWh/m²")


async def test_buildings_are_compared_over_hours_known_in_both_years(empty: ReleasedTown) -> None:
    first, second = [await empty.site(name, LIBRARY) for name in ("Médiathèque", "Bibliothèque")]
    days = day_of(YESTERDAY - timedelta(days=1), YESTERDAY, consumption=always(900))
    await empty.release(first, days, 1, homes=0)
    await empty.release(first, day_of(A_YEAR_AGO, consumption=always(1_000)), 1, homes=0)
    await empty.release(second, days, 1, homes=0)
    page = await empty.browser().open("buildings/year/2026")
    rows = await table(empty, "buildings/year/2026.csv")
    assert rows["mediatheque"]["used_wh"] == "43200"
    assert rows["mediatheque"]["used_in_both_wh"] == "21600"
    assert rows["mediatheque"]["used_before_wh"] == "24000"
    assert rows["bibliotheque"]["used_before_wh"] == ""
    assert page.text.count("−10%") == 3
    assert "compared with a year earlier: 1 of them" in page.text


async def test_a_building_with_panels_is_compared(empty: ReleasedTown) -> None:
    school = await empty.site("École de Kersabiec", SCHOOL)
    made, fed = always(600), always(100)
    for day, drawn in ((YESTERDAY, 400), (A_YEAR_AGO, 500)):
        hours = day_of(day, consumption=always(drawn), production=made, injection=fed)
        await empty.release(school, hours, 1, homes=0)
    for period in ("month/2026-06", "year/2026"):
        row = (await table(empty, f"buildings/{period}.csv"))[SITE]
        assert (row["used_in_both_wh"], row["used_before_wh"]) == ("21600", "24000")
    assert "−10%" in (await empty.browser().open("buildings/year/2026")).text


async def test_consumption_of_a_building_that_hides_its_production_is_unknown(
    empty: ReleasedTown,
) -> None:
    """It draws less than it uses."""
    site = await empty.site("Médiathèque", LIBRARY)
    energies = day_of(YESTERDAY, consumption=always(900), injection=always(100))
    await empty.release(site, energies, 1, homes=0)
    page = await empty.browser().open("buildings/month/2026-06")
    assert "consumption unknown: its production is not shared" in page.text
    (row,) = (await table(empty, "buildings/month/2026-06.csv")).values()
    assert (row["consumption_wh"], row["used_wh"], row["used_wh_per_m2"]) == ("21600", "", "")


async def test_each_reader_has_descriptions_in_a_language_that_is_there(
    empty: ReleasedTown,
) -> None:
    everybody = await empty.group()
    await empty.release(everybody, day_of(YESTERDAY, consumption=always(9_000)))
    both = replace(LIBRARY, words_fr="Dans l’ancien moulin.", words_en="In the former mill.")
    french = replace(LIBRARY, words_fr="Au bord <de> l’eau.")
    for name, described in (("Médiathèque", both), ("Salle", french), ("Mairie", LIBRARY)):
        site = await empty.site(name, described, "Lorient")
        await empty.release(site, day_of(YESTERDAY, consumption=always(900)), 1, homes=0)
    for path in ("buildings/month/2026-06", "buildings/year/2026", "report/month/2026-06"):
        page = await empty.browser().open(path)
        assert "<dd><bdi>In the former mill.</bdi></dd>" in page.html
        assert '<dd><bdi lang="fr">Au bord &lt;de&gt; l’eau.</bdi></dd>' in page.html
        page = await empty.browser("fr").open(path)
        assert "<dd><bdi>Dans l’ancien moulin.</bdi></dd>" in page.html
        assert "<dd><bdi>Au bord &lt;de&gt; l’eau.</bdi></dd>" in page.html
        assert page.html.count("<dd><bdi>Dans") == 1
    page = await empty.browser().open("sites/salle")
    assert '<p><bdi lang="fr">Au bord' in page.html
    rows = await table(empty, "buildings/year/2026.csv")
    assert rows["mediatheque"]["description_fr"] == "Dans l’ancien moulin."
    assert rows["mediatheque"]["description_en"] == "In the former mill."
    assert (rows["salle"]["description_en"], rows["mairie"]["description_fr"]) == ("", "")


async def test_menu_leads_to_buildings_where_there_are_any(
    town: ReleasedTown, empty: ReleasedTown
) -> None:
    page = await town.browser().open("")
    assert page.link("buildings/year/2026")
    assert not [link for link in (await empty.browser().open("")).links if "buildings" in link]
    assert (await empty.browser().open("buildings/year/2026")).status == 404


async def test_period_without_figures_says_so(town: ReleasedTown) -> None:
    page = await town.browser("fr").open("buildings/year/2024")
    assert "rien de publié sur cette période" in page.text
