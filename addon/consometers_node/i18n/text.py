"""Text for people, in the languages that they read."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
import re
from typing import ClassVar, override

from consometers_quoalise.languages import DEFAULT_LANGUAGE, ByLanguage, best

from .catalogue import LANGUAGES, translations

_NARROW, _BEFORE_COLON = re.compile(r" (?=[;?!»]|%(?!\())|(?<=«) "), re.compile(r" (?=:)")


@dataclass(frozen=True, slots=True)
class Text:
    """The same words in one or more languages, by language tag (BCP 47: `fr`, `fr-CA`)."""

    by_language: ByLanguage

    def language(self, wanted: str | None = None) -> str:
        """Return the best language for a reader."""
        return best(self.by_language, wanted)

    def say(self, wanted: str | None = None) -> str:
        """Return the words in a language, or in one that `language` chooses."""
        return self.by_language[self.language(wanted)] if self.by_language else ""

    @override
    def __str__(self) -> str:
        return self.say()

    def fill(self, **values: object) -> Text:
        """Fill the names in braces, those of texts in the same language."""

        def filled(language: str, words: str) -> str:
            in_language = {
                name: value.say(language) if isinstance(value, Text) else value
                for name, value in values.items()
            }
            return words.format(**in_language)

        return Text(_Made(self.by_language, filled))


class TranslatedError(Exception):
    """An error that a person reads: its `text` says what happened, and what to do."""

    words: ClassVar[Text]
    """The usual words of a kind of error."""

    def __init__(self, words: Text | None = None, **values: object) -> None:
        """Say what happened, or the usual words for it, filled with some values."""
        words = words or self.words
        self.values = values
        self.text = words.fill(**values) if values else words
        super().__init__(self.text.say())


UNSAID = Text({})
"""No words, in no language."""


def text(sentence: str, *, context: str | None = None) -> Text:
    """Return a sentence of ours, written in English, in all our languages.

    A context distinguishes sentences that are the same in English and not in another language.
    """
    return Text(_Translated(sentence, context))


def verbatim(words: str) -> Text:
    """Return a text that is the same in all our languages, such as a name."""
    return Text(dict.fromkeys(LANGUAGES, words))


class _Translated(Mapping[str, str]):
    """A sentence by language. Only another language than English reads the catalogue."""

    __slots__ = ("_context", "_sentence")

    def __init__(self, sentence: str, context: str | None) -> None:
        self._sentence = sentence
        self._context = context

    @override
    def __getitem__(self, language: str) -> str:
        if language == DEFAULT_LANGUAGE:
            return self._sentence
        if language not in LANGUAGES:
            raise KeyError(language)
        catalogue = translations(language)
        if self._context is None:
            return catalogue.gettext(self._sentence)
        return catalogue.pgettext(self._context, self._sentence)

    @override
    def __eq__(self, other: object) -> bool:
        # An enumeration compares its members: they must not read the catalogue for it.
        if isinstance(other, _Translated):
            return (self._sentence, self._context) == (other._sentence, other._context)
        return super().__eq__(other)

    @override
    def __hash__(self) -> int:
        return hash((self._sentence, self._context))

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(LANGUAGES)

    @override
    def __len__(self) -> int:
        return len(LANGUAGES)


class _Made(Mapping[str, str]):
    """Words by language, composed of others when they are rendered."""

    __slots__ = ("_make", "_words")

    def __init__(self, words: Mapping[str, str], make: Callable[[str, str], str]) -> None:
        self._words = words
        self._make = make

    @override
    def __getitem__(self, language: str) -> str:
        return self._make(language, self._words[language])

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._words)

    @override
    def __len__(self) -> int:
        return len(self._words)


def around(template: Text, inserted: Text, **values: object) -> Text:
    """Put words of someone else into ours, in each of our languages."""
    return template.fill(said=inserted, **values)


def printed(words: Text, wanted: str | None = None) -> str:
    """Return the words in a language, or in one that `language` chooses, set as in print."""
    language = words.language(wanted)
    return typeset(words.say(language), language)


def typeset(words: str, language: str) -> str:
    """Keep with a word the marks that French sets apart from it by a space."""
    if language.partition("-")[0].lower() != "fr":
        return words
    return _NARROW.sub("\u202f", _BEFORE_COLON.sub("\u00a0", words))
