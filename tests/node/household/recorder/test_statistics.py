"""What a home may share: what its Energy dashboard shows first, and which way that flows."""

from dataclasses import replace
from typing import Any

import pytest

from consometers_node.household.recorder.errors import UnreadableAnswer
from consometers_node.household.recorder.statistics import propose, statistics, subscribed_powers
from consometers_node.household.statistics import Statistic, StatisticId
from consometers_node.i18n.text import verbatim
from consometers_node.series import Direction, Interval, Quantity

CONSUMPTION, INJECTION, PRODUCTION, *_ = Direction


def listed(statistic_id: str, unit_class: str | None = "energy", **more: Any) -> dict[str, Any]:
    return {
        "statistic_id": statistic_id,
        "source": "recorder",
        "name": None,
        "unit_class": unit_class,
        "has_sum": unit_class == "energy",
        "mean_type": 0 if unit_class == "energy" else 1,
        **more,
    }


def energy(name: str) -> Statistic:
    return Statistic(id=StatisticId(name), quantity=Quantity.ENERGY)


def power(name: str) -> Statistic:
    return Statistic(id=StatisticId(name), quantity=Quantity.POWER)


def proposed(statistics: list[Statistic], *sources: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The directions of what the dashboard shows, in its order."""
    preferences = {"energy_sources": list(sources), "device_consumption": [], **more}
    proposals = propose(statistics, preferences)
    return {
        proposal.statistic.id: proposal.direction for proposal in proposals if proposal.on_dashboard
    }


def test_only_energy_sums_and_power_means_are_listed() -> None:
    answer = [
        listed("sensor.drawn"),
        listed("sensor.power", "power"),
        listed("sensor.temperature", "temperature"),
        listed("sensor.without_sum", has_sum=False),
        listed("sensor.wind", "power", mean_type=2),
        listed("sensor.no_class", None),
        listed("enedis:123", source="enedis", name="Linky"),
        # Nobody measured these at home.
        *(
            listed(f"consometers:{kind}_kersabiec", source="consometers")
            for kind in ("collective", "average", "part", "simulated")
        ),
        "nonsense",
    ]
    assert statistics(answer) == [
        energy("sensor.drawn"),
        power("sensor.power"),
        replace(energy("enedis:123"), name=verbatim("Linky")),
    ]


@pytest.mark.parametrize("answer", [None, "sensors", {"statistic_id": "sensor.drawn"}, 7])
def test_an_answer_of_another_form_is_unreadable(answer: object) -> None:
    with pytest.raises(UnreadableAnswer):
        statistics(answer)


KNOWN = [
    *map(energy, ("sensor.oven", "sensor.sun", "sensor.to", "sensor.from", "sensor.from_2")),
    *map(power, ("sensor.p", "sensor.p_from", "sensor.p_to", "sensor.p_sun")),
]


def test_directions_of_a_dashboard_since_2026_11() -> None:
    grid = {"type": "grid", "stat_energy_from": "sensor.from", "stat_energy_to": "sensor.to"}
    sun = {"type": "solar", "stat_energy_from": "sensor.sun", "stat_rate": "sensor.p_sun"}
    assert proposed(KNOWN, sun, grid) == {
        "sensor.from": CONSUMPTION,
        "sensor.to": INJECTION,
        "sensor.sun": PRODUCTION,
        "sensor.p_sun": PRODUCTION,
    }


def test_directions_of_an_earlier_dashboard() -> None:
    grid = {
        "type": "grid",
        "flow_from": [{"stat_energy_from": "sensor.from"}, {"stat_energy_from": "sensor.from_2"}],
        "flow_to": [{"stat_energy_to": "sensor.to"}],
        "power": [{"stat_rate": "sensor.p"}],
    }
    assert proposed(KNOWN, grid) == {
        "sensor.from": CONSUMPTION,
        "sensor.from_2": CONSUMPTION,
        "sensor.to": INJECTION,
        "sensor.p": None,
    }


@pytest.mark.parametrize(
    ("grid", "directions"),
    [
        ({"stat_energy_from": "sensor.from", "stat_rate": "sensor.p"}, {"sensor.p": CONSUMPTION}),
        ({"stat_energy_to": "sensor.to", "stat_rate": "sensor.p"}, {"sensor.p": None}),
        ({"power_config": {"stat_rate": "sensor.p"}}, {"sensor.p": CONSUMPTION}),
        ({"power_config": {"stat_rate_inverted": "sensor.p"}}, {"sensor.p": None}),
        (
            {"power_config": {"stat_rate_inverted": "sensor.p"}, "stat_rate": "sensor.p_from"},
            {"sensor.p": None, "sensor.p_from": CONSUMPTION},
        ),
        (
            {
                "power_config": {"stat_rate_from": "sensor.p_from", "stat_rate_to": "sensor.p_to"},
                "stat_rate": "sensor.p",
            },
            {"sensor.p_from": CONSUMPTION, "sensor.p_to": INJECTION, "sensor.p": None},
        ),
        (
            {"power_config": {"stat_rate_from": "sensor.p_from", "stat_rate_to": "sensor.p_to"}},
            {"sensor.p_from": CONSUMPTION, "sensor.p_to": INJECTION},
        ),
    ],
)
def test_a_power_that_goes_both_ways_has_no_direction(
    grid: dict[str, Any], directions: dict[str, Any]
) -> None:
    grid_source = {"type": "grid", "stat_energy_from": None, "stat_energy_to": None, **grid}
    document = proposed(KNOWN, grid_source)
    assert {name: document[name] for name in document if name.startswith("sensor.p")} == directions


@pytest.mark.parametrize(
    "more",
    [
        {"device_consumption": [{"stat_consumption": "sensor.oven", "stat_rate": "sensor.p"}]},
        {
            "energy_sources": [
                {"type": "battery", "stat_energy_from": "sensor.oven", "stat_rate": "sensor.p"}
            ]
        },
        {
            "energy_sources": [
                {"type": "home", "stat_energy_to": "sensor.oven", "stat_rate": "sensor.p"}
            ]
        },
    ],
)
def test_devices_and_batteries_have_no_direction(
    more: dict[str, Any],
) -> None:
    assert proposed(KNOWN, **more) == {"sensor.oven": None, "sensor.p": None}


def test_other_statistics_follow_those_of_the_dashboard_once() -> None:
    grid = {"type": "grid", "stat_energy_from": "sensor.from", "stat_energy_to": "sensor.gone"}
    proposals = propose(KNOWN, {"energy_sources": [grid, grid], "device_consumption": []})
    assert [proposal.statistic.id for proposal in proposals] == [
        "sensor.from",
        *(statistic.id for statistic in KNOWN if statistic.id != "sensor.from"),
    ]
    assert [proposal.on_dashboard for proposal in proposals] == [True] + 8 * [False]


def test_gas_and_water_are_not_shown() -> None:
    assert proposed(KNOWN, {"type": "gas", "stat_energy_from": "sensor.from"}) == {}


def test_without_a_dashboard_all_are_proposed() -> None:
    assert [proposal.statistic for proposal in propose(KNOWN)] == KNOWN


def test_a_person_corrects_the_direction() -> None:
    (proposal,) = propose([energy("sensor.from")])
    series = proposal.series(Interval.PT1H, "Europe/Paris", Direction.INJECTION)
    assert (series.device, series.direction) == ("sensor.from", Direction.INJECTION)
    assert (series.quantity, series.interval) == (Quantity.ENERGY, Interval.PT1H)


def entity(name: str, device: str | None = "meter", **more: str) -> dict[str, object]:
    """An entity of the integration, as Home Assistant's registry lists it."""
    of_device = {} if device is None else {"di": device}
    return {"ei": f"sensor.{name}", "pl": "consometers", "tk": name, **of_device, **more}


def state(name: str, value: str, unit: str = "kVA") -> dict[str, object]:
    return {
        "entity_id": f"sensor.{name}",
        "state": value,
        "attributes": {"unit_of_measurement": unit},
    }


def test_the_entities_of_a_meter_have_its_subscribed_power() -> None:
    registry = {
        "entities": [
            entity("energy_drawn"),
            entity("subscribed_power"),
            entity("oven", "oven"),
            entity("home_drawn", None),
            entity("foreign", pl="another"),
            {"ei": "sensor.none"},
        ]
    }
    states = [state("subscribed_power", "9"), {"entity_id": "sun.sun"}]
    powers = subscribed_powers(registry, states)
    assert powers == {"sensor.energy_drawn": 9, "sensor.subscribed_power": 9}
    proposals = propose([energy("sensor.energy_drawn"), energy("sensor.oven")], None, (), powers)
    assert [proposal.subscribed_kva for proposal in proposals] == [9, None]
    grid = {"type": "grid", "stat_energy_from": "sensor.energy_drawn"}
    listed = [energy("sensor.energy_drawn")]
    (proposal,) = propose(listed, {"energy_sources": [grid]}, (), powers)
    assert proposal.subscribed_kva == 9


@pytest.mark.parametrize(
    ("value", "unit", "power"),
    [
        ("6", "kVA", 6),
        ("6.0", "kVA", 6),
        ("6600", "VA", 7),
        ("6.6", "kVA", 7),
        ("36", "kVA", 36),
        ("37", "kVA", None),
        ("0", "kVA", None),
        ("-6", "kVA", None),
        ("6", "A", None),
        ("nan", "kVA", None),
        ("inf", "kVA", None),
        ("unavailable", "kVA", None),
    ],
)
def test_a_subscribed_power_is_whole_and_possible(value: str, unit: str, power: int | None) -> None:
    registry = {"entities": [entity("energy_drawn"), entity("subscribed_power")]}
    powers = subscribed_powers(registry, [state("subscribed_power", value, unit)])
    assert powers.get(StatisticId("sensor.energy_drawn")) == power


@pytest.mark.parametrize("registry", [None, {}, {"entities": []}])
def test_without_a_registry_no_subscribed_power_is_known(registry: object) -> None:
    assert subscribed_powers(registry, [state("subscribed_power", "6")]) == {}
