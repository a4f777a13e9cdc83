"""One series: what is there of each day of the last year, and what is missing."""

from aiohttp import web

from ..household.sharing.coverage import DayState
from ..quoalise.text import text
from ..sharing import consent_text
from ..store import SeriesId
from ..store.series import all_series
from .handlers import Pages
from .page_base import Refused
from .request_context import RequestContext

_NO_SERIES = text("There is no such series.")


async def show(pages: Pages, context: RequestContext) -> web.StreamResponse:
    """Show its calendar, and each hole in words."""
    series_id = SeriesId(int(context.request.match_info["series"]))
    async with pages.node.store.reading() as connection:
        found_series = (await all_series(connection)).get(series_id)
    if found_series is None:
        raise Refused(404, _NO_SERIES)
    calendar, strip = (await pages.year()).get(series_id, (None, None))
    return pages.page(
        context,
        "series.html",
        series=found_series,
        calendar=calendar,
        strip=strip,
        holes=calendar.holes() if calendar else [],
        DayState=DayState,
        directions=consent_text.DIRECTIONS,
        intervals=consent_text.INTERVALS,
    )
