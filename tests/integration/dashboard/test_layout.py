"""The cards of the ready dashboard, whatever a household has."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
import re
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from custom_components.consometers.dashboard.facts import Collective, Home, Plant, Uncounted
from custom_components.consometers.dashboard.layout import WAITING, YOUNG, dashboard
from custom_components.consometers.dashboard.words import WORDS

ENTITIES: dict[str, Any] = {
    fact.name: (f"sensor.{fact.name}",)
    for fact in fields(Home)
    if fact.name not in ("currency", "sells_all", "is_building")
}
FULL = Home(**ENTITIES)
# A balance of such a building knows its meters alone.
SELLER = replace(
    FULL,
    sells_all=True,
    used_power=(),
    self_consumed=(),
    self_consumption=(),
    self_sufficiency=(),
    next_tariff=(),
)
KEYS = (
    *("consumption_power", "injection_power", "production_power", "members", "sums_until"),
    *("self_consumption_today", "self_sufficiency_today", "sharing", "last_acknowledged"),
    *("month_mine", "month_median", "month_difference", "challenge"),
)
QUANTITIES = ("consumption", "injection", "production")
COOPERATIVE = Collective(
    name="Énergie d'ici",
    entities={key: f"sensor.coop_{key}" for key in KEYS},
    statistics={each: f"consometers:coop_{each}" for each in QUANTITIES},
)
PARTS = ("today", "coverage_today", "month", "coverage_month", "saving_month")
SIMULATED = tuple(f"simulated_{part}" for part in PARTS)
SIMULATING = replace(
    COOPERATIVE,
    entities={**COOPERATIVE.entities, **{key: f"sensor.coop_{key}" for key in SIMULATED}},
    simulated="consometers:simulated_coop",
)
SCHOOL = Plant(
    name="École de Kersabiec",
    entities={key: f"sensor.ecole_{key}" for key in ("power", "energy_today", "coverage")},
    statistic="consometers:part_kersabiec_ecole",
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
def test_a_full_home_shows_every_card(language: str, snapshot: SnapshotAssertion) -> None:
    assert dashboard(FULL, [SIMULATING], language, [SCHOOL]) == snapshot


@pytest.mark.parametrize("language", ["en", "fr"])
def test_simulated_energy_has_a_section_of_its_own(language: str) -> None:
    written = dashboard(FULL, [SIMULATING], language)
    of_simulation = {SIMULATING.simulated, *(SIMULATING.entities[key] for key in SIMULATED)}
    own, panels, simulation, _ = sections(written)
    assert of_simulation.isdisjoint({*shown(own), *shown(panels)})
    assert set(shown(simulation)) == of_simulation
    assert "simulation" in simulation["cards"][0]["heading"]
    assert WORDS[language]["simulation"] == simulation["cards"][-1]["content"]
    # Beside what is drawn it would be too small to read.
    assert set(shown(sections(written, 1)[-2])) == {SIMULATING.simulated}
    # Without a meter, without the entities or without hours there is nothing to show of it.
    without = replace(SIMULATING, simulated=None), COOPERATIVE
    for home, collective in ((replace(FULL, drawn=()), SIMULATING), *((FULL, c) for c in without)):
        assert of_simulation.isdisjoint(
            shown(sections(dashboard(home, [collective], language))[:-1])
        )


def test_a_plant_has_a_section_of_its_own() -> None:
    written = dashboard(FULL, [], "en", [SCHOOL])
    assert headings(written) == ["My home", "My panels", "My share: École de Kersabiec"]
    own, panels, part = sections(written)
    assert SCHOOL.statistic not in {*shown(own), *shown(panels)}
    assert set(shown(part)) == {*SCHOOL.entities.values(), SCHOOL.statistic}
    # It is alone in its row.
    assert [section["column_span"] for section in sections(written)] == [1, 1, 2]
    # Beside what is drawn it would be too small to read.
    assert set(shown(sections(written, 1)[-1])) == {SCHOOL.statistic}


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_graph_without_statistics_says_when_it_comes(language: str) -> None:
    words = WORDS[language]
    powers, energies = {*METER.drawn_power}, {*METER.drawn}
    at_first = Uncounted(minutes=powers | energies, hours=energies)
    of_hours = Uncounted(hours=energies)
    for uncounted, sentences in (
        (at_first, [words["minutes_to_come"], words["hours_to_come"]]),
        (of_hours, [words["hours_to_come"]]),
    ):
        written = dashboard(METER, [], language, uncounted=uncounted)
        assert [card["content"] for card in cards(written, "markdown")] == sentences
        assert len(cards(written, "statistics-graph")) == 2 - len(sentences)
        # A card without a number would have a unit alone.
        assert bool(cards(written, "statistic")) is (uncounted is of_hours)
        assert written[WAITING]
        # Titles stay, and tiles with what is there now.
        assert headings(written) == headings(dashboard(METER, [], language))
    assert WAITING not in dashboard(METER, [], language)
    home = replace(METER, drawn=("sensor.energy", "sensor.former"))
    # One of two is enough for a graph.
    assert WAITING not in dashboard(home, [], language, uncounted=of_hours)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_building_that_sells_all_its_sun_says_so_once(language: str) -> None:
    words = WORDS[language]
    written = dashboard(SELLER, [], language)
    own, panels = sections(written)
    contents = [card["content"] for card in cards(written, "markdown")]
    assert contents.count(words["sells_all"]) == 1
    assert words["sells_all"] == panels["cards"][1]["content"]
    # What is injected is what is produced: it is there once, and is none of the home's.
    assert {*SELLER.injected, *SELLER.injected_power}.isdisjoint(shown(written))
    assert {*SELLER.produced, *SELLER.produced_power}.isdisjoint(shown(own))
    used = {words[key] for key in ("used", "self_consumed", "self_consumption", "self_sufficiency")}
    named = [card.get("name", card.get("heading")) for card in cards(written, "tile")]
    assert used.isdisjoint(named)
    assert words["sells_all"] not in str(dashboard(FULL, [SIMULATING], language))


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_rate_stands_under_its_day(language: str) -> None:
    rates = {
        *(*FULL.self_consumption, *FULL.self_sufficiency),
        *(COOPERATIVE.entities[f"self_{rate}_today"] for rate in ("consumption", "sufficiency")),
    }
    without_energies = replace(FULL, drawn=(), produced=(), injected=(), self_consumed=())
    for home in (FULL, without_energies):
        headings_of_rates: dict[str, str] = {}
        for section in sections(dashboard(home, [COOPERATIVE], language)):
            heading = ""
            for card in section["cards"]:
                heading = card.get("heading", heading)
                if card.get("entity") in rates:
                    headings_of_rates[card["entity"]] = heading
        assert headings_of_rates == dict.fromkeys(rates, WORDS[language]["today"])


@pytest.mark.parametrize("language", ["en", "fr"])
def test_no_title_of_a_graph_states_a_length_of_time(language: str) -> None:
    """A graph shows what has been counted so far: its axis says of when that is."""
    written = dashboard(FULL, [replace(SIMULATING, is_site=True)], language, [SCHOOL])
    titles = []
    for page in (0, 1):
        for section in sections(written, page):
            for title, card in pairwise(section["cards"]):
                if card["type"] == "statistics-graph":
                    titles.append(title["heading"].partition(" · ")[0])
    of_graphs = ("day", "week", "two_days", "year", "own_months")
    assert {*titles} == {WORDS[language][each] for each in of_graphs}
    assert not re.search(r"\d|last|derni", "".join(titles))


@pytest.mark.parametrize(
    ("key", "attributes"),
    [
        ("challenge", ["signed", "participant"]),
        ("month_difference", "signed"),
        ("simulated_coverage_month", ["state", "counted"]),
    ],
)
def test_a_tile_shows_a_sign_and_the_hours_of_a_figure(key: str, attributes: Any) -> None:
    tiles = cards(dashboard(FULL, [SIMULATING], "en"), "tile")
    (tile,) = [card for card in tiles if card["entity"] == f"sensor.coop_{key}"]
    assert tile["state_content"] == attributes


def test_a_single_meter_takes_the_full_width() -> None:
    written = dashboard(METER, [], "en")
    assert headings(written) == headings(written, 1) == ["My home"]
    assert [section["column_span"] for section in sections(written)] == [2]
    of_power, of_energy = [*METER.drawn_power], [*METER.drawn]
    assert list(shown(_once_known(written))) == [*2 * of_power, *2 * of_energy]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_cost_of_a_day_and_of_a_month_stands_beside_its_energies(language: str) -> None:
    words, home = WORDS[language], replace(METER, cost=("sensor.cost",))
    written = dashboard(home, [], language)
    costs = [card for card in cards(written, "statistic") if card["entity"] == "sensor.cost"]
    assert [(card["name"], card["period"]["calendar"]["period"]) for card in costs] == [
        (words["today"], "day"),
        (words["this_month"], "month"),
    ]
    assert {card["unit"] for card in costs} == {"€"}
    assert "sensor.cost" in set(shown(sections(written, 1)))
    # Until it is counted, a card would have a unit alone.
    young = Uncounted(minutes=frozenset(home.cost), hours=frozenset(home.cost))
    assert "sensor.cost" not in set(shown(dashboard(home, [], language, uncounted=young)))
    assert "sensor.cost" not in set(shown(dashboard(METER, [], language)))


NOW = datetime(2026, 12, 2, 21, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "age", "expected"),
    [
        (
            "en",
            timedelta(hours=1),
            {
                "graphs": ["Power curve · since 20:00", "Day by day · From the grid · since 20:00"],
                "today": "Today · since 20:00",
                "costs": ["Since 20:00", "Since 20:00"],
            },
        ),
        (
            "fr",
            timedelta(days=1, hours=2),
            {
                "graphs": [
                    "Courbe de puissance",
                    "Jour par jour · Pris au réseau · depuis le 1er décembre",
                ],
                "today": "Aujourd’hui",
                "costs": ["Aujourd’hui", "Depuis le 1er décembre"],
            },
        ),
        (
            "en",
            timedelta(days=400),
            {
                "graphs": ["Power curve", "Day by day · From the grid"],
                "today": "Today",
                "costs": ["Today", "This month"],
            },
        ),
    ],
    ids=["an hour", "a day", "a year"],
)
def test_a_young_figure_says_since_when_it_is(
    language: str, age: timedelta, expected: dict[str, Any]
) -> None:
    home = replace(METER, cost=("sensor.cost",))
    firsts = dict.fromkeys((*home.drawn_power, *home.drawn, *home.cost), NOW - age)
    young = Uncounted(first_minutes=firsts, first_hours=firsts, now=NOW)
    written = dashboard(home, [], language, uncounted=young)
    shown_cards = sections(written)[0]["cards"]
    titles = [
        title["heading"]
        for title, card in pairwise(shown_cards)
        if card["type"] == "statistics-graph"
    ]
    assert titles == expected["graphs"]
    assert expected["today"] in [card.get("heading") for card in shown_cards]
    costs = [card["name"] for card in shown_cards if card.get("entity") == "sensor.cost"]
    assert costs == expected["costs"]
    # A page that stays open asks again, until it says it no longer.
    assert (YOUNG in written) is (age < timedelta(days=365))


def test_what_the_sun_saved_stands_with_the_panels() -> None:
    home = replace(FULL, cost=())
    own, panels = sections(dashboard(home, [], "en"))
    assert "sensor.saved" not in set(shown(own))
    saved = [card for card in panels["cards"] if card.get("entity") == "sensor.saved"]
    assert [card["name"] for card in saved] == ["Today", "This month"]
    young = Uncounted(hours=frozenset(home.saved))
    assert "sensor.saved" not in set(shown(dashboard(home, [], "en", uncounted=young)))


def test_costs_of_several_indexes_are_one_stack_of_bars() -> None:
    home = replace(METER, cost=("sensor.night", "sensor.day", "supplier:peak"))
    written = dashboard(home, [], "en")
    assert not {card["entity"] for card in cards(written, "statistic")} & {*home.cost}
    graph = cards(written, "statistics-graph")[-1]
    assert [each["entity"] for each in graph["entities"]] == [*home.cost]
    # Each of them is named the same: the title has it.
    assert (graph["chart_type"], graph["hide_legend"]) == ("bar-stack", True)


@pytest.mark.parametrize(
    ("states", "names"),
    [
        ({"tariff": "HEURE CREUSE"}, ["Now"]),
        (
            {"tariff": "HP BLEU", "colour_today": "blue", "colour_tomorrow": "unknown"},
            ["Now", "Today"],
        ),
        ({"tariff": "unknown"}, []),
        ({}, []),
    ],
)
def test_a_tariff_has_tiles_for_what_the_meter_says(
    states: dict[str, str], names: list[str]
) -> None:
    facts: dict[str, Any] = {key: (f"sensor.{key}",) for key in states}
    home = replace(METER, **facts)
    tiles = [
        card["name"]
        for card in cards(dashboard(home, [], "en"), "tile")
        if card["entity"].removeprefix("sensor.") in states
        and holds(card["visibility"][0], {f"sensor.{key}": state for key, state in states.items()})
    ]
    assert tiles == names


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_public_building_is_nobodys_home_or_commune(language: str) -> None:
    home, school = replace(FULL, is_building=True), replace(COOPERATIVE, is_site=True)
    words, written = WORDS[language], dashboard(home, [school], language)
    for page in (0, 1):
        titles = [words["this_building"], words["its_panels"], COOPERATIVE.name]
        assert headings(written, page) == titles
    homes = {words[key] for key in ("my_home", "my_panels", "used", "challenge_change")}
    assert homes.isdisjoint(card.get("name") for card in cards(written, "tile"))
    assert words["challenge_building"] in [card["name"] for card in cards(written, "tile")]


def test_a_meter_without_active_power_shows_apparent_power() -> None:
    written = dashboard(Home(apparent_power=("sensor.va",)), [], "en")
    assert list(shown(_once_known(written))) == 2 * ["sensor.va"]
    assert len(written["views"]) == 1


def test_panels_stand_beside_the_home_and_collectives_below() -> None:
    home = Home(drawn=("sensor.energy",), produced=("sensor.solar",))
    written = dashboard(home, [COOPERATIVE, Collective(name="Commune", entities={})], "fr")
    titles = ["Mon foyer", "Mes panneaux", "Énergie d'ici", "Commune"]
    assert headings(written) == titles
    assert [section["column_span"] for section in sections(written)] == [1, 1, 2, 2]
    # A collective without statistics has no months.
    assert headings(written, 1) == titles[:-1]


def test_a_meter_without_panels_shows_injected_beside_drawn() -> None:
    home = Home(drawn=("sensor.drawn",), injected=("sensor.injected",))
    (graph,) = [
        card
        for card in sections(dashboard(home, [], "en"))[0]["cards"]
        if card["type"] == "statistics-graph"
    ]
    assert [each["entity"] for each in graph["entities"]] == ["sensor.drawn", "sensor.injected"]
    assert graph["chart_type"] == "bar"


def cards(written: Any, kind: str) -> list[dict[str, Any]]:
    every = [card for section in sections(written) for card in section["cards"]]
    return [card for card in every if card["type"] == kind]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_tile_has_a_translated_name(
    language: str,
) -> None:
    written = dashboard(FULL, [COOPERATIVE], language)
    badges = [badge for each in cards(written, "heading") for badge in each.get("badges", ())]
    named = [*cards(written, "tile"), *cards(written, "statistic"), *badges]
    assert len(named) > 20
    assert [each for each in named if not isinstance(each.get("name"), str)] == []


def holds(condition: Mapping[str, Any], states: Mapping[str, str]) -> bool:
    """Return whether Home Assistant's frontend would take a condition for true."""
    match condition:
        case {"condition": "and", "conditions": conditions}:
            return all(holds(each, states) for each in conditions)
        case {"condition": "or", "conditions": conditions}:
            return any(holds(each, states) for each in conditions)
        case {"condition": "not", "conditions": conditions}:
            return not any(holds(each, states) for each in conditions)
        case {"condition": "numeric_state", "entity": entity, "above": above}:
            amount = states[entity]
            return amount.replace(".", "", 1).isdecimal() and float(amount) > float(above)
        case {"condition": "state", "entity": entity, "state": wanted}:
            return states[entity] in list(wanted)
        case {"condition": "state", "entity": entity, "state_not": unwanted}:
            return states[entity] != str(unwanted)
    raise AssertionError(condition)


