"""Peers, and up to where each has acknowledged its subscribed series."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, or_, select, update

from consometers_node.series import Series

from .engine.connection import AsyncConnection
from .engine.declaration import columns_of
from .engine.errors import only_with_permission
from .series import SERIES_FACTS
from .tables import OutboxRow, PeerId, PeerRow, SeriesId, SeriesRow, SubscriptionRow

MEMBER = "member:"
"""Prefix of a member that reads a collective's sums: its pseudonym follows.

So its address stands in one place alone, from where it is erased. No address begins so.
"""


@dataclass(frozen=True, slots=True)
class Peer:
    """Another node, or a person's account."""

    id: PeerId
    jid: str
    name: str

    @property
    def is_member(self) -> bool:
        return self.jid.startswith(MEMBER)


_PEERS = select(*columns_of(PeerRow, Peer))


async def add_peer(connection: AsyncConnection, jid: str, name: str, at: datetime) -> Peer:
    """Return the peer of this bare JID, stored if it is new. A stored one keeps its name."""
    peer = await peer_by_jid(connection, jid)
    if peer is not None:
        return peer
    values = {"jid": jid, "name": name, "added_at": at}
    result = await connection.execute(insert(PeerRow).values(values).returning(PeerRow.id))
    return Peer(result.scalar_one(), jid, name)


async def peer_by_jid(connection: AsyncConnection, jid: str) -> Peer | None:
    """Return the peer of this bare JID, if it is known."""
    row = (await connection.execute(_PEERS.where(PeerRow.jid == jid))).one_or_none()
    return None if row is None else Peer(*row)


async def all_peers(connection: AsyncConnection) -> list[Peer]:
    """Return the peers known by an address, the first one first."""
    query = _PEERS.where(~PeerRow.jid.startswith(MEMBER))
    return [Peer(*row) for row in await connection.execute(query.order_by(PeerRow.id))]


@dataclass(frozen=True, slots=True)
class Subscription:
    """A peer is sent new records of a series; the cursor is where it stands, None at first."""

    peer: PeerId
    series_id: SeriesId
    since: datetime
    cursor: datetime | None


async def subscribe(
    connection: AsyncConnection,
    peer: PeerId,
    series_id: SeriesId,
    at: datetime,
    cursor: datetime | None = None,
) -> bool:
    """Subscribe a peer to new records, from the cursor on. Raises NotPermitted.

    It may ask twice: False if the subscription was there, and stays as it was.
    """
    if any(each.series_id == series_id for each in await subscriptions(connection, peer)):
        return False
    row = insert(SubscriptionRow).values(peer_id=peer, series_id=series_id, since=at, cursor=cursor)
    with only_with_permission():
        await connection.execute(row)
    return True


async def unsubscribe(connection: AsyncConnection, peer: PeerId, series_id: SeriesId) -> bool:
    """End a subscription with what is queued for it. Return whether there was one."""
    queued = delete(OutboxRow).where(OutboxRow.peer_id == peer, OutboxRow.series_id == series_id)
    await connection.execute(queued)
    gone = delete(SubscriptionRow).where(
        SubscriptionRow.peer_id == peer, SubscriptionRow.series_id == series_id
    )
    return (await connection.execute(gone)).rowcount > 0


async def subscriptions(
    connection: AsyncConnection, peer: PeerId | None = None
) -> list[Subscription]:
    """Return all subscriptions, or those of a peer."""
    columns = columns_of(SubscriptionRow, Subscription, peer=SubscriptionRow.peer_id)
    query = select(*columns).order_by(SubscriptionRow.peer_id, SubscriptionRow.series_id)
    if peer is not None:
        query = query.where(SubscriptionRow.peer_id == peer)
    return [Subscription(*row) for row in await connection.execute(query)]


async def subscribed_series(connection: AsyncConnection) -> dict[SeriesId, Series]:
    """Return the series with subscribers."""
    ids = select(SubscriptionRow.series_id)
    query = select(SeriesRow.id, *SERIES_FACTS).where(SeriesRow.id.in_(ids)).order_by(SeriesRow.id)
    return {series_id: Series(*facts) for series_id, *facts in await connection.execute(query)}


async def move_cursor(
    connection: AsyncConnection, peer: PeerId, series_id: SeriesId, to: datetime
) -> None:
    """Move a cursor on, never back: receipts come in any order."""
    cursor = SubscriptionRow.cursor
    moved = update(SubscriptionRow).where(
        SubscriptionRow.peer_id == peer,
        SubscriptionRow.series_id == series_id,
        or_(cursor.is_(None), cursor < to),
    )
    await connection.execute(moved.values(cursor=to))
