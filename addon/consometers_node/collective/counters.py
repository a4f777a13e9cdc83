"""Counters of a collective's node since it started, incremented where the work is done."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from http import HTTPStatus
from time import perf_counter

from consometers_quoalise_network import Traffic


class HistoryOutcome(StrEnum):
    """The outcome of requesting granted records from a member."""

    DONE = "done"
    BUSY = "busy"
    AWAY = "away"
    REFUSED = "refused"


class PageAnswer(StrEnum):
    """The outcome of a request for a page or for open data."""

    ANSWERED = "answered"
    REFUSED = "refused"
    LIMITED = "limited"
    """It asked too often."""
    FAILED = "failed"

    @classmethod
    def of(cls, status: int) -> PageAnswer:
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            return cls.LIMITED
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return cls.FAILED
        return cls.REFUSED if status >= HTTPStatus.BAD_REQUEST else cls.ANSWERED


@dataclass(slots=True)
class Timed:
    """A kind of work: how often, in how many seconds; the last took `last_s`."""

    count: int = 0
    seconds: float = 0
    last_s: float | None = None

    @contextmanager
    def once(self) -> Iterator[None]:
        """Measure the time of a block. A failure is not counted."""
        started = perf_counter()
        yield
        self.last_s = perf_counter() - started
        self.count += 1
        self.seconds += self.last_s


@dataclass(slots=True)
class Counts:
    """All counters, in one value."""

    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    traffic: Traffic = field(default_factory=Traffic)
    visits: Counter[HistoryOutcome] = field(default_factory=Counter)
    pages: Counter[PageAnswer] = field(default_factory=Counter)
    commits: Timed = field(default_factory=Timed)
    closings: Timed = field(default_factory=Timed)
    closed_at: datetime | None = None
    """When an interval was last closed."""
