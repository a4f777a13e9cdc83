"""Login, logout, and the administrator's own password."""

from hashlib import sha256
import hmac
import ipaddress
import logging
import re
import secrets

from aiohttp import web

from consometers_node.collective.members import administrators
from consometers_node.collective.members.administrators import BadPassword, Busy
from consometers_node.i18n.text import Text, text
from consometers_node.store.collective.access_log import Read, note_read
from consometers_node.web.core.access import ADMINISTRATION
from consometers_node.web.core.rate_limit import asker
from consometers_quoalise_network.backoff import Backoff

from .page_base import COOKIE, AdminPages, is_encrypted
from .request_context import AdminContext

FREE_TRIES = 5
FREE_TRIES_OF_SITE = 40
"""A site has 65,536 networks of homes, and may try from each."""
TRIES = Backoff(2, 900, least=1)
"""Tries count for the address that they come from, never for the name: or anybody could lock an
administrator out. A browser from which somebody logged in counts by itself."""

BROWSER_COOKIE = "consometers-admin-browser"
"""Of a browser that an administrator has used: strangers' attempts do not lock it out.

It is sealed with the hash of the password, so that it holds until that changes, and says nothing of
it: the salt alone cannot be guessed.
"""

_BROWSER_KEPT_S = 365 * 24 * 3600
_SEALED = re.compile(r"([A-Za-z0-9_-]{22})\.([0-9a-f]{64})")
_BROWSER_BYTES = 16
_SITE_BITS = 48
_NEXT = re.compile(r"[a-z0-9/_-]{0,200}")
_LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]"})
_BUSY_S = 5

_WRONG = text("Wrong name or password.")
_WAIT = text("Too many passwords tried: try again in {seconds} s.")
_ENDED = text("Your session has ended, and nothing was changed: log in, and do it again.")
_OLD_WRONG = text("This is not your present password.")
_TWICE = text("The two are not the same.")

_REFUSED = text("Somebody tried to log in to the administration, and was refused.")
_LOGGER = logging.getLogger(__name__)


