"""What one peer may fill of Home Assistant's statistics, which last for years."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
import time
from typing import Final

from consometers_node.series import Range
from consometers_quoalise import Shares

MOST_PAST: Final = timedelta(days=3_653)
"""Ten years."""
SOON: Final = timedelta(days=2)
"""Clocks differ, but not by that."""
MOST_PLANTS: Final = 20
"""Of a collective, at one time."""
MOST_PLANTS_EVER: Final = 100
"""Home Assistant keeps the statistic of a plant that is listed no longer."""
MOST_SHARES: Final = 10**9
MOST_ROWS_A_DAY: Final = 500_000
"""Ten years of five series and some corrections: the first import of a collective with its sums."""

_DAY_S = 24 * 3600.0


def reach(now: datetime) -> Range:
    """Return the time of which records are imported."""
    return Range(now - MOST_PAST, now + SOON)


def are_possible(shares: Shares) -> bool:
    """Return whether a home can hold shares so."""
    return shares.held <= shares.total <= MOST_SHARES


class RowBudget:
    """How many rows each peer may change in a day: of one correction, all later sums follow."""

    def __init__(
        self,
        most: int = MOST_ROWS_A_DAY,
        *,
        clock: Callable[[], float] = time.monotonic,
        rest: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """Count with a monotonic clock, in seconds."""
        self._most = most
        self._clock = clock
        self._rest = rest
        self._days: dict[str, tuple[float, int]] = {}

    def is_spent(self, peer: str) -> bool:
        """Return whether a peer has no rows left today."""
        return self._day(peer)[1] >= self._most

    async def turn(self, peer: str) -> None:
        """Wait until a peer has rows left."""
        while self.is_spent(peer):
            await self._rest(self._day(peer)[0] + _DAY_S - self._clock())

    def count(self, peer: str, rows: int) -> None:
        """Count changed rows."""
        began, before = self._day(peer)
        self._days[peer] = began, before + rows

    def _day(self, peer: str) -> tuple[float, int]:
        """Return when the day of a peer began, and how many rows it changed."""
        now = self._clock()
        began, rows = self._days.get(peer, (now, 0))
        return (began, rows) if now < began + _DAY_S else (now, 0)
