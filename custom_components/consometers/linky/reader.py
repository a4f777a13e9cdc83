"""Reads the link to one meter for ever: at the speed that it speaks, and again when it is lost."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from homeassistant.util import dt as dt_util

from ..tic import Mode
from ..tic.link import SPEEDS, Link, LinkError, connect
from .state import LinkyState

RETUNE_AFTER_S: Final = 10.0
"""Without a good group for this long, listen at the other mode's speed."""
FIRST_RETRY_S, LONGEST_RETRY_S = 1.0, 30.0

_READ_TIMEOUT_S: Final = 2.0
_EVENTS_HELD: Final = 50


@dataclass(frozen=True, slots=True)
class Event:
    """An event of the link, for diagnostics."""

    at: datetime
    what: str


class Reader:
    """Owns the link to one meter, and what happens to it."""

    def __init__(
        self, device: str, mode: Mode, state: LinkyState, clock: Callable[[], float]
    ) -> None:
        """Start without a link. The state says when a good group came last."""
        self.mode = mode
        """The mode at whose speed it listens."""
        self.events: deque[Event] = deque(maxlen=_EVENTS_HELD)
        self.is_lost = False
        """Whether the meter is lost: retries are no news then."""
        self._device = device
        self._state = state
        self._clock = clock
        self._started_at = self._tuned_at = clock()

    @property
    def silent_s(self) -> float:
        """The seconds without a good group."""
        return self._silent_since(self._started_at)

    def record(self, what: str) -> None:
        """Add an event of now."""
        self.events.append(Event(dt_util.utcnow(), what))

    async def open(self) -> Link:
        """Open the link. Raises LinkError."""
        link = await connect(self._device, self.mode)
        self.record(f"opened at {SPEEDS[self.mode]} baud")
        return link

    async def read(self, link: Link | None) -> AsyncGenerator[bytes]:
        """Yield what comes, and no bytes every two seconds while nothing does.

        When the port goes away, it is opened again with growing patience.
        """
        retry_s = FIRST_RETRY_S
        while True:
            try:
                link = link or await self.open()
                self._tuned_at = self._clock()
                while True:
                    yield await link.read(_READ_TIMEOUT_S)
                    if self._silent_since(self._tuned_at) >= RETUNE_AFTER_S:
                        await self._retune(link)
            except LinkError as error:
                if not self.is_lost:
                    self.record(error.key)
            finally:
                if link is not None:
                    await link.close()
            if link is not None:
                retry_s = FIRST_RETRY_S
            link = None
            until = self._clock() + retry_s
            while (left := until - self._clock()) > 0:
                yield b""
                await asyncio.sleep(min(left, _READ_TIMEOUT_S))
            retry_s = min(2 * retry_s, LONGEST_RETRY_S)

    async def _retune(self, link: Link) -> None:
        """Listen at the speed of the other mode."""
        self.mode = Mode.HISTORIQUE if self.mode is Mode.STANDARD else Mode.STANDARD
        self._tuned_at = self._clock()
        if not self.is_lost:
            self.record(f"nothing valid, trying {SPEEDS[self.mode]} baud")
        await link.listen_for(self.mode)

    def _silent_since(self, moment: float) -> float:
        """Return the seconds without a good group, counted from a moment on."""
        return self._clock() - max(moment, self._state.received_at or moment)
