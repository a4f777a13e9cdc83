"""All members: found, sorted, and those of whom something is wrong."""

from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from ...collective.calendar import Span
from ...collective.members.member_overview import Entry, Status
from ...collective.members.members import Kind, Members
from ...quoalise.text import text
from ...store import claims, set_aside
from ...store.collective_tables import MemberId
from .handlers import AdminDesk
from .pager import Pager
from .visit import Visit
from .words import KINDS, STATUSES

DAYS = 30
"""Over which it is told how much is there."""

_AT_ONCE = 50
_ENDS_SOON = timedelta(days=30)
_MAX_QUERY = 100
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_GONE = frozenset({Status.LEFT, Status.ERASED})

_SHOWN = {
    "": text("here"),
    "silent": text("silent"),
    "problems": text("refusing something"),
    "aside": text("records set aside"),
    "contested": text("device named by others"),
    "guests": text("have allowed nothing yet"),
    "ending": text("permission runs out soon"),
    "sites": text("public buildings"),
    "collectives": text("collectives"),
    "left": text("left or erased"),
}
_SORTS = {
    "": text("least is there"),
    "heard": text("longest silent"),
    "joined": text("newest"),
    "name": text("name"),
}
_ORDERS: dict[str, Callable[[Entry], tuple[float | str, str]]] = {
    "": lambda one: (2.0 if one.there is None else one.there, one.pseudonym),
    "heard": lambda one: ((one.heard_at or _NEVER).timestamp(), one.pseudonym),
    "joined": lambda one: (-one.joined_at.timestamp(), one.pseudonym),
    "name": lambda one: ((one.name or one.pseudonym).casefold(), one.pseudonym),
}


async def show(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """List members."""
    query = visit.asked("q")[:_MAX_QUERY]
    shown = visit.asked("show") if visit.asked("show") in _SHOWN else ""
    sort = visit.asked("sort") if visit.asked("sort") in _ORDERS else ""
    window = Span.before(visit.today, DAYS)
    async with desk.store.reading() as connection:
        everybody = (await desk.roster(connection, window, visit.now)).entries
        some = await _of_some(connection, shown)
    found = [
        one
        for one in everybody
        if (one.id in some if some is not None else _is_shown(one, shown, visit))
        and _is_meant(one, query.casefold())
    ]
    found.sort(key=_ORDERS[sort])
    pager = Pager.of(visit, len(found), _AT_ONCE)
    return desk.page(
        visit,
        "members.html",
        query=query,
        shown=shown,
        shows=_SHOWN,
        sort=sort,
        sorts=_SORTS,
        members=found[pager.first : pager.end],
        anybody=bool(everybody),
        pager=pager,
        days=DAYS,
        kinds=KINDS,
        statuses=STATUSES,
        missed=visit.asked("missed") == "yes",
    )


async def find(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Find a member. An address is typed whole, and stands in no address of a page."""
    typed = visit.typed("q")[:_MAX_QUERY]
    if "@" not in typed:
        return visit.go(f"members{Pager.of(visit, 0, 1).with_(q=typed)}" if typed else "members")
    async with desk.store.reading() as connection:
        one = await Members(connection, desk.settings.time_zone).by_jid(typed.lower())
    return visit.go("members?missed=yes" if one is None else f"members/{one.pseudonym}")


async def _of_some(connection: AsyncConnection, shown: str) -> Collection[MemberId] | None:
    """Return the members of whom something is doubtful; None where that is not asked."""
    match shown:
        case "aside":
            return await set_aside.undecided(connection)
        case "contested":
            return await claims.contested(connection)
        case _:
            return None


def _is_shown(one: Entry, shown: str, visit: Visit) -> bool:
    match shown:
        case "silent":
            return one.status is Status.SILENT
        case "problems":
            return one.problems > 0
        case "guests":
            return one.status is Status.GUEST
        case "ending":
            return one.until is not None and one.until < visit.today + _ENDS_SOON
        case "sites":
            return one.kind is Kind.SITE and one.status not in _GONE
        case "collectives":
            return one.kind is Kind.COLLECTIVE and one.status not in _GONE
        case "left":
            return one.status in _GONE
        case _:
            return one.status not in _GONE


def _is_meant(one: Entry, query: str) -> bool:
    words = (one.pseudonym, one.name or "", one.area or "")
    return any(query in word.casefold() for word in words)
