"""Energy in everyday words."""

import pytest

from consometers_node.web.public.comparisons import kettles, lamps, pupil, washes


@pytest.mark.parametrize(
    ("made", "used", "en", "fr"),
    [
        (0, 9_000, "No sun on our panels", "Pas de soleil"),
        (500, 9_000, "little sun", "peu de soleil"),
        (1_000, 10_000, "power 1.", "en alimentent 1."),
        (4_700, 10_000, "power 4.", "en alimentent 4."),
        (9_999, 10_000, "power 9.", "en alimentent 9."),
        (10_000, 10_000, "more than we use", "plus que nous n’utilisons"),
        (29_000, 10_000, "2 times as much", "2 fois ce que"),
        (5_000, 0, "No sun", "Pas de soleil"),
    ],
)
def test_production_is_compared_with_consumption(
    made: float, used: float, en: str, fr: str
) -> None:
    sentence = lamps(made, used)
    assert en in sentence.say("en")
    assert fr in sentence.say("fr")


def test_numbers_follow_the_language() -> None:
    sentence = washes(1_234_000)
    assert sentence is not None
    assert "1,234 loads of laundry" in sentence.say("en")
    assert "1\u202f234 lessives" in sentence.say("fr")


def test_small_amounts_are_not_compared() -> None:
    assert washes(900) is None
    assert washes(None) is None
    assert kettles(1_000) is None
    assert pupil(None, None) is None


def test_pupils_pedal_by_day_and_charge_phones_by_night() -> None:
    by_day, by_night = pupil(9_200, 50_000), pupil(0, 30_000)
    assert by_day is not None
    assert by_night is not None
    assert "as much as 92 people pedalling" in by_day.say("en")
    assert "recharger 2\u202f000 téléphones" in by_night.say("fr")
