"""What is shown elsewhere: a card within other people's pages, and the wall of a hall."""

from collections.abc import Sequence

from aiohttp import web

from .charts import Chart
from .desk import Desk, Guest
from .headers import allow_embedding
from .periods import Which, charts
from .today import Today, base, named, today
from .words import WORDS


async def card(desk: Desk, guest: Guest) -> web.StreamResponse:
    """Give a few figures in little room, for a frame in any page."""
    async with desk.store.reading() as connection:
        place = await named(desk, guest, connection)
        found = None if place is None else await today(desk, guest, connection, place)
    response = desk.page(guest, "card.html", place=place, base=base(place), today=found, **WORDS)
    allow_embedding(response)
    return response


async def hall(desk: Desk, guest: Guest) -> web.StreamResponse:
    """Give three figures and one chart, to be read from five metres away."""
    async with desk.store.reading() as connection:
        place = await named(desk, guest, connection)
        found: Today | None = None
        periods: Sequence[tuple[Which, Chart]] = []
        if place is not None:
            found = await today(desk, guest, connection, place)
            periods = await charts(desk, guest, connection, place)
    return desk.page(
        guest, "hall.html", place=place, base=base(place), today=found, periods=periods, **WORDS
    )
