"""Invitations: their holder, a stranger, may read the data needs and answer them.

The database holds the hash of a token alone: a link cannot be read from it again.
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
import secrets

from sqlalchemy import ColumnElement, insert, or_, select, update

from consometers_node.collective.errors import CollectiveFault, NotFound
from consometers_node.i18n.text import Text, text
from consometers_node.store.collective.tables import InvitationRow
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.store.engine.declaration import columns_of
from consometers_quoalise import NotAuthorized

from . import shares
from .members import Member, MemberKind, Members

MAX_NOTE = 200

_TOKEN_BYTES = 16
_ID_BYTES = 4
_NOT_INVITED = text("This invitation is unknown or has expired: ask its sender for a new one.")
_NO_SUCH = text("There is no invitation {id}: “invitations list” lists them.")
_NOT_OURS = text("This invitation is not from this collective.")


class NotInvited(CollectiveFault):
    """The invitation is unknown, or has ended."""

    condition = "not-invited"
    refusal = NotAuthorized


class OtherKind(CollectiveFault):
    """A member is invited as a different kind."""

    condition = "other-kind"
    words = text(
        "This node is already a member of another kind (home, site or collective) than in this"
        " invitation. To change its kind, withdraw all its permissions here with erasure, then"
        " open the invitation again."
    )


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation: `kind` and `area` are those of the members that join by it.

    Without `most_uses` any number of them may. `note` is the collective's own.
    """

    id: str
    note: str
    kind: MemberKind
    area: str | None
    created_at: datetime
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
    kind: MemberKind = MemberKind.HOME,
    area: str | None = None,
    note: str = "",
    id: str | None = None,
) -> tuple[Invitation, str]:
    """Make an invitation; return it with its token, which is not stored.

    No two have the same `id`: a form that is sent twice, with an `id`, makes one invitation.
    """
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    made = insert(InvitationRow).values(
        id=id or secrets.token_hex(_ID_BYTES),
        token_hash=_hash(token),
        note=note,
        kind=kind,
        area=area,
        created_at=at,
        expires_at=expires_at,
        most_uses=most_uses,
        uses=0,
    )
    return Invitation(*(await connection.execute(made.returning(*_COLUMNS))).one()), token


async def check(members: Members, jid: str, token: str | None, at: datetime) -> None:
    """Refuse a stranger without an invitation. Raises NotInvited, as `admit` does."""
    if await members.by_jid(jid) is not None:
        return
    valid = select(InvitationRow.id).where(*_stands(token or "", at))
    if (await members.connection.execute(valid)).first() is None:
        raise NotInvited(_NOT_INVITED)


async def admit(members: Members, jid: str, token: str | None, at: datetime) -> Member:
    """Admit the holder of an invitation, or return the member. Raises NotInvited, OtherKind.

    A new invitation changes the kind of a member that has granted nothing yet. A home with
    permissions can only become a site.
    """
    member = await members.by_jid(jid)
    if member is None:
        used = await _use(members.connection, token, at)
        member = await members.admit(jid, at, kind=used.kind, area=used.area, invitation=used.id)
        await shares.redeem(members.connection, member.id, used.id)
        return member
    kind = await _other_kind(members.connection, member, token, at)
    if kind is None:
        return member
    has_granted = await members.has_granted(member.id)
    if has_granted and (member.kind, kind) != (MemberKind.HOME, MemberKind.SITE):
        raise OtherKind
    used = await _use(members.connection, token, at)
    await shares.redeem(members.connection, member.id, used.id)
    if has_granted:
        return await members.may_be_site(member.id)
    return await members.admit_as(member.id, used.kind, used.area, used.id)


async def _use(connection: AsyncConnection, token: str | None, at: datetime) -> Invitation:
    """Count a use of an invitation. Raises NotInvited."""
    use = update(InvitationRow).where(*_stands(token or "", at)).values(uses=InvitationRow.uses + 1)
    row = (await connection.execute(use.returning(*_COLUMNS))).one_or_none()
    if row is None:
        raise NotInvited(_NOT_INVITED)
    return Invitation(*row)


async def _other_kind(
    connection: AsyncConnection, member: Member, token: str | None, at: datetime
) -> MemberKind | None:
    """Return the kind of another valid invitation, if it is not the member's."""
    other = InvitationRow.id.is_distinct_from(member.invitation_id)
    query = select(InvitationRow.kind).where(*_stands(token or "", at), other)
    kind = (await connection.execute(query)).scalar_one_or_none()
    return None if kind in {None, member.kind} else MemberKind(kind)


def _stands(token: str, at: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        InvitationRow.token_hash == _hash(token),
        InvitationRow.revoked_at.is_(None),
        InvitationRow.expires_at > at,
        or_(InvitationRow.most_uses.is_(None), InvitationRow.uses < InvitationRow.most_uses),
    )


async def revoke(connection: AsyncConnection, id: str, at: datetime) -> Invitation:
    """Revoke an invitation. Members who joined with it stay. Raises NotFound."""
    valid = InvitationRow.id == id, InvitationRow.revoked_at.is_(None)
    await connection.execute(update(InvitationRow).where(*valid).values(revoked_at=at))
    return await _only(connection, InvitationRow.id == id, _NO_SUCH.fill(id=id))


async def by_token(connection: AsyncConnection, token: str) -> Invitation:
    """Return the invitation of a token. Raises NotFound."""
    return await _only(connection, InvitationRow.token_hash == _hash(token), _NOT_OURS)


async def all_invitations(connection: AsyncConnection) -> list[Invitation]:
    """Return all invitations, the newest first."""
    query = select(*_COLUMNS).order_by(InvitationRow.created_at.desc(), InvitationRow.id)
    return [Invitation(*row) for row in await connection.execute(query)]


async def note_of(connection: AsyncConnection, id: str) -> str:
    """Return the collective's own note of an invitation. Raises NotFound."""
    return (await _only(connection, InvitationRow.id == id, _NO_SUCH.fill(id=id))).note


async def forget_note(connection: AsyncConnection, id: str) -> None:
    """Forget the note of an invitation that was one person's alone."""
    personal = InvitationRow.id == id, InvitationRow.most_uses == 1
    await connection.execute(update(InvitationRow).where(*personal).values(note=""))


async def _only(
    connection: AsyncConnection, which: ColumnElement[bool], missing: Text
) -> Invitation:
    row = (await connection.execute(select(*_COLUMNS).where(which))).one_or_none()
    if row is None:
        raise NotFound(missing)
    return Invitation(*row)


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()
