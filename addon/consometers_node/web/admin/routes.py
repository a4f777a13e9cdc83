"""Every page and every form once: how it is asked for, and who answers."""

from aiohttp import web

from . import login, overview
from .desk import AdminDesk, Look

OPEN: dict[str, Look] = {"/login": login.show}
ADMITS: dict[str, Look] = {"/login": login.enter}
"""What whoever has not logged in may do. All the rest is for administrators alone."""
LOOKS: dict[str, Look] = {
    "/": overview.show,
    "/password": login.show_password,
}
ACTS: dict[str, Look] = {
    "/logout": login.leave,
    "/password": login.change_password,
}


def routes(desk: AdminDesk) -> list[web.RouteDef]:
    """Give all of them."""
    return [
        *(web.get(path, desk.welcomes(look)) for path, look in OPEN.items()),
        *(web.post(path, desk.admits(act)) for path, act in ADMITS.items()),
        *(web.get(path, desk.looks(look)) for path, look in LOOKS.items()),
        *(web.post(path, desk.acts(act)) for path, act in ACTS.items()),
        web.get("", _to_the_first),
    ]


async def _to_the_first(_request: web.Request) -> web.StreamResponse:
    raise web.HTTPPermanentRedirect("administration/")
