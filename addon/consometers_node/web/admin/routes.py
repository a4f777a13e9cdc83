"""Every page and every form once: how it is asked for, and who answers."""

from aiohttp import web

from . import health, log, login, member, members, overview, register
from .desk import AdminDesk, Look

_MEMBER = "/members/{member:[a-z0-9]{1,20}}"
_END = _MEMBER + "/end/{given:[^/]{1,300}}"

OPEN: dict[str, Look] = {"/login": login.show}
ADMITS: dict[str, Look] = {"/login": login.enter}
"""What whoever has not logged in may do. All the rest is for administrators alone."""
LOOKS: dict[str, Look] = {
    "/": overview.show,
    "/members": members.show,
    _MEMBER: member.show,
    f"{_MEMBER}/export.json": member.export_json,
    f"{_MEMBER}/export.csv": member.export_csv,
    f"{_MEMBER}/erase": member.confirm_erasure,
    _END: member.confirm_end,
    "/register": register.show,
    "/register.json": register.download_json,
    "/register.csv": register.download_csv,
    "/permissions.csv": register.changes_csv,
    "/log": log.show,
    "/health": health.show,
    "/password": login.show_password,
}
ACTS: dict[str, Look] = {
    "/logout": login.leave,
    "/members": members.find,
    f"{_MEMBER}/site": member.change_site,
    f"{_MEMBER}/name": member.rename,
    f"{_MEMBER}/area": member.change_area,
    f"{_MEMBER}/erase": member.erase,
    _END: member.end,
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
