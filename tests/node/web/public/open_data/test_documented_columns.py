"""The columns that the documentation names are those of the files that people open."""

from pathlib import Path

import pytest

from consometers_node.web.public import challenges
from consometers_node.web.public.drawing import charts
from consometers_node.web.public.open_data import opendata
from testing.documentation import columns

DOCS = Path(__file__).parents[5] / "docs"
NO_COLUMNS = {"list_series", "metadata_since", "time_zone"}
"""A request of the federation, a field of its history, and a field of the answer as a whole."""
OF_PAGES = {
    "challenge": {*challenges.COLUMNS},
    "applications": {*opendata.FIELDS, *charts.COLUMNS, *NO_COLUMNS},
}


@pytest.mark.parametrize("page", OF_PAGES)
@pytest.mark.parametrize("language", ["", ".fr"])
def test_documented_columns_exist(page: str, language: str) -> None:
    named = columns(DOCS / f"{page}{language}.md")
    ends = {name.removeprefix("…") for name in named if name.startswith("…")}
    assert {name for name in named if not name.startswith("…")} <= OF_PAGES[page]
    for end in ends:
        assert any(column.endswith(end) for column in OF_PAGES[page]), end
    assert named == columns(DOCS / f"{page}.md")
    assert len(named) > 1


def test_columns_are_read_from_words_and_formulas(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("`use_wh / use_before_wh - 1`, `…_hours`, `all`, `/x_y.csv`; use_it_wh.\n")
    assert columns(page) == {"use_wh", "use_before_wh", "…_hours"}
