"""The state of a collective's node: one value, cheap to take, with nobody's name in it.

It has what was published as it was released; of members it has counts alone.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import os
from pathlib import Path
import time

from sqlalchemy.exc import InterfaceError, OperationalError, TimeoutError as NoConnection

from ...store.member_status import MemberCounts, count_members
from ..calendar import Span
from ..counters import Counts
from ..disclosure.sdc_rules import Reason
from ..node import CollectiveNode
from ..publication.queries import Latest, Published

_CACHED_S = 5.0
_TIMEOUT_S = 20
_DAY = timedelta(days=1)
_STATM = Path("/proc/self/statm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """The state of the database. `latest` is what was published last of all members."""

    standing: MemberCounts
    withheld: Mapping[Reason, int]
    """Figures of the last day that are not published, by the reason."""
    latest: Latest | None
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The state of the node at an instant. `database` is None while it cannot be read."""

    at: datetime
    version: str
    online: bool
    writes: bool
    """Records of members can be stored."""
    confirmed: bool
    """The clock is confirmed: permissions expire, and what is due is erased."""
    counts: Counts
    away: int
    """Members that were offline when they were asked last."""
    waiting: int
    """Messages that are being stored, or wait for it."""
    database: Database | None
    memory_bytes: int | None
    cpu_s: float


class Watch:
    """Takes the health of a node, and returns the same value again for some seconds."""

    def __init__(
        self,
        node: CollectiveNode,
        version: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._node = node
        self._now = now
        self._version = version
        self._last: tuple[float, Health] | None = None
        self._lock = asyncio.Lock()

    async def health(self) -> Health:
        """Return the health of now, or of some seconds ago."""
        async with self._lock:
            if self._last is None or time.monotonic() - self._last[0] > _CACHED_S:
                self._last = time.monotonic(), await self._take()
            return self._last[1]

    async def _take(self) -> Health:
        node, network, at = self._node, self._node.network, self._now()
        database = await self._read(at)
        return Health(
            at=at,
            version=self._version,
            online=node.is_online,
            writes=node.database_problem is None and database is not None,
            confirmed=node.clock.doubt is None,
            counts=node.counts,
            away=len(network.backfill.away) if network else 0,
            waiting=network.receiving.waiting if network else 0,
            database=database,
            memory_bytes=await asyncio.to_thread(_memory_bytes),
            cpu_s=time.process_time(),
        )

    async def _read(self, at: datetime) -> Database | None:
        store, settings = self._node.store, self._node.settings
        zone, publication = settings.time_zone, self._node.rules.now.publication
        published = Published(settings.identifier, zone, publication)
        span = Span((at - _DAY).astimezone(zone).date(), at.astimezone(zone).date())
        try:
            async with asyncio.timeout(_TIMEOUT_S), store.reading() as connection:
                return Database(
                    standing=await count_members(connection, at),
                    withheld=await published.withheld(connection, publication.interval, span, at),
                    latest=await published.latest(connection, at - _DAY, at),
                    size_bytes=await store.size_bytes(connection),
                )
        except InterfaceError, OperationalError, NoConnection, TimeoutError:
            return None


def _memory_bytes() -> int | None:
    """Return how much of the memory this process has; None where the system does not tell."""
    try:
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError, ValueError, IndexError:
        return None
