"""How sharing stands: with whom, up to when, what waits and since when."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from sqlalchemy.ext.asyncio import AsyncConnection

from ..permission import Entry, Permission, Permissions, Permitted, State
from ..series import Range, Series
from ..store import PeerId, PermissionId, SeriesId
from ..store.outbox import on_their_way, waiting_since
from ..store.peers import Peer, all_peers
from ..store.series import count_records
from ..store.subscriptions import Subscription, subscriptions
from .due_records import SOON
from .restriction import paused

REMEMBERED = timedelta(days=30)
"""How long an ended permission is told of beside those that hold."""

_ALL: Mapping[Series, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Shared:
    """A series that a collective may read."""

    grant: Permitted
    progress: float
    """How much of its history is here, from 0 to 1."""
    subscription: Subscription | None
    waiting: int
    """Records beyond the cursor of the subscription, and those before it that were corrected."""

    @property
    def series(self) -> Series:
        """The series."""
        return self.grant.series


@dataclass(frozen=True, slots=True)
class Answered:
    """A permission, and the last that happened to it."""

    permission: Permission
    last: Entry
    paused: bool
    newer: PermissionId | None
    """The proposal of a newer version of its data need, while that waits for its answer."""


@dataclass(frozen=True, slots=True)
class Collective:
    """A peer, all that it asked for, and all that is shared with it."""

    peer: Peer
    permissions: Sequence[Answered]
    shared: Sequence[Shared]
    waiting_since: datetime | None

    @property
    def waiting(self) -> int:
        """Records that are due and not acknowledged."""
        return sum(one.waiting for one in self.shared)

    @property
    def acknowledged_until(self) -> datetime | None:
        """The earliest of what it has acknowledged; None if it is told of nothing."""
        told = [one.subscription for one in self.shared if one.subscription is not None]
        cursors = [one.cursor for one in told if one.cursor is not None]
        return min(cursors) if cursors and len(cursors) == len(told) else None

    @property
    def paused(self) -> bool:
        """Whether all that holds is held back."""
        held = [one for one in self.permissions if one.permission.state is State.GRANTED]
        return bool(held) and all(one.paused for one in held)


async def collectives(
    connection: AsyncConnection, now: datetime, progress: Mapping[Series, float] = _ALL
) -> list[Collective]:
    """Return how it stands with each peer, the oldest first.

    `progress` is how much of the history of a series is here, where some is still to come.
    """
    held_back = await paused(connection)
    told: dict[PeerId, dict[SeriesId, Subscription]] = {}
    for one in await subscriptions(connection):
        told.setdefault(one.peer, {})[one.series_id] = one
    return [
        await _collective(
            connection, peer, progress, told.get(peer.id, {}), held_back=held_back, now=now
        )
        for peer in await all_peers(connection)
    ]


async def _collective(
    connection: AsyncConnection,
    peer: Peer,
    progress: Mapping[Series, float],
    told: Mapping[SeriesId, Subscription],
    *,
    held_back: set[PermissionId],
    now: datetime,
) -> Collective:
    register = Permissions(connection)
    every = await register.all(peer.id)
    proposed = {one.need.id: one for one in every if one.state is State.PROPOSED}
    answered = []
    for one in every:
        newer = proposed.get(one.need.id) if one.state is State.GRANTED else None
        last = (await register.entries(one.id))[-1]
        answered.append(Answered(one, last, one.id in held_back, newer.id if newer else None))
    granted = await register.permitted(peer.id)
    queued = await on_their_way(connection, peer.id)
    waiting = await count_records(connection, _due(granted, told, queued, now))
    shared = [
        Shared(
            one,
            progress.get(one.series, 1.0),
            told.get(one.series_id),
            waiting.get(one.series_id, 0),
        )
        for one in granted
    ]
    oldest = await waiting_since(connection, peer.id)
    due = [
        one.subscription.cursor or one.subscription.since
        for one in shared
        if one.waiting and one.subscription is not None
    ]
    return Collective(peer, answered, shared, oldest or min(due, default=None))


def _due(
    granted: Iterable[Permitted],
    told: Mapping[SeriesId, Subscription],
    queued: Mapping[SeriesId, Sequence[Range]],
    now: datetime,
) -> dict[SeriesId, tuple[Series, list[Range]]]:
    """Return what a peer is to be told of each series, or was and has not acknowledged."""
    found = {}
    for one in granted:
        if (subscription := told.get(one.series_id)) is not None:
            start = max(subscription.cursor or subscription.since, one.records.start)
            beyond = Range(start, max(start, min(now + SOON, one.records.end)))
            corrected = [
                Range(part.start, min(part.end, start))
                for part in queued.get(one.series_id, ())
                if part.start < start
            ]
            found[one.series_id] = one.series, [*_apart(corrected), beyond]
    return found


def _apart(ranges: Iterable[Range]) -> list[Range]:
    """Put together what overlaps."""
    apart: list[Range] = []
    for one in sorted(ranges, key=lambda one: one.start):
        if apart and one.start <= apart[-1].end:
            apart[-1] = Range(apart[-1].start, max(apart[-1].end, one.end))
        else:
            apart.append(one)
    return apart


def told_of(collective: Collective, now: datetime) -> list[Answered]:
    """Return what holds or waits for an answer, and of what ended lately the last of each need."""
    found: dict[str, Answered] = {}
    kept = []
    for one in collective.permissions:
        if one.permission.state in {State.PROPOSED, State.GRANTED}:
            kept.append(one)
        elif now - one.last.at < REMEMBERED:
            found[one.permission.need.id] = one
    holding = {one.permission.need.id for one in kept}
    return [*kept, *(one for need, one in found.items() if need not in holding)]
