"""The element `<letter>`: a collective's message to a household, in plain text."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from xml.etree.ElementTree import Element, SubElement

from consometers_quoalise import iso8601
from consometers_quoalise.elements.markup import LANG, check_depth, tag
from consometers_quoalise.elements.reading import Reader
from consometers_quoalise.languages import ByLanguage

from .permissions import NAMESPACE

LETTER: Final = tag(NAMESPACE, "letter")
_BODY: Final = tag(NAMESPACE, "body")


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message, written at `time`. Its `body` is plain text on lines, in each language."""

    id: str
    time: datetime
    body: ByLanguage = field(repr=False)


def write_letter(letter: Letter) -> Element:
    """Return the `<letter>`."""
    element = Element(LETTER, {"id": letter.id, "time": iso8601.shown(letter.time)})
    for language, lines in letter.body.items():
        SubElement(element, _BODY, {LANG: language}).text = lines
    return element


def read_letter(element: Element) -> Letter:
    """Read a `<letter>`. Raises `Malformed`."""
    check_depth(element)
    letter = Reader(element, "letter").expect(LETTER)
    bodies = letter.each(_BODY, required=True)
    return Letter(
        id=letter.uuid("id"),
        time=letter.moment("time"),
        body={body.language(required=True): body.lines() for body in bodies},
    )
