"""Login and logout of a household, and its password."""

import logging
import re

from aiohttp import web

from consometers_node.accounts.passwords import LEAST_PASSWORD
from consometers_node.host.accounts import spaces
from consometers_node.i18n.text import Text, text
from consometers_node.web.core.logins import (
    WAIT,
    BadPasswordForm,
    Later,
    as_typed,
    changed_password,
    check_login,
    is_open,
)
from consometers_node.web.core.session_pages import SessionContext

from .page_base import SpacePages

_NEXT = re.compile(r"[a-z0-9/_-]{0,200}")
_WRONG = text("Wrong name or password.")
_ENDED = text("Your session has ended, and nothing was changed: log in, and do it again.")
_REFUSED = text("Somebody tried to log in to a space, and was refused.")
_LOGGER = logging.getLogger(__name__)


async def show(pages: SpacePages, context: SessionContext) -> web.StreamResponse:
    """Show the login."""
    if context.person:
        return context.go(_next(context.asked("next")))
    notice = _ENDED if context.asked("ended") else None
    return _show(pages, context, notice, came_from=context.asked("next"))


async def enter(pages: SpacePages, context: SessionContext) -> web.StreamResponse:
    """Log in by a password, with a new session key."""
    name = context.typed("name").lower()
    async with pages.store.reading() as connection:
        hashed = await spaces.password_hash(connection, name)
    try:
        login = await check_login(
            pages.passwords,
            pages.tries,
            pages.cookies,
            context.request,
            pages.proxies,
            name=name,
            typed=as_typed(context.form, "password"),
            hashed=hashed,
        )
    except Later as later:
        notice = WAIT.fill(seconds=later.seconds)
        response = _show(pages, context, notice, status=429, name=name)
        response.headers["Retry-After"] = str(later.seconds)
        return response
    if login is None or hashed is None:
        _LOGGER.warning(_REFUSED)
        return _show(pages, context, _WRONG, status=403, name=name)
    async with pages.store.writing() as connection:
        if await spaces.password_hash(connection, name) != hashed:
            return _show(pages, context, _WRONG, status=403, name=name)
        if login.stronger is not None:
            await spaces.rehash(connection, name, login.stronger)
        await spaces.SESSIONS.end(connection, context.key)
        key = await spaces.begin_session(connection, name, context.now)
    response = context.go(_next(context.typed("next")))
    pages.cookies.give_key(response, context.request, key)
    pages.cookies.know_again(response, context.request, name, login.stronger or hashed)
    return response


async def leave(pages: SpacePages, context: SessionContext) -> web.StreamResponse:
    """End a session."""
    async with pages.store.writing() as connection:
        await spaces.SESSIONS.end(connection, context.key)
    response = context.go("login?done=left")
    pages.cookies.forget(response)
    return response


async def show_password(pages: SpacePages, context: SessionContext) -> web.StreamResponse:
    """Show the form for a new password."""
    return pages.shared(context, "password.html", errors={}, least=LEAST_PASSWORD)


async def change_password(pages: SpacePages, context: SessionContext) -> web.StreamResponse:
    """Store a new password, which ends the logins under the old one."""
    async with pages.store.reading() as connection:
        old = await spaces.password_hash(connection, context.person)
    try:
        hashed = await changed_password(
            pages.passwords, pages.tries, f"space {context.person}", old, context.form
        )
    except BadPasswordForm as bad:
        return pages.shared(
            context, "password.html", status=bad.status, errors=bad.errors, least=LEAST_PASSWORD
        )
    async with pages.store.writing() as connection:
        await spaces.change_password(connection, context.person, hashed)
        key = await spaces.SESSIONS.begin(connection, context.person, context.now)
    response = context.go("password?done=changed")
    pages.cookies.give_key(response, context.request, key)
    pages.cookies.know_again(response, context.request, context.person, hashed)
    return response


def _show(
    pages: SpacePages,
    context: SessionContext,
    notice: Text | None,
    *,
    status: int = 200,
    name: str = "",
    came_from: str | None = None,
) -> web.Response:
    return pages.shared(
        context,
        "login.html",
        status=status,
        notice=notice,
        name=name,
        next=_next(context.typed("next") if came_from is None else came_from),
        anybody=True,
        is_open=is_open(context.request),
    )


def _next(place: str) -> str:
    """Return a page of ours to go to: no other address is accepted."""
    return place if _NEXT.fullmatch(place) and not place.startswith("/") else ""
