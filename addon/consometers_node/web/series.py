"""One series: what is there of each day of the last year, and what is missing."""

from aiohttp import web

from ..household.coverage import Kept
from ..quoalise.text import text
from ..sharing import consent_text
from ..store import SeriesId
from ..store.series import all_series
from .handlers import Desk, Refused
from .visit import Visit

_NO_SERIES = text("There is no such series.")


async def show(desk: Desk, visit: Visit) -> web.StreamResponse:
    """Show its calendar, and each hole in words."""
    number = SeriesId(int(visit.request.match_info["series"]))
    async with desk.node.store.reading() as connection:
        one = (await all_series(connection)).get(number)
    if one is None:
        raise Refused(404, _NO_SERIES)
    calendar, strip = (await desk.year()).get(number, (None, None))
    return desk.page(
        visit,
        "series.html",
        series=one,
        calendar=calendar,
        strip=strip,
        holes=calendar.holes() if calendar else [],
        Kept=Kept,
        directions=consent_text.DIRECTIONS,
        intervals=consent_text.INTERVALS,
    )
