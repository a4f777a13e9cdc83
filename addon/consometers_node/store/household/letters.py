"""Letters of collectives, as this home received them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, select, update

from consometers_node.store.clock import Confirmed
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.engine.declaration import columns_of
from consometers_node.store.tables import LetterRow, PeerId

MOST_OF_PEER = 50
"""Beyond these, the oldest ones go."""
KEPT_FOR = timedelta(days=365)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedLetter:
    """A letter: see `LetterRow`."""

    peer_id: PeerId
    id: str
    written_at: datetime
    received_at: datetime
    body: Mapping[str, str] = field(repr=False)
    read_at: datetime | None = None


async def all_letters(connection: AsyncConnection, *, unread: bool = False) -> list[ReceivedLetter]:
    """Return the letters, or those that nobody has marked as read, the last first."""
    query = select(*columns_of(LetterRow, ReceivedLetter)).order_by(
        LetterRow.received_at.desc(), LetterRow.written_at.desc(), LetterRow.id
    )
    if unread:
        query = query.where(LetterRow.read_at.is_(None))
    return [ReceivedLetter(**row._asdict()) for row in await connection.execute(query)]


async def is_stored(connection: AsyncConnection, peer: PeerId, letter: str) -> bool:
    """Return whether a letter of a peer is here."""
    query = select(LetterRow.id).where(LetterRow.peer_id == peer, LetterRow.id == letter)
    return (await connection.execute(query)).first() is not None


async def count_since(connection: AsyncConnection, peer: PeerId, since: datetime) -> int:
    """Count the letters of a peer that came from an instant on."""
    query = select(func.count()).where(LetterRow.peer_id == peer, LetterRow.received_at > since)
    count: int = (await connection.execute(query)).scalar_one()
    return count


async def add(connection: AsyncConnection, letter: ReceivedLetter) -> None:
    """Store a letter, in place of the oldest of its peer where there are too many."""
    names = ReceivedLetter.__dataclass_fields__
    values = {name: getattr(letter, name) for name in names}
    await connection.execute(insert(LetterRow).values(values))
    newest = (
        select(LetterRow.id)
        .where(LetterRow.peer_id == letter.peer_id)
        .order_by(LetterRow.received_at.desc(), LetterRow.id)
        .limit(MOST_OF_PEER)
    )
    oldest = LetterRow.peer_id == letter.peer_id, LetterRow.id.not_in(newest)
    await connection.execute(delete(LetterRow).where(*oldest))


async def mark_read(connection: AsyncConnection, peer: PeerId, letter: str, at: datetime) -> bool:
    """Mark a letter as read; return whether there is one."""
    unread = LetterRow.peer_id == peer, LetterRow.id == letter, LetterRow.read_at.is_(None)
    await connection.execute(update(LetterRow).where(*unread).values(read_at=at))
    return await is_stored(connection, peer, letter)


async def forget(connection: AsyncConnection, now: Confirmed) -> None:
    """Delete letters that are too old."""
    old = LetterRow.received_at < now - KEPT_FOR
    await connection.execute(delete(LetterRow).where(old))
