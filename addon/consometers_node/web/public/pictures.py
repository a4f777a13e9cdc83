"""Charts as pictures that stand alone, with their title, unit, source and date."""

from typing import Any

from aiohttp import web

from .headers import allow_reading
from .page_base import Guest, PublicPages, tagged
from .words import WORDS


def picture(
    pages: PublicPages, guest: Guest, template: str, name: str, **model: Any
) -> web.Response:
    """Draw a chart as SVG; `name` is that of the file, where somebody saves it."""
    body = pages.render(
        f"public/{template}",
        guest.language,
        title=pages.settings.name,
        origin=guest.origin,
        today_is=guest.today,
        **WORDS,
        **model,
    )
    headers = {"Content-Disposition": f'inline; filename="{name}.svg"'}
    response = tagged(body, "image/svg+xml", headers)
    allow_reading(response)
    return response
