"""The spaces of households: their names, their homes' addresses, and the terms they accepted."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
import re

from sqlalchemy import delete, func, insert, select, update

from consometers_node.accounts.errors import AccountFault, BadName, NoAccount
from consometers_node.accounts.sessions import Sessions
from consometers_node.i18n.text import text
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.engine.declaration import columns_of
from consometers_node.store.host.tables import FormerSpaceRow, SpaceRow, SpaceSessionRow
from consometers_node.store.tables import ShownTextRow

LEAST_NAME, MAX_NAME = 3, 32
SESSIONS = Sessions(SpaceSessionRow, SpaceSessionRow.space)

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_RESERVED = frozenset(
    {"abuse", "admin", "administrator", "host", "hostmaster", "postmaster", "root", "security"}
    | {"support", "webmaster", "xmpp"}
)
"""Names that a peer would take for those of the host itself (RFC 2142)."""

_BAD_NAME = text(
    "Write {least} to {most} lower-case letters, digits and hyphens; the first is a letter."
)
_TAKEN = text("“{name}” is taken: choose another name.")
_NO_SPACE = text("This space no longer exists.")
_FULL = text("All spaces here are taken. Ask the people who run this host.")


class Full(AccountFault):
    """The host has as many spaces as it wants."""

    condition = "full"

    def __init__(self) -> None:
        super().__init__(_FULL)


@dataclass(frozen=True, slots=True)
class ShownTerms:
    """The terms as a household saw them when it accepted: their version, and the text itself."""

    version: str
    language: str
    body: str

    @property
    def hash(self) -> str:
        return sha256(self.body.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Space:
    """A space. `address` is the bare JID of its home."""

    name: str
    address: str
    created_at: datetime
    seen_at: datetime
    terms_version: str
    terms_accepted_at: datetime


_COLUMNS = columns_of(SpaceRow, Space)


def check_name(name: str) -> None:
    """Raise BadName for a name that cannot be an address."""
    if not LEAST_NAME <= len(name) <= MAX_NAME or not _NAME.fullmatch(name):
        raise BadName(_BAD_NAME.fill(least=LEAST_NAME, most=MAX_NAME))
    if name in _RESERVED:
        raise BadName(_TAKEN.fill(name=name))


async def check_free(connection: AsyncConnection, name: str, most_spaces: int) -> None:
    """Raise BadName if a name is or was somebody's, and Full if no space is left."""
    former = select(FormerSpaceRow.name_hash).where(FormerSpaceRow.name_hash == _hash(name))
    if (
        await password_hash(connection, name) is not None
        or (await connection.execute(former)).first() is not None
    ):
        raise BadName(_TAKEN.fill(name=name))
    if await count(connection) >= most_spaces:
        raise Full


async def add(
    connection: AsyncConnection,
    name: str,
    address: str,
    *,
    hashed: str,
    terms: ShownTerms,
    at: datetime,
    most_spaces: int,
) -> None:
    """Add a space, with the hash of its password. Raises BadName, Full."""
    await check_free(connection, name, most_spaces)
    await connection.execute(
        insert(SpaceRow).values(
            name=name,
            address=address,
            password_hash=hashed,
            created_at=at,
            seen_at=at,
            **await _accepted(connection, terms, at),
        )
    )


async def find(connection: AsyncConnection, name: str) -> Space:
    """Return a space. Raises NoAccount."""
    query = select(*_COLUMNS).where(SpaceRow.name == name)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NoAccount(_NO_SPACE)
    return Space(*row)


async def password_hash(connection: AsyncConnection, name: str) -> str | None:
    """Return the hash of the password of a space; None if there is none of that name."""
    query = select(SpaceRow.password_hash).where(SpaceRow.name == name)
    return (await connection.execute(query)).scalar_one_or_none()


async def rehash(connection: AsyncConnection, name: str, hashed: str) -> None:
    """Store a new hash of the same password; sessions go on."""
    await connection.execute(
        update(SpaceRow).where(SpaceRow.name == name).values(password_hash=hashed)
    )


async def change_password(connection: AsyncConnection, name: str, hashed: str) -> None:
    """Store the hash of a new password, and end all sessions."""
    await SESSIONS.end_all(connection, name)
    await rehash(connection, name, hashed)


async def accept_terms(
    connection: AsyncConnection, name: str, terms: ShownTerms, at: datetime
) -> None:
    """Note that a household accepted the terms in force."""
    accepted = update(SpaceRow).where(SpaceRow.name == name)
    await connection.execute(accepted.values(await _accepted(connection, terms, at)))


async def begin_session(connection: AsyncConnection, name: str, at: datetime) -> str:
    """Return the token of a new session, and note when the household was last here."""
    await connection.execute(update(SpaceRow).where(SpaceRow.name == name).values(seen_at=at))
    return await SESSIONS.begin(connection, name, at)


async def remove(connection: AsyncConnection, name: str) -> None:
    """Remove a space, its sessions and its invitation. Nobody else ever gets its name.

    A collective would take another household at this address for the one that left.
    """
    gone = await connection.execute(delete(SpaceRow).where(SpaceRow.name == name))
    if gone.rowcount:
        await connection.execute(insert(FormerSpaceRow).values(name_hash=_hash(name)))


async def count(connection: AsyncConnection) -> int:
    """Return how many spaces there are."""
    query = select(func.count()).select_from(SpaceRow.__table__)
    return int((await connection.execute(query)).scalar_one())


async def listed(connection: AsyncConnection, offset: int, limit: int) -> list[Space]:
    """Return some spaces, in the order of their names."""
    query = select(*_COLUMNS).order_by(SpaceRow.name).offset(offset).limit(limit)
    return [Space(*row) for row in await connection.execute(query)]


async def _accepted(
    connection: AsyncConnection, terms: ShownTerms, at: datetime
) -> dict[str, object]:
    """Return the columns of accepted terms, whose text is kept once."""
    key = {"hash": terms.hash, "language": terms.language}
    query = select(ShownTextRow.hash).filter_by(**key)
    if (await connection.execute(query)).first() is None:
        await connection.execute(insert(ShownTextRow).values(**key, body=terms.body))
    return {
        "terms_version": terms.version,
        "terms_hash": terms.hash,
        "terms_language": terms.language,
        "terms_accepted_at": at,
    }


def _hash(name: str) -> str:
    return sha256(name.encode()).hexdigest()
