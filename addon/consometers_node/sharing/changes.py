"""Wakes the tasks of a node after a change."""

import asyncio
from collections.abc import Iterable


class Changes:
    """Tasks wait for the next change. A change while none waits is not lost.

    seen = changes.count
    …                           look at what there is
    await changes.after(seen)   return once something changed since
    """

    def __init__(self) -> None:
        self.count = 0
        self._changed = asyncio.Event()

    def notify(self) -> None:
        self.count += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def after(self, seen: int, seconds: float | None = None) -> bool:
        """Wait until something has changed since then; False on timeout."""
        try:
            async with asyncio.timeout(seconds):
                while self.count == seen:
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True


class KnownPeers:
    """The addresses (bare JID) of peers as of the last look: no stanza needs the database.

    seen = changes.count
    …                          read who there is
    known.are(jids, seen)
    """

    def __init__(self, changes: Changes) -> None:
        """Start without knowing any peer, so that anybody may be one."""
        self._changes = changes
        self._jids: frozenset[str] = frozenset()
        self._seen = -1

    def are(self, jids: Iterable[str], seen: int) -> None:
        """Store the peers, as of a number of changes."""
        self._jids = frozenset(jids)
        self._seen = seen

    def __call__(self, jid: str) -> bool:
        """Return whether a peer may be one of them. After a change, any may."""
        return jid in self._jids or self._seen != self._changes.count
