"""How long to wait before a retry."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from random import SystemRandom


@dataclass(frozen=True, slots=True)
class Backoff:
    """Twice as long after each failure, up to a bound.

    Each wait is random, from `least` to all of that time, so that many nodes that lost the same
    server do not come back in step.
    """

    first_seconds: float = 2
    most_seconds: float = 300
    least: float = 0.5

    def seconds(self, failures: int) -> float:
        """Return the wait after this many earlier failures."""
        longest = min(self.most_seconds, self.first_seconds * 2.0 ** min(failures, 30))
        return longest * _random.uniform(self.least, 1)

    def delays(self) -> Iterator[float]:
        """Return the waits after a first failure, a second one, and so on, without end."""
        return map(self.seconds, count())

    def shortened(self, haste: float) -> Backoff:
        """Return the same waits, this many times shorter."""
        return Backoff(self.first_seconds / haste, self.most_seconds / haste, self.least)


_random = SystemRandom()
