"""The page of the open data: what each figure means, under which licence, how it is asked for."""

from aiohttp import web

from ...collective.disclosure.sdc_rules import P_PERCENT, Reason, Withheld
from .handlers import Guest, PublicPages
from .opendata import MOST_DAYS, offered
from .words import WORDS


async def show(pages: PublicPages, guest: Guest) -> web.StreamResponse:
    """Show the data dictionary."""
    async with pages.store.reading() as connection:
        places = await pages.published.places(connection)
        steps = await pages.published.steps(connection)
        begun = await pages.published.begun(connection)
    publication = pages.publication
    return pages.page(
        guest,
        "data.html",
        places=list(places.values()),
        steps_changed=len(steps) > 1,
        base="",
        intervals=offered(steps, begun, guest),
        fine=publication.interval,
        most_days=MOST_DAYS,
        minimum=publication.minimum,
        p_percent=P_PERCENT,
        wait=int(publication.wait.total_seconds() // 60),
        reasons=[(why.spelled, why.words) for why in (Withheld(reason, 10) for reason in Reason)],
        example_day=guest.today.replace(day=1),
        **WORDS,
    )
