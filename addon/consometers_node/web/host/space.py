"""A household's space: creation, the terms, deletion, and the way to its home."""

from datetime import date
from typing import Any

from aiohttp import web

from consometers_node.accounts.errors import BadName
from consometers_node.accounts.passwords import LEAST_PASSWORD
from consometers_node.host.accounts import spaces, terms
from consometers_node.host.accounts.homes import Untold
from consometers_node.host.accounts.invitations import NotInvited
from consometers_node.host.accounts.spaces import LEAST_NAME, MAX_NAME
from consometers_node.host.accounts.terms import VERSION
from consometers_node.i18n.text import Text, text
from consometers_node.web.core.logins import (
    WAIT,
    BadPasswordForm,
    Later,
    as_typed,
    check_own_password,
    chosen_password,
    is_open,
    of_address,
    take,
)
from consometers_node.web.core.rate_limit import asker
from consometers_node.web.core.session_pages import SessionContext

from .page_base import SpacePages

_ACCEPT = text("Tick the box to accept the terms.")
_WRONG = text("This is not your present password.")


async def show_front(pages: SpacePages, context: SessionContext) -> web.StreamResponse:
    """Show what a host is, or a household its space."""
    if not context.person:
        return pages.page(context, "front.html", is_open=pages.settings.is_open)
    space = await pages.space(context)
    if space.terms_version != VERSION:
        return context.go("terms")
    return pages.page(context, "space.html", space=space)


async def show_creation(pages: SpacePages, context: SessionContext) -> web.StreamResponse:
    """Show the form for a new space."""
    if context.person:
        return context.go()
    return _creation(pages, context, {}, 200, code=context.asked("code"))


async def create(pages: SpacePages, context: SessionContext) -> web.StreamResponse:
    """Create a space, and log in."""
    name, code = context.typed("name").lower(), context.typed("code")
    token = None if pages.settings.is_open else code
    sources = of_address(asker(context.request, pages.proxies))
    try:
        take(pages.tries, sources)
    except Later as later:
        field = "name" if token is None else "code"
        response = _creation(pages, context, {field: WAIT.fill(seconds=later.seconds)}, 429)
        response.headers["Retry-After"] = str(later.seconds)
        return response
    shown = terms.shown(pages.settings.operator, context.language.tag)
    services = pages.host.spaces
    try:
        await services.check(name, token, context.now)
        if token is not None:
            pages.tries.forget(sources)
        if context.typed("terms") != VERSION:
            return _creation(pages, context, {"terms": _ACCEPT}, 422)
        hashed = await chosen_password(
            pages.passwords,
            name,
            as_typed(context.form, "password"),
            as_typed(context.form, "again"),
            field="password",
        )
        key = await services.create(name, hashed, shown, token, context.now)
    except NotInvited as fault:
        return _creation(pages, context, {"code": fault.text}, 403)
    except BadName as fault:
        return _creation(pages, context, {"name": fault.text}, 422)
    except BadPasswordForm as bad:
        return _creation(pages, context, dict(bad.errors), bad.status)
    response = context.go("?done=created")
    pages.cookies.give_key(response, context.request, key)
    pages.cookies.know_again(response, context.request, name, hashed)
    return response


async def show_terms(pages: SpacePages, context: SessionContext) -> web.StreamResponse:
    """Show the terms, which a household accepts again where they have changed."""
    space = await pages.space(context) if context.person else None
    return pages.page(context, "terms.html", space=space, **_terms(pages))


async def accept_terms(pages: SpacePages, context: SessionContext) -> web.StreamResponse:
    """Note that a household accepts the terms that it was shown."""
    if context.typed("terms") != VERSION:
        return context.go("terms")
    shown = terms.shown(pages.settings.operator, context.language.tag)
    async with pages.store.writing() as connection:
        await spaces.accept_terms(connection, context.person, shown, context.now)
    return context.go()


async def show_deletion(pages: SpacePages, context: SessionContext) -> web.StreamResponse:
    """Show what a deletion does, and ask for the password."""
    return _deletion(pages, context, {}, 200)


async def delete(pages: SpacePages, context: SessionContext) -> web.StreamResponse:
    """Delete a space with its home."""
    async with pages.store.reading() as connection:
        hashed = await spaces.password_hash(connection, context.person)
    try:
        good = await check_own_password(
            pages.passwords,
            pages.tries,
            f"space {context.person}",
            as_typed(context.form, "password"),
            hashed,
        )
    except Later as later:
        errors = {"password": WAIT.fill(seconds=later.seconds)}
        return _deletion(pages, context, errors, 429)
    if not good:
        return _deletion(pages, context, {"password": _WRONG}, 422)
    try:
        await pages.host.spaces.delete(context.person, untold=context.typed("untold") == "yes")
    except Untold as fault:
        return _deletion(pages, context, {}, 409, untold=fault.text)
    response = context.go("?done=deleted")
    pages.cookies.forget(response)
    return response


def _deletion(
    pages: SpacePages,
    context: SessionContext,
    errors: dict[str, Text],
    status: int,
    *,
    untold: Text | None = None,
) -> web.Response:
    return pages.page(context, "delete.html", status=status, errors=errors, untold=untold)


def _creation(
    pages: SpacePages,
    context: SessionContext,
    errors: dict[str, Text],
    status: int,
    *,
    code: str = "",
) -> web.Response:
    return pages.page(
        context,
        "create.html",
        status=status,
        errors=errors,
        name=context.typed("name"),
        code=code or context.typed("code"),
        by_invitation=not pages.settings.is_open,
        least=LEAST_PASSWORD,
        least_name=LEAST_NAME,
        most_name=MAX_NAME,
        is_open=is_open(context.request),
        **_terms(pages),
    )


def _terms(pages: SpacePages) -> dict[str, Any]:
    return {
        "who_can_read": terms.WHO_CAN_READ,
        "clauses": terms.clauses(pages.settings.operator),
        "terms_version": VERSION,
        "terms_day": date.fromisoformat(VERSION),
    }
