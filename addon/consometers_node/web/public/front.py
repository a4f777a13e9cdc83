"""The first page tells how all are doing together, now; that of a site, what its panels do."""

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from ...collective.disclosure import Agreed
from ...collective.groups import GroupKind
from .desk import Desk, Guest
from .today import base, named, today, together_with
from .words import WORDS


async def show(desk: Desk, guest: Guest) -> web.StreamResponse:
    """Tell of now and today: of everybody, of a site, or of a commune."""
    async with desk.store.reading() as connection:
        return await look(desk, guest, connection)


async def look(
    desk: Desk, guest: Guest, connection: AsyncConnection, *, preview: bool = False
) -> web.Response:
    """Tell what is there to see in a transaction, which may only be tried."""
    place = await named(desk, guest, connection)
    found = None if place is None else await today(desk, guest, connection, place)
    places = await desk.published.places(connection)
    basis = desk.publication.basis
    return desk.page(
        guest,
        "site.html" if place is not None and place.kind is GroupKind.SITE else "front.html",
        preview=preview,
        place=place,
        base=base(place),
        today=found,
        sites=[one for one in places.values() if one.kind is GroupKind.SITE],
        areas=await desk.published.lately(connection, places.values()),
        together=await together_with(desk, connection, place),
        minimum=basis.minimum if isinstance(basis, Agreed) else None,
        **WORDS,
    )
