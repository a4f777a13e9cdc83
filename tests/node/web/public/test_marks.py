"""The names and the lines of a chart, in its picture."""

import re

from testing.pages.town import ReleasedTown


async def test_both_halves_have_names_and_all_bars_are_between_lines(town: ReleasedTown) -> None:
    picture = (await town.browser().open("day/2026-06-09.svg")).html
    assert "↑ produced" in picture
    assert "↓ from the grid" in picture
    lines = [float(y) for y in re.findall(r'<line[^>]* y1="([\d.]+)%"', picture)]
    bars = re.findall(
        r'<rect x="[\d.]+%" y="([\d.]+)%" width="[\d.]+%" height="([\d.]+)%"', picture
    )
    assert bars
    assert min(lines) == 0
    assert max(lines) == 100
    assert all(float(y) >= 0 and float(y) + float(height) <= 100.01 for y, height in bars)
