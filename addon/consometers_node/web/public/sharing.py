"""The neighbours' sun: energy shared by members, also with more panels or more members."""

from typing import Any

from aiohttp import web

from consometers_node.collective.calendar import Span
from consometers_node.collective.publication.reading.collective_self_consumption import Exchanges
from consometers_node.collective.publication.reading.queries import Place
from consometers_node.store.engine.connection import AsyncConnection

from .drawing.charts import Step
from .drawing.marks import COLOURS
from .drawing.sharing import draw_sharing
from .page_base import Guest, PublicPages
from .periods import Which, place_named, which_named
from .pictures import picture

PANELS = (50, 100, 150, 200, 300, 400)
MEMBERS = (50, 100, 150, 200, 300, 400)
"""In % of the present ones; the ends are those of the sliders too."""
_CURVE = range(0, 100 * PANELS[-1] // MEMBERS[0] + 1, 5)


async def show(pages: PublicPages, guest: Guest, step: Step) -> web.StreamResponse:
    """Show the energy that members shared in a day, a month or a year, and could share."""
    which = which_named(guest, step)
    async with pages.store.reading() as connection:
        place = await place_named(pages, guest, connection)
        exchanges = await _exchanges(pages, guest, connection, place, which)
        first = await pages.published.first_day(connection, place)
    previous, following = which.previous, which.following
    return pages.page(
        guest,
        "sharing.html",
        place=place,
        exchanges=exchanges,
        previous=previous if first is not None and first <= previous.last else None,
        following=following if following.first <= guest.today else None,
        # Shared Wh with each so many % more panels, from none on: for sliders.
        curve=[round(exchanges.simulate(percent).shared_wh) for percent in _CURVE],
        curve_step=_CURVE.step,
        prices=pages.about.prices,
        colours=COLOURS,
        **_cases(which, exchanges),
    )


async def as_picture(pages: PublicPages, guest: Guest, step: Step) -> web.StreamResponse:
    """Return the chart of what could be shared as a picture."""
    which = which_named(guest, step)
    async with pages.store.reading() as connection:
        place = await place_named(pages, guest, connection)
        exchanges = await _exchanges(pages, guest, connection, place, which)
    if not exchanges.intervals:
        raise web.HTTPNotFound
    name = f"sharing-{which.path.partition('/')[2]}"
    return picture(pages, guest, "sharing-picture.html", name, **_cases(which, exchanges))


async def _exchanges(
    pages: PublicPages, guest: Guest, connection: AsyncConnection, place: Place, which: Which
) -> Exchanges:
    span = Span(which.first, min(which.last, guest.today))
    return await pages.published.exchanges(connection, place, span)


def _cases(which: Which, exchanges: Exchanges) -> dict[str, Any]:
    """Return what would be shared with more panels or more members, and its drawing."""
    with_panels = {percent: exchanges.simulate(percent) for percent in PANELS}
    with_members = {percent: exchanges.simulate(100, percent) for percent in MEMBERS}
    return {
        "which": which,
        "is_day": which.step is Step.HOUR,
        "is_month": which.step is Step.DAY,
        "with_panels": with_panels,
        "with_members": with_members,
        "drawing": draw_sharing(
            {percent: sun.shared_wh for percent, sun in with_panels.items()},
            {percent: sun.shared_wh for percent, sun in with_members.items()},
        ),
    }
