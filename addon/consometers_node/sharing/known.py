"""Which peers are known: at hand for each stanza that comes, without a look at the database."""

from collections.abc import Iterable

from .changes import Changes


class Known:
    """The addresses (bare JID) of peers, as of the last look.

    seen = changes.count
    …                          read who there is
    known.are(jids, seen)
    """

    def __init__(self, changes: Changes) -> None:
        """Know of nobody yet, and so of anybody."""
        self._changes = changes
        self._jids: frozenset[str] = frozenset()
        self._seen = -1

    def are(self, jids: Iterable[str], seen: int) -> None:
        """Take who there was when so many changes had been seen."""
        self._jids = frozenset(jids)
        self._seen = seen

    def __call__(self, jid: str) -> bool:
        """Return whether a peer may be one of them. Where something has changed since, it may."""
        return jid in self._jids or self._seen != self._changes.count
