"""The home page, for a first visitor and without data."""

from datetime import UTC, date, datetime

import pytest

from consometers_node.collective.disclosure.reasons import Reason
from consometers_node.series import Direction
from consometers_node.store.collective.groups import GroupKind
from consometers_node.store.collective.publication import combined
from testing.pages.town import NOW, ReleasedTown, day_of, hours_of

SUPPRESSED = "not published: fewer than 10 homes, or a few of them make most of it"


async def test_home_page_shows_figures_of_now_and_since_midnight(town: ReleasedTown) -> None:
    page = await town.browser().open()
    for words in (
        # 6 kW are made, 4 kW of them used on the spot, and 10 kW drawn.
        "Of every 10 lamps lit in our homes, our panels power 4.",
        "Our panels produce 6 kW",
        "We use 14 kW 378 W per home",
        "Now – from 14:00 to 15:00",
        # Seven hours of sun since midnight: 42 kWh made, 28 used on the spot, 150 drawn.
        "Produced since midnight 42 kWh enough for 42 loads of laundry",
        "Consumed 178 kWh",
        "From the grid since midnight 150 kWh 4.05 kWh per home",
        "Shared locally 14 kWh",
        "Production as a share of our consumption 24%",
        "yesterday at this time, for as many members: 42 kWh",
        "Covered by our panels 24% of our consumption, at the same moment",
        "Self-sufficiency 16%",
        "Self-consumption 67%",
        "37 of 40 homes",
    ):
        assert words in page.text, words
    assert page.html.count("<tr data-") == 24
    assert 'data-made="6000" data-spot="4000" data-fed="2000" data-drawn="10000"' in page.html


@pytest.mark.parametrize(
    ("made", "drawn", "shown"),
    [
        (25_200, 777, ("25.2 kW", "0.8 kW")),
        (40, 12_000, ("0.04 kW", "12 kW")),
        (500, 777, ("500 W", "777 W")),
        (0, 2_000, ("0 kW", "2 kW")),
    ],
)
async def test_adjacent_powers_share_a_unit(
    empty: ReleasedTown, made: int, drawn: int, shown: tuple[str, str]
) -> None:
    hours = day_of(
        NOW.date(),
        production=lambda hour: made or (500 if hour < 12 else 0),
        consumption=lambda hour: drawn,
    )
    await empty.release(await empty.group(), hours)
    # Without sun, the wall shows what the panels produced before.
    for path in ("", "hall", "card") if made else ("", "card"):
        page = await empty.browser().open(path)
        assert f"Our panels produce {shown[0]}" in page.text
        assert f"We take from the grid {shown[1]}" in page.text


async def test_an_empty_collective_shows_what_will_come(empty: ReleasedTown) -> None:
    for language, words in (("en", "once at least 10 homes"), ("fr", "au moins 10 foyers")):
        page = await empty.browser(language).open()
        assert page.status == 200
        assert words in page.text
        assert "kWh" in page.text
        assert " 0 k" not in page.text
        # None leads to an empty page.
        assert not [link for link in page.links if "hall" in link]


async def test_withheld_figures_say_why(town: ReleasedTown) -> None:
    page = await town.browser().open("areas/larmor-plage")
    assert page.text.count(SUPPRESSED) == 1


async def test_old_figures_are_shown_with_their_time(town: ReleasedTown) -> None:
    for day, hour, present, absent in (
        (10, 19, ("Last data: 10 June 2026, 15:00",), "Now –"),
        # Early in the morning of the next day in Lorient.
        (10, 22, ("Yesterday", "Produced that day 42 kWh"), "Soon here"),
        (14, 10, ("No figures for today or yesterday", "This month vs last year"), "Soon here"),
    ):
        town.now = datetime(2026, 6, day, hour, 10, tzinfo=UTC)
        for path in ("", "sites/ecole-de-kersabiec") if day == 14 else ("",):
            page = await town.browser().open(path)
            assert all(words in page.text for words in present), path
            assert absent not in page.text


async def test_collective_without_panels_compares_its_consumption(empty: ReleasedTown) -> None:
    everybody = await empty.group()
    await empty.release(everybody, day_of(date(2026, 6, 9), consumption=lambda hour: 30_000))
    empty.now = datetime(2026, 6, 9, 22, 5, tzinfo=UTC)
    page = await empty.browser().open()
    assert "as much as 15 kettles boiling at the same time" in page.text
    assert "Self-sufficiency 1" not in page.text


async def test_a_suppressed_hour_leaves_the_rest_of_the_day(town: ReleasedTown) -> None:
    await town.close([NOW.replace(minute=0)], Reason.DOMINANCE)
    town.now = datetime(2026, 6, 10, 14, 10, tzinfo=UTC)
    page = await town.browser().open()
    assert SUPPRESSED in page.text
    assert page.html.count("<tr data-") == 24


async def test_repeated_hour_of_a_clock_change_shows_its_power(empty: ReleasedTown) -> None:
    everybody = await empty.group()
    await empty.release(everybody, day_of(date(2026, 10, 25), consumption=lambda hour: 8_000))
    # 2:00 was struck for the second time a quarter of an hour ago.
    empty.now = datetime(2026, 10, 25, 1, 15, tzinfo=UTC)
    page = await empty.browser().open()
    assert page.status == 200
    assert "We take from the grid 8 kW" in page.text


