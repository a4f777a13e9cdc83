"""Words in the languages that people read."""

import pytest

from consometers_node.quoalise import Text
from consometers_node.quoalise.text import around, text, verbatim


def test_a_sentence_of_ours_is_there_in_all_our_languages() -> None:
    said = text("There is no such permission.")
    assert said.say("en") == "There is no such permission."
    assert said.say("fr-CA") == "Il n’y a pas de telle autorisation."
    assert said.say("de") == said.say("en")
    assert dict(said.by_language) == {"en": said.say("en"), "fr": said.say("fr")}
    assert said == text("There is no such permission.") == Text(dict(said.by_language))
    assert said != text("Yes")
    with pytest.raises(KeyError):
        said.by_language["de"]


def test_a_context_tells_sentences_apart_that_are_the_same_in_english() -> None:
    assert text("Until").say("fr") == "Jusqu’au"
    assert text("Until", context="end of a period").say("fr") == "Au"
    assert text("Until", context="end of a period").say("en") == "Until"


def test_a_sentence_without_a_translation_stays_english() -> None:
    assert text("No catalogue has this.").say("fr") == "No catalogue has this."


def test_words_are_filled_in_in_each_language() -> None:
    said = text("{name} is shown as a site.").fill(name="École")
    assert said.say("fr") == "École est montré comme site."
    template = text("{name} cannot be used: {said}.")
    whole = around(template, Text({"en": "no", "fr": "non"}), name="a")
    assert whole == Text({"en": "a cannot be used: no.", "fr": "a est inutilisable : non."})


def test_a_name_is_the_same_in_all_our_languages() -> None:
    assert verbatim("Lorient") == Text({"en": "Lorient", "fr": "Lorient"})


def test_words_of_no_language_are_empty() -> None:
    assert Text({}).say("fr") == ""
    assert Text({"br": "Demat"}).say("fr") == "Demat"
