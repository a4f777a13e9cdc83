"""Errors between the node and the source of a home's data.

No message contains an address, a token or a name of the home: they go to logs and pages.
"""

from consometers_node.i18n.text import TranslatedError, text


class SourceFault(TranslatedError):
    """A request to the source failed; `text` says why, and what to do."""


class Away(SourceFault):
    """It cannot be reached, or does not answer in time. A later retry may help."""


class AccessDenied(SourceFault):
    """It refuses the node's access. Only a person can help."""


class TooManyFiles(SourceFault):
    """A home has as many files as it may have."""

    words = text("There are {most} files already: remove one first.")


class NotOurs(SourceFault):
    """A statistic with that name belongs to something else."""

    words = text(
        "Home Assistant has a statistic {name} that this node did not write: choose another name"
    )
