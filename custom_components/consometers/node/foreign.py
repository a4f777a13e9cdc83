"""Words of a collective in Home Assistant's own: a title is plain text, a description Markdown."""

import re
from typing import Final

_UNSEEN: Final = re.compile(
    "[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u206f\ufeff]+"
)
"""Controls, line breaks, and what turns the direction of a text."""
_PUNCTUATION: Final = re.compile(r"([!-/:-@\[-`{-~])")
"""All that may be escaped by a backslash (CommonMark §2.4): no picture, link or address is left."""
_FIRST_STRONG, _POP = "\u2068", "\u2069"


def isolated(words: str) -> str:
    """Return words for plain text, on one line: they do not turn the direction of what follows."""
    return f"{_FIRST_STRONG}{_UNSEEN.sub(' ', words).strip()}{_POP}"


def in_markdown(words: str) -> str:
    """Return words for Markdown, which shows them as they are."""
    return _PUNCTUATION.sub(r"\\\1", isolated(words))


def in_paragraphs(words: str) -> str:
    """Return words for Markdown, each of their lines a paragraph; empty lines are left out."""
    return "\n\n".join(in_markdown(line) for line in words.splitlines() if line.strip())
