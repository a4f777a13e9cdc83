"""What a collective's node has done since it started, counted where it is done."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from time import perf_counter

from ..xmpp import Traffic


class Visit(StrEnum):
    """How it ended to ask a member for what it granted."""

    DONE = "done"
    BUSY = "busy"
    AWAY = "away"
    REFUSED = "refused"


@dataclass(slots=True)
class Timed:
    """Work that was done so often, in so many seconds; the last took `last_s`."""

    count: int = 0
    seconds: float = 0
    last_s: float | None = None

    @contextmanager
    def once(self) -> Iterator[None]:
        """Measure what is done within. What fails is not counted."""
        started = perf_counter()
        yield
        self.last_s = perf_counter() - started
        self.count += 1
        self.seconds += self.last_s


@dataclass(slots=True)
class Counts:
    """All that is counted, in one value that is handed to whoever counts."""

    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    traffic: Traffic = field(default_factory=Traffic)
    visits: Counter[Visit] = field(default_factory=Counter)
    commits: Timed = field(default_factory=Timed)
    looks: Timed = field(default_factory=Timed)
    """At what may be released."""
    released_at: datetime | None = None
    """When anything new was released last."""
