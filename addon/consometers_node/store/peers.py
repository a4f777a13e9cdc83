"""Peers: whom this node knows by a bare JID."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from .tables import PeerId, PeerRow

MEMBER = "member:"
"""How a member of a collective that reads its sums is known: by its pseudonym after this.

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
    query = select(PeerRow.id, PeerRow.jid, PeerRow.name).where(PeerRow.jid == jid)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else Peer(*row)


async def all_peers(connection: AsyncConnection) -> list[Peer]:
    """Return whom this node knows by an address, the first one first."""
    query = select(PeerRow.id, PeerRow.jid, PeerRow.name).order_by(PeerRow.id)
    query = query.where(~PeerRow.jid.startswith(MEMBER))
    return [Peer(*row) for row in await connection.execute(query)]
