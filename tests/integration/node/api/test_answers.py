"""What a node answers, understood or not."""

from datetime import UTC, datetime
from math import nan
from typing import Any

import pytest

from custom_components.consometers.node.api import answers
from testing.integration.toy_node import (
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
UNKNOWN: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"waiting_since": "2026-11-24T18:00:00"}, {}),
    ({"waiting_since": "yesterday"}, {}),
    ({"waiting_since": 1764000000}, {}),
    ({"problem": {"fr": None}}, {}),
    ({"permissions": [permission(title="Daily"), permission()]}, {"permissions": [permission()]}),
    *(
        ({"challenge": challenge(**changes)}, {})
        for changes in (
            {"name": "The Great Challenge"},
            {"from": "soon"},
            {"objective": 0},
            {"participants": "five"},
        )
    ),
    *(
        ({"challenge": challenge(standing=standing)}, {"challenge": challenge(standing=None)})
        for standing in (
            {**STANDING, "change": nan},
            {**STANDING, "low": "-9"},
            {**STANDING, "rank_first": 0},
            {"change": -6.2},
        )
    ),
    *(
        ({"plants": [plant(**changes), plant("other")]}, {"plants": [plant("other")]})
        for changes in (
            {"id": "../x"},
            {"shares": -1},
            {"total_shares": 0},
            {"corrected": None},
            {"statistic": None},
        )
    ),
    *(
        ({"plants": [plant(**changes)]}, {"plants": [plant(**instead)]})
        for changes, instead in (
            ({"last": {**LAST, "end": LAST["start"]}}, {"last": None}),
            ({"last": {**LAST, "production": -1}}, {"last": {**LAST, "production": None}}),
            ({"month": {**MONTH, "coverage": nan}}, {"month": {**MONTH, "coverage": None}}),
            ({"month": {**MONTH, "coverage": -0.1}}, {"month": {**MONTH, "coverage": None}}),
            ({"today": {"date": "today"}}, {"today": None}),
        )
    ),
    *(
        ({"sums": answered}, {"sums": instead})
        for answered, instead in (
            (list[object](), None),
            (dict[str, object](), None),
            (sums(problem="No."), sums(problem=None)),
            (part("last", end="2026-11-24T17:00:00+00:00"), sums(last=None)),
            (part("last", start="2026-11-24T17:00:00"), sums(last=None)),
            (part("last", consumption=-1), part("last", consumption=None)),
            (part("last", consumption=10**15 + 1), part("last", consumption=None)),
            (part("last", production=5.5), part("last", production=None)),
            (part("last", members=-1), part("last", members=None)),
            (part("today", date="today"), sums(today=None)),
            (part("today", date=20261124), sums(today=None)),
            (part("today", figures=None), sums(today=None)),
            (part("today", figures={}), sums(today=None)),
            (today(consumption=-1), today(consumption=None)),
            (today(self_consumption="0.9"), today(self_consumption=None)),
            (today(self_sufficiency=nan), today(self_sufficiency=None)),
            (today(self_sufficiency=-0.1), today(self_sufficiency=None)),
            (part("month", month="2026-10-01"), sums(month=None)),
            (part("month", median="390000"), part("month", median=None)),
            (
                part("statistics", consumption="sensor.linky_energy_drawn"),
                part("statistics", consumption=None),
            ),
            (
                part("statistics", production="consometers:collective/1"),
                part("statistics", production=None),
            ),
        )
    ),
]
"""What a collective may have in its answer, and how it is understood."""


@pytest.mark.parametrize(("changes", "instead"), UNKNOWN, ids=repr)
def test_an_undocumented_value_is_unknown_and_the_rest_stands(
    changes: dict[str, Any], instead: dict[str, Any]
) -> None:
    other = collective("2", sums=sums(), plants=[plant()], challenge=challenge())
    understood, expected = (
        answers.node({**NODE, "collectives": [collective(**each), other]})
        for each in (changes, instead)
    )
    assert understood == expected
    assert len(understood.collectives) == 2


@pytest.mark.parametrize("changes", [{"waiting": -1}, {"name": 3}, {"by_name": "no"}], ids=repr)
def test_a_collective_without_its_own_facts_is_left_out(changes: dict[str, Any]) -> None:
    answered = [collective(**changes), collective("2")]
    assert [each.id for each in answers.node({**NODE, "collectives": answered}).collectives] == [
        "2"
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"id": ""},
        {"id": None},
        {"online": "yes"},
        {"home_assistant": None},
        {"collectives": {}},
        {"api": "1"},
        {"api": None},
    ],
    ids=repr,
)
def test_an_undocumented_envelope_is_refused(changes: dict[str, Any]) -> None:
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
