"""The state of a collective's node: one value, cheap to take, with nobody's name in it.

It has what was published as it was released; of members it has counts alone.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import os
from pathlib import Path
import time

from sqlalchemy.exc import InterfaceError, OperationalError, TimeoutError as NoConnection

from consometers_node.collective.calendar import Span
from consometers_node.collective.counters import Counts
from consometers_node.collective.disclosure.reasons import Reason
from consometers_node.collective.node import CollectiveNode
from consometers_node.collective.publication.reading.queries import Latest, Published
from consometers_node.collective.witness.heads import SetBack, set_back
from consometers_node.collective.witness.register import Witnessed, overview
from consometers_node.i18n.text import Text
from consometers_node.store.collective.masked_reports import waiting_since
from consometers_node.store.collective.member_status import MemberCounts, count_members

from .backups import Backups, backups
from .certificates import Certificates
from .problems import (
    UNREADABLE,
    Problem,
    ProblemKind,
    of_alerts,
    of_backups,
    of_certificates,
    of_disk,
    of_members,
    of_node,
    of_set_back,
    of_witnesses,
)

_CACHED_S = 5.0
_TIMEOUT_S = 20
_DAY = timedelta(days=1)
_STATM = Path("/proc/self/statm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """The state of the database. `latest` is what was published last of all members.

    `witnessed` is what this node did as a witness, for each collective.
    """

    standing: MemberCounts
    withheld: Mapping[Reason, int]
    """Figures of the last day that are not published, by the reason."""
    latest: Latest | None
    backups: Backups
    witnessed: Sequence[Witnessed]
    set_back: SetBack | None
    """The last set-back of this node, as a witness."""
    waiting_since: datetime | None
    """Since when a protected sum has waited for its witness."""
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The state of the node at an instant. `database` is None while it cannot be read."""

    at: datetime
    version: str
    problems: tuple[Problem, ...]
    counts: Counts
    away: int
    """Members that were offline when they were asked last."""
    waiting: int
    """Messages that are being stored, or wait for it."""
    database: Database | None
    certificate_ends: datetime | None
    """When the first of the certificates expires, of those that were seen."""
    memory_bytes: int | None
    cpu_s: float

    @property
    def kinds(self) -> frozenset[ProblemKind]:
        return frozenset(problem.kind for problem in self.problems)


class Watch:
    """Takes the health of a node, and returns the same value again for some seconds.

    `certificates` are looked at, and `unsent` is set, by tasks of their own: the latter is why the
    last alert could not be sent.
    """

    def __init__(
        self,
        node: CollectiveNode,
        version: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.certificates = Certificates()
        self.unsent: dict[str, Text] = {}
        self.node = node
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

    def running_problems(self, at: datetime) -> Iterator[Problem]:
        """Yield the problems known without a query."""
        yield from of_node(self.node)
        yield from of_certificates(self.certificates, at)
        yield from of_alerts(self.unsent)

    async def _take(self) -> Health:
        node, network, at = self.node, self.node.network, self._now()
        database = await self._read(at)
        problems = [*self.running_problems(at), *await of_disk(node.settings.folder)]
        if database is not None:
            problems += [*of_backups(database.backups, at), *of_members(database.standing)]
            faults = network.witness_requests.problems.values() if network else ()
            problems += of_witnesses(database.waiting_since, at, faults)
            problems += of_set_back(database.set_back, at)
        elif node.database_problem is None:
            problems.append(UNREADABLE)
        return Health(
            at=at,
            version=self._version,
            problems=tuple(problems),
            counts=node.counts,
            away=len(network.backfill.away) if network else 0,
            waiting=network.receiving.waiting if network else 0,
            database=database,
            certificate_ends=min(
                (certificate.ends for certificate in self.certificates.seen.values()), default=None
            ),
            memory_bytes=await asyncio.to_thread(_memory_bytes),
            cpu_s=time.process_time(),
        )

    async def _read(self, at: datetime) -> Database | None:
        store, settings = self.node.store, self.node.settings
        zone, publication = settings.time_zone, self.node.rules.now.publication
        published = Published(settings.identifier, zone, publication)
        span = Span((at - _DAY).astimezone(zone).date(), at.astimezone(zone).date())
        try:
            async with asyncio.timeout(_TIMEOUT_S), store.reading() as connection:
                await self.node.clock.look(connection)
                return Database(
                    standing=await count_members(connection, at),
                    withheld=await published.withheld(connection, publication.interval, span, at),
                    latest=await published.latest(connection, at - _DAY, at),
                    backups=await backups(connection),
                    witnessed=(
                        await overview(connection, settings.witness_for, at)
                        if settings.witness_for
                        else ()
                    ),
                    set_back=await set_back(connection),
                    waiting_since=await waiting_since(connection),
                    size_bytes=await store.size_bytes(connection),
                )
        except InterfaceError, OperationalError, NoConnection, TimeoutError:
            return None


def _memory_bytes() -> int | None:
    """Return the share of the memory that this process uses; None where it is unknown."""
    try:
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError, ValueError, IndexError:
        return None
