"""The Zabbix templates read what `/metrics` has."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
import json
from pathlib import Path
import re
from typing import Any, Final
from uuid import UUID

from prometheus_client.parser import text_string_to_metric_families
import pytest

from consometers_node.store import Store
from testing.collectives.watched import metrics_of, node_of, watch_of
from testing.pages.cooperative import fill
from testing.pages.town import ReleasedTown, settings
from testing.zabbix_templates import LANGUAGES, exported, table, template

SELECTOR: Final = re.compile(r'([a-z_]+)(?:\{([a-z]+)="([a-z_]+)"\})?')

type Labels = set[tuple[str, str]]


def values(tree: object, key: str) -> Iterator[Any]:
    """Find each value of a key, at any depth."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            if name == key:
                yield value
            yield from values(value, key)
    elif isinstance(tree, list):
        for value in tree:
            yield from values(value, key)


@pytest.fixture
async def metrics(file: Store, tmp_path: Path, socket_enabled: None) -> Mapping[str, Labels]:
    """The labels of each metric, by its name, once everything happened at least once."""
    town = ReleasedTown(file, settings(tmp_path))
    await fill(town)
    node = node_of(town)
    for timed in (node.counts.commits, node.counts.closings):
        with timed.once():
            pass
    node.counts.closed_at = datetime.now(UTC)
    text, _ = await metrics_of(watch_of(town, node))
    labels: dict[str, Labels] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels.setdefault(sample.name, set()).update(sample.labels.items())
    return labels


def test_template_reads_exactly_the_exported_metrics(metrics: Mapping[str, Labels]) -> None:
    for language in LANGUAGES:
        check_selected(language, metrics)


def check_selected(language: str, metrics: Mapping[str, Labels]) -> None:
    selected = set()
    for item in template(language)["items"]:
        for step in item.get("preprocessing", ()):
            match = SELECTOR.fullmatch(step["parameters"][0])
            assert match is not None
            name, label, value = match.groups()
            assert label is None or (label, value) in metrics[name]
            if step["parameters"][1] == "label":
                assert step["parameters"][2] in dict(metrics[name])
            selected.add(name)
    assert selected <= metrics.keys()
    # It is the witness of nobody.
    figures = {
        name: figure
        for name, figure in table("figures", language).items()
        if not name.startswith("consometers_witness_")
    }
    assert figures.keys() <= metrics.keys()
    assert selected | figures.keys() == metrics.keys(), "a metric without a title"
    check_units(table("figures", language))


def check_units(figures: Mapping[str, tuple[str, str, float]]) -> None:
    titles = [title for title, *_ in figures.values()]
    assert len(set(titles)) == len(titles)
    for name, (_, unit, factor) in figures.items():
        stem = name.removesuffix("_total")
        assert (unit == "unixtime") == (stem.endswith(("_timestamp_seconds", "start_time_seconds")))
        assert (unit == "B") == stem.endswith("_bytes")
        assert ((unit, factor) == ("%", 100)) == stem.endswith("_ratio")
        if unit == "Wh":
            assert factor * 3600 == pytest.approx(1)
        elif unit != "%":
            assert factor == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_identifiers_are_unique_and_references_resolve(language: str) -> None:
    whole = exported(language)
    assert whole["version"] == "7.0"
    (template,) = whole["templates"]
    uuids, keys = list(values(whole, "uuid")), [item["key"] for item in template["items"]]
    assert len(set(uuids)) == len(uuids)
    assert len(set(keys)) == len(keys)
    zabbix_has = whole["template_groups"][0]["uuid"]
    assert all(UUID(uuid).version == 4 for uuid in uuids if uuid != zabbix_has)
    assert {master["key"] for master in values(whole, "master_item")} == {keys[0]}
    for trigger in whole["triggers"]:
        for host, key in re.findall(r"/([^/]+)/([^,)]+)", trigger["expression"]):
            assert host == template["template"]
            assert key in keys
    macros = {macro["macro"] for macro in template["macros"]}
    assert macros == set(re.findall(r"\{\$[A-Z.]+\}", json.dumps(whole)))


@pytest.mark.parametrize("language", LANGUAGES)
def test_graphs_show_items_that_exist(language: str) -> None:
    titles = [title for title, *_ in table("figures", language).values()]
    colon = {"en": ": ", "fr": " : "}[language]
    words = table("words", language)
    for widget in template(language)["dashboards"][0]["pages"][0]["widgets"]:
        shown = [field["value"] for field in widget["fields"] if field["name"].endswith(".items.0")]
        assert shown
        for value in shown:
            title, _, item = value.partition(colon)
            assert title in titles
            assert item in {"", "*", *words.values()}