async def test_small_commune_links_to_its_combined_group(empty: ReleasedTown) -> None:
    names = {await empty.group(GroupKind.AREA, area): area for area in ("Lanester", "Ploemeur")}
    async with empty.store.writing() as connection:
        both = await combined(connection, frozenset(names), names)
    day = day_of(NOW.date(), consumption=lambda hour: 9_000)
    lorient = await empty.group(GroupKind.AREA, "Lorient")
    for group in (await empty.group(), both, lorient):
        await empty.release(group, day)
    page = await empty.browser().open()
    tiles = [link for link in page.links if "areas/" in link]
    assert sorted(tiles) == ["./areas/lanester-ploemeur", "./areas/lorient"]
    assert "Lanester and Ploemeur" in page.text
    page = await empty.browser().open("areas/ploemeur")
    assert "Published together with other communes" in page.text
    assert page.link("areas/lanester-ploemeur")
    page = await empty.browser("fr").open("areas/lanester-ploemeur")
    assert "9" in page.text.partition("Lanester et Ploemeur")[2]


async def test_sums_show_the_average_per_home(town: ReleasedTown) -> None:
    for path in ("hall", "card"):
        assert "378 W per home" in (await town.browser().open(path)).text
    assert "37 of 40 homes" in (await town.browser().open("hall")).text
    assert "per home" not in (await town.browser().open("sites/ecole-de-kersabiec")).text


# Members that are collectives themselves.


async def municipality(town: ReleasedTown, *allowed: Direction) -> None:
    """Store what 14 members of a collective draw, and grant more than it sends."""
    everybody = await town.group()
    await town.below(everybody, Direction.CONSUMPTION, *allowed)
    drawn = day_of(NOW.date(), consumption=lambda hour: 18_700)
    drawn_so_far = {
        start: watts for start, watts in drawn[Direction.CONSUMPTION].items() if start < NOW
    }
    await town.release(everybody, {Direction.CONSUMPTION: drawn_so_far}, members=14, homes=0)


async def test_average_of_members_of_collectives_states_their_number(empty: ReleasedTown) -> None:
    await municipality(empty)
    page = await empty.browser().open()
    assert "We take from the grid 18.7 kW 1.3 kW per member (14)" in page.text
    assert "Members reporting 14 through 1 collective " in page.text
    assert "Our panels produce" not in page.text


@pytest.mark.parametrize("path", ["", "hall", "card"])
async def test_granted_but_unreported_figures_are_mentioned(empty: ReleasedTown, path: str) -> None:
    await municipality(empty, Direction.PRODUCTION, Direction.INJECTION)
    page = await empty.browser().open(path)
    sentence = "Our panels produce not reported: the collective that takes part withholds it"
    assert sentence in page.text
    everybody = await empty.group()
    await empty.release(everybody, day_of(NOW.date(), production=lambda hour: 5_000), members=14)
    page = await empty.browser().open(path)
    assert "not reported" not in page.text


async def test_unreported_figures_are_listed_before_the_first_report(empty: ReleasedTown) -> None:
    await empty.below(await empty.group(), Direction.CONSUMPTION, Direction.PRODUCTION)
    page = await empty.browser().open()
    assert "From the grid, solar production" in page.text
    assert "not reported: the collective that takes part withholds it" in page.text


async def test_reason_stands_in_place_of_its_bar_alone(empty: ReleasedTown) -> None:
    lanester = await empty.group(GroupKind.AREA, "Lanester")
    drawn = day_of(NOW.date(), consumption=lambda hour: 9_000)
    await empty.release(lanester, drawn, members=12)
    for direction in (Direction.PRODUCTION, Direction.INJECTION):
        await empty.release(
            lanester, {direction: {datetime(2026, 6, 1, tzinfo=UTC): 1}}, members=12
        )
        await empty.close(hours_of(NOW.date()), Reason.DOMINANCE, direction=direction)
    page = await empty.browser().open("areas/lanester")
    above = page.text.partition("00:00")[0]
    assert f"Our panels produce {SUPPRESSED}" in above
    # The picture under it says once more what it does not draw.
    assert above.count(SUPPRESSED) == 2
    assert "–" not in above.partition(SUPPRESSED)[2].partition("9 kW")[0]


async def test_panels_of_schools_are_not_compared_with_consumption_of_homes(
    empty: ReleasedTown,
) -> None:
    """Nine homes with panels are too few, and what all homes draw is published."""
    everybody, today = await empty.group(), NOW.date()
    panels = day_of(today, production=lambda hour: 9_000, injection=lambda hour: 6_000)
    await empty.release(everybody, panels, members=2, homes=0, counting=0, lacks_homes=True)
    await empty.release(everybody, day_of(today, consumption=lambda hour: 12_000))
    for direction in (Direction.PRODUCTION, Direction.INJECTION):
        starts = hours_of(today)
        await empty.close(starts, Reason.BELOW_THRESHOLD, direction=direction, responses=9)
    for path in ("", "hall", "card"):
        page = await empty.browser().open(path)
        assert page.status == 200
        assert "Our panels produce 9 kW" in page.text
        assert "without the homes" in page.text
        assert "We take from the grid 12 kW" in page.text
        assert "Self-sufficiency" not in page.text.partition("What do these words mean?")[0]
    for path in ("month/2026-06", "year/2026"):
        assert (await empty.browser().open(path)).status == 200
