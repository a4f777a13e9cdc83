"""A commune that is known already is not known twice, by another way to write it."""

import unicodedata

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from consometers_node.quoalise.text import text
from consometers_node.store.collective_tables import InvitationRow, MemberId, MemberRow

from .output import Output

_TAKEN = text(
    "“{typed}” is known as “{known}” here: that is taken.",
    "« {typed} » est connu ici comme « {known} » : c'est ce qui est retenu.",
)


async def known_commune(
    connection: AsyncConnection, typed: str, output: Output, member: MemberId | None = None
) -> str:
    """Give a commune as it is written where it is known, and say so; that of `member` may change.

    Case, accents, spaces, hyphens and apostrophes make no other commune.
    """
    of_members = select(MemberRow.area).where(MemberRow.area.is_not(None))
    if member is not None:
        of_members = of_members.where(MemberRow.id != member)
    invited = select(InvitationRow.area).where(InvitationRow.area.is_not(None))
    known = sorted(filter(None, (await connection.execute(of_members.union(invited))).scalars()))
    if typed in known:
        return typed
    same = next((one for one in known if _plain(one) == _plain(typed)), typed)
    if same != typed:
        output.note(_TAKEN, typed=typed, known=same)
    return same


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name).casefold()
    return "".join(one for one in letters if one.isalnum())
