"""Who read what of whom, and what administrators did."""

from datetime import timedelta

from aiohttp import web

from ...collective.members import Members
from ...collective.reads import reads
from ...quoalise import Text
from ...quoalise.text import text
from .desk import AdminDesk
from .pager import Pager
from .visit import Visit

_AT_ONCE = 50
_SPANS = (30, 365)

_WHATS = {
    "page": text("looked at the member’s page", "a regardé la page du membre"),
    "export json": text("took all that is held along", "a emporté tout ce qui est détenu"),
    "export csv": text("took the records along", "a emporté les relevés"),
    "site": text("described it as a public building", "l’a décrit comme bâtiment public"),
    "name": text("named it", "l’a nommé"),
    "area": text("said in which commune it is", "a dit dans quelle commune il est"),
    "terminate": text("ended a permission", "a mis fin à une autorisation"),
    "erase": text("had it erased", "l’a fait effacer"),
    "login": text("logged in", "s’est connecté"),
    "password": text("changed their password", "a changé son mot de passe"),
}
"""What is written down, in words. What is not here is shown as it is."""


async def show(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Show who read what, of one member or of all, the last first."""
    span = next((days for days in _SPANS if visit.asked("days") == str(days)), _SPANS[0])
    async with desk.store.reading() as connection:
        members = Members(connection, desk.settings.time_zone)
        one = await members.by_pseudonym(visit.asked("member")) if visit.asked("member") else None
        since = visit.now - timedelta(days=span)
        found = await reads(connection, one.id if one else None, since)
        pager = Pager.of(visit, len(found), _AT_ONCE)
        shown = found[pager.first : pager.end]
        whose = {
            number: await members.get(number)
            for number in {each.member for each in shown if each.member is not None}
        }
    return desk.page(
        visit,
        "log.html",
        reads=shown,
        whose=whose,
        one=one,
        span=span,
        spans=_SPANS,
        pager=pager,
        said=_said,
    )


def _said(what: str) -> Text:
    return _WHATS.get(what) or Text({"en": what})
