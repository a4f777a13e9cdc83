"""When to read the source again: some time after it announces records, and regularly.

Home Assistant announces statistics before they are committed, and announces nothing
while the node is not connected. So the word is waited upon, and the clock goes on beside it.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
import random

SETTLES_WITHIN = (timedelta(seconds=15), timedelta(seconds=60))
"""How long after the announcement rows are read; spread, where many homes share a machine."""


class Rounds:
    """Schedules rounds. The first one is at once.

    A request while a round is due already changes nothing, so that requests which keep coming do
    not put it off; a request during a round brings the next one.
    """

    def __init__(
        self,
        every: timedelta,
        *,
        settles: tuple[timedelta, timedelta] = SETTLES_WITHIN,
        between: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """Plan a regular round, beside those that `request` brings."""
        self._every_s = every.total_seconds()
        self._between = between
        self._shortest_s, self._longest_s = (span.total_seconds() for span in settles)
        self._due = _loop_time()
        self._sooner = asyncio.Event()

    def request(self) -> None:
        """Request a round, once new rows settle."""
        due = _loop_time() + self._between(self._shortest_s, self._longest_s)
        if due < self._due:
            self._due = due
            self._sooner.set()

    async def next(self) -> None:
        """Wait until a round is due."""
        while _loop_time() < self._due:
            self._sooner.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._due):
                    await self._sooner.wait()
        self._due = _loop_time() + self._every_s


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
