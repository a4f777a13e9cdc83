"""A month and a year say of how many days, of how many members and up to when they are."""

from collections.abc import Callable, Mapping
import csv
from dataclasses import replace
from datetime import date, datetime, time, timedelta
import io
import re
from typing import Any

import pytest

from consometers_node.collective.calendar import Span
from consometers_node.collective.disclosure.reasons import Reason
from consometers_node.collective.members.sites import Building, Description
from consometers_node.figures import FIGURES
from consometers_node.i18n.text import Text
from consometers_node.series import Direction, Interval
from testing.pages.town import NOW, ZONE, Hours, ReleasedTown, day_of, hours_of, open_data, serving

DAY = timedelta(days=1)
DAYS = [datetime(2026, 6, day, tzinfo=ZONE) for day in range(1, 10)]
TODAY = NOW.date()
A_YEAR_AGO = TODAY.replace(year=TODAY.year - 1)
DRAWN, FED, MADE = Direction.CONSUMPTION, Direction.INJECTION, Direction.PRODUCTION


def always(watts: int) -> Callable[[int], int]:
    return lambda hour: watts


async def release_two_days(town: ReleasedTown) -> None:
    """Make 480 kWh a day on two days; on the second alone, 240 are known to be fed in."""
    everybody = await town.group()
    await town.release(
        everybody,
        day_of(
            date(2026, 6, 8), date(2026, 6, 9), production=always(20_000), consumption=always(5_000)
        ),
    )
    await town.release(everybody, day_of(date(2026, 6, 9), injection=always(10_000)))


async def table(town: ReleasedTown, path: str) -> list[Mapping[str, str]]:
    page = await town.browser().open(path)
    assert page.status == 200
    return list(csv.DictReader(io.StringIO(page.html)))


async def test_self_consumption_covers_known_days_alone(empty: ReleasedTown) -> None:
    await release_two_days(empty)
    for path in ("month/2026-06", "year/2026"):
        page = await empty.browser().open(path)
        # Half of the second day: the injection of the first one is unknown.
        assert "Self-consumption 50%" in page.text
    assert 'data-made="960000" data-spot="240000"' in page.html
    # Energy without a known use or injection is drawn as production.
    for kind in ("spot", "fed", "made", "drawn"):
        assert f'<g class="{kind}"' in page.html
    assert "Used on the spot – 24 of 48 hours" in page.text
    assert "produced (split not published)" in page.text
    (june,) = [row for row in await table(empty, "year/2026.csv") if row["start"] >= "2026-06"]
    assert june["production_wh"] == "960000"
    assert june["self_consumed_wh"] == "240000"
    assert june["self_consumed_hours"] == "24"


async def test_years_are_compared_by_days_known_in_both(empty: ReleasedTown) -> None:
    everybody = await empty.group()
    await empty.release(everybody, day_of(TODAY - 2 * DAY, TODAY - DAY, consumption=always(1_000)))
    await empty.release(everybody, day_of(A_YEAR_AGO - DAY, consumption=always(1_000)))
    page = await empty.browser().open("month/2026-06")
    both = "over the 24 hours available in both years: 24 kWh"
    assert f"{both}; a year earlier, for as many members: 24 kWh" in page.text
    assert "+100%" not in page.text


async def test_unfinished_month_is_compared_with_the_same_days_last_year(
    empty: ReleasedTown,
) -> None:
    everybody = await empty.group()
    may = date(2026, 5, 1)
    await empty.release(everybody, day_of(may, TODAY - DAY, consumption=always(1_000)))
    then = day_of(date(2025, 5, 11), date(2025, 7, 31), consumption=always(2_000))
    await empty.release(everybody, then)
    page = await empty.browser().open("year/2026")
    drawn_bars = re.findall(r'<tr data-drawn="(\d+)" data-drawn-before="(\d+)"', page.html)
    assert [int(now) for now, _ in drawn_bars] == [31 * 24_000, 9 * 24_000]
    # For as many homes, in whole watt-minutes of one.
    assert [round(int(then), -2) for _, then in drawn_bars] == [21 * 48_000, 9 * 48_000]
    (july,) = re.findall(r'<tr data-drawn-before="(\d+)"', page.html)
    assert round(int(july), -2) == 31 * 48_000
    rows = {row["start"][5:7]: row for row in await table(empty, "year/2026.csv")}
    before = [float(rows[month]["consumption_before_wh"]) for month in ("05", "06", "07")]
    assert before == pytest.approx([21 * 48_000, 9 * 48_000, 31 * 48_000])


