"""The page of the open data: what each figure means, under which licence, how it is asked for."""

from aiohttp import web

from ...collective.disclosure.sdc_rules import P_PERCENT, Agreed, Reason, Withheld
from .handlers import Desk, Guest
from .opendata import MOST_DAYS, Quantity, offered
from .words import WORDS


async def show(desk: Desk, guest: Guest) -> web.StreamResponse:
    """Show the data dictionary."""
    async with desk.store.reading() as connection:
        places = await desk.published.places(connection)
        steps = await desk.published.steps(connection)
        begun = await desk.published.begun(connection)
    publication = desk.publication
    basis = publication.basis
    return desk.page(
        guest,
        "data.html",
        places=list(places.values()),
        steps_changed=len(steps) > 1,
        base="",
        quantities=list(Quantity),
        intervals=offered(steps, begun, guest),
        fine=publication.interval,
        most_days=MOST_DAYS,
        minimum=basis.minimum if isinstance(basis, Agreed) else None,
        p_percent=P_PERCENT,
        wait=int(publication.wait.total_seconds() // 60),
        longest_wait=int(publication.longest_wait.total_seconds() // 60),
        reasons=[(why.spelled, why.words) for why in (Withheld(reason, 10) for reason in Reason)],
        example_day=guest.today.replace(day=1),
        **WORDS,
    )
