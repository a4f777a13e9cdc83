"""How long to wait before a server is tried again."""

from dataclasses import dataclass
from random import SystemRandom


@dataclass(frozen=True, slots=True)
class Backoff:
    """Twice as long after each failure, and never when everyone else comes back."""

    first_seconds: float = 2
    most_seconds: float = 300

    def seconds(self, failures: int) -> float:
        """Give a random time between half and all of what this many failures make it."""
        longest = min(self.most_seconds, self.first_seconds * float(2 ** min(failures, 20)))
        return longest * _random.uniform(0.5, 1)


_random = SystemRandom()
