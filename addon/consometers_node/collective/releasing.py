"""Looks again and again at what may be released, and tells those to whom sums are granted."""

import asyncio
from datetime import UTC, datetime
from typing import NoReturn

from ..sharing.changes import Changes
from ..store import Store
from .release import Release

EVERY_S = 5.0


class Releasing:
    """Releases what is due, a part at a time, so that members are kept waiting by none of it."""

    def __init__(
        self, store: Store, release: Release, changes: Changes, *, every_s: float = EVERY_S
    ) -> None:
        self._store = store
        self._release = release
        self._changes = changes
        self._every_s = every_s

    async def run(self) -> NoReturn:
        """Look on. Ends when it is cancelled."""
        while True:
            async with self._store.writing() as connection:
                is_new = await self._release.look(connection, datetime.now(UTC))
            if is_new:
                self._changes.tell()
            else:
                await asyncio.sleep(self._every_s)
