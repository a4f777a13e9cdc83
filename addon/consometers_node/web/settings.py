"""The home's address on the network, which way its energies flow, and the language of pages."""

import re

from aiohttp import web

from ..household import HomeAssistantFault, collective_statistics
from ..household.candidate_statistics import set_direction
from ..quoalise import Text
from ..quoalise.text import text
from ..series import Direction
from ..sharing import consent_text
from ..sharing.account import load, save
from ..sharing.names import is_delivery_point, keep_delivery_point, load_naming
from ..xmpp import Account, Identity, NetworkError
from ..xmpp.trial import try_out
from .handlers import Desk, House
from .language import COOKIE, LANGUAGES
from .network import said
from .visit import Visit

_PREFIX = "direction:"
_PLACE = re.compile(r"[a-z0-9-]{1,40}(/[a-z0-9-]{1,40})?")
_A_YEAR_S = 365 * 86_400
_NOT_A_POINT = text(
    "The number of a delivery point has 14 digits: it is on your bill, or on the meter’s screen."
)
_LAST_DIGITS = 4
_NO_PASSWORD = text("Type the password.")


async def show(desk: Desk, visit: Visit) -> web.StreamResponse:
    """Show what is set."""
    return await _show(desk, visit)


async def change_account(desk: Desk, visit: Visit) -> web.StreamResponse:
    """Try an account, and keep it if its server takes the password."""
    password = visit.form.get("password", ("",))[0]
    if not password:
        return await _show(desk, visit, {"password": _NO_PASSWORD})
    try:
        who = Identity(Account(visit.typed("jid"), password), desk.server)
        await try_out(who, visit.language.tag)
    except NetworkError as fault:
        return await _show(desk, visit, {"jid": said(fault)})
    await save(desk.node.store, who)
    desk.changed()
    return visit.go("settings?done=account")


async def change_delivery_point(desk: Desk, visit: Visit) -> web.StreamResponse:
    """Keep the home's delivery point, or forget it where nothing is typed."""
    typed = "".join(visit.typed("point").split())
    if typed and not is_delivery_point(typed):
        return await _show(desk, visit, {"point": _NOT_A_POINT})
    await keep_delivery_point(desk.node.store, typed or None)
    desk.node.naming = await load_naming(desk.node.store)
    desk.changed()
    return visit.go("settings?done=point")


async def change_directions(desk: Desk, visit: Visit) -> web.StreamResponse:
    """Keep which way energies flow, of the statistics that there are."""
    house = await desk.house()
    async with desk.node.store.writing() as connection:
        for proposal in house.proposals:
            name = proposal.statistic.id
            typed = visit.typed(_PREFIX + name)
            if _PREFIX + name in visit.form and (not typed or typed in Direction):
                direction = Direction(typed) if typed else None
                if direction is not house.said.get(name):
                    await set_direction(connection, name, direction)
    return visit.go("settings?done=directions")


async def change_collectives(desk: Desk, visit: Visit) -> web.StreamResponse:
    """Set whether Home Assistant shows the sums of collectives."""
    async with desk.node.store.writing() as connection:
        await collective_statistics.show(connection, shown=visit.typed("shown") == "yes")
    desk.changed()
    return visit.go("settings?done=collectives")


async def change_language(_desk: Desk, visit: Visit) -> web.StreamResponse:
    """Remember a language in this browser, and go back to where it was chosen."""
    place = visit.typed("back")
    response = visit.go(place if _PLACE.fullmatch(place) else "")
    chosen = visit.typed("language")
    if chosen in LANGUAGES:
        response.set_cookie(
            COOKIE, chosen, max_age=_A_YEAR_S, path="", httponly=True, samesite="Strict"
        )
    return response


async def _show(
    desk: Desk, visit: Visit, errors: dict[str, Text] | None = None
) -> web.StreamResponse:
    account = await load(desk.node.store)
    house: House | None = None
    trouble: Text | None = None
    try:
        house = await desk.house()
    except HomeAssistantFault as fault:
        trouble = fault.text
    problem = desk.node.network_problem
    network = desk.node.network
    async with desk.node.store.reading() as connection:
        sums_shown = await collective_statistics.are_shown(connection)
    return desk.page(
        visit,
        "settings.html",
        status=422 if errors else 200,
        errors=errors or {},
        account=account.account.jid if account else None,
        point=(desk.node.naming.delivery_point or "")[-_LAST_DIGITS:],
        typed=visit.typed("jid"),
        online=network is not None and network.connection.is_online,
        problem=problem.text if problem else None,
        house=house,
        sums_shown=sums_shown,
        trouble=trouble,
        prefix=_PREFIX,
        Direction=Direction,
        directions=consent_text.DIRECTIONS,
        quantities=consent_text.QUANTITIES,
    )
