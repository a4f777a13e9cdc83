"""A rate limit by source: a window.

Memory is bounded: of too many sources, the one that was heard longest ago is forgotten.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

SOURCES: Final = 10_000

_MINUTE_S: Final = 60


class Recent[Value](OrderedDict[str, Value]):
    """Values of sources, from the one that was heard longest ago to the last one."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def keep(self, source: str, value: Value) -> None:
        """Store the value of a source that was just heard."""
        self[source] = value
        self.move_to_end(source)
        if len(self) > self._most:
            self.popitem(last=False)


class SlidingWindow:
    """At most so many in any minute, for each source."""

    def __init__(self, clock: Callable[[], float], most: int = 60, sources: int = SOURCES) -> None:
        """Count with a monotonic clock, in seconds."""
        self._clock = clock
        self._most = most
        self._times = Recent[deque[float]](sources)

    def wait_seconds(self, source: str) -> float:
        """Return the time until one more is allowed; 0 means now."""
        times = self._times.get(source)
        now = self._clock()
        while times and times[0] <= now - _MINUTE_S:
            times.popleft()
        return times[0] + _MINUTE_S - now if times and len(times) >= self._most else 0

    def take(self, source: str) -> bool:
        """Count one more, unless that is too many."""
        if self.wait_seconds(source):
            return False
        times = self._times.get(source, deque[float]())
        times.append(self._clock())
        self._times.keep(source, times)
        return True

    async def turn(self, source: str) -> None:
        """Wait until one more is allowed, and count it. For one task at a time for each source."""
        await asyncio.sleep(self.wait_seconds(source))
        self.take(source)
