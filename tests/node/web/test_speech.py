"""Days, numbers and counts, as people of each language write them."""

import pytest

from consometers_node.web.core.language import LANGUAGES
from consometers_node.web.core.speech import Language
from testing.homes.data_needs import now


@pytest.mark.parametrize("language", LANGUAGES)
def test_dates_and_numbers_follow_the_language(language: str) -> None:
    says = Language(language)
    written = {
        "en": ("1,234.5", "2 years", "90 days", "99.9%", "today, "),
        "fr": ("1\u202f234,5", "2 ans", "90\u00a0jours", "99,9\u202f%", "aujourd’hui, "),
    }[language]
    assert says.number(1234.5) == written[0]
    assert says.length(730) == written[1]
    assert says.length(90) == written[2]
    assert says.share(0.99999) == written[3]
    assert says.share(1).startswith("100")
    assert says.moment(now()).startswith(written[4])


def test_zero_is_singular_in_french_and_plural_in_english() -> None:
    assert Language("fr").ngettext("%(num)s home", "%(num)s homes", 0) == "%(num)s foyer"
    assert Language("fr").ngettext("%(num)s home", "%(num)s homes", 2) == "%(num)s foyers"
    assert Language("en").ngettext("%(num)s home", "%(num)s homes", 0) == "%(num)s homes"


@pytest.mark.parametrize(
    ("wh", "words"),
    [(9_999_000, "9,999\u00a0kWh"), (12_340_000, "12.3\u00a0MWh"), (131_675_000, "132\u00a0MWh")],
)
def test_a_large_total_is_in_mwh(wh: float, words: str) -> None:
    assert Language("en").energy_total(wh) == words
