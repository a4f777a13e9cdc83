"""One element under its path: its attributes and children with their types, or an error."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from xml.etree.ElementTree import Element

from . import iso8601
from .errors import Malformed
from .iso8601 import Duration
from .markup import LANG, local, named
from .problems import Problem
from .text import DEFAULT_LANGUAGE, Text


@dataclass(frozen=True, slots=True)
class Reader:
    """An element and its path. Every method raises `Malformed`, and nothing else."""

    element: Element
    place: str

    def expect(self, name: str) -> Reader:
        """Give itself if the element has that name."""
        if self.element.tag != name:
            found = named(str(self.element.tag))
            raise Malformed(self.place, Problem.OTHER_ELEMENT, found=found, wanted=named(name))
        return self

    def text(self, name: str) -> str:
        """Give an attribute that must be there, and not empty."""
        value = self.element.get(name)
        if value is None:
            raise Malformed(self.at(name), Problem.NO_ATTRIBUTE)
        if not value.strip():
            raise Malformed(self.at(name), Problem.NO_TEXT)
        return value.strip()

    def choice[Choice: StrEnum](self, name: str, choices: type[Choice]) -> Choice:
        value = self.text(name)
        if value not in choices:
            wanted = ", ".join(choices)
            raise Malformed(self.at(name), Problem.NOT_A_CHOICE, found=value, wanted=wanted)
        return choices(value)

    def count(self, name: str, least: int = 0) -> int:
        value = self.text(name)
        digits = value.isascii() and value.isdecimal() and len(value) <= _MAX_DIGITS
        if not digits or int(value) < least:
            raise Malformed(self.at(name), Problem.NOT_A_COUNT, found=value, least=least)
        return int(value)

    def duration(self, name: str) -> Duration:
        return iso8601.duration(self.text(name), self.at(name))

    def moment(self, name: str) -> datetime:
        return iso8601.moment(self.text(name), self.at(name))

    def only(self, name: str) -> Reader:
        """Give the one child of that name."""
        found = self.element.findall(name)
        if not found:
            raise Malformed(self.place, Problem.NO_ELEMENT, wanted=named(name))
        if len(found) > 1:
            raise Malformed(self.place, Problem.TWO_ELEMENTS, wanted=named(name))
        return Reader(found[0], f"{self.place}/{local(name)}")

    def each(self, name: str) -> Iterator[Reader]:
        """Give the children of that name."""
        for number, child in enumerate(self.element.findall(name), 1):
            yield Reader(child, f"{self.place}/{local(name)}[{number}]")

    def words(self) -> str:
        """Give what stands in the element, which must not be empty."""
        words = (self.element.text or "").strip()
        if not words:
            raise Malformed(self.place, Problem.NO_TEXT)
        return words

    def texts(self, name: str, *, required: bool = False) -> Text:
        """Give what stands in the children of that name, one in each language."""
        texts = {
            child.element.get(LANG, DEFAULT_LANGUAGE): child.words() for child in self.each(name)
        }
        if required and not texts:
            raise Malformed(self.place, Problem.NO_ELEMENT, wanted=named(name))
        return Text(texts)

    def at(self, name: str) -> str:
        """Give the path of an attribute."""
        return f"{self.place}@{local(name)}"


_MAX_DIGITS = 12
