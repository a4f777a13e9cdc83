"""Every page holds in itself, in both languages, and nothing can be changed by it."""

import csv
from datetime import date, timedelta
import html
from itertools import product
import re
from xml.etree import ElementTree

import pytest
from sqlalchemy import update
from yarl import URL

from consometers_node.collective.members.members import Members
from consometers_node.collective.members.shares import hold
from consometers_node.collective.members.sites import Building, Description
from consometers_node.series import Direction
from consometers_node.store.collective.tables import MemberRow
from testing.pages.cooperative import SITE
from testing.pages.town import NOW, ZONE, ReleasedTown, day_of

CHART = '<figure class="flows"'
PAGES = (
    "",
    "month/2026-06",
    "month/2024-02",
    "year/2026",
    "year/2020",
    "day/2026-06-09",
    "day/2026-06-10",
    "day/2020-01-01",
    "sharing/day/2026-06-03",
    "sharing/month/2026-06",
    "sharing/year/2026",
    "buildings/month/2026-06",
    "buildings/year/2026",
    "report/month/2026-06",
    "report/year/2026",
    "challenges",
    "hall",
    "card",
    "data",
    "about",
    "legal",
    "privacy",
    "accessibility",
    f"sites/{SITE}",
    f"sites/{SITE}/month/2026-06",
    f"sites/{SITE}/year/2026",
    f"sites/{SITE}/day/2026-06-09",
    f"sites/{SITE}/hall",
    f"sites/{SITE}/card",
    "areas/larmor-plage",
    "areas/larmor-plage/month/2026-06",
    "areas/larmor-plage/year/2026",
)
ELSEWHERE = ("https://", "mailto:", "tel:")
TODAY = day_of(NOW.date(), consumption=lambda hour: 1_000)
NOWHERE = (
    "nothing",
    "sites/nobody",
    "sites/larmor-plage",
    f"areas/{SITE}",
    "sites/all",
    "month/2026-13",
    "month/2026-00",
    "month/0000-01",
    "month/9999-12",
    "month/2026-6",
    "month/٢٠٢٦-٠٦",
    "year/1999",
    "year/0000",
    "day/2026-02-30.csv",
    "day/2026-02-30",
    "day/2026-6-1",
    "buildings/month/2026-13",
    "buildings/year/2026.svg",
    "day/2026-02-30.svg",
    "month/2020-01.svg",
    "sites/<script>alert(1)</script>",
    "sites/" + "a" * 300,
    "sites/..%2f..%2fetc%2fpasswd",
    "static/../public/page_base.py",
    "static/%2e%2e/public/page_base.py",
    "areas/larmor-plage/card",
    "sites/'; DROP TABLE member; --",
    "sites/%00",
)


async def test_pages_load_nothing_from_elsewhere_and_have_no_dead_links(town: ReleasedTown) -> None:
    addresses = set()
    for language, path in product(("en", "fr"), PAGES):
        page = await town.browser(language).open(path)
        assert page.status == 200, page.text
        assert page.language == language
        for address in page.loads:
            there = page.url.join(URL(address))
            assert there.origin() == town.url.origin()
            assert there.path.startswith("/static/")
        assert not re.search('(?<!<noscript>)<meta http-equiv="refresh"', page.html), path
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert ("frame-ancestors *" in policy) is path.endswith("card"), path
        assert ("frame-ancestors 'none'" in policy) is not path.endswith("card"), path
        links = {link for link in (*page.links, *page.loads) if not link.startswith(ELSEWHERE)}
        addresses |= {str(page.url.join(URL(link)).with_fragment(None)) for link in links}
    for address in addresses:
        assert (await town.browser().open(address)).status == 200, address


async def test_a_missing_page_says_so(town: ReleasedTown) -> None:
    for path in NOWHERE:
        page = await town.browser().open(str(town.url) + path)
        assert page.status in {400, 404}, path
        if page.status == 404:
            assert "There is nothing at this address" in page.text


async def test_a_matching_etag_answers_304(town: ReleasedTown) -> None:
    assert town.session is not None
    browser = town.browser()
    for path in ("", "month/2026-06", "data/groups.json"):
        page = await browser.open(path)
        again = await browser.open(path, If_None_Match=page.headers["ETag"])
        assert again.status == 304
        assert not again.html
        assert again.headers["ETag"] == page.headers["ETag"]


