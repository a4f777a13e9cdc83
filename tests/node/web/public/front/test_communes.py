"""The map of communes: of published ones alone, drawn by the server, with a list beside it."""

from dataclasses import replace
from math import cos, pi
from pathlib import Path
import re

import pytest

from consometers_node.store.collective.groups import GroupKind
from consometers_node.web.public.drawing.commune_map import draw_map, flattened
from testing.pages.town import NOW, ReleasedTown, day_of, serving

DEMO = Path(__file__).parents[5] / "demo/collectives/communes.geojson"


async def with_communes(town: ReleasedTown, *names: str) -> None:
    day = day_of(NOW.date(), consumption=lambda hour: 9_000)
    await town.release(await town.group(), day)
    for name in names:
        await town.release(await town.group(GroupKind.AREA, name), day)


async def test_the_map_has_the_numbers_of_the_list(empty: ReleasedTown) -> None:
    await with_communes(empty, "Lorient", "Lanester")
    assert '<svg class="map"' not in (await empty.browser("fr").open()).html
    page = replace(empty.settings.page, outlines=DEMO, outlines_source="Exemple")
    empty.settings = replace(empty.settings, page=page)
    async with serving(empty) as town:
        shown = await town.browser("fr").open()
        assert "Par commune 1 2 Contours : Exemple Lorient Lanester" in " ".join(shown.text.split())
        assert shown.html.count('<path class="part"') == 2
        assert len(re.findall(r"<path (?:class=\"part\" )?d=\"M", shown.html)) >= 7
        # The page of a commune has none.
        assert '<svg class="map"' not in (await town.browser().open("areas/lorient")).html


async def test_without_an_outline_of_its_communes_there_is_no_map(empty: ReleasedTown) -> None:
    await with_communes(empty, "Vannes", "Auray")
    page = replace(empty.settings.page, outlines=DEMO)
    empty.settings = replace(empty.settings, page=page)
    async with serving(empty) as town:
        shown = await town.browser().open()
        assert '<svg class="map"' not in shown.html
        assert "By commune Vannes Auray" in " ".join(shown.text.split())


def test_map_is_true_to_scale() -> None:
    """A degree of longitude is half a degree of latitude at 60 degrees."""
    square = [(0.0, 59.0), (4.0, 59.0), (4.0, 61.0), (0.0, 61.0), (0.0, 59.0)]
    drawn = draw_map(flattened({"A": [square]}), {"A": 1})
    assert drawn is not None
    (commune,) = drawn.communes
    assert drawn.height == pytest.approx(900, abs=3)
    assert drawn.width == pytest.approx(900, abs=3)
    assert commune.x == pytest.approx(450, abs=3)
    assert commune.y == pytest.approx(450, abs=3)


def test_a_commune_that_shrinks_to_a_line_is_left_out() -> None:
    square = [(0.0, 47.0), (9.0, 47.0), (9.0, 48.0), (0.0, 48.0), (0.0, 47.0)]
    strip = [(0.0, 47.5), (3.0, 47.5001), (6.0, 47.5), (0.0, 47.5)]
    assert flattened({"A": [square], "B": [strip]}).keys() == {"A"}


def test_number_stands_inside_a_hollow_commune() -> None:
    """Of a U, the number is in one of its arms."""
    arms = [(0, 0), (30, 0), (30, 30), (20, 30), (20, 10), (10, 10), (10, 30), (0, 30), (0, 0)]
    ring = [(x / 100, y / 100) for x, y in arms]
    drawn = draw_map(flattened({"U": [ring]}), {"U": 1})
    assert drawn is not None
    (commune,) = drawn.communes
    third = drawn.width / 3
    assert commune.x < third or commune.x > 2 * third


def test_fine_outlines_become_few_points_with_the_same_borders() -> None:
    """Two halves of a disc of 40,000 points: their common border has the same points in both."""
    count = 20_000
    arc = [(cos(pi * n / count), 45 + cos(pi * n / count - pi / 2)) for n in range(count + 1)]
    border = [(1 - 2 * n / count, 45.0) for n in range(count + 1)]
    north = [*arc, *reversed(border)]
    south = [(x, 90 - y) for x, y in reversed(arc)] + border
    plane = flattened({"North": [north], "South": [south]})
    rings = [plane[name][0] for name in ("North", "South")]
    assert sum(map(len, rings)) <= 2_000
    level = round(sum(y for ring in rings for _, y in ring) / sum(map(len, rings)))
    on_border = [{point for point in ring if abs(point[1] - level) <= 4} for ring in rings]
    assert len(on_border[0] & on_border[1]) > 50
