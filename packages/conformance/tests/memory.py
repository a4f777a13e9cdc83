"""A session in memory, whose clock goes as fast as nothing happens."""

from collections.abc import Callable
from copy import deepcopy
import heapq
from itertools import count
from typing import Final, Protocol
from xml.etree.ElementTree import Element

from quoalise_conformance.session.transport import Ended

KIT: Final = "kit@reader.test/conformance"
NOW: Final = 1_764_590_400.0
"""2025-12-01T12:00:00+00:00."""

type Later = tuple[float, Callable[[], Element | None]]
"""After some seconds, what makes a stanza, or none any more."""


class OtherSide(Protocol):
    """A program on the other end of the line."""

    def receive(self, stanza: Element, now: float) -> list[Later]:
        """Return what it sends then."""


class Memory:
    """A transport of the kit; a program on the other side answers."""

    def __init__(
        self, other: OtherSide, jid: str = KIT, *, first: list[Later] | None = None
    ) -> None:
        self.jid = jid
        self._other = other
        self._now = NOW
        self._order = count()
        self._queue: list[tuple[float, int, Callable[[], Element | None]]] = []
        self.sent: list[Element] = []
        self._put(first or [])

    def _put(self, later: list[Later]) -> None:
        for seconds, make in later:
            heapq.heappush(self._queue, (self._now + seconds, next(self._order), make))

    def send(self, stanza: Element) -> None:
        sent = deepcopy(stanza)
        sent.set("from", self.jid)
        self.sent.append(sent)
        self._put(self._other.receive(sent, self._now))

    async def receive(self, seconds: float | None) -> Element:
        while self._queue:
            due, _, make = self._queue[0]
            if seconds is not None and due > self._now + seconds:
                break
            heapq.heappop(self._queue)
            before, self._now = self._now, max(self._now, due)
            if seconds is not None:
                seconds -= self._now - before
            if (stanza := make()) is not None:
                return stanza
        if seconds is None:
            raise Ended
        self._now += seconds
        raise TimeoutError

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self._now += seconds