async def test_years_are_compared_for_as_many_members(empty: ReleasedTown) -> None:
    everybody = await empty.group()
    await empty.release(everybody, day_of(TODAY - DAY, consumption=always(3_300)), 40)
    await empty.release(everybody, day_of(A_YEAR_AGO - DAY, consumption=always(1_000)), 12)
    page = await empty.browser().open("month/2026-06")
    assert "From the grid 79.2 kWh 24 of 216 hours 1.98 kWh per home" in page.text
    # 12 homes drew 24 kWh: 40 like them would have drawn 80.
    assert "a year earlier, for as many members: 80 kWh (−1%)" in page.text
    assert 'data-drawn="79200" data-drawn-before="80000"' in page.html
    assert "scaled to the present number of members" in page.text
    (day,) = [row for row in await table(empty, "month/2026-06.csv") if row["consumption_wh"]]
    assert day["consumption_average_wh"] == "1980"
    assert float(day["consumption_before_wh"]) == pytest.approx(80_000)


async def test_figures_state_the_hours_that_they_cover(empty: ReleasedTown) -> None:
    everybody = await empty.group()
    await empty.release(everybody, day_of(TODAY - 9 * DAY, TODAY - DAY, consumption=always(1_000)))
    await empty.release(everybody, day_of(TODAY - DAY, production=always(500)))
    page = await empty.browser().open("month/2026-06")
    assert "Produced 12 kWh 24 of 216 hours" in page.text
    assert "From the grid 216 kWh 5.84 kWh per home" in page.text


async def test_fully_withheld_figure_is_no_sum_of_zero_days(empty: ReleasedTown) -> None:
    everybody = await empty.group()
    await empty.release(everybody, day_of(TODAY - 2 * DAY, TODAY - DAY, production=always(500)))
    await empty.close(DAYS, Reason.BELOW_THRESHOLD, interval=Interval.P1D)
    page = await empty.browser().open("month/2026-06")
    assert "From the grid not published: fewer than 10 homes" in page.text
    assert "Produced 24 kWh 48 of 216 hours" in page.text
    assert "0 of" not in page.text


async def test_table_of_a_year_counts_known_hours_by_month(town: ReleasedTown) -> None:
    months = await table(town, "year/2026.csv")
    june = months[5]
    assert june["start"].startswith("2026-06")
    for figure in ("consumption", "production", "self_sufficiency"):
        assert june[f"{figure}_hours"] == "48", figure
    assert june["hours_ended"] == "216"
    (value,) = (await open_data(town, "consumption/by/all/P1M/from/2026-06-01/to/2026-06-30"))[
        "values"
    ]
    assert (value["hours"], value["hours_ended"]) == (48, 216)


@pytest.mark.parametrize("path", ["month/2026-06", "year/2026"])
async def test_unfinished_period_names_its_last_day(town: ReleasedTown, path: str) -> None:
    page = await town.browser().open(path)
    assert "Up to 9 June 2026:" in page.text
    past = await town.browser().open("month/2025-06")
    assert "Up to" not in past.text


async def test_notes_name_their_figure(empty: ReleasedTown) -> None:
    await release_two_days(empty)
    page = await empty.browser().open("year/2026")
    assert "To the grid – 24 of 48 hours" in page.text
    await empty.close(DAYS, Reason.DOMINANCE, direction=FED, interval=Interval.P1D)
    page = await empty.browser("fr").open("month/2026-06")
    assert re.search(r"Envoyé au réseau – non publié\s: moins de 10 foyers", page.text)


async def test_reasons_are_spelled_as_in_the_open_data(empty: ReleasedTown) -> None:
    everybody = await empty.group()
    await empty.release(everybody, day_of(TODAY - DAY, production=always(500)))
    await empty.close(DAYS, Reason.BELOW_THRESHOLD, interval=Interval.P1D)
    (day,) = [row for row in await table(empty, "month/2026-06.csv") if row["production_wh"]]
    document = await open_data(empty, "consumption/by/all/P1D/from/2026-06-09/to/2026-06-09")
    assert day["withheld"] == document["values"][0]["withheld"]["reason"] == "below-threshold"


