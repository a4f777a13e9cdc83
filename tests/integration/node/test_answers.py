"""What a node answers, understood or not."""

from datetime import UTC, datetime
from math import nan
from typing import Any

import pytest

from custom_components.consometers.node import answers

from .toy import (
    DOCUMENTED as NODE,
    challenge,
    collective,
    part,
    permission,
    plant,
    sums,
    today,
)


def test_the_documented_answer_is_parsed() -> None:
    node = answers.node(NODE)
    (of_collective,) = node.collectives
    (granted,) = of_collective.permissions
    (school,) = node.plants.values()
    assert school.last is not None
    assert (school.shares, school.total_shares, school.last.mean_w(school.last.production)) == (
        5,
        720,
        12,
    )
    assert (node.id, node.version, node.online) == (NODE["id"], NODE["version"], True)
    assert node.home_assistant.connected
    assert of_collective.acknowledged_until == datetime(2026, 11, 24, 18, tzinfo=UTC)
    assert (of_collective.waiting, of_collective.paused) == (2, False)
    assert granted.granted
    assert granted.valid_until == datetime(2028, 11, 24, 18, 30, tzinfo=UTC)
    assert of_collective.challenge is not None
    assert node.collective("1") is of_collective
    assert node.collective("2") is None


def test_unknown_keys_are_ignored() -> None:
    more = {"more": {"of": "it"}}
    extended = {**NODE, **more, "collectives": [{**collective(), **more}]}
    assert (
        answers.node(extended).collectives
        == answers.node({**NODE, "collectives": [collective()]}).collectives
    )


def test_a_missing_account_is_none() -> None:
    assert answers.node({**NODE, "account": None, "online": False}).account is None


STANDING = challenge()["standing"]
LAST, MONTH = plant()["last"], plant()["month"]
INVALID_COLLECTIVES: list[dict[str, Any]] = [
    {"waiting": -1},
    {"waiting_since": "2026-11-24T18:00:00"},
    {"waiting_since": "yesterday"},
    {"waiting_since": 1764000000},
    {"permissions": [permission(title="Daily")]},
    *(
        {"challenge": challenge(**changes)}
        for changes in (
            {"name": "The Great Challenge"},
            {"from": "soon"},
            {"objective": 0},
            {"participants": "five"},
            {"standing": {**STANDING, "change": nan}},
            {"standing": {**STANDING, "low": "-9"}},
            {"standing": {**STANDING, "rank_first": 0}},
            {"standing": {"change": -6.2}},
        )
    ),
    *(
        {"plants": [plant(**changes)]}
        for changes in (
            {"id": "../x"},
            {"shares": -1},
            {"total_shares": 0},
            {"corrected": None},
            {"statistic": None},
            {"last": {**LAST, "end": LAST["start"]}},
            {"last": {**LAST, "production": -1}},
            {"month": {**MONTH, "coverage": nan}},
            {"month": {**MONTH, "coverage": -0.1}},
            {"today": {"date": "today"}},
        )
    ),
    *(
        {"sums": answered}
        for answered in (
            list[object](),
            dict[str, object](),
            sums(problem="No."),
            part("last", end="2026-11-24T17:00:00+00:00"),
            part("last", start="2026-11-24T17:00:00"),
            part("last", consumption=-1),
            part("last", consumption=10**15 + 1),
            part("last", production=5.5),
            part("last", members=-1),
            part("today", date="today"),
            part("today", date=20261124),
            part("today", figures=None),
            part("today", figures={}),
            today(consumption=-1),
            today(self_consumption="0.9"),
            today(self_sufficiency=nan),
            today(self_sufficiency=-0.1),
            part("month", month="2026-10-01"),
            part("month", median="390000"),
            part("statistics", consumption="sensor.linky_energy_drawn"),
            part("statistics", production="consometers:collective/1"),
        )
    ),
]


@pytest.mark.parametrize(
    "changes",
    [
        {"id": ""},
        {"id": None},
        {"online": "yes"},
        {"problem": {"fr": None}},
        {"home_assistant": None},
        {"collectives": {}},
        {"api": "1"},
        {"api": None},
        *({"collectives": [collective(**changes)]} for changes in INVALID_COLLECTIVES),
    ],
    ids=repr,
)
def test_undocumented_values_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(answers.NotAnAnswer):
        answers.node({**NODE, **changes})


def sums_of(answered: object) -> answers.Sums | None:
    (understood,) = answers.node({**NODE, "collectives": [collective(sums=answered)]}).collectives
    return understood.sums


@pytest.mark.parametrize(
    ("end", "mean_w"), [("17:30:00", 46_900), ("18:00:00", 23_450), ("19:00:00", 11_725)]
)
def test_a_power_is_the_mean_over_its_interval(end: str, mean_w: int) -> None:
    understood = sums_of(part("last", end=f"2026-11-24T{end}+00:00"))
    assert understood is not None
    assert understood.last is not None
    assert understood.last.mean_w(understood.last.consumption) == mean_w
    assert understood.last.mean_w(None) is None


def test_an_older_node_has_no_sums() -> None:
    assert "sums" not in collective()
    (understood,) = answers.node({**NODE, "collectives": [collective()]}).collectives
    assert understood.sums is None
    assert sums_of(None) is None


def test_missing_sums_are_none() -> None:
    nothing = answers.Sums(last=None, today=None, month=None, statistics=None, problem=None)
    assert sums_of(dict.fromkeys(sums())) == nothing
    for name, fixed in (("last", 2), ("month", 1), ("statistics", 0)):
        present = list(sums()[name])[:fixed]
        answered = {key: value if key in present else None for key, value in sums()[name].items()}
        understood = getattr(sums_of(sums(**{name: answered})), name)
        assert [key for key in answered if getattr(understood, key) is not None] == present


@pytest.mark.parametrize(("mine", "median"), [(None, 390_000), (412_000, None), (412_000, 0)])
def test_the_difference_needs_both_months(mine: int | None, median: int | None) -> None:
    understood = sums_of(part("month", mine=mine, median=median))
    assert understood is not None
    assert understood.month is not None
    assert understood.month.difference is None


@pytest.mark.parametrize("field", [field for field in NODE if field != "api"])
def test_a_missing_key_is_refused(field: str) -> None:
    with pytest.raises(answers.NotAnAnswer):
        answers.node({key: value for key, value in NODE.items() if key != field})


@pytest.mark.parametrize("answer", [None, [], "node", 1, {}])
def test_other_types_than_objects_are_refused(answer: object) -> None:
    with pytest.raises(answers.NotAnAnswer):
        answers.node(answer)


def test_a_newer_version_is_refused_before_its_fields_are_parsed() -> None:
    with pytest.raises(answers.VersionTooNew):
        answers.node({"api": 2})


def test_words_fall_back_to_english_then_to_any_language() -> None:
    words = {"en": "Yes", "fr": "Oui"}
    assert answers.words_in("fr", words) == "Oui"
    assert answers.words_in("br", words) == "Yes"
    assert answers.words_in("en", {"fr": "Oui"}) == "Oui"
    assert answers.words_in("en", {}) == ""
