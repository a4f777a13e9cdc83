"""The first page: what needs a person."""

from aiohttp import web

from .desk import AdminDesk
from .visit import Visit


async def show(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Tell whether anything is wrong, and with whom."""
    return desk.page(visit, "overview.html")
