"""The neighbours' sun: energy shared by members, also with more panels or more members."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from ...collective.calendar import Span
from ...collective.publication.collective_self_consumption import Exchanges, SharedSun
from .charts import Step
from .handlers import Guest, PublicPages
from .periods import place_named, which_named

PANELS = (50, 100, 150, 200, 300, 400)
MEMBERS = (50, 100, 150, 200, 300, 400)
"""In % of the present ones; the ends are those of the sliders too."""
_MOST_RATIO = 100 * PANELS[-1] // MEMBERS[0]
_RATIO_STEP = 5


@dataclass(frozen=True, slots=True)
class Simulated:
    """A case, in % of the present panels and members."""

    panels: int
    members: int
    sun: SharedSun


@dataclass(frozen=True, slots=True)
class Sharing:
    """The known figures of a period, and its cases."""

    exchanges: Exchanges

    @property
    def now(self) -> SharedSun:
        """With the present panels and members."""
        return self.exchanges.simulate()

    @property
    def with_panels(self) -> Sequence[Simulated]:
        """Cases with the present members."""
        return [Simulated(each, 100, self.exchanges.simulate(each)) for each in PANELS]

    @property
    def with_members(self) -> Sequence[Simulated]:
        """Cases with the present panels."""
        return [Simulated(100, each, self.exchanges.simulate(100, each)) for each in MEMBERS]

    @property
    def curve(self) -> Sequence[int]:
        """Shared Wh with each `_RATIO_STEP` % more panels, from none on: for sliders."""
        return [
            round(self.exchanges.simulate(percent).shared_wh)
            for percent in range(0, _MOST_RATIO + 1, _RATIO_STEP)
        ]


async def show(pages: PublicPages, guest: Guest, step: Step) -> web.StreamResponse:
    """Show the energy that members shared in a day, a month or a year, and could share."""
    which = which_named(guest, step)
    async with pages.store.reading() as connection:
        place = await place_named(pages, guest, connection)
        exchanges = await pages.published.exchanges(
            connection, place, Span(which.first, min(which.last, guest.today))
        )
        first = await pages.published.begun(connection, place)
    previous, following = which.previous, which.following
    return pages.page(
        guest,
        "sharing.html",
        place=place,
        which=which,
        is_day=step is Step.HOUR,
        is_month=step is Step.DAY,
        sharing=Sharing(exchanges) if exchanges.intervals else None,
        previous=previous if first is not None and first <= previous.last else None,
        following=following if following.first <= guest.today else None,
        curve_step=_RATIO_STEP,
        prices=pages.about.prices,
    )
