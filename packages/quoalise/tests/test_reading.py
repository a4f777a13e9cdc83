"""What elements are read and written as, and what a refusal says of them."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from xml.etree.ElementTree import Element, SubElement

import pytest

from consometers_quoalise.bounds import OTHER
from consometers_quoalise.elements.markup import LANG, parse, serialise, tag
from consometers_quoalise.elements.reading import Reader, uuid, whole_number
from consometers_quoalise.errors import Malformed
from consometers_quoalise.problems import Problem


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


def reader(*children: str, **attributes: str) -> Reader:
    element = Element("a", attributes)
    for child in children:
        SubElement(element, child)
    return Reader(element, "place/a")


def refusal(read: Callable[[], object]) -> tuple[str, str, Mapping[str, object]]:
    with pytest.raises(Malformed) as refused:
        read()
    return refused.value.place, refused.value.code, refused.value.details


@pytest.mark.parametrize(
    ("read", "place", "problem", "details"),
    [
        (
            lambda: serialise(Element("a", b="\x01")),
            "document",
            Problem.NOT_FOR_XML,
            {"found": "U+0001"},
        ),
        (
            lambda: serialise(Element("a"), 3),
            "document",
            Problem.TOO_LARGE,
            {"found": "4", "most": 3},
        ),
        (
            lambda: reader(title="x" * (OTHER + 46)).text("title"),
            "place/a@title",
            Problem.TOO_LONG,
            {"found": "301", "most": 300},
        ),
        (
            lambda: reader(**{LANG: "français"}).language(),
            "place/a@lang",
            Problem.NOT_A_LANGUAGE,
            {"found": "français"},
        ),
        (lambda: reader().language(required=True), "place/a@lang", Problem.NO_ATTRIBUTE, {}),
        (
            lambda: reader(b="green").choice("b", Colour),
            "place/a@b",
            Problem.NOT_A_CHOICE,
            {"found": "green", "wanted": "red, blue"},
        ),
        (
            lambda: reader(b="1800").duration("b"),
            "place/a@b",
            Problem.NOT_A_DURATION,
            {"found": "1800"},
        ),
        (lambda: reader(b="noon").moment("b"), "place/a@b", Problem.NOT_A_TIME, {"found": "noon"}),
        (
            lambda: reader().only(tag("urn:b", "b")),
            "place/a",
            Problem.NO_ELEMENT,
            {"wanted": "b xmlns='urn:b'"},
        ),
        (
            lambda: reader("b", "b").only("b"),
            "place/a",
            Problem.TWO_ELEMENTS,
            {"wanted": "b"},
        ),
        (
            lambda: list(reader().each(tag("urn:b", "text"), required=True)),
            "place/a",
            Problem.NO_ELEMENT,
            {"wanted": "text xmlns='urn:b'"},
        ),
        (lambda: uuid("1", "place"), "place", Problem.NOT_A_UUID, {"found": "1"}),
        (
            lambda: whole_number("-1", "place"),
            "place",
            Problem.NOT_A_COUNT,
            {"found": "-1", "least": 0},
        ),
    ],
)
def test_a_refusal_says_where_what_and_what_is_wanted(
    read: Callable[[], object], place: str, problem: Problem, details: Mapping[str, object]
) -> None:
    assert refusal(read) == (place, problem, details)


def test_what_is_not_required_has_a_default() -> None:
    assert reader().language() == "en"
    assert whole_number("0", "place") == 0
    assert reader(title="x" * 300).text("title") == "x" * 300


def test_a_carriage_return_is_not_lost() -> None:
    element = Element("a")
    element.text = "b\rc"
    assert parse(serialise(element)).text == "b\rc"
