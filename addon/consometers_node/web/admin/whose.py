"""The member that a page of administration is of, the way back to its page, and its commune."""

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from ...collective.members.members import Member, Members, known_spelling
from ...quoalise import Text
from ...quoalise.text import text
from ...store.collective_tables import MemberId
from .handlers import AdminDesk, Refused
from .visit import Visit

_NOBODY = text("There is no such member.")
_KNOWN = text("This commune is known here as “{known}”: write it that way.")


async def member_of(desk: AdminDesk, visit: Visit, connection: AsyncConnection) -> Member:
    """Return the member that an address names. Raises Refused."""
    members = Members(connection, desk.settings.time_zone)
    member = await members.by_pseudonym(visit.named("member"))
    if member is None:
        raise Refused(404, _NOBODY)
    return member


def done(desk: AdminDesk, visit: Visit, member: Member, what: str) -> web.Response:
    """Go back to the page of a member, which says what was done."""
    desk.changed()
    return visit.go(f"members/{member.pseudonym}?done={what}")


async def misspelt(
    connection: AsyncConnection, typed: str, member: MemberId | None = None
) -> Text | None:
    """Return how a commune is written, where it is known by another spelling."""
    known = await known_spelling(connection, typed, member)
    return None if known == typed else _KNOWN.fill(known=known)
