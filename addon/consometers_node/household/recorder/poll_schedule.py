"""When to read the recorder again: some time after it announces rows, and regularly.

Home Assistant announces statistics before they are committed, and announces nothing
while the node is not connected. So the word is waited upon, and the clock goes on beside it.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
import random
from typing import Protocol

from ...series import Interval

SETTLES_WITHIN = (timedelta(seconds=15), timedelta(seconds=60))
"""How long after the announcement rows are read; spread, where many homes share a machine."""


class MonotonicClock(Protocol):
    """Monotonic seconds, and a way to sleep."""

    def now(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


class LoopClock:
    """The clock of the running loop."""

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def event_type(interval: Interval) -> str:
    """Return the event that announces new rows for an interval."""
    rows = "hourly" if interval.no_finer_than(Interval.PT1H) else "5min"
    return f"recorder_{rows}_statistics_generated"


class Rounds:
    """Schedules rounds. The first one is at once.

    A request while a round is due already changes nothing, so that requests which keep coming do
    not put it off; a request during a round brings the next one.
    """

    def __init__(
        self,
        clock: MonotonicClock,
        every: timedelta,
        *,
        settles: tuple[timedelta, timedelta] = SETTLES_WITHIN,
        between: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """Plan a regular round, beside those that `request` brings."""
        self._clock = clock
        self._every_s = every.total_seconds()
        self._between = between
        self._shortest_s, self._longest_s = (span.total_seconds() for span in settles)
        self._due = clock.now()
        self._sooner = asyncio.Event()

    def request(self) -> None:
        """Request a round, once new rows settle."""
        due = self._clock.now() + self._between(self._shortest_s, self._longest_s)
        if due < self._due:
            self._due = due
            self._sooner.set()

    async def next(self) -> None:
        """Wait until a round is due."""
        while (left := self._due - self._clock.now()) > 0:
            await self._sleep(left)
        self._due = self._clock.now() + self._every_s

    async def _sleep(self, seconds: float) -> None:
        """Sleep until then, or until a round is due sooner."""
        self._sooner.clear()
        waits = [
            asyncio.ensure_future(self._clock.sleep(seconds)),
            asyncio.ensure_future(self._sooner.wait()),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
