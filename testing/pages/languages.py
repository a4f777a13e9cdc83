"""In which of our two languages a text is written."""

from collections.abc import Iterable
from functools import cache
import re
from typing import Final

from py3langid.langid import MODEL_FILE, LanguageIdentifier  # type: ignore[import-untyped]

from demo.hass import Language

LEAST_WORDS: Final = 4
"""Shorter texts are names as often as sentences."""
SURE: Final = 0.9
_WORD: Final = re.compile(r"[^\W\d_]{2,}")


def strangers(texts: Iterable[str], page: Language) -> list[str]:
    """Return the texts that are written in the other language than their page's."""
    return [
        text for text in texts if len(_WORD.findall(text)) >= LEAST_WORDS and _other(text, page)
    ]


@cache
def _identifier() -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(["en", "fr"])
    return identifier


def _other(text: str, page: Language) -> bool:
    language, probability = _identifier().classify(text)
    return bool(language != page and probability > SURE)
