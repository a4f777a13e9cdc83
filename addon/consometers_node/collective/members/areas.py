"""A commune that is known already is not known twice, by another way to write it."""

import unicodedata

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from ...store.collective_tables import InvitationRow, MemberId, MemberRow


async def known(connection: AsyncConnection, besides: MemberId | None = None) -> list[str]:
    """Return all communes of members and invitations, in order; of all members but one."""
    of_members = select(MemberRow.area).where(MemberRow.area.is_not(None))
    if besides is not None:
        of_members = of_members.where(MemberRow.id != besides)
    invited = select(InvitationRow.area).where(InvitationRow.area.is_not(None))
    return sorted(filter(None, (await connection.execute(of_members.union(invited))).scalars()))


async def as_known(connection: AsyncConnection, typed: str, member: MemberId | None = None) -> str:
    """Return a commune as it is written where it is known; that of `member` may change.

    Case, accents, spaces, hyphens and apostrophes make no other commune.
    """
    names = await known(connection, member)
    if typed in names:
        return typed
    return next((one for one in names if _plain(one) == _plain(typed)), typed)


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name).casefold()
    return "".join(one for one in letters if one.isalnum())
