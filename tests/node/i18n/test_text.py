"""Words in the languages that people read."""

import pytest

from consometers_node.i18n.text import Text, around, text, verbatim


def test_our_sentences_exist_in_all_languages() -> None:
    sentence = text("There is no such permission.")
    assert sentence.say("en") == "There is no such permission."
    assert sentence.say("fr-CA") == "Cette autorisation n’existe pas."
    assert sentence.say("de") == sentence.say("en")
    assert dict(sentence.by_language) == {"en": sentence.say("en"), "fr": sentence.say("fr")}
    assert sentence == text("There is no such permission.") == Text(dict(sentence.by_language))
    assert sentence != text("Yes")
    with pytest.raises(KeyError):
        sentence.by_language["de"]


def test_a_context_separates_equal_english_sentences() -> None:
    assert text("Until").say("fr") == "Jusqu’au"
    assert text("Until", context="end of a period").say("fr") == "Au"
    assert text("Until", context="end of a period").say("en") == "Until"


def test_a_sentence_without_a_translation_stays_english() -> None:
    assert text("No catalogue has this.").say("fr") == "No catalogue has this."


def test_placeholders_are_filled_in_each_language() -> None:
    sentence = text("{name} is shown as a site.").fill(name="École")
    assert sentence.say("fr") == "École est montré comme site."
    template = text("{name} cannot be used: {said}.")
    whole = around(template, Text({"en": "no", "fr": "non"}), name="a")
    assert whole == Text({"en": "a cannot be used: no.", "fr": "a est inutilisable : non."})


def test_verbatim_text_is_the_same_in_all_languages() -> None:
    assert verbatim("Lorient") == Text({"en": "Lorient", "fr": "Lorient"})


def test_text_falls_back_to_any_language_or_to_nothing() -> None:
    assert Text({}).say("fr") == ""
    assert Text({"br": "Demat"}).say("fr") == "Demat"
