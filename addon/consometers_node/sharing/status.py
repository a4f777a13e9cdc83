"""The state of sharing: with whom, up to when, what waits and since when."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from consometers_node.permission import (
    Identification,
    Permission,
    Permissions,
    Permitted,
    RegisterEntry,
    State,
)
from consometers_node.series import Range, Series
from consometers_node.store import PermissionId, SeriesId
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.outbox import unacknowledged
from consometers_node.store.peers import Peer, Subscription, all_peers, subscriptions
from consometers_node.store.series import count_records

from .records.due_records import SOON
from .restriction import paused

REMEMBERED = timedelta(days=30)
"""How long an ended permission is listed beside the valid ones."""

_ALL: Mapping[Series, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Shared:
    """A series that a collective may read, by one permission or by several."""

    grants: Sequence[Permitted]
    progress: float
    """The stored share of its history, from 0 to 1."""
    subscription: Subscription | None
    waiting: int
    """Records beyond the cursor of the subscription, and corrected ones before it."""

    @property
    def id(self) -> SeriesId:
        return self.grants[0].series_id

    @property
    def series(self) -> Series:
        return self.grants[0].series

    @property
    def since(self) -> datetime:
        """The start of sharing."""
        return min(grant.records.start for grant in self.grants)

    @property
    def until(self) -> datetime:
        """Until when."""
        return max(grant.records.end for grant in self.grants)


@dataclass(frozen=True, slots=True)
class Answered:
    """A permission, and the last change to it."""

    permission: Permission
    last: RegisterEntry
    paused: bool
    newer: PermissionId | None
    """The proposal of a newer version of its data need, while that waits for its answer."""


@dataclass(frozen=True, slots=True)
class Collective:
    """A peer, all its requests, and everything shared with it."""

    peer: Peer
    permissions: Sequence[Answered]
    shared: Sequence[Shared]
    waiting_since: datetime | None

    @property
    def waiting(self) -> int:
        """Records that are due and not acknowledged."""
        return sum(each.waiting for each in self.shared)

    @property
    def acknowledged_until(self) -> datetime | None:
        """The earliest acknowledgement; None if it subscribed to nothing."""
        subscribed = [each.subscription for each in self.shared if each.subscription is not None]
        cursors = [each.cursor for each in subscribed if each.cursor is not None]
        return min(cursors) if cursors and len(cursors) == len(subscribed) else None

    @property
    def by_name(self) -> bool:
        """Whether it may show to everybody what it reads, under the member's name."""
        return any(
            grant.identification is Identification.NAME
            for each in self.shared
            for grant in each.grants
        )

    @property
    def paused(self) -> bool:
        """Whether all valid permissions are paused."""
        granted = [each for each in self.permissions if each.permission.state is State.GRANTED]
        return bool(granted) and all(each.paused for each in granted)


async def collectives(
    connection: AsyncConnection, now: datetime, progress: Mapping[Series, float] = _ALL
) -> list[Collective]:
    """Return the state of sharing with each peer, the oldest first.

    `progress` is how much of the history of a series is here, where some is still to come.
    """
    held_back = await paused(connection)
    return [
        await _collective(connection, peer, progress, held_back, now)
        for peer in await all_peers(connection)
    ]


async def _collective(
    connection: AsyncConnection,
    peer: Peer,
    progress: Mapping[Series, float],
    held_back: set[PermissionId],
    now: datetime,
) -> Collective:
    register = Permissions(connection)
    permissions = await register.all(peer.id)
    proposed = {each.need.id: each.id for each in permissions if each.state is State.PROPOSED}
    answered = []
    for permission in permissions:
        newer = proposed.get(permission.need.id) if permission.state is State.GRANTED else None
        last = (await register.entries(permission.id))[-1]
        answered.append(Answered(permission, last, permission.id in held_back, newer))
    grants: dict[SeriesId, list[Permitted]] = {}
    for grant in await register.permitted(peer.id):
        grants.setdefault(grant.series_id, []).append(grant)
    subscribed = {each.series_id: each for each in await subscriptions(connection, peer.id)}
    queued, oldest = await unacknowledged(connection, peer.id)
    waiting = await count_records(connection, _due(grants, subscribed, queued, now))
    shared = [
        Shared(
            grants_of,
            progress.get(grants_of[0].series, 1.0),
            subscribed.get(series_id),
            waiting.get(series_id, 0),
        )
        for series_id, grants_of in grants.items()
    ]
    due = [
        each.subscription.cursor or each.subscription.since
        for each in shared
        if each.waiting and each.subscription is not None
    ]
    return Collective(peer, answered, shared, oldest or min(due, default=None))


def _due(
    grants: Mapping[SeriesId, Sequence[Permitted]],
    subscribed: Mapping[SeriesId, Subscription],
    queued: Mapping[SeriesId, Sequence[Range]],
    now: datetime,
) -> dict[SeriesId, tuple[Series, list[Range]]]:
    """Return the records due to a peer of each series, sent and unacknowledged ones included."""
    due = {}
    for series_id, grants_of in grants.items():
        if (subscription := subscribed.get(series_id)) is not None:
            first = min(grant.records.start for grant in grants_of)
            last = max(grant.records.end for grant in grants_of)
            start = max(subscription.cursor or subscription.since, first)
            beyond = Range(start, max(start, min(now + SOON, last)))
            corrected = [
                Range(part.start, min(part.end, start))
                for part in queued.get(series_id, ())
                if part.start < start
            ]
            due[series_id] = grants_of[0].series, [*_apart(corrected), beyond]
    return due


def _apart(ranges: Iterable[Range]) -> list[Range]:
    """Join overlapping ones."""
    apart: list[Range] = []
    for part in sorted(ranges, key=lambda part: part.start):
        if apart and part.start <= apart[-1].end:
            apart[-1] = Range(apart[-1].start, max(apart[-1].end, part.end))
        else:
            apart.append(part)
    return apart


def current_permissions(collective: Collective, now: datetime) -> list[Answered]:
    """Return valid and pending permissions, and the last ended one of each need."""
    ended: dict[str, Answered] = {}
    open_ = []
    for answered in collective.permissions:
        if answered.permission.state in {State.PROPOSED, State.GRANTED}:
            open_.append(answered)
        elif now - answered.last.at < REMEMBERED:
            ended[answered.permission.need.id] = answered
    needs = {answered.permission.need.id for answered in open_}
    return [*open_, *(answered for need, answered in ended.items() if need not in needs)]
