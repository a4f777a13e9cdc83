"""The picture of the first page for links that are shared: a PNG of 1200 by 630."""

import asyncio
from functools import cache
from importlib.resources import files
from urllib.parse import urlsplit

from aiohttp import web

from consometers_node.web.public.headers import allow_reading
from consometers_node.web.public.live import named, today
from consometers_node.web.public.page_base import Guest, PublicPages, tagged
from consometers_node.web.public.words import WORDS

from .outlook import outlook, since_start

PATH = "/preview.png"


async def show(pages: PublicPages, guest: Guest) -> web.StreamResponse:
    """Draw the day of all members, or what is worth reading without sun.

    The cache of answers draws it once for all who ask.
    """
    async with pages.store.reading() as connection:
        place = await named(pages, guest, connection)
        shown = None if place is None else await today(pages, guest, connection, place)
        dark = await outlook(pages, guest, connection, shown)
        since = await since_start(pages, guest, connection, place)
    drawn = pages.render(
        "public/preview-picture.html",
        guest.language,
        title=pages.settings.name,
        today=shown,
        outlook=dark,
        since=since,
        site=urlsplit(pages.public_address(guest)).netloc,
        **WORDS,
    )
    response = tagged(await asyncio.to_thread(_png, drawn), "image/png", {})
    allow_reading(response)
    return response


def _png(drawing: str) -> bytes:
    # The renderer takes memory that a server whose links nobody shares can do without.
    from resvg_py import svg_to_bytes  # noqa: PLC0415

    # The font lacks the narrow space.
    written = drawing.replace("\u202f", "\u00a0")
    return bytes(svg_to_bytes(svg_string=written, skip_system_fonts=True, font_files=_fonts()))


@cache
def _fonts() -> list[str]:
    folder = files("font_manrope") / "files"
    return [str(folder / f"Manrope-{weight}.ttf") for weight in ("Regular", "Bold")]
