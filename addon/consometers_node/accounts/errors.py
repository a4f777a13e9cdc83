"""Errors of accounts, with a message for the person who asked."""

from typing import ClassVar

from consometers_node.i18n.text import TranslatedError


class AccountFault(TranslatedError):
    """An account cannot be made or changed; `text` says why, and what to do."""

    condition: ClassVar[str]


class BadName(AccountFault):
    """A name is empty, too long, or taken."""

    condition = "bad-name"


class NoAccount(AccountFault):
    """There is no account of this name."""

    condition = "unknown"
