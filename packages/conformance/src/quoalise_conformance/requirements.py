"""The requirements of the protocol, as its specification numbers them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
import re
from typing import Final

_REQUIREMENT: Final = re.compile(r'- <a id="[^"]*"></a>\*\*([QF]-\d+)\*\* (.+)')
_KEYWORD: Final = re.compile(r"\b(MUST|SHOULD|MAY)\b")
_MARKUP: Final = re.compile(r"\[([^]]*)\]\([^)]*\)|`")
_PAGES: Final = {"en": "protocol.md", "fr": "protocol.fr.md"}


class Level(StrEnum):
    """How much a requirement demands (RFC 2119)."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"


@dataclass(frozen=True, slots=True)
class Requirement:
    """A requirement, with its sentence in each language."""

    number: str
    level: Level
    sentences: Mapping[str, str]


@cache
def requirements() -> Mapping[str, Requirement]:
    """Return all requirements by number, in the order of the specification."""
    pages = {language: _sentences(page) for language, page in _PAGES.items()}
    listed = {}
    for number, sentence in pages["en"].items():
        keyword = _KEYWORD.search(sentence)
        assert keyword is not None
        sentences = {language: page[number] for language, page in pages.items()}
        listed[number] = Requirement(number, Level(keyword[1]), sentences)
    return listed


def _sentences(page: str) -> dict[str, str]:
    text = (files(__package__) / page).read_text("utf-8")
    lines = map(_REQUIREMENT.fullmatch, text.splitlines())
    return {line[1]: _MARKUP.sub(r"\1", line[2]) for line in lines if line}
