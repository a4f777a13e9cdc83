"""A commune is written as it is known already, or its members would not be summed together."""

from sqlalchemy.ext.asyncio import AsyncConnection

from ...collective.members.areas import as_known
from ...quoalise import Text
from ...quoalise.text import text
from ...store.collective_tables import MemberId

_KNOWN = text("This commune is known here as “{known}”: write it that way.")


async def misspelt(
    connection: AsyncConnection, typed: str, member: MemberId | None = None
) -> Text | None:
    """Say how a commune is written, where it is known by another spelling."""
    known = await as_known(connection, typed, member)
    return None if known == typed else _KNOWN.fill(known=known)
