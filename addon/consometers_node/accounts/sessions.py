"""Sessions of browsers. The database holds the SHA-256 of their tokens alone."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
import secrets

from sqlalchemy import Column, ColumnElement, and_, delete, insert, select, update

from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.engine.declaration import Base

IDLE = timedelta(hours=1)
"""Idle timeout of a session."""
LONGEST = timedelta(hours=12)
"""Absolute lifetime of a session."""

_SEEN_EVERY = timedelta(minutes=1)
_TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class Session:
    """A valid session: the name of its user, and whether `seen` is due."""

    name: str
    is_seen_due: bool


class Sessions:
    """The sessions of one table, whose column `owner` has the names of their users."""

    def __init__(self, table: type[Base], owner: Column[str]) -> None:
        self._table = table
        self._owner = owner
        columns = table.__table__.c
        self._hash, self._seen_at = columns.token_hash, columns.seen_at
        self._expires_at = columns.expires_at

    def stands(self, at: datetime) -> tuple[ColumnElement[bool], ...]:
        """Return the conditions of a session that has not ended."""
        return self._expires_at > at, self._seen_at > at - IDLE

    async def begin(self, connection: AsyncConnection, name: str, at: datetime) -> str:
        """Return the token of a new session; forget sessions that are over."""
        await connection.execute(delete(self._table).where(~and_(*self.stands(at))))
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        await connection.execute(
            insert(self._table).values(
                {
                    "token_hash": _hash(token),
                    self._owner.name: name,
                    "created_at": at,
                    "seen_at": at,
                    "expires_at": at + LONGEST,
                }
            )
        )
        return token

    async def of_token(
        self, connection: AsyncConnection, token: str, at: datetime
    ) -> Session | None:
        """Return the session of a token; None for an invalid one."""
        query = select(self._owner, self._seen_at).where(
            self._hash == _hash(token), *self.stands(at)
        )
        row = (await connection.execute(query)).one_or_none()
        return None if row is None else Session(row[0], row[1] <= at - _SEEN_EVERY)

    async def seen(self, connection: AsyncConnection, token: str, at: datetime) -> None:
        """Note that a session is used."""
        used = update(self._table).where(self._hash == _hash(token))
        await connection.execute(used.values(seen_at=at))

    async def end(self, connection: AsyncConnection, token: str) -> None:
        await connection.execute(delete(self._table).where(self._hash == _hash(token)))

    async def end_all(self, connection: AsyncConnection, name: str) -> None:
        """End all sessions of a user."""
        await connection.execute(delete(self._table).where(self._owner == name))


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()
