"""All members: search, sorting, and those with problems."""

from collections.abc import Callable, Collection
from datetime import UTC, date, datetime, timedelta

from aiohttp import web

from consometers_node.collective.calendar import Span
from consometers_node.collective.members.member_overview import MemberEntry, Status
from consometers_node.collective.members.members import Member, MemberKind, Members
from consometers_node.i18n.text import text
from consometers_node.store.collective import claims, set_aside
from consometers_node.store.collective.tables import MemberId
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.web.admin.page_base import AdminPages
from consometers_node.web.admin.pager import Pager
from consometers_node.web.admin.words import KINDS, STATUSES
from consometers_node.web.core.admin_context import AdminContext

DAYS = 30
"""The period over which a page shows the coverage."""

_AT_ONCE = 50
_ENDS_SOON = timedelta(days=30)
_MAX_QUERY = 100
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_GONE = frozenset({Status.LEFT, Status.ERASED})

_SHOWN = {
    "": text("current"),
    "silent": text("silent"),
    "problems": text("data refused"),
    "invalid": text("invalid reports"),
    "aside": text("records set aside"),
    "contested": text("device named by others"),
    "guests": text("no permission yet"),
    "ending": text("permission expiring soon"),
    "sites": text("public buildings"),
    "collectives": text("collectives"),
    "left": text("left or erased"),
}
_SORTS = {
    "": text("most gaps"),
    "heard": text("longest silence"),
    "joined": text("newest"),
    "name": text("name"),
}
_FILTERS: dict[str, Callable[[MemberEntry, date], bool]] = {
    "": lambda entry, _: entry.status not in _GONE,
    "silent": lambda entry, _: entry.status is Status.SILENT,
    "problems": lambda entry, _: entry.problems > 0,
    "invalid": lambda entry, _: entry.invalid > 0,
    "guests": lambda entry, _: entry.status is Status.GUEST,
    "ending": lambda entry, today: entry.until is not None and entry.until < today + _ENDS_SOON,
    "sites": lambda entry, _: entry.kind is MemberKind.SITE and entry.status not in _GONE,
    "collectives": lambda entry, _: (
        entry.kind is MemberKind.COLLECTIVE and entry.status not in _GONE
    ),
    "left": lambda entry, _: entry.status in _GONE,
}
"""The members shown, by what may be asked for and today's date; `_of_filter` knows the others."""
_ORDERS: dict[str, Callable[[MemberEntry], tuple[float | str, str]]] = {
    "": lambda entry: (2.0 if entry.there is None else entry.there, entry.pseudonym),
    "heard": lambda entry: ((entry.last_received_at or _NEVER).timestamp(), entry.pseudonym),
    "joined": lambda entry: (-entry.joined_at.timestamp(), entry.pseudonym),
    "name": lambda entry: (entry.title.casefold(), entry.pseudonym),
}


async def show(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """List members."""
    query = context.asked("q")[:_MAX_QUERY]
    shown = context.asked("show") if context.asked("show") in _SHOWN else ""
    sort = context.asked("sort") if context.asked("sort") in _ORDERS else ""
    window = Span.before(context.today, DAYS)
    async with pages.store.reading() as connection:
        everybody = (await pages.roster(connection, window, context.now)).entries
        some = await _of_filter(connection, shown)
    listed = [
        entry
        for entry in everybody
        if (entry.id in some if some is not None else _FILTERS[shown](entry, context.today))
        and _is_meant(entry, query.casefold())
    ]
    listed.sort(key=_ORDERS[sort])
    return _listing(
        pages, context, listed, query=query, shown=shown, sort=sort, anybody=bool(everybody)
    )


async def find(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Find members. An address, or a name that may be a person's, is posted: it is in no URL."""
    typed = context.typed("q")[:_MAX_QUERY]
    if not typed:
        return context.go("members")
    window = Span.before(context.today, DAYS)
    async with pages.store.reading() as connection:
        if "@" in typed:
            members = Members(connection, pages.settings.time_zone)
            member = await members.by_jid(typed.lower())
            return context.go("members?missed=yes" if member is None else _page_of(member))
        everybody = (await pages.roster(connection, window, context.now)).entries
    query = typed.casefold()
    nicknamed = [entry for entry in everybody if query in (entry.nickname or "").casefold()]
    others = [entry for entry in everybody if _is_meant(entry, query)]
    if not nicknamed:
        place = Pager.asked(context, 0, 1).with_(q=typed) if others else "?missed=yes"
        return context.go(f"members{place}")
    listed = nicknamed + [entry for entry in others if entry not in nicknamed]
    if len(listed) == 1:
        return context.go(_page_of(listed[0]))
    return _listing(pages, context, listed[:_AT_ONCE], query=typed)


def _listing(
    pages: AdminPages,
    context: AdminContext,
    listed: list[MemberEntry],
    *,
    query: str,
    shown: str = "",
    sort: str = "",
    anybody: bool = True,
) -> web.Response:
    pager = Pager.asked(context, len(listed), _AT_ONCE)
    return pages.page(
        context,
        "members.html",
        query=query,
        shown=shown,
        shows=_SHOWN,
        sort=sort,
        sorts=_SORTS,
        members=listed[pager.first : pager.end],
        anybody=anybody,
        pager=pager,
        days=DAYS,
        kinds=KINDS,
        statuses=STATUSES,
        missed=context.asked("missed") == "yes",
    )


def _page_of(member: Member | MemberEntry) -> str:
    return f"members/{member.pseudonym}"


async def _of_filter(connection: AsyncConnection, shown: str) -> Collection[MemberId] | None:
    """Return the doubtful members; None unless the filter asks for them."""
    match shown:
        case "aside":
            return await set_aside.undecided(connection)
        case "contested":
            return await claims.contested(connection)
        case _:
            return None


def _is_meant(entry: MemberEntry, query: str) -> bool:
    words = (entry.pseudonym, entry.name or "", entry.area or "")
    return any(query in word.casefold() for word in words)
