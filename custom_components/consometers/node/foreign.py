"""Words of a collective in Home Assistant's own: a title is plain text, a description Markdown."""

from itertools import groupby
import re
from typing import Final

_UNSEEN: Final = re.compile(
    "[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u206f\ufeff]+"
)
"""Controls, line breaks, and what turns the direction of a text."""
_PUNCTUATION: Final = re.compile(r"([!-/:-@\[-`{-~])")
"""All that may be escaped by a backslash (CommonMark §2.4): no picture, link or address is left."""
_BREAK: Final = "\\\n"
"""A line break in a paragraph (CommonMark §6.7)."""
_FIRST_STRONG, _POP = "\u2068", "\u2069"


def isolated(words: str) -> str:
    """Return words for plain text, on one line: they do not turn the direction of what follows."""
    return f"{_FIRST_STRONG}{_UNSEEN.sub(' ', words).strip()}{_POP}"


def in_markdown(words: str) -> str:
    """Return words for Markdown, which shows them as they are."""
    return _PUNCTUATION.sub(r"\\\1", isolated(words))


def letter_in_markdown(body: str) -> str:
    """Return a letter's body for Markdown, with its lines, in their paragraphs."""
    by_paragraph = groupby(body.split("\n"), _shows)
    paragraphs = (map(in_markdown, lines) for shows, lines in by_paragraph if shows)
    return "\n\n".join(map(_BREAK.join, paragraphs))


def _shows(line: str) -> bool:
    return bool(_UNSEEN.sub("", line).strip())
