"""Among the tasks of a node: something has changed, look again."""

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
        """Wait until something changed since then; False when time is over first."""
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
