"""Each figure by which a collective is watched has a name for tools and words for people."""

from collections.abc import Iterator
from pathlib import Path
import re
import tomllib
from typing import Never

import pytest

from consometers_node.collective.disclosure.sdc_rules import Reason
from consometers_node.collective.monitoring.metrics import (
    ALL,
    HEALTH,
    JOULES,
    PUBLISHED,
    RATIO,
    Fact,
    Type,
)
from consometers_node.collective.settings_schema import KEYS
from consometers_node.store import Store

from ..web.public.conftest import fill
from ..web.public.town import Town, settings
from .watched import watch_of

DOCS = Path(__file__).parents[3] / "docs"
OTHERS = {"process_start_time_seconds"}
"""Names that every program has for it, whatever the rules of names."""


def names() -> Iterator[str]:
    for fact in ALL:
        yield fact.name


@pytest.mark.parametrize("fact", ALL, ids=names())
def test_names_are_as_prometheus_wants_them(fact: Fact[Never]) -> None:
    """What `promtool check metrics` complains of."""
    assert re.fullmatch(r"(consometers|process)(_[a-z]+)+", fact.name)
    stem = fact.name.removesuffix("_total")
    assert fact.name.endswith("_total") == (fact.type is Type.COUNTER)
    assert not re.search(r"_(count|sum|bucket|info|gauge|counter|total)(_|$)", stem)
    if fact.unit.suffix and fact.name not in OTHERS:
        assert stem.endswith(f"_{fact.unit.suffix}")
    else:
        others = r"(ms|millis|minutes|hours|days|kb|mb|percent|wh|kwh|watt|joule|celsius)"
        assert not re.search(rf"_{others}(_|$)", stem)
    assert fact.label is None or re.fullmatch(r"[a-z]+", fact.label.name)


def test_no_two_have_one_name() -> None:
    assert len({fact.name for fact in ALL}) == len(ALL)


@pytest.mark.parametrize("fact", ALL, ids=names())
def test_words_are_in_both_languages(fact: Fact[Never]) -> None:
    for of in fact.each:
        for said in filter(None, (fact.what, fact.each[of], fact.told)):
            assert said.by_language.keys() == {"en", "fr"}
            assert all(words.strip() for words in said.by_language.values())
    assert fact.told.say("fr") != fact.told.say("en")
    assert fact.told.say("en").endswith(".")


def test_every_reason_has_words() -> None:
    (fact,) = [fact for fact in HEALTH if fact.name == "consometers_intervals_suppressed"]
    assert {Reason(of) for of in fact.each} == {*Reason} - {Reason.TOGETHER}


async def test_all_of_a_town_are_figures(file: Store, tmp_path: Path) -> None:
    town = Town(file, settings(tmp_path))
    await fill(town)
    health = await watch_of(town).health()
    assert health.database is not None
    assert health.database.moment is not None
    found = {(fact.name, of): value for fact in HEALTH for of, value in fact.values(health)}
    found |= {
        (fact.name, of): value
        for fact in PUBLISHED
        for of, value in fact.values(health.database.moment)
    }
    words = {key for key, value in found.items() if isinstance(value, str)}
    assert words == {("consometers_node", "")}
    never = {
        ("consometers_commits_last_seconds", ""),
        ("consometers_closings_last_seconds", ""),
        ("consometers_closing_timestamp_seconds", ""),
    }
    assert found.keys() == {(fact.name, of) for fact in ALL for of in fact.each} - never
    assert found["consometers_published_power_watts", "consumption"] == 10_000
    assert found["consometers_published_power_watts", "production"] == 6_000
    assert found["consometers_published_members", ""] == 37
    share = found["consometers_published_today_self_consumption_ratio", ""]
    assert share == pytest.approx(4 / 6)
    # Seven hours from 8 to 15, at 6 kW.
    assert found["consometers_published_today_joules", "production"] == 7 * 6_000 * 3600


def test_units_are_those_that_people_read() -> None:
    assert JOULES.factor * 3_600_000 == 1000
    assert RATIO.factor == 100


@pytest.mark.parametrize("page", ["operators.md", "operators.fr.md"])
def test_rules_of_the_documentation_name_figures_that_exist(page: str) -> None:
    """So do its keys of settings, and its macros of the Zabbix template."""
    text = (DOCS / page).read_text()
    metrics = set(re.findall(r"\b(?:consometers|process)(?:_[a-z]+)+\b", text))
    assert len(metrics) > 5
    assert metrics <= {fact.name for fact in ALL}
    (written,) = re.findall(r"^\[metrics\]\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert {f"metrics.{key}" for key in tomllib.loads(written)} <= set(KEYS)
    template = (DOCS.parent / "deploy" / "zabbix" / "consometers.en.yaml").read_text()
    macros = r"\{\$[A-Z.]+\}"
    assert set(re.findall(macros, text)) == set(re.findall(macros, template))