@pytest.mark.parametrize("is_closed", [True, False])
async def test_nothing_is_missing_before_the_first_records(
    empty: ReleasedTown, is_closed: bool
) -> None:
    """Hours that nobody closed are no hidden ones, on pages, in their tables and in open data."""
    first = date(2026, 5, 20)
    await empty.release(await empty.group(), day_of(first, TODAY - DAY, consumption=always(1_000)))
    if is_closed:
        await empty.close(hours_of(first, TODAY - DAY))
        days = [datetime.combine(day, time(), ZONE) for day in Span(first, TODAY - DAY)]
        await empty.close(days, interval=Interval.P1D)
    page = await empty.browser().open("month/2026-05")
    assert "From 20 May 2026 on" in page.text
    assert "not published" not in page.text
    assert " of " not in page.text.partition("From the grid")[2].partition("per home")[0]
    assert page.html.count("<tr data-") == 12
    assert not [link for link in page.links if "2026-04" in link]
    earlier = await empty.browser().open("month/2026-04")
    day = await empty.browser().open("day/2020-01-01")
    for before in (earlier, day, await empty.browser().open("year/2020")):
        assert "Our figures begin on 20 May 2026." in before.text
        assert before.link("day/2026-05-20")
        assert "not published" not in before.text
        assert "fewer than" not in before.text
    months = await table(empty, "year/2026.csv")
    assert [month["start"][:10] for month in months] == ["2026-05-01", "2026-06-01"]
    assert (months[0]["consumption_hours"], months[0]["hours_ended"]) == ("288", "288")
    for interval, count, start, ended in (
        ("PT1H", 12 * 24, "2026-05-20", 1),
        ("P1D", 21, "2026-05-20", 24),
        ("P1M", 2, "2026-05-01", 288),
        ("P1Y", 1, "2026-01-01", 21 * 24),
    ):
        until = "05-31" if interval == "PT1H" else "06-30"
        path = f"consumption/by/all/{interval}/from/2026-05-01/to/2026-{until}"
        values = (await open_data(empty, path))["values"]
        assert len(values) == count
        assert values[0]["start"].startswith(start)
        assert values[0]["hours_ended"] == ended


async def test_a_day_that_is_not_closed_has_no_figure_of_its_hours(empty: ReleasedTown) -> None:
    """After midnight, a month is of the days before: its rates too."""
    everybody = await empty.group()
    for day in (TODAY - 2 * DAY, TODAY - DAY):
        watts = day_of(day, production=always(600), injection=always(200), consumption=always(800))
        await empty.release(everybody, watts, daily=day < TODAY - DAY)
    for key in FIGURES:
        path = f"{key}/by/all/P1D/from/{TODAY - 2 * DAY}/to/{TODAY - DAY}"
        values = (await open_data(empty, path))["values"]
        assert [value["hours"] for value in values] == [24, 0], key
        assert values[1]["value"] is None
        assert values[1]["withheld"]["reason"] == "not-yet"
        (month,) = (await open_data(empty, path.replace("P1D", "P1M")))["values"]
        assert month["value"] == values[0]["value"]
    page = await empty.browser().open("month/2026-06")
    assert page.status == 200
    assert "From the grid 19.2 kWh 24 of 48 hours" in page.text


async def test_a_direction_may_begin_later_than_others(empty: ReleasedTown) -> None:
    """Its earlier hours are not published yet, and a day of the others is shown as it was closed.

    More homes are in the day than in its hours.
    """
    first, everybody = TODAY - 3 * DAY, await empty.group()
    consumption = day_of(first, TODAY - DAY, consumption=always(1_000))
    await empty.release(everybody, consumption, daily=False)
    await empty.release_day(everybody, first, DRAWN, 31_000, 47, homes=47)
    await empty.release(everybody, day_of(TODAY - DAY, production=always(500)))
    for direction, since in ((DRAWN, first), (MADE, TODAY - DAY)):
        await empty.close(hours_of(since, TODAY - DAY), direction=direction)
        days = [datetime.combine(day, time(), ZONE) for day in Span(since, TODAY - DAY)]
        await empty.close(days, direction=direction, interval=Interval.P1D)
    page = await empty.browser().open(f"day/{first}")
    assert "not published yet" in page.text
    assert "fewer than" not in page.text
    assert "From the grid that day 31 kWh" in page.text
    for interval, count in (("PT1H", 24), ("P1D", 1)):
        path = f"production/by/all/{interval}/from/{first}/to/{first}"
        values = (await open_data(empty, path))["values"]
        assert [value["withheld"]["reason"] for value in values] == count * ["not-yet"]


async def test_unclosed_days_are_withheld(empty: ReleasedTown) -> None:
    await empty.group()
    await empty.close(hours_of(TODAY - 2 * DAY, TODAY - DAY))
    days = await table(empty, "month/2026-06.csv")
    assert [(day["start"][:10], day["withheld"]) for day in days] == [
        ("2026-06-08", "not-yet"),
        ("2026-06-09", "not-yet"),
    ]


async def test_incomplete_day_is_shown_with_its_hours(empty: ReleasedTown) -> None:
    day = day_of(TODAY - DAY, consumption=always(1_000))[DRAWN]
    some = dict(list(day.items())[:23])
    await empty.release(await empty.group(), {DRAWN: some}, in_part=True)
    page = await empty.browser().open("month/2026-06")
    assert "From the grid 23 kWh" in page.text
    assert "23 of 24 hours" in page.text
    (row,) = [entry for entry in await table(empty, "month/2026-06.csv") if entry["consumption_wh"]]
    assert (row["consumption_wh"], row["consumption_hours"], row["hours_ended"]) == (
        *("23000", "23", "24"),
    )
    for interval in ("P1D", "P1M"):
        path = f"consumption/by/all/{interval}/from/2026-06-09/to/2026-06-09"
        value = (await open_data(empty, path))["values"][-1]
        assert (value["value"], value["hours"], value["hours_ended"]) == (23_000, 23, 24)


