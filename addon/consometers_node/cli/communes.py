"""A commune is taken as it is written where it is known, and whoever typed it hears of it."""

from sqlalchemy.ext.asyncio import AsyncConnection

from consometers_node.collective.communes import as_known
from consometers_node.quoalise.text import text
from consometers_node.store.collective_tables import MemberId

from .output import Output

_TAKEN = text(
    "“{typed}” is known as “{known}” here: that is taken.",
    "« {typed} » est connu ici comme « {known} » : c’est ce qui est retenu.",
)


async def known_commune(
    connection: AsyncConnection, typed: str, output: Output, member: MemberId | None = None
) -> str:
    """Give a commune as it is written where it is known, and say so where it was not."""
    known = await as_known(connection, typed, member)
    if known != typed:
        output.note(_TAKEN, typed=typed, known=known)
    return known
