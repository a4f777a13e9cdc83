"""The administrators of a collective, or the operators of a host."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, select, update

from consometers_node.i18n.text import text
from consometers_node.store.collective.tables import AdministratorRow, AdminSessionRow
from consometers_node.store.engine.connection import AsyncConnection

from .errors import BadName, NoAccount
from .sessions import Sessions

MAX_NAME = 64
SESSIONS = Sessions(AdminSessionRow, AdminSessionRow.administrator)

_NO_SUCH = text("There is no administrator “{name}”: “admins list” lists them.")
_TAKEN = text("There is already an administrator “{name}”.")
_BAD_NAME = text("Write a name of 1 to {most} characters.")


@dataclass(frozen=True, slots=True)
class Administrator:
    """An administrator. `sessions` are those that have not ended."""

    name: str
    created_at: datetime
    seen_at: datetime | None
    sessions: int


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
    """Remove an administrator, and end their sessions. Raises NoAccount."""
    await _end_sessions(connection, name)
    await connection.execute(delete(AdministratorRow).where(AdministratorRow.name == name))


async def change_password(connection: AsyncConnection, name: str, hashed: str) -> None:
    """Store the hash of a new password, and end all sessions. Raises NoAccount."""
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
            func.count().filter(*SESSIONS.stands(at)),
        )
        .outerjoin(AdminSessionRow, AdminSessionRow.administrator == AdministratorRow.name)
        .group_by(AdministratorRow.name, AdministratorRow.created_at)
        .order_by(AdministratorRow.name)
    )
    return [Administrator(*row) for row in await connection.execute(query)]


async def _end_sessions(connection: AsyncConnection, name: str) -> None:
    if await password_hash(connection, name) is None:
        raise NoAccount(_NO_SUCH.fill(name=name))
    await SESSIONS.end_all(connection, name)
