"""The application of a host: every page and form once, with its path and its handler."""

from aiohttp import web

from consometers_node.web.core import admin_login
from consometers_node.web.core.access import ADMINISTRATION
from consometers_node.web.core.page_base import STATIC
from consometers_node.web.household.routes import routes

from . import login, operator, space
from .home_pages import HOME, of_the_asking
from .page_base import HostServices, Look, OperatorLook, OperatorPages, SpacePages

OPEN: dict[str, Look] = {
    "/": space.show_front,
    "/login": login.show,
    "/create": space.show_creation,
    "/terms": space.show_terms,
}
ADMITS: dict[str, Look] = {"/login": login.enter, "/create": space.create}
"""Pages without a login. All others are for the household that is logged in."""
LOOKS: dict[str, Look] = {"/password": login.show_password, "/delete": space.show_deletion}
ACTS: dict[str, Look] = {
    "/logout": login.leave,
    "/password": login.change_password,
    "/terms": space.accept_terms,
    "/delete": space.delete,
}
OPERATOR_LOOKS: dict[str, OperatorLook] = {
    "/": operator.show,
    "/password": admin_login.show_password,
    "/invitations": operator.show,
}
OPERATOR_ACTS: dict[str, OperatorLook] = {
    "/logout": admin_login.leave,
    "/password": admin_login.change_password,
    "/invitations": operator.invite,
    "/invitations/{invitation:[0-9a-f]{1,40}}/revoke": operator.revoke,
}


def application(host: HostServices) -> web.Application:
    """Return the pages of a host: spaces at the root, its administration beside them."""
    pages, operators = SpacePages(host), OperatorPages(host)
    administration = web.Application(middlewares=[operators.middleware])
    administration.add_routes(
        [
            web.get("/login", operators.welcomes(admin_login.show)),
            web.post("/login", operators.admits(admin_login.enter)),
            *(web.get(path, operators.looks(look)) for path, look in OPERATOR_LOOKS.items()),
            *(web.post(path, operators.acts(act)) for path, act in OPERATOR_ACTS.items()),
            web.get("", _to_the_first),
        ]
    )
    spaces = web.Application(middlewares=[pages.middleware])
    spaces.add_routes(
        [
            *(web.get(path, pages.welcomes(look)) for path, look in OPEN.items()),
            *(web.post(path, pages.admits(act)) for path, act in ADMITS.items()),
            *(web.get(path, pages.looks(look)) for path, look in LOOKS.items()),
            *(web.post(path, pages.acts(act)) for path, act in ACTS.items()),
            web.get(HOME, _to_the_first),
            web.get(STATIC, pages.files.serve),
        ]
    )
    home = web.Application()
    home.add_routes([*routes(of_the_asking(pages)), web.get(STATIC, pages.files.serve)])
    spaces.add_subapp(HOME, home)
    spaces.add_subapp(ADMINISTRATION, administration)
    return spaces


async def _to_the_first(request: web.Request) -> web.StreamResponse:
    raise web.HTTPPermanentRedirect(f"{request.path[1:]}/")
