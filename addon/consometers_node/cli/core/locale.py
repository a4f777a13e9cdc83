"""The user and their language, from the environment."""

from collections.abc import Mapping
import getpass
import os

from consometers_node.i18n.text import Text, printed, text
from consometers_quoalise import DEFAULT_LANGUAGE

_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
_NO_LANGUAGE = frozenset({"C", "POSIX"})


def language(environment: Mapping[str, str] = os.environ) -> str:
    """Return a language tag: `fr_FR.UTF-8` is fr-FR. The first variable that is set counts."""
    chosen = next((environment[name] for name in _VARIABLES if environment.get(name)), "")
    locale = chosen.partition(".")[0].partition("@")[0]
    return DEFAULT_LANGUAGE if locale in _NO_LANGUAGE else locale.replace("_", "-") or "en"


def say(sentence: str, *, context: str | None = None) -> str:
    """Return a sentence in the person's language, for what is read as the program starts."""
    return read(text(sentence, context=context))


def read(words: Text) -> str:
    """Return the words in the user’s language, for the same texts."""
    return printed(words, language())


def who() -> str:
    """Return the user's name, for the register and the log."""
    try:
        return getpass.getuser()
    except OSError:
        # A container may run under a number that has no name.
        return str(os.getuid())
