"""Login, logout, and the administrator's own password."""

import logging
import re

from aiohttp import web

from consometers_node.accounts import administrators
from consometers_node.accounts.passwords import LEAST_PASSWORD
from consometers_node.i18n.text import Text, text
from consometers_node.store.collective.access_log import Read, note_read

from .admin_context import AdminContext
from .admin_pages import AdministratorPages
from .logins import (
    WAIT,
    BadPasswordForm,
    Later,
    as_typed,
    changed_password,
    check_login,
    is_open,
)

_NEXT = re.compile(r"[a-z0-9/_-]{0,200}")

_WRONG = text("Wrong name or password.")
_ENDED = text("Your session has ended, and nothing was changed: log in, and do it again.")

_REFUSED = text("Somebody tried to log in to the administration, and was refused.")
_LOGGER = logging.getLogger(__name__)


async def show(pages: AdministratorPages, context: AdminContext) -> web.StreamResponse:
    """Show the login."""
    if context.person:
        return context.go(_next(context.asked("next")))
    notice = _ENDED if context.asked("ended") else None
    return await _show(pages, context, notice, came_from=context.asked("next"))


async def enter(pages: AdministratorPages, context: AdminContext) -> web.StreamResponse:
    """Log in by a password, with a new session key."""
    name = context.typed("name")
    async with pages.store.reading() as connection:
        password_hash = await administrators.password_hash(connection, name)
    try:
        login = await check_login(
            pages.passwords,
            pages.tries,
            pages.cookies,
            context.request,
            pages.proxies,
            name=name,
            typed=as_typed(context.form, "password"),
            hashed=password_hash,
        )
    except Later as later:
        return await _later(pages, context, later.seconds)
    stronger = login.stronger if login else None
    key = await _begin(pages, context, name, password_hash, stronger) if login else None
    if key is None or password_hash is None:
        _LOGGER.warning(_REFUSED)
        return await _show(pages, context, _WRONG, status=403, name=name)
    response = context.go(_next(context.typed("next")))
    pages.cookies.give_key(response, context.request, key)
    pages.cookies.know_again(response, context.request, name, stronger or password_hash)
    return response


async def leave(pages: AdministratorPages, context: AdminContext) -> web.StreamResponse:
    """End a session."""
    async with pages.store.writing() as connection:
        await administrators.SESSIONS.end(connection, context.key)
    response = context.go("login?done=left")
    pages.cookies.forget(response)
    return response


async def show_password(pages: AdministratorPages, context: AdminContext) -> web.StreamResponse:
    """Show the form for a new password."""
    return pages.shared(context, "password.html", errors={}, least=LEAST_PASSWORD)


async def change_password(pages: AdministratorPages, context: AdminContext) -> web.StreamResponse:
    """Store a new password, which ends the logins under the old one."""
    async with pages.store.reading() as connection:
        password_hash = await administrators.password_hash(connection, context.person)
    try:
        hashed = await changed_password(
            pages.passwords, pages.tries, context.person, password_hash, context.form
        )
    except BadPasswordForm as bad:
        return pages.shared(
            context, "password.html", status=bad.status, errors=bad.errors, least=LEAST_PASSWORD
        )
    async with pages.store.writing() as connection:
        await administrators.change_password(connection, context.person, hashed)
        key = await administrators.SESSIONS.begin(connection, context.person, context.now)
        await pages.note(connection, context, "password")
    response = context.go("password?done=changed")
    pages.cookies.give_key(response, context.request, key)
    pages.cookies.know_again(response, context.request, context.person, hashed)
    return response


async def _begin(
    pages: AdministratorPages,
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
        await administrators.SESSIONS.end(connection, context.key)
        await note_read(connection, Read(at=context.now, who=name, what="login"))
        return await administrators.SESSIONS.begin(connection, name, context.now)


async def _later(
    pages: AdministratorPages, context: AdminContext, seconds: int
) -> web.StreamResponse:
    notice = WAIT.fill(seconds=seconds)
    response = await _show(pages, context, notice, status=429, name=context.typed("name"))
    response.headers["Retry-After"] = str(seconds)
    return response


async def _show(
    pages: AdministratorPages,
    context: AdminContext,
    notice: Text | None,
    *,
    status: int = 200,
    name: str = "",
    came_from: str | None = None,
) -> web.Response:
    async with pages.store.reading() as connection:
        accounts = await administrators.administrators(connection, context.now)
    return pages.shared(
        context,
        "login.html",
        status=status,
        notice=notice,
        name=name,
        next=_next(context.typed("next") if came_from is None else came_from),
        anybody=bool(accounts),
        is_open=is_open(context.request),
    )


def _next(place: str) -> str:
    """Return a page of administration to go to: no other address is accepted."""
    return place if _NEXT.fullmatch(place) and not place.startswith("/") else ""
