"""The log of data that peers sent about this node, on its request."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import insert, select

from .connection import AsyncConnection
from .declaration import columns_of
from .tables import AccessRequestRow, PeerId


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRequest:
    """A copy that was received: who asked, and the file, of `size` bytes, by its hash."""

    at: datetime
    peer_id: PeerId
    who: str
    made_at: datetime
    size: int
    sha256: str


async def log_request(connection: AsyncConnection, request: AccessRequest) -> None:
    """Register a received copy."""
    await connection.execute(insert(AccessRequestRow).values(asdict(request)))


async def requests_to(connection: AsyncConnection, peer: PeerId) -> Sequence[AccessRequest]:
    """Return the copies received from a peer, the last first."""
    query = select(*columns_of(AccessRequestRow, AccessRequest)).where(
        AccessRequestRow.peer_id == peer
    )
    rows = await connection.execute(query.order_by(AccessRequestRow.id.desc()))
    return [AccessRequest(**row._asdict()) for row in rows]
