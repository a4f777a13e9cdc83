"""Every reason for an unpublished figure has one row; readers see no more of it than they may."""

import re

import pytest

from consometers_node.collective.disclosure.reasons import (
    INTERVAL_REASONS,
    PUBLIC_REASONS,
    Reason,
    Withheld,
)

ADMINISTRATORS_ONLY = [reason for reason in Reason if reason not in PUBLIC_REASONS]


def test_administrators_alone_may_know_what_discloses_something_about_homes() -> None:
    assert {Reason.DOMINANCE, Reason.NOT_OPENED} <= {*ADMINISTRATORS_ONLY}
    assert Reason.BELOW_THRESHOLD in PUBLIC_REASONS


@pytest.mark.parametrize("reason", ADMINISTRATORS_ONLY)
def test_readers_cannot_tell_such_a_reason_from_too_few_homes(reason: Reason) -> None:
    """Neither by words, nor by code, nor by two lines where others have one."""
    withheld, few = Withheld(reason, 10), Withheld(Reason.BELOW_THRESHOLD, 10)
    assert withheld == few
    assert (withheld.reason, withheld.words.say()) == (few.reason, few.words.say())
    assert len({withheld, few}) == 1


@pytest.mark.parametrize("reason", Reason)
def test_each_reason_has_a_code_and_words_in_both_languages(reason: Reason) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", reason)
    assert Reason(reason.value) is reason
    for words in (reason.short, Withheld(reason, 10).words):
        assert "" != words.say("en") != words.say("fr") != ""
        assert "{" not in Withheld(reason, 10).words.say("fr")


def test_what_closes_an_interval_without_a_sum_has_a_remedy() -> None:
    without = {reason for reason in INTERVAL_REASONS if reason.remedy is None}
    assert without == {Reason.NOT_YET}
