"""One element under its path: its attributes and children with their types, or an error."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
import re
from xml.etree.ElementTree import Element

from consometers_quoalise import bounds, iso8601
from consometers_quoalise.errors import Malformed
from consometers_quoalise.foreign import clean, clean_lines
from consometers_quoalise.iso8601 import Duration
from consometers_quoalise.languages import DEFAULT_LANGUAGE
from consometers_quoalise.problems import Problem

from .markup import LANG, local, named


@dataclass(frozen=True, slots=True)
class Reader:
    """An element and its path. Every method raises `Malformed`, and nothing else."""

    element: Element
    place: str

    def expect(self, name: str) -> Reader:
        """Return itself if the element has that name."""
        if self.element.tag != name:
            other = named(str(self.element.tag))
            raise Malformed(self.place, Problem.OTHER_ELEMENT, found=other, wanted=named(name))
        return self

    def text(self, name: str) -> str:
        """Return a required attribute: not empty, and within `bounds`."""
        value = self.element.get(name)
        if value is None:
            raise Malformed(self.at(name), Problem.NO_ATTRIBUTE)
        return bounded(value, local(name), self.at(name))

    def language(self, *, required: bool = False) -> str:
        """Return the language of the element; English where none is given and none is required."""
        if not required and not self.element.get(LANG):
            return DEFAULT_LANGUAGE
        tag = self.text(LANG)
        if not _LANGUAGE.fullmatch(tag):
            raise Malformed(self.at(LANG), Problem.NOT_A_LANGUAGE, found=tag)
        return tag

    def uuid(self, name: str) -> str:
        """Return the id of a permission, which is a UUID and nothing else."""
        return uuid(self.text(name), self.at(name))

    def choice[Choice: StrEnum](self, name: str, choices: type[Choice]) -> Choice:
        value = self.text(name)
        if value not in choices:
            wanted = ", ".join(choices)
            raise Malformed(self.at(name), Problem.NOT_A_CHOICE, found=value, wanted=wanted)
        return choices(value)

    def count(self, name: str, least: int = 0) -> int:
        return whole_number(self.text(name), self.at(name), least)

    def duration(self, name: str) -> Duration:
        return iso8601.duration(self.text(name), self.at(name))

    def moment(self, name: str) -> datetime:
        return iso8601.moment(self.text(name), self.at(name))

    def day(self, name: str) -> date:
        return iso8601.day(self.text(name), self.at(name))

    def only(self, name: str) -> Reader:
        children = self.element.findall(name)
        if not children:
            raise Malformed(self.place, Problem.NO_ELEMENT, wanted=named(name))
        if len(children) > 1:
            raise Malformed(self.place, Problem.TWO_ELEMENTS, wanted=named(name))
        return Reader(children[0], f"{self.place}/{local(name)}")

    def each(self, name: str, *, required: bool = False) -> Iterator[Reader]:
        """Return the children of that name: at most what `bounds` allows, one if required."""
        children = self.element.findall(name)
        if required and not children:
            raise Malformed(self.place, Problem.NO_ELEMENT, wanted=named(name))
        check_count(children, name, self.place)
        for number, child in enumerate(children, 1):
            yield Reader(child, f"{self.place}/{local(name)}[{number}]")

    def words(self) -> str:
        """Return the text of the element: not empty, and within `bounds`."""
        return bounded(self.element.text or "", local(self.element.tag), self.place)

    def lines(self) -> str:
        """Return the text of the element on its lines: not empty, and within `bounds`."""
        sent = self.element.text or ""
        return bounded(sent, local(self.element.tag), self.place, clean_lines)

    def texts(self, name: str, *, required: bool = False) -> dict[str, str]:
        """Return the texts in the children of that name, one in each language."""
        children = self.each(name, required=required)
        return {child.language(): child.words() for child in children}

    def at(self, name: str) -> str:
        """Return the path of an attribute."""
        return f"{self.place}@{local(name)}"


def bounded(sent: str, name: str, place: str, cleaned: Callable[[str], str] = clean) -> str:
    """Return a field without what `foreign` drops. Raises `Malformed`."""
    value = cleaned(sent)
    if not value:
        raise Malformed(place, Problem.NO_TEXT)
    if len(value) > (most := bounds.characters(name)):
        raise Malformed(place, Problem.TOO_LONG, found=len(value), most=most)
    return value


def check_count(children: Sequence[Element], name: str, place: str) -> None:
    """Refuse more elements of a name than `bounds` allows. Raises `Malformed`."""
    if len(children) > (most := bounds.ELEMENTS[local(name)]):
        count, wanted = len(children), named(name)
        raise Malformed(place, Problem.TOO_MANY_ELEMENTS, found=count, wanted=wanted, most=most)


def whole_number(sent: str, place: str, least: int = 0) -> int:
    """Read a whole number of not too many digits. Raises `Malformed`."""
    digits = sent.isascii() and sent.isdecimal() and len(sent) <= _MAX_DIGITS
    if not digits or int(sent) < least:
        raise Malformed(place, Problem.NOT_A_COUNT, found=sent, least=least)
    return int(sent)


def uuid(sent: str, place: str) -> str:
    """Read the id of a permission, a UUID in its usual form. Raises `Malformed`."""
    if not _UUID.fullmatch(sent):
        raise Malformed(place, Problem.NOT_A_UUID, found=sent)
    return sent


_MAX_DIGITS = 12
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")
