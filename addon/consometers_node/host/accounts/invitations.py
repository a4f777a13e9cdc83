"""Invitations to a space: each makes one, and its link is shown once.

The database holds the hash of a token alone.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
import secrets

from sqlalchemy import ColumnElement, delete, insert, or_, select, update

from consometers_node.accounts.errors import AccountFault
from consometers_node.i18n.text import text
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.engine.declaration import columns_of
from consometers_node.store.host.tables import SpaceInvitationRow

MAX_NOTE = 200
KEPT_FOR = timedelta(days=30)
"""How long an invitation is listed that ended unused."""

_TOKEN_BYTES = 16
_ID_BYTES = 4
_NOT_INVITED = text("This invitation is unknown, used or expired: ask its sender for a new one.")


class NotInvited(AccountFault):
    """The invitation is unknown, or has ended."""

    condition = "not-invited"

    def __init__(self) -> None:
        super().__init__(_NOT_INVITED)


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation to one `space`, which it has once it is used. `note` is the operator's own."""

    id: str
    note: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    used_at: datetime | None
    space: str | None

    def stands(self, at: datetime) -> bool:
        return self.revoked_at is None and self.used_at is None and at < self.expires_at


_COLUMNS = columns_of(SpaceInvitationRow, Invitation)


async def make(
    connection: AsyncConnection, *, at: datetime, expires_at: datetime, note: str = ""
) -> tuple[Invitation, str]:
    """Make an invitation; return it with its token, which is not stored. Forget unused ones."""
    await _forget_unused(connection, at - KEPT_FOR)
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    made = insert(SpaceInvitationRow).values(
        id=secrets.token_hex(_ID_BYTES),
        token_hash=_hash(token),
        note=note,
        created_at=at,
        expires_at=expires_at,
    )
    return Invitation(*(await connection.execute(made.returning(*_COLUMNS))).one()), token


async def check(connection: AsyncConnection, token: str, at: datetime) -> None:
    """Refuse a token of no valid invitation. Raises NotInvited."""
    valid = select(SpaceInvitationRow.id).where(*_stands(token, at))
    if (await connection.execute(valid)).first() is None:
        raise NotInvited


async def use(connection: AsyncConnection, token: str, space: str, at: datetime) -> None:
    """Use up an invitation for a space. Raises NotInvited."""
    use = update(SpaceInvitationRow).where(*_stands(token, at)).values(used_at=at, space=space)
    if not (await connection.execute(use)).rowcount:
        raise NotInvited


async def revoke(connection: AsyncConnection, id: str, at: datetime) -> None:
    """Revoke an unused invitation. Raises NotInvited."""
    unused = (
        SpaceInvitationRow.id == id,
        SpaceInvitationRow.revoked_at.is_(None),
        SpaceInvitationRow.used_at.is_(None),
    )
    revoked = update(SpaceInvitationRow).where(*unused).values(revoked_at=at)
    if not (await connection.execute(revoked)).rowcount:
        raise NotInvited


async def all_invitations(connection: AsyncConnection) -> list[Invitation]:
    """Return all invitations, the newest first."""
    query = select(*_COLUMNS).order_by(SpaceInvitationRow.created_at.desc(), SpaceInvitationRow.id)
    return [Invitation(*row) for row in await connection.execute(query)]


async def _forget_unused(connection: AsyncConnection, before: datetime) -> None:
    ended = or_(SpaceInvitationRow.expires_at < before, SpaceInvitationRow.revoked_at < before)
    unused = SpaceInvitationRow.used_at.is_(None)
    await connection.execute(delete(SpaceInvitationRow).where(unused, ended))


def _stands(token: str, at: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        SpaceInvitationRow.token_hash == _hash(token),
        SpaceInvitationRow.revoked_at.is_(None),
        SpaceInvitationRow.used_at.is_(None),
        SpaceInvitationRow.expires_at > at,
    )


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()
