"""Words for the people who read what is sent: names and codes, unless an application has others."""

from .commands import Node, Role
from .errors import QuoaliseError
from .languages import DEFAULT_LANGUAGE, best


class Words:
    """The words for a reader of one language. An application overrides each method."""

    def __init__(self, language: str = DEFAULT_LANGUAGE) -> None:
        """Prepare the words for a language tag, as the reader's program sends it."""
        self.language = language

    def role(self, role: Role | None) -> str:
        """Return what service discovery calls a program; without a role, it only asks."""
        return role or "reader"

    def title(self, node: Node) -> str:
        """Return the title of a command."""
        return node

    def label(self, var: str) -> str:
        """Return the label of a field to fill in."""
        return var

    def description(self, var: str) -> str | None:
        """Return the description of a field to fill in."""
        return None

    def column(self, var: str) -> str:
        """Return the label of a column of an answer."""
        return var

    def sentence(self, error: QuoaliseError) -> tuple[str, str]:
        """Return the language and the sentence of a refusal."""
        if error.texts:
            language = best(error.texts, self.language)
            return language, error.texts[language]
        return DEFAULT_LANGUAGE, str(error)
