"""What accounts need of the homes that a host runs."""

from collections.abc import Sequence
from typing import Protocol

from consometers_node.accounts.errors import AccountFault
from consometers_node.i18n.text import TranslatedError, text

_UNTOLD = text("These have not confirmed yet that they erase your data: {names}.")


class Untold(AccountFault):
    """Some who received data of a home have not confirmed the withdrawal yet."""

    condition = "untold"

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(_UNTOLD.fill(names=", ".join(names)))


class HomeFault(TranslatedError):
    """A home cannot be opened now; `text` says why, and what to do."""


class Homes(Protocol):
    """The homes of a host, each by the bare JID of its account."""

    async def create(self, address: str, language: str) -> None:
        """Make an empty home; one that is there stays as it is. `language` is a tag."""

    async def erase(self, address: str, *, untold: bool = False) -> None:
        """Withdraw all permissions of a home with erasure, and delete all that it stores.

        It returns once nothing is left here, and may be repeated after a failure. Raises `Untold`
        where some who received data have not confirmed the withdrawal in time; with `untold`, all
        is deleted even so.
        """

    async def size_bytes(self, address: str) -> int:
        """Return how much a home stores."""
