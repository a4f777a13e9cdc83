"""No requirement is forgotten."""

import pytest

from quoalise_conformance.checks.unseen import UNSEEN
from quoalise_conformance.client import CHECKS as OF_CLIENTS
from quoalise_conformance.requirements import Level, requirements
from quoalise_conformance.results import SCHEMA
from quoalise_conformance.server import CHECKS as OF_SERVERS
from quoalise_conformance.words import WORDS


def test_each_is_tried_in_a_mode_or_has_a_reason() -> None:
    tried = (OF_SERVERS.keys() | OF_CLIENTS.keys()) - {SCHEMA}
    assert tried | UNSEEN.keys() == requirements().keys()
    assert tried & UNSEEN.keys() == set()


def test_the_reasons_have_words() -> None:
    assert WORDS.keys() >= set(UNSEEN.values())


@pytest.mark.parametrize(
    "number", [n for n, reason in UNSEEN.items() if reason == "unseen_optional"]
)
def test_what_demands_nothing_is_optional(number: str) -> None:
    assert requirements()[number].level is Level.MAY


def test_the_sentences_are_in_both_languages_without_markup() -> None:
    for requirement in requirements().values():
        for sentence in requirement.sentences.values():
            assert "](" not in sentence
            assert "`" not in sentence
        assert requirement.sentences["en"] != requirement.sentences["fr"]