async def test_chosen_language_is_remembered(town: ReleasedTown) -> None:
    browser = town.browser("en")
    page = await browser.open("?language=fr")
    assert page.language == "fr"
    cookie = page.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    page = await browser.open("month/2026-06", Cookie=cookie.partition(";")[0])
    assert page.language == "fr"
    assert (await town.browser("en").open("?language=<b>")).language == "en"


async def test_month_is_shown_beside_last_year(town: ReleasedTown) -> None:
    page = await town.browser().open("month/2026-06")
    assert "June 2026" in page.text
    # Two whole days of 72 kWh each; all of June a year before: two of its days are compared.
    each = "3.89 kWh per roof with panels (37)"
    then = "a year earlier, for as many members: 144 kWh"
    assert f"Produced 144 kWh 48 of 216 hours {each} {then}" in page.text
    assert page.html.count("<tr data-") == 30
    assert 'data-made="72000" data-spot="48000"' in page.html
    assert 'data-made-before="72000"' in page.html
    assert page.link("month/2026-05")
    assert not [link for link in page.links if "2026-07" in link]


async def test_a_year_adds_up_its_months(town: ReleasedTown) -> None:
    page = await town.browser("fr").open("year/2026")
    assert "juin" in page.text
    assert "48 h sur 216" in page.text
    (before,) = re.findall(r'data-made="144000".* data-made-before="(\d+)"', page.html)
    assert abs(int(before) - 144_000) < 10


async def test_periods_export_as_csv(town: ReleasedTown) -> None:
    day = await town.browser().open("day/2026-06-09.csv")
    lines = day.html.splitlines()
    assert len(lines) == 25
    (ten,) = [row for row in csv.DictReader(lines) if row["start"] == "2026-06-09T10:00:00+02:00"]
    for column, written in {
        "production_wh": "6000",
        "injection_wh": "2000",
        "consumption_wh": "10000",
        "self_consumed_wh": "4000",
        "total_consumption_wh": "14000",
        "shared_locally_wh": "2000",
        "production_share": "0.4286",
        "local_coverage": "0.4286",
        "self_sufficiency": "0.2857",
        "self_consumption": "0.6667",
        "consumption_average_wh": "270.3",
        "self_sufficiency_hours": "1",
        "hours_ended": "1",
        "members": "37",
        "members_counting": "40",
        "withheld": "",
    }.items():
        assert ten[column] == written, column
    assert day.headers["Content-Type"] == "text/csv; charset=utf-8"
    month = await town.browser().open("month/2026-06.csv")
    assert len(month.html.splitlines()) == 31
    year = await town.browser().open("year/2026.csv")
    assert len(year.html.splitlines()) == 13


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
async def test_days_of_clock_changes_have_23_or_25_hours(
    empty: ReleasedTown, day: str, hours: int
) -> None:
    everybody = await empty.group()
    await empty.release(everybody, day_of(date.fromisoformat(day), consumption=lambda hour: 1))
    empty.now = empty.now.replace(year=2027)
    page = await empty.browser().open(f"day/{day}.csv")
    starts = [line.partition(",")[0] for line in page.html.splitlines()[1:]]
    assert len(set(starts)) == hours
    month = await empty.browser().open(f"month/{day[:7]}.csv")
    (shown,) = [row for row in csv.DictReader(month.html.splitlines()) if row["consumption_wh"]]
    assert (shown["consumption_wh"], shown["consumption_hours"]) == (str(hours), str(hours))
    assert (shown["hours_ended"], shown["members"]) == (str(hours), "37")


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
async def test_a_day_is_drawn_from_midnight_to_midnight(
    empty: ReleasedTown, day: str, hours: int
) -> None:
    """All its hours, ended or not, stand beside the day before."""
    first = date.fromisoformat(day)
    everybody = await empty.group()
    before = first - timedelta(days=1)
    await empty.release(everybody, day_of(before, consumption=lambda hour: 2_000))
    some = dict(
        list(day_of(first, consumption=lambda hour: 1_000)[Direction.CONSUMPTION].items())[:3]
    )
    await empty.release(everybody, {Direction.CONSUMPTION: some})
    empty.now = min(some) + timedelta(hours=3, minutes=20)
    for path in (f"day/{day}", ""):
        page = await empty.browser().open(path)
        assert f'data-count="{hours}"' in page.html
        bars = page.html.partition('<g class="drawn"')[2].partition("</g>")[0]
        assert [round(float(x)) for x in re.findall(r'x="([0-9.]+)%"', bars)] == [
            round(100 * (n + 0.09) / hours) for n in range(3)
        ]
        assert page.html.count("<tr data-drawn") == min(hours, 24)
    page = await empty.browser().open(f"day/{day}")
    assert page.link(f"day/{before}")
    assert page.link(f"day/{day}.csv")
    assert not [link for link in page.links if f"day/{first + timedelta(days=1)}" in link]


