"""Wakes homes in time: one timer for all, which knows the next due time alone."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, NoReturn

from .waking import AwakeHome, Homes

EVERY_S: Final = 60.0
"""Looks at the register at least so often: a clock may be set."""
PAUSE_S: Final = 1.0
"""Between two looks while homes that are due wait for their turn."""
RESERVED: Final = 4
"""Places that are left to pages and peers while many homes are due."""


class DueHomes[Node: AwakeHome]:
    """Wakes the homes that are due, as many at a time as there is room."""

    def __init__(
        self, homes: Homes[Node], *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._homes = homes
        self._now = now
        self._is_awaited = asyncio.Event()

    def look_again(self) -> None:
        """Look at once: something is due earlier than was known."""
        self._is_awaited.set()

    async def run(self) -> NoReturn:
        """Wake homes until cancelled."""
        while True:
            self._is_awaited.clear()
            wait_s = self._wake_due()
            try:
                async with asyncio.timeout(wait_s):
                    await self._is_awaited.wait()
            except TimeoutError:
                continue

    def _wake_due(self) -> float:
        """Wake the homes that are due; return after how many seconds to look again."""
        homes, now = self._homes, self._now()
        # Those that are awake are still due: they are looked at too.
        due = homes.register.due(now, homes.awake_count + homes.free)
        asleep = [address for address in due if not homes.is_awake(address)]
        for address in asleep[: max(0, homes.free - RESERVED)]:
            homes.wake(address)
        if due:
            return PAUSE_S
        following = homes.register.next_due()
        if following is None:
            return EVERY_S
        return min(EVERY_S, max(0.0, (following - now).total_seconds()))
