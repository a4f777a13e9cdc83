"""Invitations: what lets somebody ask what this collective wants to read, and answer.

Of a token only its hash is kept: a link that was given away cannot be had again from the database.
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
import secrets
from typing import Any

from sqlalchemy import ColumnElement, Row, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ...quoalise.text import text
from ...store.collective_tables import InvitationRow
from ...store.tables import columns_of
from ..errors import NotInvited, OtherKind, Unknown
from .members import Kind, Member, Members

MAX_NOTE = 200

_TOKEN_BYTES = 16
_ID_BYTES = 4
_NOT_INVITED = text(
    "This invitation is unknown here, or has ended: ask for another one where you got it."
)
_NO_SUCH = text("There is no invitation {id}: “invitations list” tells which there are.")
_NOT_OURS = text("This is no invitation of this collective.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """An invitation, by its number: `kind` and `area` are those of who joins by it.

    Without `most_uses` any number of homes may. `note` is the collective's own.
    """

    id: str
    note: str
    kind: Kind
    area: str | None
    made_at: datetime
    expires_at: datetime
    most_uses: int | None
    uses: int
    revoked_at: datetime | None

    def stands(self, at: datetime) -> bool:
        used_up = self.most_uses is not None and self.uses >= self.most_uses
        return self.revoked_at is None and at < self.expires_at and not used_up


_COLUMNS = columns_of(InvitationRow, Invitation)


async def make(
    connection: AsyncConnection,
    *,
    at: datetime,
    expires_at: datetime,
    most_uses: int | None = 1,
    kind: Kind = Kind.HOME,
    area: str | None = None,
    note: str = "",
    id: str | None = None,
) -> tuple[Invitation, str]:
    """Make an invitation, and give it with its token, which is not kept.

    Two have never the same `id`: whoever gives one may send what it comes from twice.
    """
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    made = insert(InvitationRow).values(
        id=id or secrets.token_hex(_ID_BYTES),
        token_hash=_hash(token),
        note=note,
        kind=kind,
        area=area,
        made_at=at,
        expires_at=expires_at,
        most_uses=most_uses,
        uses=0,
    )
    row = await connection.execute(made.returning(*_COLUMNS))
    return _invitation(row.one()), token


async def check(members: Members, jid: str, token: str | None, at: datetime) -> None:
    """Refuse a stranger without an invitation. Raises NotInvited, as `admit` does."""
    if await members.by_jid(jid) is not None:
        return
    standing = select(InvitationRow.id).where(*_standing(token or "", at))
    if (await members.connection.execute(standing)).first() is None:
        raise NotInvited(_NOT_INVITED)


async def admit(members: Members, jid: str, token: str | None, at: datetime) -> Member:
    """Admit the holder of an invitation, or return the member. Raises NotInvited, OtherKind.

    A new invitation changes the kind of a member that has granted nothing yet. A home with
    permissions can only become a site.
    """
    known = await members.by_jid(jid)
    other = None
    if known is not None:
        other = await _other_kind(members.connection, known, token, at)
        if other is None:
            return known
    gave = known is not None and await members.gave(known.id)
    if known is not None and gave and (known.kind, other) != (Kind.HOME, Kind.SITE):
        raise OtherKind
    if token is None:
        raise NotInvited(_NOT_INVITED)
    using = (
        update(InvitationRow)
        .where(*_standing(token, at))
        .values(uses=InvitationRow.uses + 1)
        .returning(*_COLUMNS)
    )
    row = (await members.connection.execute(using)).one_or_none()
    if row is None:
        raise NotInvited(_NOT_INVITED)
    used = _invitation(row)
    if known is not None and gave:
        return await members.may_be_site(known.id)
    if known is not None:
        return await members.admit_as(known.id, used.kind, used.area, used.id)
    return await members.admit(jid, at, kind=used.kind, area=used.area, invitation=used.id)


async def _other_kind(
    connection: AsyncConnection, known: Member, token: str | None, at: datetime
) -> Kind | None:
    """Return of which other kind the members are for whom another invitation of a token stands."""
    if token is None:
        return None
    other = InvitationRow.kind != known.kind, InvitationRow.id.is_distinct_from(known.invitation_id)
    query = select(InvitationRow.kind).where(*_standing(token, at), *other)
    found = (await connection.execute(query)).scalar_one_or_none()
    return None if found is None else Kind(found)


def _standing(token: str, at: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        InvitationRow.token_hash == _hash(token),
        InvitationRow.revoked_at.is_(None),
        InvitationRow.expires_at > at,
        or_(InvitationRow.most_uses.is_(None), InvitationRow.uses < InvitationRow.most_uses),
    )


async def revoke(connection: AsyncConnection, id: str, at: datetime) -> Invitation:
    """Revoke an invitation. Members that joined by it stay. Raises Unknown."""
    standing = InvitationRow.id == id, InvitationRow.revoked_at.is_(None)
    await connection.execute(update(InvitationRow).where(*standing).values(revoked_at=at))
    query = select(*_COLUMNS).where(InvitationRow.id == id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise Unknown(_NO_SUCH.fill(id=id))
    return _invitation(row)


async def by_token(connection: AsyncConnection, token: str) -> Invitation:
    """Return the invitation of a token. Raises Unknown."""
    query = select(*_COLUMNS).where(InvitationRow.token_hash == _hash(token))
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise Unknown(_NOT_OURS)
    return _invitation(row)


async def all_invitations(connection: AsyncConnection) -> list[Invitation]:
    """Return every invitation that was made, the newest first."""
    query = select(*_COLUMNS).order_by(InvitationRow.made_at.desc(), InvitationRow.id)
    return [_invitation(row) for row in await connection.execute(query)]


async def forget_note(connection: AsyncConnection, id: str) -> None:
    """Forget what was noted of an invitation that was one person's alone."""
    for_one = InvitationRow.id == id, InvitationRow.most_uses == 1
    await connection.execute(update(InvitationRow).where(*for_one).values(note=""))


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()


def _invitation(row: Row[Any]) -> Invitation:
    return Invitation(**row._asdict() | {"kind": Kind(row.kind)})
