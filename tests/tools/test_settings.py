"""The pages of settings, against the declarations they are written from."""

import pytest

from tools.settings import FILES, page


@pytest.mark.parametrize("language", FILES)
def test_the_page_of_settings_is_up_to_date(language: str) -> None:
    assert FILES[language].read_text(encoding="utf-8") == page(language), (
        "run: script/lib/run tools.settings"
    )