async def test_days_with_unequal_hours_are_not_compared(empty: ReleasedTown) -> None:
    everybody = await empty.group()
    await empty.release(everybody, day_of(TODAY - 2 * DAY, TODAY - DAY, consumption=always(1_000)))
    then = list(day_of(A_YEAR_AGO - 2 * DAY, A_YEAR_AGO - DAY, consumption=always(1_000))[DRAWN])
    watts = {DRAWN: dict.fromkeys(then[:36], 1_000)}
    await empty.release(everybody, watts, in_part=True)
    page = await empty.browser().open("month/2026-06")
    assert "over the 24 hours available in both years: 24 kWh" in page.text


async def test_sum_without_homes_says_so(empty: ReleasedTown) -> None:
    """A school is published beside nine homes, too few to be counted."""
    day = day_of(TODAY - DAY, consumption=always(1_000))
    await empty.release(await empty.group(), day, 1, homes=0, counting=0, lacks_homes=True)
    page = await empty.browser().open("month/2026-06")
    assert "homes not counted in 24 of 24 hours" in page.text
    assert "9 homes" not in page.text
    document = await open_data(empty, "consumption/by/all/P1D/from/2026-06-09/to/2026-06-09")
    assert document["values"][0]["hours_without_homes"] == 24
    assert document["values"][0]["members_counting"] == 1


def sun(watts: int) -> Hours:
    return day_of(
        TODAY - DAY, production=always(watts), injection=always(watts), consumption=always(900)
    )


async def test_legend_omits_missing_figures(empty: ReleasedTown) -> None:
    school = await empty.site("École", Description(building=Building.SCHOOL))
    await empty.release(school, sun(500), 1)
    for path in ("", "/month/2026-06", "/year/2026"):
        page = await empty.browser("fr").open(f"sites/ecole{path}")
        assert "envoyé au réseau" in page.text
        assert "produit et utilisé sur place" not in page.text
    everybody = await empty.group()
    await empty.release(everybody, day_of(TODAY - DAY, consumption=always(900)))
    await empty.close(DAYS, Reason.DOMINANCE, direction=MADE, interval=Interval.P1D)
    page = await empty.browser("fr").open("month/2026-06")
    legend = page.html.partition('class="keys"')[2].partition("</ul>")[0]
    assert "pris au réseau" in legend
    assert "solaire" not in legend
    assert 'data-name="made"' not in page.html


async def test_label_of_a_bar_repeats_its_text(empty: ReleasedTown) -> None:
    await empty.release(
        await empty.group(), day_of(TODAY - DAY, TODAY - DAY, consumption=always(18_700))
    )
    page = await empty.browser().open()
    assert "We take from the grid" in page.text
    assert 'aria-label="We take from the grid 18' in page.html
    assert 'aria-label="We use' not in page.html


async def test_co2_is_shown_once_a_factor_is_set(town: ReleasedTown) -> None:
    """144 kWh were produced in June, 42 kWh today."""
    assert "CO₂" not in (await town.browser().open("month/2026-06")).text
    factor: dict[str, Any] = {"co2_grams": 50, "co2_year": 2025}
    factor |= {"co2_source": Text({"fr": "Exemple", "en": "Example"})}
    about = replace(town.settings.about, **factor)
    town.settings = replace(town.settings, about=about)
    async with serving(town) as other:
        words = "From the grid, this electricity would have emitted"
        sentence = "of CO₂ equivalent, at 50 g/kWh (Example, 2025)"
        for path, mass in (("month/2026-06", "7.2"), ("day/2026-06-10", "2.1"), ("", "2.1")):
            page = await other.browser().open(path)
            assert f"{words} {mass} kg {sentence}" in page.text
        page = await other.browser("fr").open("year/2026")
        assert "(Exemple, 2025)" in page.text


async def test_menu_leads_to_the_last_month_with_a_closed_day(empty: ReleasedTown) -> None:
    """On the first of a month, that month has no day to show."""
    hours = hours_of(date(2026, 5, 1), date(2026, 5, 31))
    await empty.release(await empty.group(), {DRAWN: dict.fromkeys(hours, 1_000)})
    last = datetime(2026, 5, 31, tzinfo=ZONE)
    await empty.close(hours)
    await empty.close([last], interval=Interval.P1D)
    empty.now = datetime(2026, 6, 1, 6, tzinfo=ZONE)
    page = await empty.browser().open()
    assert page.link("month/2026-05")
    assert "May 2026 vs a year earlier" in page.text
    assert not [link for link in page.links if "month/2026-06" in link]
    assert "744 kWh" in (await empty.browser().open("month/2026-05")).text