async def show(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Show the login."""
    if context.person:
        return context.go(_next(context.asked("next")))
    notice = _ENDED if context.asked("ended") else None
    return await _show(pages, context, notice, came_from=context.asked("next"))


async def enter(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Log in by a password, with a new session key."""
    name, typed = context.typed("name"), _password(context, "password")
    async with pages.store.reading() as connection:
        password_hash = await administrators.password_hash(connection, name)
    browser = _browser_of(context.request.cookies.get(BROWSER_COOKIE, ""), name, password_hash)
    if browser is None:
        sources = of_address(asker(context.request, pages.settings.page.proxies))
    else:
        sources = {f"browser {browser}": FREE_TRIES}
    wait = pages.tries.take(sources)
    if wait is not None:
        return await _later(pages, context, wait)
    try:
        good = await pages.passwords.check(password_hash, typed, is_known=browser is not None)
        weak = good and password_hash is not None and pages.passwords.is_weak(password_hash)
        stronger = await pages.passwords.hash(typed) if weak else None
    except Busy:
        return await _later(pages, context, _BUSY_S)
    key = await _begin(pages, context, name, password_hash, stronger) if good else None
    if key is None:
        _LOGGER.warning(_REFUSED)
        return await _show(pages, context, _WRONG, status=403, name=name)
    pages.tries.forget(sources)
    response = context.go(_next(context.typed("next")))
    pages.give_key(response, context, key)
    _know_again(response, context, name, stronger or password_hash)
    return response


async def leave(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """End a session."""
    async with pages.store.writing() as connection:
        await administrators.end_session(connection, context.key)
    response = context.go("login?done=left")
    response.del_cookie(COOKIE, path=ADMINISTRATION)
    return response


async def show_password(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Show the form for a new password."""
    return pages.page(context, "password.html", errors={}, least=administrators.LEAST_PASSWORD)


async def change_password(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Store a new password, which ends the logins under the old one."""
    old, new, again = (_password(context, name) for name in ("old", "new", "again"))
    sources = {f"logged in {context.person}": FREE_TRIES}
    wait = pages.tries.take(sources)
    if wait is not None:
        return _mend(pages, context, {"old": _WAIT.fill(seconds=wait)}, 429)
    async with pages.store.reading() as connection:
        password_hash = await administrators.password_hash(connection, context.person)
    try:
        if not await pages.passwords.check(password_hash, old, is_known=True):
            return _mend(pages, context, {"old": _OLD_WRONG}, 422)
        pages.tries.forget(sources)
        try:
            administrators.check_password(context.person, new)
        except BadPassword as fault:
            return _mend(pages, context, {"new": fault.text}, 422)
        if new != again:
            return _mend(pages, context, {"again": _TWICE}, 422)
        hashed = await pages.passwords.hash(new)
    except Busy:
        return _mend(pages, context, {"old": _WAIT.fill(seconds=_BUSY_S)}, 503)
    async with pages.store.writing() as connection:
        await administrators.change_password(connection, context.person, hashed)
        key = await administrators.begin_session(connection, context.person, context.now)
        await pages.note(connection, context, "password")
    response = context.go("password?done=changed")
    pages.give_key(response, context, key)
    _know_again(response, context, context.person, hashed)
    return response


def _know_again(
    response: web.StreamResponse, context: AdminContext, name: str, password_hash: str | None
) -> None:
    """Remember this browser by a cookie, for its next login."""
    assert password_hash is not None
    response.set_cookie(
        BROWSER_COOKIE,
        _seal(name, password_hash),
        max_age=_BROWSER_KEPT_S,
        path=ADMINISTRATION,
        httponly=True,
        samesite="Strict",
        secure=is_encrypted(context.request),
    )


async def _begin(
    pages: AdminPages,
    context: AdminContext,
    name: str,
    password_hash: str | None,
    stronger: str | None,
) -> str | None:
    """Begin a session; None if the password was changed meanwhile."""
    async with pages.store.writing() as connection:
        if await administrators.password_hash(connection, name) != password_hash:
            return None
        if stronger is not None:
            await administrators.rehash(connection, name, stronger)
        await administrators.end_session(connection, context.key)
        await note_read(connection, Read(at=context.now, who=name, what="login"))
        return await administrators.begin_session(connection, name, context.now)


async def _later(pages: AdminPages, context: AdminContext, seconds: int) -> web.StreamResponse:
    notice = _WAIT.fill(seconds=seconds)
    response = await _show(pages, context, notice, status=429, name=context.typed("name"))
    response.headers["Retry-After"] = str(seconds)
    return response


async def _show(
    pages: AdminPages,
    context: AdminContext,
    notice: Text | None,
    *,
    status: int = 200,
    name: str = "",
    came_from: str | None = None,
) -> web.Response:
    async with pages.store.reading() as connection:
        accounts = await administrators.administrators(connection, context.now)
    return pages.page(
        context,
        "login.html",
        status=status,
        notice=notice,
        name=name,
        next=_next(context.typed("next") if came_from is None else came_from),
        anybody=bool(accounts),
        is_open=not is_encrypted(context.request)
        and context.request.host.rpartition(":")[0] not in _LOCAL,
    )


def _mend(
    pages: AdminPages, context: AdminContext, errors: dict[str, Text], status: int
) -> web.StreamResponse:
    least = administrators.LEAST_PASSWORD
    return pages.page(context, "password.html", status=status, errors=errors, least=least)


def _password(context: AdminContext, name: str) -> str:
    """Return a password as it was typed, with the white space around it."""
    return context.form.get(name, ("",))[0]


def _next(place: str) -> str:
    """Return a page of administration to go to: no other address is accepted."""
    return place if _NEXT.fullmatch(place) and not place.startswith("/") else ""


def of_address(address: str) -> dict[str, int]:
    """Return the sources of an attempt from an address: of IPv6 also the whole site."""
    sources = {f"address {address}": FREE_TRIES}
    if ":" in address:
        site = ipaddress.IPv6Network(address).supernet(new_prefix=_SITE_BITS)
        sources[f"site {site}"] = FREE_TRIES_OF_SITE
    return sources


def _seal(name: str, password_hash: str) -> str:
    """Return a cookie for a browser that this administrator logged in from."""
    browser = secrets.token_urlsafe(_BROWSER_BYTES)
    return f"{browser}.{_mac(browser, name, password_hash)}"


def _browser_of(cookie: str, name: str, password_hash: str | None) -> str | None:
    """Return the id of this browser, None unless this administrator logged in from it."""
    match = _SEALED.fullmatch(cookie)
    if match is None or password_hash is None:
        return None
    browser, mac = match.groups()
    return browser if hmac.compare_digest(mac, _mac(browser, name, password_hash)) else None


def _mac(browser: str, name: str, password_hash: str) -> str:
    return hmac.new(password_hash.encode(), f"{browser}\0{name}".encode(), sha256).hexdigest()
