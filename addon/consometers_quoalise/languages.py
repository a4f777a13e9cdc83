"""Words in several languages, by tag (BCP 47: `fr`, `fr-CA`), and the choice among them."""

from collections.abc import Mapping

DEFAULT_LANGUAGE = "en"

type ByLanguage = Mapping[str, str]


def best(words: ByLanguage, wanted: str | None = None) -> str:
    """Return the best language for a reader: that one, its base language, English, or any."""
    languages = {language.lower(): language for language in words}
    asked = (wanted or DEFAULT_LANGUAGE).lower()
    for language in (asked, asked.partition("-")[0], DEFAULT_LANGUAGE):
        if language in languages:
            return languages[language]
    return next(iter(words), DEFAULT_LANGUAGE)
