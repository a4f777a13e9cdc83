"""Words of somebody else: cleaned where they enter, and set apart from ours where they are shown.

A bidirectional override makes an address read backwards, and a line break lets a purpose go on as
lines of ours. So what is read is one line without controls, and what is shown stands in an isolate
(Unicode Annex #9), by a function for each destination.
"""

from html import escape
import re

from ..i18n.text import Text

_DROPPED = dict.fromkeys(
    (
        *(0x061C, 0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF),
        *range(0x202A, 0x202F),
        *range(0x2066, 0x2070),
        *range(0xE0000, 0xE0080),
    )
)
"""Marks, embeddings, overrides and isolates of direction, and what nobody sees."""
_CONTROLS = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029], " ")
"""C0 and C1 controls, and the separators of lines and paragraphs."""
_CLEANED = _DROPPED | _CONTROLS
_SPACES = re.compile(" {2,}")
_FIRST_STRONG, _POP = "\u2068", "\u2069"


def clean(words: str) -> str:
    """Return words on one line, without controls."""
    if words.isprintable():
        return words.strip()
    return _SPACES.sub(" ", words.translate(_CLEANED)).strip()


def isolated(words: str) -> str:
    """Return words for plain text: they do not change the direction of what is around them."""
    return f"{_FIRST_STRONG}{words}{_POP}" if words else words


def quoted(words: str, language: str) -> str:
    """Return words for plain text in the marks of quotation of a language."""
    if not words:
        return words
    return f"« {isolated(words)} »" if language == "fr" else f"“{isolated(words)}”"


def isolated_text(words: Text) -> Text:
    """Return words in several languages, to be put into a sentence of ours."""
    return Text({language: isolated(value) for language, value in words.by_language.items()})


def in_html(words: str, language: str | None = None) -> str:
    """Return words as HTML, with their language where it is not the page's."""
    if not words:
        return ""
    tag = "bdi" if language is None else f'bdi lang="{escape(language)}"'
    return f"<{tag}>{escape(words)}</bdi>"
