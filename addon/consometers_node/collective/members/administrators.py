"""The administrators of a collective: their passwords, and the sessions of their browsers.

The database holds the Argon2id of a password and the SHA-256 of a session's token: a person who
reads them can log in with neither.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import ColumnElement, and_, delete, func, insert, select, update

from consometers_node.collective.errors import CollectiveFault, NotFound
from consometers_node.i18n.text import text
from consometers_node.store.collective.tables import AdministratorRow, AdminSessionRow
from consometers_node.store.engine.connection import AsyncConnection

from .members import LETTERS

MAX_NAME = 64
LEAST_PASSWORD, MAX_PASSWORD = 12, 1000
AT_ONCE = 20
"""Passwords of strangers that may wait for their check; more are refused for now."""
KNOWN_AT_ONCE = 10
"""Further places, for browsers in which an administrator logged in before."""
IDLE = timedelta(hours=1)
"""Idle timeout of a session."""
LONGEST = timedelta(hours=12)
"""Absolute lifetime of a session."""

_SEEN_EVERY = timedelta(minutes=1)
_TOKEN_BYTES = 32
_GROUPS, _IN_GROUP = 5, 5

_NO_SUCH = text("There is no administrator “{name}”: “admins list” lists them.")
_TAKEN = text("There is already an administrator “{name}”.")
_BAD_NAME = text("Write a name of 1 to {most} characters.")
_TOO_SHORT = text("Write at least {least} characters: a few words in a row are easy to remember.")
_TOO_LONG = text("Write at most {most} characters.")
_LIKE_NAME = text("Your name is easy to guess: choose another password.")


class BadPassword(CollectiveFault):
    """A password is too short, too long, or the name of its owner."""

    condition = "bad-password"


class BadName(CollectiveFault):
    """An administrator's name is empty, too long, or taken."""

    condition = "bad-name"


class Busy(Exception):
    """Too many passwords wait to be checked."""


@dataclass(frozen=True, slots=True)
class Administrator:
    """An administrator. `sessions` are those that have not ended."""

    name: str
    created_at: datetime
    seen_at: datetime | None
    sessions: int


class Passwords:
    """Hashes passwords, one at a time and beside the loop: each takes 46 MiB, and a tenth second.

    That is above what OWASP asks of Argon2id, and leaves room on a server of 1 GiB.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        """Prepare; tests pass a cheaper `hasher`."""
        self._hasher = hasher or PasswordHasher(time_cost=2, memory_cost=46 * 1024, parallelism=1)
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._decoy: str | None = None

    async def hash(self, password: str) -> str:
        """Return the hash of a password. Raises Busy."""
        return await self._in_turn(password, None)

    async def check(self, hashed: str | None, password: str, *, is_known: bool = False) -> bool:
        """Return whether a password has this hash. Raises Busy.

        It takes the same time without a hash, where nobody has the name. The check `is_known` where
        it comes from a browser that has logged in before.
        """
        if self._decoy is None:
            self._decoy = await self.hash(secrets.token_urlsafe(_TOKEN_BYTES))
        try:
            await self._in_turn(password, hashed or self._decoy, is_known=is_known)
        except VerificationError, InvalidHashError:
            return False
        return hashed is not None

    def is_weak(self, hashed: str) -> bool:
        """Return whether the parameters of a hash are outdated."""
        return self._hasher.check_needs_rehash(hashed)

    async def _in_turn(self, password: str, hashed: str | None, *, is_known: bool = True) -> str:
        if self._waiting >= AT_ONCE + (KNOWN_AT_ONCE if is_known else 0):
            raise Busy
        self._waiting += 1
        normalized = unicodedata.normalize("NFC", password[: MAX_PASSWORD + 1])
        try:
            async with self._turn:
                return await asyncio.to_thread(self._work, normalized, hashed)
        finally:
            self._waiting -= 1

    def _work(self, password: str, hashed: str | None) -> str:
        if hashed is None:
            return self._hasher.hash(password)
        self._hasher.verify(hashed, password)
        return hashed


def new_password() -> str:
    """Generate a password that can be typed from a sheet of paper: 123 bits."""
    return "-".join(
        "".join(secrets.choice(LETTERS) for _ in range(_IN_GROUP)) for _ in range(_GROUPS)
    )


def check_password(name: str, password: str) -> None:
    """Raise BadPassword for an unacceptable password."""
    if len(password) < LEAST_PASSWORD:
        raise BadPassword(_TOO_SHORT.fill(least=LEAST_PASSWORD))
    if len(password) > MAX_PASSWORD:
        raise BadPassword(_TOO_LONG.fill(most=MAX_PASSWORD))
    if not password.casefold().replace(name.casefold(), "").strip():
        raise BadPassword(_LIKE_NAME)


async def add(connection: AsyncConnection, name: str, hashed: str, at: datetime) -> None:
    """Add an administrator, with the hash of their password. Raises BadName."""
    if not 0 < len(name) <= MAX_NAME or not name.isprintable() or name != name.strip():
        raise BadName(_BAD_NAME.fill(most=MAX_NAME))
    if await password_hash(connection, name) is not None:
        raise BadName(_TAKEN.fill(name=name))
    await connection.execute(
        insert(AdministratorRow).values(name=name, password_hash=hashed, created_at=at)
    )


async def remove(connection: AsyncConnection, name: str) -> None:
    """Remove an administrator, and end their sessions. Raises NotFound."""
    await _end_sessions(connection, name)
    await connection.execute(delete(AdministratorRow).where(AdministratorRow.name == name))


async def change_password(connection: AsyncConnection, name: str, hashed: str) -> None:
    """Store the hash of a new password, and end all sessions. Raises NotFound."""
    await _end_sessions(connection, name)
    await rehash(connection, name, hashed)


async def rehash(connection: AsyncConnection, name: str, hashed: str) -> None:
    """Store a new hash of the same password; sessions go on."""
    changed = update(AdministratorRow).where(AdministratorRow.name == name)
    await connection.execute(changed.values(password_hash=hashed))


async def password_hash(connection: AsyncConnection, name: str) -> str | None:
    """Return the hash of an administrator's password; None if nobody has that name."""
    query = select(AdministratorRow.password_hash).where(AdministratorRow.name == name)
    return (await connection.execute(query)).scalar_one_or_none()


