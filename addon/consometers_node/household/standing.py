"""How sharing stands: with whom, up to when, what waits and since when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from ..permission import Entry, Permission, Permissions, Permitted, State
from ..series import Range, Series
from ..store import PermissionId
from ..store.outbox import waiting_since
from ..store.peers import Peer, all_peers
from ..store.series import extent
from ..store.subscriptions import Subscription, subscriptions
from .ledger import SOON, records_of
from .pauses import paused
from .upkeep import Target, targets

REMEMBERED = timedelta(days=30)
"""How long an ended permission is told of beside those that hold."""


@dataclass(frozen=True, slots=True)
class Shared:
    """A series that a collective may read."""

    grant: Permitted
    progress: float
    """How much of its history was read from Home Assistant, from 0 to 1."""
    known: Range | None
    """From the first record to the end of the last one."""
    subscription: Subscription | None
    waiting: int
    """Records beyond the cursor of the subscription."""

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


async def collectives(connection: AsyncConnection, now: datetime) -> list[Collective]:
    """Give how it stands with each peer, the oldest first."""
    reached = await targets(connection, now)
    held_back = await paused(connection)
    return [
        await _collective(connection, peer, reached, held_back, now)
        for peer in await all_peers(connection)
    ]


async def _collective(
    connection: AsyncConnection,
    peer: Peer,
    reached: Mapping[Series, Target],
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
    told = {one.series_id: one for one in await subscriptions(connection, peer.id)}
    shared = [
        await _shared(connection, grant, reached[grant.series], told.get(grant.series_id), now)
        for grant in await register.permitted(peer.id)
    ]
    queued = await waiting_since(connection, peer.id)
    due = [
        one.subscription.cursor or one.subscription.since
        for one in shared
        if one.waiting and one.subscription is not None
    ]
    return Collective(peer, answered, shared, queued or min(due, default=None))


async def _shared(
    connection: AsyncConnection,
    grant: Permitted,
    target: Target,
    subscription: Subscription | None,
    now: datetime,
) -> Shared:
    known = await extent(connection, grant.series_id, grant.series, grant.records)
    waiting = 0
    if subscription is not None and known is not None:
        start = max(subscription.cursor or subscription.since, grant.records.start)
        beyond = Range(start, max(start, min(known.end, now + SOON, grant.records.end)))
        records = await records_of(connection, grant.series_id, grant.series, beyond)
        waiting = len(records)
    return Shared(grant, target.progress, known, subscription, waiting)


def told_of(collective: Collective, now: datetime) -> list[Answered]:
    """Give what holds or waits for an answer, and of what ended lately the last of each need."""
    found: dict[str, Answered] = {}
    kept = []
    for one in collective.permissions:
        if one.permission.state in {State.PROPOSED, State.GRANTED}:
            kept.append(one)
        elif now - one.last.at < REMEMBERED:
            found[one.permission.need.id] = one
    holding = {one.permission.need.id for one in kept}
    return [*kept, *(one for need, one in found.items() if need not in holding)]
