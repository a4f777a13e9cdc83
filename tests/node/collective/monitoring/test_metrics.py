"""The metrics of a collective: names for tools, words for people."""

from pathlib import Path
import re
import tomllib
from typing import Never

import pytest

from consometers_node.collective.monitoring.metrics import (
    ALL,
    COUNT,
    HEALTH,
    JOULES,
    PUBLISHED,
    RATIO,
    Metric,
)
from consometers_node.collective.monitoring.problems import ProblemKind
from consometers_node.collective.settings import KEYS
from consometers_node.store import Store
from testing.collectives.watched import VERSION, watch_of
from testing.pages.cooperative import fill
from testing.pages.town import NOW, ReleasedTown, settings

DOCS = Path(__file__).parents[4] / "docs"


@pytest.mark.parametrize("metric", ALL, ids=lambda metric: metric.name)
def test_names_follow_the_conventions_of_prometheus(metric: Metric[Never]) -> None:
    """The rules of `promtool check metrics`."""
    assert re.fullmatch(r"(consometers|process)(_[a-z]+)+", metric.name)
    stem = metric.name.removesuffix("_total")
    assert metric.name.endswith("_total") == metric.is_counter
    assert not re.search(r"_(count|sum|bucket|info|gauge|counter|total)(_|$)", stem)
    if metric.unit is COUNT:
        others = (
            r"(ms|millis|seconds|minutes|hours|days|bytes|kb|mb|ratio|percent|wh|kwh|watts?|joules?"
            r"|celsius)"
        )
        assert not re.search(rf"_{others}(_|$)", stem)
    assert metric.label is None or re.fullmatch(r"[a-z]+", metric.label.name)


def test_names_are_unique() -> None:
    assert len({metric.name for metric in ALL}) == len(ALL)


async def test_a_town_yields_every_metric(store: Store, tmp_path: Path) -> None:
    town = ReleasedTown(store, settings(tmp_path))
    await fill(town)
    health = await watch_of(town).health()
    assert health.at == NOW
    assert health.kinds == {ProblemKind.NETWORK, ProblemKind.CLOCK}
    assert health.database is not None
    assert health.database.latest is not None
    assert health.database.latest.interval.end == NOW.replace(minute=0)
    values = {
        (metric.name, label): value for metric in HEALTH for label, value in metric.values(health)
    }
    values |= {
        (metric.name, label): value
        for metric in PUBLISHED
        for label, value in metric.values(health.database.latest)
    }
    words = {key: value for key, value in values.items() if isinstance(value, str)}
    assert words == {("consometers_node", ""): VERSION}
    never = {
        ("consometers_commits_last_seconds", ""),
        ("consometers_closings_last_seconds", ""),
        ("consometers_closing_timestamp_seconds", ""),
    }
    # It is the witness of nobody.
    figures = [metric for metric in ALL if not metric.name.startswith("consometers_witness_")]
    assert (
        values.keys()
        == {(metric.name, label) for metric in figures for label in metric.words} - never
    )
    for name, label, least in (
        ("consometers_intervals_suppressed", "below-threshold", 1),
        ("consometers_database_size_bytes", "", 100_000),
        ("process_resident_memory_bytes", "", 10**7),
    ):
        assert float(values[name, label]) >= least
    assert values["consometers_published_power_watts", "consumption"] == 10_000
    assert values["consometers_published_power_watts", "production"] == 6_000
    assert values["consometers_published_members", ""] == 37
    share = values["consometers_published_today_self_consumption_ratio", ""]
    assert share == pytest.approx(4 / 6)
    # Seven hours from 8 to 15, at 6 kW.
    assert values["consometers_published_today_joules", "production"] == 7 * 6_000 * 3600


def test_units_convert_values_for_people() -> None:
    assert JOULES.factor * 3_600_000 == 1000
    assert RATIO.factor == 100


@pytest.mark.parametrize("page", ["operators.md", "operators.fr.md"])
def test_documented_rules_name_existing_metrics(page: str) -> None:
    """So do its keys of settings, and its macros of the Zabbix template."""
    text = (DOCS / page).read_text()
    metrics = set(re.findall(r"\b(?:consometers|process)(?:_[a-z]+)+\b", text))
    assert len(metrics) > 5
    assert metrics <= {metric.name for metric in ALL}
    (written,) = re.findall(r"^\[metrics\]\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert {f"metrics.{key}" for key in tomllib.loads(written)} <= set(KEYS)
    template = (DOCS.parent / "deploy" / "zabbix" / "consometers.en.yaml").read_text()
    macros = r"\{\$[A-Z.]+\}"
    assert set(re.findall(macros, text)) == set(re.findall(macros, template))
