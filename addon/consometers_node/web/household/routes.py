"""Every page and every form once, with its path and its handler."""

from collections.abc import Callable
from functools import partial

from aiohttp import web

from consometers_node.sharing.access_requests import DOCUMENT, RECORDS
from consometers_node.web.core import consenting, permissions
from consometers_node.web.core.access import Handler
from consometers_node.web.core.page_base import ERRORS, RequestRefused
from consometers_node.web.core.request_context import RequestContext

from . import access_requests, home, joining, letters, my_data, settings
from .page_base import Look, Pages

_PERMISSION = "{permission:[0-9a-f-]{36}}"
_PEER = r"{peer:\d{1,9}}"
_LETTER = "{letter:[0-9a-f-]{36}}"
_SERIES = r"{series:\d{1,9}}"
_FILE = r"{file:\d{1,9}}"
_FILE_FIELD = "file"
_MOST_FILE_BYTES = 16 * 1024 * 1024
"""As the library of files accepts."""


def _of_files(name: str) -> Look:
    """Return a page of `files`. A home whose data come from elsewhere never loads it."""

    async def answer(pages: Pages, context: RequestContext) -> web.StreamResponse:
        if pages.node.source.files is None:
            raise RequestRefused(404, ERRORS[404])
        from . import files  # noqa: PLC0415

        look: Look = getattr(files, name)
        return await look(pages, context)

    return answer


def _unless_hosted(look: Look) -> Look:
    """Return a form of homes that have their account themselves."""

    async def answer(pages: Pages, context: RequestContext) -> web.StreamResponse:
        if pages.is_hosted:
            raise RequestRefused(404, ERRORS[404])
        return await look(pages, context)

    return answer


LOOKS: dict[str, Look] = {
    "/": home.show,
    "/join": joining.show,
    "/permissions": permissions.show_all,
    f"/permissions/{_PERMISSION}": permissions.show,
    f"/withdraw/{_PERMISSION}": permissions.confirm_withdrawal,
    f"/series/{_SERIES}": home.show_series,
    "/mine": my_data.show,
    "/files": _of_files("show"),
    f"/access-requests/{_PEER}": access_requests.show,
    "/letters": letters.show,
    "/settings": settings.show,
}
FOR_ADMINISTRATORS: dict[str, Look] = {
    "/mine/consometers.json": partial(my_data.export, ending="json"),
    "/mine/consometers.csv": partial(my_data.export, ending="csv"),
    f"/access-requests/{_PEER}/export.json": partial(access_requests.download, file=DOCUMENT),
    f"/access-requests/{_PEER}/records.csv": partial(access_requests.download, file=RECORDS),
}
"""The export holds every record of the home, and who may read them."""
ACTS: dict[str, Look] = {
    f"/pause/{_PEER}": partial(home.hold, paused=True),
    f"/resume/{_PEER}": partial(home.hold, paused=False),
    "/clock": home.confirm_clock,
    "/join": joining.join,
    f"/preview/{_PERMISSION}": consenting.look,
    f"/allow/{_PERMISSION}": consenting.allow,
    f"/code/{_PERMISSION}": permissions.enter_code,
    f"/refuse/{_PERMISSION}": permissions.refuse,
    f"/withdraw/{_PERMISSION}": permissions.withdraw,
    "/mine": my_data.erase,
    "/files/keep": _of_files("keep"),
    "/files/cancel": _of_files("cancel"),
    f"/files/{_FILE}/remove": _of_files("remove"),
    f"/access-requests/{_PEER}": access_requests.ask,
    f"/letters/{_PEER}/{_LETTER}": letters.read,
    "/settings": _unless_hosted(settings.change_account),
    "/directions": settings.change_directions,
    "/point": settings.change_delivery_point,
    "/collectives": settings.change_collectives,
    "/sums": settings.change_minimum,
    "/shares": settings.change_shares,
}
WITH_FILE: dict[str, Look] = {"/files": _of_files("look")}
"""Forms with a file, in the field `_FILE_FIELD`."""
BY_ANYONE: dict[str, Look] = {"/language": settings.change_language}


type OfPages = Callable[[Pages], Handler]
"""Makes a handler, once there are the pages of a home."""


def routes(bind: Callable[[OfPages], Handler]) -> list[web.RouteDef]:
    """Return all of them. The token of a form shows that it comes from a page of ours.

    `bind` says of which home: of the only one, or of the one whose household asks.
    """

    def looks(look: Look, *, by_anyone: bool = True) -> Handler:
        return bind(lambda pages: pages.looks(look, by_anyone=by_anyone))

    def acts(act: Look, *, by_anyone: bool = False) -> Handler:
        return bind(lambda pages: pages.acts(act, by_anyone=by_anyone))

    def brings(act: Look) -> Handler:
        return bind(lambda pages: pages.brings(act, _FILE_FIELD, _MOST_FILE_BYTES))

    return [
        *(web.get(path, looks(look)) for path, look in LOOKS.items()),
        *(web.get(path, looks(look, by_anyone=False)) for path, look in FOR_ADMINISTRATORS.items()),
        *(web.post(path, acts(act)) for path, act in ACTS.items()),
        *(web.post(path, acts(act, by_anyone=True)) for path, act in BY_ANYONE.items()),
        *(web.post(path, brings(act)) for path, act in WITH_FILE.items()),
    ]