async def test_page_of_a_site_describes_the_building(town: ReleasedTown) -> None:
    page = await town.browser("fr").open(f"sites/{SITE}")
    for words in (
        "École de Kersabiec",
        "école",
        "gaz",
        "électrique",
        "1 850 m²",
        "36 kWc",
        "Lorient",
        "Nos panneaux produisent autant que 60 personnes qui pédalent",
        "Autoconsommation 67",
        "kilowattheure (kWh) La quantité utilisée",
        "kilowatt-crête (kWc) La puissance des panneaux en plein soleil",
    ):
        assert words in page.text, words
    assert "Foyers ayant transmis" not in page.text


@pytest.mark.parametrize(("holders", "shown"), [(9, False), (10, True)])
async def test_site_with_shares_shows_its_best_day_and_enough_holders(
    town: ReleasedTown, holders: int, shown: bool
) -> None:
    async with town.store.writing() as connection:
        members = Members(connection, ZONE)
        (school,) = await members.all(MemberRow.kind == "site")
        described = update(MemberRow).where(MemberRow.id == school.id)
        await connection.execute(described.values(description=Description(shares=720).pack()))
        for member in (await members.all(MemberRow.kind == "home"))[:holders]:
            await hold(connection, member.id, {school.id: 2})
    page = await town.browser().open(f"sites/{SITE}")
    # Twelve hours of 6 kW on each day; the first was in June of the year before.
    assert "Best day 72 kWh 1 June 2025" in page.text
    assert page.link("day/2025-06-01")
    assert "One share, that day 0.1 kWh" in page.text
    assert (f"Shareholders {holders}" in page.text) is shown
    assert ("Shareholders" in page.text) is shown
    french = await town.browser("fr").open(f"sites/{SITE}")
    assert "Meilleure journée" in french.text


async def test_site_that_sells_all_its_production_shows_no_zero_rates(empty: ReleasedTown) -> None:
    """Sun makes 6 kWh an hour, all of it fed into the grid, and 10 kWh are used each hour."""
    school = await empty.site("École", Description(building=Building.SCHOOL))
    sun = dict.fromkeys(range(8, 16), 6_000)
    sold = day_of(
        NOW.date() - timedelta(days=1),
        NOW.date(),
        consumption=lambda _: 10_000,
        production=lambda hour: sun.get(hour, 0),
        injection=lambda hour: sun.get(hour, 0),
    )
    await empty.release(school, sold, members=1)
    # Until 15:00, 42 of 150 kWh; of yesterday 48 of 240.
    for path, share in (("", 28), ("/month/2026-06", 20), ("/year/2026", 20)):
        page = await empty.browser().open(f"sites/ecole{path}")
        assert "Sold to the grid all of it" in page.text
        assert f"Production as a share of our consumption {share}%" in page.text
        assert "Self-consumption" not in page.text
        page = await empty.browser("fr").open(f"sites/ecole{path}")
        assert "Vendu au réseau toute la production" in page.text
        assert "Autosuffisance" not in page.text
    hall = await empty.browser().open("sites/ecole/hall")
    assert "Production as a share of our consumption 28%" in hall.text
    assert "Self-sufficiency" not in hall.text


@pytest.mark.parametrize("path", [f"sites/{SITE}", "areas/larmor-plage"])
async def test_menu_stays_within_the_shown_group(town: ReleasedTown, path: str) -> None:
    browser = town.browser()
    page = await browser.open(path)
    for words, to in (("month", "month/2026-06"), ("year", "year/2026")):
        menu = page.html.partition("<nav")[2].partition("</nav>")[0]
        # The public buildings are those of all members, wherever one is.
        (link,) = re.findall(rf'href="((?:(?!buildings)[^"])*{words}/[^"]*)"', menu)
        page = await browser.open(str(page.url.join(URL(link))))
        assert page.url.path == f"/{path}/{to}"
        (here,) = re.findall(r'href="([^"]*)" aria-current="page"', page.html)
        assert page.url.join(URL(here)).path == page.url.path
    page = await browser.open(path)
    (above,) = re.findall(r'class="kicker"><a href="([^"]*)">Énergies de Lorient<', page.html)
    assert page.url.join(URL(above)).path == "/"


