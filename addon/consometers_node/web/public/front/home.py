"""Everybody's present figures: the first page, that of a site, a card, the wall of a hall."""

from collections.abc import Sequence
from datetime import timedelta

from aiohttp import web

from consometers_node.collective.challenges.register import all_challenges
from consometers_node.collective.challenges.results import STATES, state_of
from consometers_node.collective.members.members import public_collectives
from consometers_node.store.collective.groups import GroupKind
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.web.public.drawing.charts import Chart
from consometers_node.web.public.headers import allow_embedding
from consometers_node.web.public.live import LiveDay, base, named, today, together_with
from consometers_node.web.public.page_base import Guest, PublicPages
from consometers_node.web.public.periods import Which, charts
from consometers_node.web.public.pictures import picture
from consometers_node.web.public.words import WORDS

from .outlook import Outlook, outlook, since_start

_SHOWN_AFTER = timedelta(days=60)
"""How long after its end a challenge is on the first page."""


async def show(pages: PublicPages, guest: Guest) -> web.StreamResponse:
    """Show now and today: of everybody, of a site, or of a commune."""
    async with pages.store.reading() as connection:
        return await look(pages, guest, connection)


async def look(
    pages: PublicPages, guest: Guest, connection: AsyncConnection, *, preview: bool = False
) -> web.Response:
    """Return the figures in a transaction, which may be a dry run."""
    place = await named(pages, guest, connection)
    shown = None if place is None else await today(pages, guest, connection, place)
    places = await pages.published.places(connection)
    return pages.page(
        guest,
        "site.html" if place is not None and place.kind is GroupKind.SITE else "front.html",
        preview=preview,
        place=place,
        base=base(place),
        today=shown,
        public_address=pages.public_address(guest),
        outlook=await outlook(pages, guest, connection, shown),
        since=await since_start(pages, guest, connection, place),
        first=await pages.published.first_day(connection, place),
        sites=[site for site in places.values() if site.kind is GroupKind.SITE],
        areas=await pages.published.recent(connection, places.values()),
        collectives=await public_collectives(connection),
        together=await together_with(pages, connection, place),
        plant=None if place is None else await pages.published.plant(connection, place),
        challenges=[
            (challenge, state_of(challenge, guest.today))
            for challenge in await all_challenges(connection)
            if guest.today <= challenge.last_day + _SHOWN_AFTER
            and (place is None or not base(place) or place.id in challenge.participants)
        ],
        states=STATES,
        minimum=pages.publication.minimum,
        **WORDS,
    )


async def growth(pages: PublicPages, guest: Guest) -> web.StreamResponse:
    """Return the homes of each month as a picture."""
    async with pages.store.reading() as connection:
        since = await since_start(pages, guest, connection, await named(pages, guest, connection))
    drawn = None if since is None else since.growth
    if drawn is None:
        raise web.HTTPNotFound
    return picture(pages, guest, "growth-picture.html", "growth", growth=drawn)


async def card(pages: PublicPages, guest: Guest) -> web.StreamResponse:
    """Return a few figures in little space, for a frame in any page."""
    async with pages.store.reading() as connection:
        place = await named(pages, guest, connection)
        shown = None if place is None else await today(pages, guest, connection, place)
    response = pages.page(guest, "card.html", place=place, base=base(place), today=shown, **WORDS)
    allow_embedding(response)
    return response


async def hall(pages: PublicPages, guest: Guest) -> web.StreamResponse:
    """Return three figures and one chart, for readers five metres away."""
    from consometers_node.web.core.sheets import qr_inline  # noqa: PLC0415

    async with pages.store.reading() as connection:
        place = await named(pages, guest, connection)
        shown: LiveDay | None = None
        periods: Sequence[tuple[Which, Chart]] = []
        dark: Outlook | None = None
        if place is not None:
            shown = await today(pages, guest, connection, place)
            periods = await charts(pages, guest, connection, place)
            dark = await outlook(pages, guest, connection, shown)
    return pages.page(
        guest,
        "hall.html",
        place=place,
        base=base(place),
        today=shown,
        outlook=dark,
        periods=periods,
        qr_inline=qr_inline,
        link=f"{pages.public_address(guest)}/{base(place).rstrip('/')}",
        **WORDS,
    )
