"""The home's XMPP account, the direction of its energies, and the language of pages."""

import re

from aiohttp import web

from consometers_node.household.errors import SourceFault
from consometers_node.household.sharing.candidate_statistics import set_direction
from consometers_node.household.statistics_import import collective_statistics
from consometers_node.household.statistics_import.plant_statistics import correct
from consometers_node.i18n.protocol import sentence
from consometers_node.i18n.text import Text, text
from consometers_node.series import Direction
from consometers_node.sharing import consent_text
from consometers_node.sharing.account import load, save
from consometers_node.sharing.names import is_delivery_point, keep_delivery_point, load_naming
from consometers_node.sharing.permissions.sum_requests import (
    MOST_MINIMUM,
    minimum_homes,
    set_minimum_homes,
)
from consometers_node.store.household.plants import all_held_plants
from consometers_node.web.core.joining import trial_error
from consometers_node.web.core.language import COOKIE, LANGUAGES
from consometers_node.web.core.request_context import RequestContext
from consometers_quoalise_network import Account, Identity, NetworkError
from consometers_quoalise_xmpp.trial import try_out

from .page_base import House, Pages

_PREFIX = "direction:"
_PLACE = re.compile(r"[a-z0-9-]{1,40}(/[a-z0-9-]{1,40})?")
_A_YEAR_S = 365 * 86_400
_NOT_A_POINT = text(
    "The number of a delivery point has 14 digits: it is on your bill, or on the meter’s screen."
)
_LAST_DIGITS = 4
_NOT_HOMES = text("Write a whole number of homes, from {least} to {most}.")
_NO_PLANT = text("Your collective no longer shares these panels. Reload the page.")
_NOT_SHARES = text(
    "Write a whole number from 0 to {most}, or nothing for the number of your collective."
)
_NO_PASSWORD = text("Type the password.")


async def show(
    pages: Pages, context: RequestContext, errors: dict[str, Text] | None = None
) -> web.StreamResponse:
    """Show the settings."""
    account = await load(pages.node.store)
    house: House | None = None
    trouble: Text | None = None
    try:
        house = await pages.house()
    except SourceFault as fault:
        trouble = fault.text
    proposals = house.proposals if house else ()
    problem = pages.node.network_problem
    network = pages.node.network
    async with pages.node.store.reading() as connection:
        sums_shown = await collective_statistics.are_shown(connection)
        minimum = await minimum_homes(connection)
        plants = await all_held_plants(connection)
    return pages.page(
        context,
        "settings.html",
        status=422 if errors else 200,
        errors=errors or {},
        account=account.account.jid if account else None,
        point=(pages.node.naming.delivery_point or "")[-_LAST_DIGITS:],
        typed=context.typed("jid"),
        online=network is not None and network.connection.is_online,
        problem=sentence(problem) if problem else None,
        house=house,
        flowing=[proposal for proposal in proposals if house and house.direction(proposal)],
        unknown=[proposal for proposal in proposals if house and not house.direction(proposal)],
        sums_shown=sums_shown,
        minimum=context.typed("minimum") or minimum,
        plants=plants if sums_shown else [],
        typed_shares=context.typed("shares"),
        trouble=trouble,
        prefix=_PREFIX,
        Direction=Direction,
        directions=consent_text.DIRECTIONS,
        quantities=consent_text.QUANTITIES,
    )


async def change_account(pages: Pages, context: RequestContext) -> web.StreamResponse:
    """Test an account, and store it if its server accepts the password."""
    password = context.form.get("password", ("",))[0]
    if not password:
        return await show(pages, context, {"password": _NO_PASSWORD})
    try:
        who = Identity(Account(context.typed("jid"), password), pages.server)
        await try_out(who, context.language.tag)
    except NetworkError as fault:
        return await show(pages, context, {"jid": trial_error(fault)})
    await save(pages.node.store, who)
    pages.changed()
    return context.go("settings?done=account")


async def change_delivery_point(pages: Pages, context: RequestContext) -> web.StreamResponse:
    """Store the home's delivery point, or forget it if the field is empty."""
    typed = "".join(context.typed("point").split())
    if typed and not is_delivery_point(typed):
        return await show(pages, context, {"point": _NOT_A_POINT})
    await keep_delivery_point(pages.node.store, typed or None)
    pages.node.naming = await load_naming(pages.node.store)
    pages.changed()
    return context.go("settings?done=point")


async def change_directions(pages: Pages, context: RequestContext) -> web.StreamResponse:
    """Store the directions of the statistics."""
    house = await pages.house()
    async with pages.node.store.writing() as connection:
        for proposal in house.proposals:
            name = proposal.statistic.id
            typed = context.typed(_PREFIX + name)
            if _PREFIX + name in context.form and (not typed or typed in Direction):
                direction = Direction(typed) if typed else None
                if direction is not house.directions.get(name):
                    await set_direction(connection, name, direction)
    return context.go("settings?done=directions")


async def change_minimum(pages: Pages, context: RequestContext) -> web.StreamResponse:
    """Set how many homes each sum with this one must have."""
    # A home without protected sums never loads their rules.
    from consometers_quoalise.federation.permissions import LEAST_MINIMUM  # noqa: PLC0415

    minimum = context.whole_number("minimum")
    if minimum is None or not LEAST_MINIMUM <= minimum <= MOST_MINIMUM:
        error = _NOT_HOMES.fill(least=LEAST_MINIMUM, most=MOST_MINIMUM)
        return await show(pages, context, {"minimum": error})
    async with pages.node.store.writing() as connection:
        await set_minimum_homes(connection, minimum)
    pages.changed()
    return context.go("settings?done=sums")


async def change_collectives(pages: Pages, context: RequestContext) -> web.StreamResponse:
    """Set whether Home Assistant shows the sums of collectives."""
    async with pages.node.store.writing() as connection:
        await collective_statistics.show(connection, shown=context.typed("shown") == "yes")
    pages.changed()
    return context.go("settings?done=collectives")


async def change_shares(pages: Pages, context: RequestContext) -> web.StreamResponse:
    """Store this home's shares of a plant; an empty field means the collective's number."""
    statistic, typed = context.typed("plant"), context.typed("shares")
    shares = context.whole_number("shares")
    async with pages.node.store.reading() as connection:
        plants = {plant.statistic: plant for plant in await all_held_plants(connection)}
    if statistic not in plants:
        return await show(pages, context, {"plant": _NO_PLANT})
    if typed and (shares is None or shares > plants[statistic].total):
        wrong = _NOT_SHARES.fill(most=plants[statistic].total)
        return await show(pages, context, {f"shares-{statistic.partition(':')[2]}": wrong})
    async with pages.node.store.writing() as connection:
        await correct(connection, statistic, shares, context.language.tag)
    pages.changed()
    return context.go("settings?done=shares")


async def change_language(_pages: Pages, context: RequestContext) -> web.StreamResponse:
    """Remember a language in this browser, and go back to the page of the choice."""
    place = context.typed("back")
    response = context.go(place if _PLACE.fullmatch(place) else "")
    chosen = context.typed("language")
    if chosen in LANGUAGES:
        response.set_cookie(
            COOKIE, chosen, max_age=_A_YEAR_S, path="", httponly=True, samesite="Strict"
        )
    return response
