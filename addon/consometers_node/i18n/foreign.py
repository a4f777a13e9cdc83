"""Words of somebody else, set apart from ours where they are shown.

They are one line without controls (`quoalise.foreign`), and stand in an isolate (Unicode Annex #9),
by a function for each destination.
"""

from html import escape

from .text import Text

_FIRST_STRONG, _POP = "\u2068", "\u2069"


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
