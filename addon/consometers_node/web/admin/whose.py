"""The member that a page of administration is of, and the way back to its page."""

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from ...collective.members.members import Member, Members
from ...quoalise.text import text
from .handlers import AdminDesk, Refused
from .visit import Visit

_NOBODY = text("There is no such member.")


async def member_of(desk: AdminDesk, visit: Visit, connection: AsyncConnection) -> Member:
    """Return the member that an address names. Raises Refused."""
    members = Members(connection, desk.settings.time_zone)
    one = await members.by_pseudonym(visit.named("member"))
    if one is None:
        raise Refused(404, _NOBODY)
    return one


def done(desk: AdminDesk, visit: Visit, member: Member, what: str) -> web.Response:
    """Go back to the page of a member, which says what was done."""
    desk.changed()
    return visit.go(f"members/{member.pseudonym}?done={what}")
