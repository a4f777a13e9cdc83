"""Letters as elements: what is read of one, whatever its sender wrote."""

from collections.abc import Callable
from datetime import UTC, datetime
from xml.etree.ElementTree import Element

import pytest

from consometers_quoalise import Letter, Malformed, Problem, requests
from consometers_quoalise.elements.markup import LANG
from consometers_quoalise.federation.letters import LETTER, read_letter, write_letter

HELLO = Letter(
    id="3b1f8c5e-4d27-4a60-9f3b-1c2d3e4f5a6b",
    time=datetime(2027, 3, 1, 9, tzinfo=UTC),
    body={"fr": "Bonjour,\nà demain.", "en": "Hello,\nsee you tomorrow."},
)


def sent(body: str, language: str = "en") -> Element:
    element = write_letter(HELLO)
    for _ in range(len(element)):
        element.remove(element[0])
    element.append(write_letter(Letter(id=HELLO.id, time=HELLO.time, body={language: body}))[0])
    return element


def test_a_letter_is_read_as_it_was_written() -> None:
    assert requests.read(requests.write(requests.SendLetter(HELLO))) == requests.SendLetter(HELLO)


@pytest.mark.parametrize(
    ("body", "read"),
    [
        ("one\ntwo", "one\ntwo"),
        ("one\r\ntwo\u2028three", "one\ntwo\nthree"),
        ("\n\none\n\n\n\n\ntwo\n\n", "one\n\ntwo"),
        ("evil \u202etxet\u202c", "evil txet"),
        ("bell\a and\ttab", "bell and tab"),
        ("<b>bold</b> [link](https://example.org)", "<b>bold</b> [link](https://example.org)"),
    ],
)
def test_a_body_is_plain_text_on_lines(body: str, read: str) -> None:
    assert read_letter(sent(body)).body == {"en": read}


def _no_id(letter: Element) -> None:
    del letter.attrib["id"]


def _no_language(letter: Element) -> None:
    del letter[0].attrib[LANG]


def _no_body(letter: Element) -> None:
    for body in list(letter):
        letter.remove(body)


def _five_languages(letter: Element) -> None:
    _no_body(letter)
    letter.extend(sent("x", tag)[0] for tag in ("en", "fr", "br", "de", "it"))


def _another_element(letter: Element) -> None:
    letter.tag = LETTER.replace("letter", "note")


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (_no_id, Problem.NO_ATTRIBUTE),
        (lambda letter: letter.set("id", "1"), Problem.NOT_A_UUID),
        (lambda letter: letter.set("time", "yesterday"), Problem.NOT_A_TIME),
        (_no_language, Problem.NO_ATTRIBUTE),
        (_no_body, Problem.NO_ELEMENT),
        (_five_languages, Problem.TOO_MANY_ELEMENTS),
        (_another_element, Problem.OTHER_ELEMENT),
    ],
)
def test_a_letter_that_lacks_something_is_refused(
    spoil: Callable[[Element], None], problem: Problem
) -> None:
    letter = write_letter(HELLO)
    spoil(letter)
    with pytest.raises(Malformed) as refused:
        read_letter(letter)
    assert refused.value.code == problem


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (2_001 * "x", Problem.TOO_LONG),
        (1_001 * "x\n", Problem.TOO_LONG),
        (" \n\u200b\n", Problem.NO_TEXT),
    ],
)
def test_an_empty_or_long_body_is_refused(body: str, problem: Problem) -> None:
    read_letter(sent(2_000 * "x"))
    with pytest.raises(Malformed) as refused:
        read_letter(sent(body))
    assert refused.value.code == problem
