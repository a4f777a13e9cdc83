"""The neighbours' sun: energy shared by members, also with more panels or more members."""

from aiohttp import web

from consometers_node.collective.calendar import Span

from .drawing.charts import Step
from .page_base import Guest, PublicPages
from .periods import place_named, which_named

PANELS = (50, 100, 150, 200, 300, 400)
MEMBERS = (50, 100, 150, 200, 300, 400)
"""In % of the present ones; the ends are those of the sliders too."""
_CURVE = range(0, 100 * PANELS[-1] // MEMBERS[0] + 1, 5)


async def show(pages: PublicPages, guest: Guest, step: Step) -> web.StreamResponse:
    """Show the energy that members shared in a day, a month or a year, and could share."""
    which = which_named(guest, step)
    async with pages.store.reading() as connection:
        place = await place_named(pages, guest, connection)
        exchanges = await pages.published.exchanges(
            connection, place, Span(which.first, min(which.last, guest.today))
        )
        first = await pages.published.first_day(connection, place)
    previous, following = which.previous, which.following
    return pages.page(
        guest,
        "sharing.html",
        place=place,
        which=which,
        is_day=step is Step.HOUR,
        is_month=step is Step.DAY,
        exchanges=exchanges,
        with_panels=[(percent, exchanges.simulate(percent)) for percent in PANELS],
        with_members=[(percent, exchanges.simulate(100, percent)) for percent in MEMBERS],
        previous=previous if first is not None and first <= previous.last else None,
        following=following if following.first <= guest.today else None,
        # Shared Wh with each so many % more panels, from none on: for sliders.
        curve=[round(exchanges.simulate(percent).shared_wh) for percent in _CURVE],
        curve_step=_CURVE.step,
        prices=pages.about.prices,
    )
