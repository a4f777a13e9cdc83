"""How a collective's node goes: one value, cheap to take, with nobody's name in it.

What was published is in it as it was released; of members there are counts alone.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import os
from pathlib import Path
import time

from sqlalchemy.exc import InterfaceError, OperationalError, TimeoutError as NoConnection

from ...store.standing import Standing, standing
from ..calendar import Span
from ..counters import Counts
from ..disclosure.sdc_rules import Reason
from ..node import CollectiveNode
from ..publication.queries import Published
from ..publication.snapshots import Moment, latest, moments

UNREADABLE = (InterfaceError, OperationalError, NoConnection, TimeoutError)
"""What comes of reading a database that cannot be read."""

_KEPT_S = 5.0
_SECONDS = 20
_DAY = timedelta(days=1)
_STATM = Path("/proc/self/statm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """What the database tells. `moment` is the last that was published of everybody."""

    standing: Standing
    withheld: Mapping[Reason, int]
    """Figures of the last day that are not published, by the reason."""
    moment: Moment | None
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How the node goes at an instant. `database` is None while it cannot be read."""

    at: datetime
    version: str
    online: bool
    writes: bool
    """What members tell can be kept."""
    confirmed: bool
    """The clock is: what is over runs out and is erased."""
    counts: Counts
    away: int
    """Members that were not there when they were asked last."""
    waiting: int
    """Messages that are being kept, or wait for it."""
    database: Database | None
    memory_bytes: int | None
    cpu_s: float


class Watch:
    """Looks at a node. Whoever asks again within some seconds gets the same value."""

    def __init__(
        self,
        node: CollectiveNode,
        version: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.node = node
        self.now = now
        self._version = version
        self._last: tuple[float, Health] | None = None
        self._one = asyncio.Lock()

    @property
    def published(self) -> Published:
        settings = self.node.settings
        return Published(settings.identifier, settings.time_zone, self.node.rules.now.publication)

    async def health(self) -> Health:
        async with self._one:
            if self._last is None or time.monotonic() - self._last[0] > _KEPT_S:
                self._last = time.monotonic(), await self._look()
            return self._last[1]

    async def _look(self) -> Health:
        node, network, at = self.node, self.node.network, self.now()
        database = await self._read(at)
        return Health(
            at=at,
            version=self._version,
            online=node.is_online,
            writes=node.database_problem is None and database is not None,
            confirmed=node.clock.doubt is None,
            counts=node.counts,
            away=len(network.gathering.away) if network else 0,
            waiting=network.receiving.waiting if network else 0,
            database=database,
            memory_bytes=await asyncio.to_thread(_memory_bytes),
            cpu_s=time.process_time(),
        )

    async def _read(self, at: datetime) -> Database | None:
        store, published = self.node.store, self.published
        zone = published.time_zone
        span = Span((at - _DAY).astimezone(zone).date(), at.astimezone(zone).date())
        interval = published.publication.interval
        try:
            async with asyncio.timeout(_SECONDS), store.reading() as connection:
                return Database(
                    standing=await standing(connection, at),
                    withheld=await published.withheld(connection, interval, span, at),
                    moment=latest(await moments(published, connection, at - _DAY, at)),
                    size_bytes=await store.size_bytes(connection),
                )
        except UNREADABLE:
            return None


def _memory_bytes() -> int | None:
    """Return how much of the memory this process has; None where the system does not tell."""
    try:
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError, ValueError, IndexError:
        return None
