"""What accounts need of the homes that a host runs."""

from typing import Protocol


class Homes(Protocol):
    """The homes of a host, each by the bare JID of its account."""

    async def create(self, address: str) -> None:
        """Make an empty home; one that is there stays as it is."""

    async def erase(self, address: str) -> None:
        """Withdraw all permissions of a home with erasure, and delete all that it stores.

        It returns once nothing is left here, and may be repeated after a failure.
        """

    async def size_bytes(self, address: str) -> int:
        """Return how much a home stores."""
