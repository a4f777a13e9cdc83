"""The words of the Zabbix templates, against the metrics that they are written from."""

import pytest

from consometers_node.collective.disclosure.reasons import INTERVAL_REASONS
from consometers_node.collective.monitoring.problems import TITLES
from tests.node.web.test_zabbix import table
from tools.zabbix import FILES, page


@pytest.mark.parametrize("language", FILES)
def test_the_words_of_the_templates_are_up_to_date(language: str) -> None:
    source = FILES[language].read_text(encoding="utf-8")
    assert source == page(language), "run: script/lib/run tools.zabbix"


@pytest.mark.parametrize("language", FILES)
def test_each_reason_for_an_interval_without_a_sum_has_its_words(language: str) -> None:
    words = table("words", language)
    assert {reason: words[reason] for reason in INTERVAL_REASONS} == {
        reason: reason.short.say(language) for reason in INTERVAL_REASONS
    }


@pytest.mark.parametrize(("language", "problem"), [("en", "Problem: "), ("fr", "Problème : ")])
def test_each_kind_of_problem_has_an_item_with_its_title(language: str, problem: str) -> None:
    source = FILES[language].read_text(encoding="utf-8")
    for kind, title in TITLES.items():
        name, key = f"{problem}{title.say(language)}", f"consometers.problem[{kind}]"
        assert f"name: '{name}'\n          type: DEPENDENT\n          key: {key}\n" in source
