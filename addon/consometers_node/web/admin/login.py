"""Coming in, going out, and one's own password."""

import ipaddress
import logging
import re

from aiohttp import web

from ...backoff import Backoff
from ...collective.access_log import Read, note_read
from ...collective.members import administrators
from ...collective.members.administrators import BadPassword, Busy
from ...quoalise import Text
from ...quoalise.text import text
from ..rate_limit import asker
from . import devices
from .handlers import COOKIE, AdminDesk, is_encrypted
from .visit import PATH, Visit

FREE_TRIES = 5
FREE_TRIES_OF_SITE = 40
"""A site has 65,536 networks of homes, and may try from each."""
TRIES = Backoff(2, 900, least=1)
"""Tries count for the address that they come from, never for the name: or anybody could lock an
administrator out. A browser from which somebody logged in counts by itself."""

_SITE_BITS = 48
_NEXT = re.compile(r"[a-z0-9/_-]{0,200}")
_LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]"})
_BUSY_S = 5

_WRONG = text("This name and this password do not go together.")
_WAIT = text("Many passwords were tried: try again in {seconds} s.")
_ENDED = text("Your session has ended, and nothing was changed: log in, and do it again.")
_OLD_WRONG = text("This is not your present password.")
_TWICE = text("The two are not the same.")

_LOGGER = logging.getLogger(__name__)


async def show(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Ask who comes."""
    if visit.person:
        return visit.go(_next(visit.asked("next")))
    said = _ENDED if visit.asked("ended") else None
    return await _show(desk, visit, said, came_from=visit.asked("next"))


async def enter(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Log in by a password, with a new session key."""
    name, typed = visit.typed("name"), _password(visit, "password")
    async with desk.store.reading() as connection:
        kept = await administrators.password_hash(connection, name)
    browser = devices.number_of(visit.request.cookies.get(devices.COOKIE, ""), name, kept)
    if browser is None:
        sources = of_address(asker(visit.request, desk.settings.page.proxies))
    else:
        sources = of_browser(browser)
    wait = desk.tries.take(sources)
    if wait is not None:
        return await _later(desk, visit, wait)
    try:
        good = await desk.passwords.check(kept, typed, is_known=browser is not None)
        weak = good and kept is not None and desk.passwords.is_weak(kept)
        stronger = await desk.passwords.hash(typed) if weak else None
    except Busy:
        return await _later(desk, visit, _BUSY_S)
    key = await _begin(desk, visit, name, kept, stronger) if good else None
    if key is None:
        _LOGGER.warning("somebody tried to log in to the administration, and may not")
        return await _show(desk, visit, _WRONG, status=403, name=name)
    desk.tries.forget(sources)
    response = visit.go(_next(visit.typed("next")))
    desk.give_key(response, visit, key)
    _know_again(response, visit, name, stronger or kept)
    return response


async def leave(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """End a session."""
    async with desk.store.writing() as connection:
        await administrators.end_session(connection, visit.key)
    response = visit.go("login?done=left")
    response.del_cookie(COOKIE, path=PATH)
    return response


async def show_password(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Ask for a new password."""
    return desk.page(visit, "password.html", errors={}, least=administrators.LEAST_PASSWORD)


async def change_password(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Take a new password: whoever was logged in under the old one is so no longer."""
    old, new, again = (_password(visit, name) for name in ("old", "new", "again"))
    sources = {f"logged in {visit.person}": FREE_TRIES}
    wait = desk.tries.take(sources)
    if wait is not None:
        return _mend(desk, visit, {"old": _WAIT.fill(seconds=wait)}, 429)
    async with desk.store.reading() as connection:
        kept = await administrators.password_hash(connection, visit.person)
    try:
        if not await desk.passwords.check(kept, old, is_known=True):
            return _mend(desk, visit, {"old": _OLD_WRONG}, 422)
        desk.tries.forget(sources)
        try:
            administrators.check_password(visit.person, new)
        except BadPassword as fault:
            return _mend(desk, visit, {"new": fault.text}, 422)
        if new != again:
            return _mend(desk, visit, {"again": _TWICE}, 422)
        hashed = await desk.passwords.hash(new)
    except Busy:
        return _mend(desk, visit, {"old": _WAIT.fill(seconds=_BUSY_S)}, 503)
    async with desk.store.writing() as connection:
        await administrators.change_password(connection, visit.person, hashed)
        key = await administrators.begin_session(connection, visit.person, visit.now)
        await desk.note(connection, visit, "password")
    response = visit.go("password?done=changed")
    desk.give_key(response, visit, key)
    _know_again(response, visit, visit.person, hashed)
    return response


def _know_again(response: web.StreamResponse, visit: Visit, name: str, kept: str | None) -> None:
    """Remember this browser by a cookie, for its next login."""
    assert kept is not None
    response.set_cookie(
        devices.COOKIE,
        devices.seal(name, kept),
        max_age=devices.KEPT_S,
        path=PATH,
        httponly=True,
        samesite="Strict",
        secure=is_encrypted(visit.request),
    )


async def _begin(
    desk: AdminDesk, visit: Visit, name: str, kept: str | None, stronger: str | None
) -> str | None:
    """Begin a session; None if the password was changed meanwhile."""
    async with desk.store.writing() as connection:
        if await administrators.password_hash(connection, name) != kept:
            return None
        if stronger is not None:
            await administrators.rehash(connection, name, stronger)
        await administrators.end_session(connection, visit.key)
        await note_read(connection, Read(at=visit.now, who=name, what="login"))
        return await administrators.begin_session(connection, name, visit.now)


async def _later(desk: AdminDesk, visit: Visit, seconds: int) -> web.StreamResponse:
    said = _WAIT.fill(seconds=seconds)
    response = await _show(desk, visit, said, status=429, name=visit.typed("name"))
    response.headers["Retry-After"] = str(seconds)
    return response


async def _show(
    desk: AdminDesk,
    visit: Visit,
    said: Text | None,
    *,
    status: int = 200,
    name: str = "",
    came_from: str | None = None,
) -> web.Response:
    async with desk.store.reading() as connection:
        known = await administrators.administrators(connection, visit.now)
    return desk.page(
        visit,
        "login.html",
        status=status,
        said=said,
        name=name,
        next=_next(visit.typed("next") if came_from is None else came_from),
        anybody=bool(known),
        is_open=not is_encrypted(visit.request)
        and visit.request.host.rpartition(":")[0] not in _LOCAL,
    )


def _mend(
    desk: AdminDesk, visit: Visit, errors: dict[str, Text], status: int
) -> web.StreamResponse:
    least = administrators.LEAST_PASSWORD
    return desk.page(visit, "password.html", status=status, errors=errors, least=least)


def _password(visit: Visit, name: str) -> str:
    """Return a password as it was typed, with the white space around it."""
    return visit.form.get(name, ("",))[0]


def _next(place: str) -> str:
    """Return a page of administration to go to: nothing else can be written here."""
    return place if _NEXT.fullmatch(place) and not place.startswith("/") else ""


def of_address(address: str) -> dict[str, int]:
    """Return the sources that a try from an address counts for: of IPv6 also the whole site."""
    sources = {f"address {address}": FREE_TRIES}
    if ":" in address:
        site = ipaddress.IPv6Network(address).supernet(new_prefix=_SITE_BITS)
        sources[f"site {site}"] = FREE_TRIES_OF_SITE
    return sources


def of_browser(number: str) -> dict[str, int]:
    """Return the source that a try counts for from a browser in which somebody logged in."""
    return {f"browser {number}": FREE_TRIES}
