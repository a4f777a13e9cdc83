"""What is on the ready dashboard, for whatever a household has."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from pathlib import Path
import re
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from custom_components.consometers.dashboard.facts import Collective, Home
from custom_components.consometers.dashboard.layout import dashboard

FULL = Home(**{fact.name: (f"sensor.{fact.name}",) for fact in fields(Home)})
KEYS = (
    *("consumption_power", "injection_power", "production_power", "members", "sums_until"),
    *("self_consumption_today", "self_sufficiency_today", "sharing", "last_acknowledged"),
    *("month_mine", "month_median", "month_difference"),
)
QUANTITIES = ("consumption", "injection", "production")
COOPERATIVE = Collective(
    name="Énergie d'ici",
    entities={key: f"sensor.coop_{key}" for key in KEYS},
    statistics={each: f"consometers:coop_{each}" for each in QUANTITIES},
)
DOCS = Path(__file__).parents[3] / "docs"
METER = Home(drawn_power=("sensor.power",), apparent_power=("sensor.va",), drawn=("sensor.energy",))


def sections(written: Mapping[str, Any], page: int = 0) -> list[dict[str, Any]]:
    shown_sections: list[dict[str, Any]] = written["views"][page]["sections"]
    return shown_sections


def headings(written: Mapping[str, Any], page: int = 0) -> list[str]:
    """Return the title of each section."""
    return [section["cards"][0]["heading"] for section in sections(written, page)]


def shown(written: Any) -> Iterator[str]:
    """Yield every entity and statistic, as often as it is there."""
    for key, value in written.items() if isinstance(written, dict) else ():
        if key == "entity":
            yield value
        else:
            yield from shown(value)
    for value in written if isinstance(written, list) else ():
        yield from shown(value)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_home_with_everything_has_all_of_it(language: str, snapshot: SnapshotAssertion) -> None:
    assert dashboard(FULL, [COOPERATIVE], language) == snapshot


def test_a_meter_alone_has_all_of_the_width() -> None:
    written = dashboard(METER, [], "en")
    assert headings(written) == headings(written, 1) == ["My home"]
    assert [section["column_span"] for section in sections(written)] == [2]
    assert list(shown(sections(written))) == ["sensor.power", "sensor.energy", "sensor.energy"]


def test_a_meter_that_knows_apparent_power_alone_shows_that() -> None:
    written = dashboard(Home(apparent_power=("sensor.va",)), [], "en")
    assert list(shown(written)) == ["sensor.va"]
    assert len(written["views"]) == 1


def test_panels_stand_beside_the_home_and_collectives_below() -> None:
    home = Home(drawn=("sensor.energy",), produced=("sensor.solar",))
    written = dashboard(home, [COOPERATIVE, Collective(name="Commune", entities={})], "fr")
    titles = ["Mon foyer", "Mes panneaux", "Énergie d'ici", "Commune"]
    assert headings(written) == titles
    assert [section["column_span"] for section in sections(written)] == [1, 1, 2, 2]
    # A collective without statistics has no months.
    assert headings(written, 1) == titles[:-1]


def test_a_meter_without_panels_shows_what_it_injects_beside_what_it_draws() -> None:
    home = Home(drawn=("sensor.drawn",), injected=("sensor.injected",))
    (graph,) = [
        card
        for card in sections(dashboard(home, [], "en"))[0]["cards"]
        if card["type"] == "statistics-graph"
    ]
    assert [each["entity"] for each in graph["entities"]] == ["sensor.drawn", "sensor.injected"]
    assert graph["chart_type"] == "bar"


def test_a_statistic_that_is_no_entity_is_in_graphs_alone() -> None:
    cards = sections(dashboard(Home(drawn=("sensor.a", "enedis:b")), [], "en"))[0]["cards"]
    assert [card["entity"] for card in cards if card["type"] == "statistic"] == ["sensor.a"]
    assert "enedis:b" in list(shown(cards))


def sentences(collective: Collective, language: str = "en") -> list[str]:
    """Return the sentences below the figures of a collective."""
    (section,) = sections(dashboard(Home(), [collective], language))
    return [card["content"] for card in section["cards"] if card["type"] == "markdown"]


@pytest.mark.parametrize(
    ("language", "untold", "beginning"),
    [
        ("en", ("injection", "production"), "Not shown: solar production, to the grid, self-"),
        ("en", ("injection",), "Not shown: to the grid, self-sufficiency, self-consumption."),
        ("fr", ("production",), "Sans chiffres : production solaire, autosuffisance, autocons"),
    ],
)
def test_what_a_collective_does_not_tell_is_named_and_why(
    language: str, untold: tuple[str, ...], beginning: str
) -> None:
    (sentence,) = sentences(replace(COOPERATIVE, untold=untold), language)
    assert sentence.startswith(beginning)
    (page,) = re.findall(r"/blob/main/docs/(\S+)\)", sentence)
    assert (DOCS / page).exists()


def test_a_collective_is_not_blamed_for_what_the_node_cannot_read() -> None:
    (sentence,) = sentences(replace(COOPERATIVE, untold=("production",), is_unread=True))
    assert sentence.endswith("Your node cannot read everything that the collective publishes.")
    assert "hides" not in sentence


def test_nothing_is_missing_of_a_collective_that_tells_all() -> None:
    assert sentences(COOPERATIVE) == sentences(replace(COOPERATIVE, is_unread=True)) == []


def test_a_household_that_has_nothing_is_told_how_to_begin() -> None:
    written = dashboard(Home(), [], "en")
    ((section,),) = [view["sections"] for view in written["views"]]
    assert section["cards"][0]["content"].startswith("There is nothing to show yet.")


@pytest.mark.parametrize(
    ("language", "title"), [("fr", "Mon foyer"), ("fr-CA", "Mon foyer"), ("br", "My home")]
)
def test_who_speaks_another_language_reads_english(language: str, title: str) -> None:
    assert headings(dashboard(METER, [], language)) == [title]
