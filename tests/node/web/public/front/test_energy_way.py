"""The picture of the energy's way: what it draws, and what it says beside it."""

from datetime import UTC, datetime, timedelta
import re

import pytest

from consometers_node.collective.disclosure.reasons import Reason
from consometers_node.series import Direction
from testing.pages.town import NOW, ReleasedTown, day_of

_NUMBER = r"(-?[\d.]+)"
_BAND = re.compile(
    rf'<path class="(\w+)" d="M{_NUMBER} {_NUMBER}C[^V]*V{_NUMBER}C[^Z]* {_NUMBER}Z"/>'
)


def heights(html: str) -> dict[str, float]:
    """Return how wide the energy of each kind is where it leaves."""
    return {kind: float(low) - float(top) for kind, _, top, _, low in _BAND.findall(html)}


def way_of(html: str) -> str:
    return html.partition('aria-labelledby="way"')[2].partition("</section>")[0]


async def test_widths_are_in_proportion_to_the_figures_beside_them(town: ReleasedTown) -> None:
    page = await town.browser().open()
    drawn = heights(way_of(page.html))
    # 28 kWh are used on the spot, 14 are injected, all of them shared, and 150 are drawn.
    assert drawn.keys() == {"spot", "shared", "drawn"}
    assert drawn["shared"] == pytest.approx(drawn["spot"] / 2, abs=0.2)
    assert drawn["drawn"] == pytest.approx(drawn["spot"] * (150 - 14) / 28, abs=0.3)
    for words in (
        "Our roofs 42 kWh",
        "Our consumption 178 kWh",
        "Used on the spot 28 kWh under the roof that produces it",
        "Shared locally 14 kWh",
        "To the grid 14 kWh 14 kWh of it to neighbours",
        "From the grid 150 kWh 14 kWh of it from neighbours",
    ):
        assert words in page.text, words


async def test_nothing_is_drawn_of_a_withheld_energy(empty: ReleasedTown) -> None:
    everybody = await empty.group()
    day = day_of(NOW.date(), production=lambda hour: 6_000, consumption=lambda hour: 9_000)
    await empty.release(everybody, day)
    starts = [*day[Direction.PRODUCTION]]
    await empty.close(starts, Reason.DOMINANCE, direction=Direction.INJECTION)
    page = await empty.browser().open()
    way = way_of(page.html)
    assert heights(way).keys() == {"drawn"}
    assert "Our consumption from the grid" in way
    assert "Not drawn: Used on the spot, To the grid, Shared locally – not published" in page.text


async def test_before_sunrise_the_picture_shows_the_grid_alone(empty: ReleasedTown) -> None:
    night = day_of(
        NOW.date(),
        production=lambda hour: 0,
        injection=lambda hour: 0,
        consumption=lambda hour: 9_000,
    )
    empty.now = datetime(2026, 6, 10, 2, 10, tzinfo=UTC)
    until = empty.now - timedelta(minutes=9)
    so_far = {
        way: {start: watts for start, watts in hours.items() if start < until}
        for way, hours in night.items()
    }
    await empty.release(await empty.group(), so_far)
    page = await empty.browser("fr").open()
    way = way_of(page.html)
    assert heights(way).keys() == {"drawn"}
    assert "Nos toits n’ont encore rien produit aujourd’hui" in way
    assert "Partagé localement" not in way


async def test_a_collective_without_panels_and_figures_has_no_picture(empty: ReleasedTown) -> None:
    page = await empty.browser().open()
    assert "way-drawing" not in page.html