async def administrators(connection: AsyncConnection, at: datetime) -> list[Administrator]:
    """Return all administrators, by name."""
    query = (
        select(
            AdministratorRow.name,
            AdministratorRow.created_at,
            func.max(AdminSessionRow.seen_at),
            func.count().filter(*_stands(at)),
        )
        .outerjoin(AdminSessionRow, AdminSessionRow.administrator == AdministratorRow.name)
        .group_by(AdministratorRow.name, AdministratorRow.created_at)
        .order_by(AdministratorRow.name)
    )
    return [Administrator(*row) for row in await connection.execute(query)]


async def begin_session(connection: AsyncConnection, name: str, at: datetime) -> str:
    """Return the token of a new session; forget sessions that are over."""
    await connection.execute(delete(AdminSessionRow).where(~and_(*_stands(at))))
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    await connection.execute(
        insert(AdminSessionRow).values(
            token_hash=_hash(token),
            administrator=name,
            created_at=at,
            seen_at=at,
            expires_at=at + LONGEST,
        )
    )
    return token


async def session_of(
    connection: AsyncConnection, token: str, at: datetime
) -> tuple[str, bool] | None:
    """Return the user of a session, and whether `seen` is due; None for an invalid token."""
    query = select(AdminSessionRow.administrator, AdminSessionRow.seen_at).where(
        AdminSessionRow.token_hash == _hash(token), *_stands(at)
    )
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else (row.administrator, row.seen_at <= at - _SEEN_EVERY)


async def seen(connection: AsyncConnection, token: str, at: datetime) -> None:
    """Note that a session is used."""
    used = update(AdminSessionRow).where(AdminSessionRow.token_hash == _hash(token))
    await connection.execute(used.values(seen_at=at))


async def end_session(connection: AsyncConnection, token: str) -> None:
    """End a session."""
    await connection.execute(
        delete(AdminSessionRow).where(AdminSessionRow.token_hash == _hash(token))
    )


async def _end_sessions(connection: AsyncConnection, name: str) -> None:
    if await password_hash(connection, name) is None:
        raise NotFound(_NO_SUCH.fill(name=name))
    await connection.execute(delete(AdminSessionRow).where(AdminSessionRow.administrator == name))


def _stands(at: datetime) -> tuple[ColumnElement[bool], ...]:
    return AdminSessionRow.expires_at > at, AdminSessionRow.seen_at > at - IDLE


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()
