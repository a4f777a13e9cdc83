"""Word among the tasks of a node that something is no longer as it was: look again."""

import asyncio


class Changes:
    """Everyone who waits hears of it. What changes while nobody waits is not lost.

    seen = changes.count
    …                           look at what there is
    await changes.after(seen)   return once something changed since
    """

    def __init__(self) -> None:
        self.count = 0
        self._changed = asyncio.Event()

    def tell(self) -> None:
        """Say that something changed."""
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
