"""Rate limits by source: a bucket of tokens, a growing wait.

Memory is bounded: of too many sources, the one that was heard longest ago is forgotten.
"""

from collections.abc import Callable, Mapping
import math
import time

from consometers_quoalise_network.backoff import Backoff
from consometers_quoalise_network.rate_limit import SOURCES, Recent

_DAY_S = 24 * 3600.0


class TokenBucket:
    """So many at once, then so many a second, for each source."""

    def __init__(
        self,
        at_once: int,
        a_second: float,
        clock: Callable[[], float] = time.monotonic,
        sources: int = SOURCES,
    ) -> None:
        self._at_once = at_once
        self._a_second = a_second
        self._clock = clock
        self._left = Recent[tuple[float, float]](sources)

    def take(self, source: str) -> int | None:
        """Count one more and return None, or return in how many seconds it is allowed."""
        now = self._clock()
        left = self._left_of(source, now)
        enough = left >= 1
        self._left.keep(source, (left - enough, now))
        return None if enough else math.ceil((1 - left) / self._a_second)

    def charge(self, source: str, tokens: int) -> None:
        """Count what one turned out to cost beyond its token: twice a full bucket at most."""
        now = self._clock()
        self._left.keep(source, (max(self._left_of(source, now) - tokens, -self._at_once), now))

    def give_back(self, source: str) -> None:
        """Take the token of one that turned out to cost nothing off the count."""
        now = self._clock()
        self._left.keep(source, (min(self._left_of(source, now) + 1, self._at_once), now))

    def _left_of(self, source: str, now: float) -> float:
        left, at = self._left.get(source, (float(self._at_once), now))
        return min(self._at_once, left + (now - at) * self._a_second)


class GrowingWait:
    """So many free tries, then a longer wait before each, for each source; a day forgets them."""

    def __init__(
        self,
        backoff: Backoff,
        clock: Callable[[], float] = time.monotonic,
        sources: int = SOURCES,
    ) -> None:
        self._backoff = backoff
        self._clock = clock
        self._tries = Recent[tuple[int, float]](sources)

    def take(self, sources: Mapping[str, int]) -> int | None:
        """Count a try from sources, each with its free tries.

        Return None if it is allowed, else in how many seconds one is.
        """
        now = self._clock()
        wait = max(self._wait(source, free, now) for source, free in sources.items())
        if wait > 0:
            return math.ceil(wait)
        for source in sources:
            count, _ = self._tries.get(source, (0, now))
            self._tries.keep(source, (count + 1, now))
        return None

    def forget(self, sources: Mapping[str, int]) -> None:
        """Forget the tries of sources after one that succeeded."""
        for source in sources:
            self._tries.pop(source, None)

    def _wait(self, source: str, free: int, now: float) -> float:
        count, last = self._tries.get(source, (0, now))
        if now - last > _DAY_S:
            del self._tries[source]
            return 0.0
        return last + self._backoff.seconds(count - free) - now if count >= free else 0.0