def visible(cards_shown: list[dict[str, Any]], state: str) -> list[dict[str, Any]]:
    """Return the cards that are there while each entity has this state."""
    states = defaultdict(lambda: state, {"sun.sun": "above_horizon"})
    return [
        card
        for card in cards_shown
        if all(holds(condition, states) for condition in card.get("visibility", ()))
    ]


def _once_known(written: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the cards of the first page, without their conditions, once all is known."""
    shown_cards = visible([card for each in sections(written) for card in each["cards"]], "1")
    return [
        {key: each for key, each in card.items() if key != "visibility"} for card in shown_cards
    ]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_young_home_has_no_tile_without_a_figure(language: str) -> None:
    words = WORDS[language]
    written = dashboard(FULL, [SIMULATING, replace(COOPERATIVE, is_site=True)], language, [SCHOOL])
    for section in sections(written):
        shown_cards = visible(section["cards"], "unknown")
        for tile in (card for card in shown_cards if card["type"] == "tile"):
            assert tile.get("hide_state") or tile["name"] == words["sharing"], tile
        # A title without a card would be as empty.
        for title, card in pairwise([*shown_cards, {"type": "heading"}]):
            if title.get("heading_style") == "subtitle" and title["heading"] != COOPERATIVE.name:
                assert card["type"] != "heading", title
        badges = [each for card in shown_cards for each in card.get("badges", ())]
        assert visible(badges, "unknown") == []
    used = words["being_measured"].format(what=words["used"])
    for state, is_there in (("unknown", True), ("230", False)):
        own = visible(sections(written)[0]["cards"], state)
        assert (used in [card.get("name") for card in own]) is is_there


@pytest.mark.parametrize(
    ("state", "sun", "name", "colour", "has_bar"),
    [
        ("42.5", "above_horizon", "Autoconsommation", "#ff9800", True),
        ("0.0", "above_horizon", "Autoconsommation", "disabled", True),
        ("unavailable", "below_horizon", "Autoconsommation", "disabled", True),
        ("unknown", "above_horizon", "Taux d’autoconsommation : pas encore connu", None, False),
        ("unknown", "below_horizon", "Taux d’autoconsommation : pas de production", None, False),
    ],
)
def test_a_rate_has_a_tile_whose_empty_bar_is_grey(
    state: str, sun: str, name: str, colour: str | None, has_bar: bool
) -> None:
    rate = "sensor.home_rate"
    written = dashboard(
        Home(produced=("sensor.a",), self_consumption=(rate,), sun=("sun.sun",)), [], "fr"
    )
    states = {rate: state, "sun.sun": sun}
    (tile,) = [
        card
        for card in cards(written, "tile")
        if all(holds(condition, states) for condition in card["visibility"])
    ]
    assert (tile["name"], tile.get("color"), "features" in tile) == (name, colour, has_bar)
    assert tile.get("hide_state", False) is not has_bar


@pytest.mark.parametrize(
    ("state", "sun", "name"),
    [
        ("0", "below_horizon", "Solar production"),
        ("unavailable", "above_horizon", "Solar production"),
        ("unavailable", "below_horizon", "No production now"),
        ("unknown", "below_horizon", "No production now"),
    ],
)
def test_unavailable_panels_at_night_show_no_production(state: str, sun: str, name: str) -> None:
    written = dashboard(Home(produced_power=("sensor.roof",), sun=("sun.sun",)), [], "en")
    states = {"sensor.roof": state, "sun.sun": sun}
    visible = [
        card["name"]
        for card in cards(written, "tile")
        if all(holds(condition, states) for condition in card["visibility"])
    ]
    assert visible == [name]


def test_without_an_entity_of_the_sun_there_is_no_night() -> None:
    home = Home(produced_power=("sensor.roof",), self_consumption=("sensor.home_rate",))
    tiles = cards(dashboard(home, [], "en"), "tile")
    assert [tile["name"] for tile in tiles] == [
        "Solar production",
        "Solar production: being measured",
        *2 * ["Self-consumption"],
        "Self-consumption rate: not known yet",
    ]
    assert "sun.sun" not in str(tiles)


def test_a_public_building_is_compared_with_itself() -> None:
    home, school = Home(drawn=("sensor.drawn",)), replace(COOPERATIVE, is_site=True)
    written = dashboard(home, [school], "fr")
    names = [card["heading"] for card in cards(written, "heading")]
    assert "Ce bâtiment, mois par mois · Pris au réseau" in names
    assert "Le mois dernier" not in names
    assert not {card["entity"] for card in cards(written, "tile")} & {
        f"sensor.coop_month_{each}" for each in ("mine", "median", "difference")
    }
    (own,) = (card for card in cards(written, "statistics-graph") if card["days_to_show"] == 395)
    # A legend of one would call it a change.
    assert (list(shown(own)), own["hide_legend"]) == (["sensor.drawn"], True)


def test_external_statistics_are_in_graphs_alone() -> None:
    written = dashboard(Home(drawn=("sensor.a", "enedis:b")), [], "en")
    assert [card["entity"] for card in cards(written, "statistic")] == ["sensor.a"]
    assert "enedis:b" in list(shown(written))


def sentences(collective: Collective, language: str = "en") -> list[str]:
    """Return the sentences below the figures of a collective."""
    (section,) = sections(dashboard(Home(), [collective], language))
    return [card["content"] for card in section["cards"] if card["type"] == "markdown"]


@pytest.mark.parametrize(
    ("language", "missing", "beginning"),
    [
        ("en", ("injection", "production"), "Not shown: solar production, to the grid, self-"),
        (
            "en",
            ("injection",),
            "Not shown: to the grid, self-sufficiency rate, self-con",
        ),
        (
            "fr",
            ("production",),
            "Sans chiffres : production solaire, taux d’autosuffisance, ",
        ),
    ],
)
def test_missing_data_of_a_collective_are_named_with_the_reason(
    language: str, missing: tuple[str, ...], beginning: str
) -> None:
    (sentence,) = sentences(replace(COOPERATIVE, missing=missing), language)
    assert sentence.startswith(beginning)
    (page,) = re.findall(r"/blob/main/docs/(\S+)\)", sentence)
    assert (DOCS / page).exists()


def test_the_node_is_named_as_the_reason_of_unread_data() -> None:
    (sentence,) = sentences(replace(COOPERATIVE, missing=("production",), is_unread=True))
    assert sentence.endswith("Your node cannot read everything that the collective publishes.")
    assert "hides" not in sentence


def test_a_complete_collective_has_no_notice() -> None:
    assert sentences(COOPERATIVE) == sentences(replace(COOPERATIVE, is_unread=True)) == []


def test_an_empty_household_reads_how_to_begin() -> None:
    written = dashboard(Home(), [], "en")
    ((section,),) = [view["sections"] for view in written["views"]]
    assert section["cards"][0]["content"].startswith("There is nothing to show yet.")


@pytest.mark.parametrize(
    ("language", "title"), [("fr", "Mon foyer"), ("fr-CA", "Mon foyer"), ("br", "My home")]
)
def test_other_languages_fall_back_to_english(language: str, title: str) -> None:
    assert headings(dashboard(METER, [], language)) == [title]