@pytest.mark.parametrize("path", ["", f"sites/{SITE}"])
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_embed_code_keeps_the_scheme_of_the_request(
    town: ReleasedTown, path: str, scheme: str
) -> None:
    browser = town.browser("fr")
    for forwarded in (scheme, "http"):
        page = await browser.open(path, X_Forwarded_Proto=forwarded)
        (src,) = re.findall(r'<iframe src="([^"]*)"', html.unescape(page.html))
        assert src.startswith(f"{forwarded}://{town.url.authority}/")
    card = await browser.open(src)
    assert card.status == 200
    assert "frame-ancestors *" in card.headers["Content-Security-Policy"]


async def test_embed_code_escapes_names(empty: ReleasedTown) -> None:
    name = '"><script>alert(1)</script>'
    await empty.release(await empty.site(name, Description()), TODAY, members=1)
    page = await empty.browser().open("sites/script-alert-1-script")
    (pasted,) = re.findall(r"<code>(&lt;iframe.*?)</code>", page.html)
    assert "<script" not in html.unescape(pasted)
    assert name in html.unescape(html.unescape(pasted))


async def test_descriptions_are_escaped(empty: ReleasedTown) -> None:
    name = "<script>alert(1)</script>"
    await empty.release(await empty.site(name, Description(words_fr=name)), TODAY, members=1)
    for path in ("", "data", "sites/script-alert-1-script", "sites/script-alert-1-script/hall"):
        page = await empty.browser().open(path)
        assert page.status == 200
        assert "alert(1)" in page.text or path.endswith("hall") or not path


@pytest.mark.parametrize("path", ["day/2026-06-09", "month/2026-06", f"sites/{SITE}/year/2026"])
@pytest.mark.parametrize("language", ["en", "fr"])
async def test_picture_of_a_chart_has_title_unit_and_source(
    town: ReleasedTown, language: str, path: str
) -> None:
    page = await town.browser(language).open(path)
    picture = await town.browser().open(str(page.url.join(URL(page.link(".svg")))))
    assert picture.headers["Content-Type"] == "image/svg+xml; charset=utf-8"
    assert picture.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    drawing = ElementTree.fromstring(picture.html)
    words = " ".join(" ".join(drawing.itertext()).split())
    caption = page.html.partition("<summary>Table")[2] or page.html.partition("<summary>Tableau")[2]
    assert caption.partition("– ")[2].partition("</summary>")[0] in words
    for part in {
        "en": ("kWh", "energy per", "Source: Énergies de Lorient", "as published on 10 June 2026"),
        "fr": ("kWh", "énergie par", "Source", "état des publications au 10 juin 2026"),
    }[language]:
        assert part in words
    shown = page.html.partition('class="drawing"')[2].partition("</figure>")[0]
    bars = len(re.findall(r'<rect x="[0-9.]+%"', shown))
    assert len(drawing.findall(".//{*}g[@fill]/{*}rect")) == bars > 0
    assert not {
        name for element in drawing.iter() for name in {*element.keys()} & {"style", "href"}
    }


async def test_a_wall_shows_three_figures_and_a_chart(town: ReleasedTown) -> None:
    page = await town.browser().open("hall")
    assert len(re.findall("<dt>", page.html)) == 3
    assert page.html.count(CHART) == 3
    assert "No network" in page.text


@pytest.mark.parametrize("group", ["", f"sites/{SITE}/"])
async def test_wall_draws_the_charts_of_the_pages(town: ReleasedTown, group: str) -> None:
    browser = town.browser()
    walls = re.split(CHART, (await browser.open(f"{group}hall")).html)[1:]
    paths = (group.rstrip("/"), f"{group}month/2026-06", f"{group}year/2026")
    for wall, path in zip(walls, paths, strict=True):
        page = (await browser.open(path)).html
        drawn = [
            re.findall(r"<(?:rect|path|line) [^>]*>", text.partition("readout")[0])
            for text in (wall, page.partition(CHART)[2])
        ]
        assert drawn[0] == drawn[1] != []
        assert "<td" in page
        assert "<td" not in wall
