"""The pages about protected sums state the numbers and the words of the program."""

from collections.abc import Mapping
from math import isqrt, log2
from pathlib import Path
import re

import pytest

from consometers_node.collective.disclosure.sdc_rules import P_PERCENT
from consometers_node.collective.monitoring.metrics import REFUSALS
from consometers_node.series import Direction
from consometers_node.web.public.witness import WRONG_CODES
from consometers_protected_sums.codes import LETTER_COUNT, LETTERS
from consometers_protected_sums.exchange import Refusal
from consometers_protected_sums.field import ELEMENT_BYTES, MODULUS
from consometers_protected_sums.opening import DOMINANCE_PERCENT
from consometers_protected_sums.reports import CIRCUIT, ELEMENTS, MOST_WH
from consometers_quoalise.federation.protected_sums import MAX_REPORTS
from packages.protected_sums.tests.independent import KEPT, WAITED

DOCS = Path(__file__).parents[3] / "docs"
LANGUAGES = ("en", "fr")
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
PASSES = 2 * (CIRCUIT.order - 1) / (MODULUS - CIRCUIT.order)
"""The bound of the probability that an invalid report passes."""
SQUARES = {percent: 1 / (1 + (1 + percent / 100) ** 2) for percent in P_PERCENT}
"""The least sum of squares of a suppressed cell, by the parameter of the p % rule."""
HOURS_OF_TEN_YEARS = round(24 * 3_652.5)


def page(name: str, language: str) -> str:
    """Return a page with its numbers written as in English."""
    text = (DOCS / (f"{name}.md" if language == "en" else f"{name}.fr.md")).read_text()
    text = re.sub("[\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}]", " ", text)
    if language == "fr":
        text = re.sub(r"(?<=\d),(?=\d)", ".", text)
        text = re.sub(r"(?<=\d) (?=\d{3}\b)", ",", text)
    return text


def scientific(number: float) -> str:
    digits, _, power = f"{number:.1e}".partition("e")
    return f"{digits.removesuffix('.0')} · 10{str(int(power)).translate(SUPERSCRIPTS)}"


def years(seconds: float) -> float:
    return seconds / 3600 / 24 / 365.25


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_specification_states_how_long_keys_and_hours_wait(language: str) -> None:
    text = page("protected-sums-specification", language)
    stated = {int(days) for days in re.findall(r"(\d+) (?:days|jours)", text)}
    assert stated == {KEPT.days, WAITED.days}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["protected-sums", "witness"])
def test_pages_for_people_state_how_long_a_witness_has_keys(name: str, language: str) -> None:
    text = page(name, language)
    assert re.search(rf"\b{KEPT.days} (?:days|jours)", text)
    assert f"{MOST_WH:,} Wh" in text or name == "witness"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_specification_states_the_numbers_of_the_circuit(language: str) -> None:
    text = page("protected-sums-specification", language)
    words: Mapping[str, tuple[str, ...]] = {
        "en": (
            f"The **measurement** has {CIRCUIT.measured} elements",
            f"The **proof** has {CIRCUIT.proof_length} elements",
            f"each of these {ELEMENTS} elements",
            f"{ELEMENTS * ELEMENT_BYTES} bytes, with",
            f"α of order {CIRCUIT.order}",
            f"more than {MAX_REPORTS};",
        ),
        "fr": (
            f"La **mesure** a {CIRCUIT.measured} éléments",
            f"La **preuve** a {CIRCUIT.proof_length} éléments",
            f"chacun de ces {ELEMENTS} éléments",
            f"{ELEMENTS * ELEMENT_BYTES} octets, avec",
            f"α d’ordre {CIRCUIT.order}",
            f"plus de {MAX_REPORTS} ;",
        ),
    }
    assert [each for each in words[language] if each not in text] == []
    assert [reason for reason in Refusal if f"`{reason}`" not in text] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_analysis_states_the_bound_of_soundness(language: str) -> None:
    text = page("protected-sums-security", language)
    homes, directions = 10_000, len(Direction)
    of_ten_years = homes * directions * HOURS_OF_TEN_YEARS * PASSES
    assert f"{2 * (CIRCUIT.order - 1)}/(*p* − {CIRCUIT.order}) = {scientific(PASSES)}" in text
    assert PASSES < 2**-58 < 2 * PASSES
    rows = [cells.split("|")[2].strip() for cells in text.splitlines() if "10⁻" in cells[-20:]]
    assert rows[:2] == [scientific(PASSES), scientific(100_000 * PASSES)]
    # It is rounded up.
    assert of_ten_years < 8.9e-9 < 1.01 * of_ten_years
    assert rows[2] == scientific(8.9e-9)
    assert round(log2(CIRCUIT.order / MODULUS)) == -59
    assert "2⁻⁵⁹" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_analysis_states_the_bounds_of_dominance(language: str) -> None:
    text = page("protected-sums-security", language)
    for percent in (P_PERCENT[0], P_PERCENT[-1]):
        least = SQUARES[percent]
        # What is stated is below it.
        stated = f"{int(least * 1e5) / 1e3:.3f} %"
        shares = [(1 + percent / 100) * least, 1 - (1 + percent / 100) ** 2 * least]
        assert sum(share**2 for share in shares) == pytest.approx(least)
        (row,) = (line for line in text.splitlines() if line.startswith(f"| {percent} % |"))
        assert stated in row
        assert all(f"{share:.2f}" in row for share in shares)
    low, high = DOMINANCE_PERCENT[0], DOMINANCE_PERCENT[-1]
    assert high / 100 < SQUARES[P_PERCENT[0]]
    assert re.search(rf"{low} (and|et) {high} %", text)
    assert f"√0.{high} = {isqrt(high * 100)} %" in text
    assert f"1/0.{high} = {100 / high:.1f}" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_analysis_states_how_long_codes_resist(language: str) -> None:
    text = page("protected-sums-security", language)
    bits = LETTER_COUNT * log2(len(LETTERS))
    assert bits == 80
    chance = 10_000 / 2**bits
    assert scientific(chance).replace("8.3", "8") in text
    seconds = 1 / chance / 1_000_000
    assert f"{scientific(seconds)} s" in text
    assert f"{years(seconds) / 1e6:.1f} million" in text
    assert WRONG_CODES == 10


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_for_operators_explains_every_reason(language: str) -> None:
    text = page("witness", language).replace("’", "'")
    words = {reason: phrase.say(language).replace("’", "'") for reason, phrase in REFUSALS.items()}
    assert [reason for reason, phrase in words.items() if phrase not in text] == []
