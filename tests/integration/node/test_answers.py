"""What a node answers, understood or not."""

from datetime import UTC, datetime
from typing import Any

import pytest

from custom_components.consometers.node import answers

from .toy import collective, documented, permission

NODE = documented()


def test_the_documented_answer_is_understood() -> None:
    node = answers.node(NODE)
    (of_collective,) = node.collectives
    (granted,) = of_collective.permissions
    assert (node.id, node.version, node.online) == (NODE["id"], NODE["version"], True)
    assert node.home_assistant.connected
    assert of_collective.acknowledged_until == datetime(2026, 11, 24, 18, tzinfo=UTC)
    assert (of_collective.waiting, of_collective.paused) == (2, False)
    assert granted.granted
    assert granted.valid_until == datetime(2028, 11, 24, 18, 30, tzinfo=UTC)
    assert node.collective("1") is of_collective
    assert node.collective("2") is None


def test_what_was_added_within_the_version_is_left_alone() -> None:
    more = {"more": {"of": "it"}}
    extended = {**NODE, **more, "collectives": [{**collective(), **more}]}
    assert (
        answers.node(extended).collectives
        == answers.node({**NODE, "collectives": [collective()]}).collectives
    )


def test_an_account_that_is_not_there_yet_is_none() -> None:
    assert answers.node({**NODE, "account": None, "online": False}).account is None


@pytest.mark.parametrize(
    "changes",
    [
        {"id": ""},
        {"id": None},
        {"online": "yes"},
        {"problem": {"fr": None}},
        {"home_assistant": None},
        {"collectives": {}},
        {"collectives": [collective(waiting=-1)]},
        {"collectives": [collective(waiting_since="2026-11-24T18:00:00")]},
        {"collectives": [collective(waiting_since="yesterday")]},
        {"collectives": [collective(waiting_since=1764000000)]},
        {"collectives": [collective(permissions=[permission(title="Daily")])]},
        {"api": "1"},
        {"api": None},
    ],
    ids=repr,
)
def test_what_is_not_as_documented_is_no_answer(changes: dict[str, Any]) -> None:
    with pytest.raises(answers.NotAnAnswer):
        answers.node({**NODE, **changes})


@pytest.mark.parametrize("field", [field for field in NODE if field != "api"])
def test_what_lacks_is_no_answer(field: str) -> None:
    with pytest.raises(answers.NotAnAnswer):
        answers.node({key: value for key, value in NODE.items() if key != field})


@pytest.mark.parametrize("answer", [None, [], "node", 1, {}])
def test_what_is_no_object_is_no_answer(answer: object) -> None:
    with pytest.raises(answers.NotAnAnswer):
        answers.node(answer)


def test_a_version_that_is_not_known_yet_is_said_so_whatever_else_it_says() -> None:
    with pytest.raises(answers.VersionTooNew):
        answers.node({"api": 2})


def test_words_are_given_in_a_language_or_as_they_are() -> None:
    words = {"en": "Yes", "fr": "Oui"}
    assert answers.words_in("fr", words) == "Oui"
    assert answers.words_in("br", words) == "Yes"
    assert answers.words_in("en", {"fr": "Oui"}) == "Oui"
    assert answers.words_in("en", {}) == ""
