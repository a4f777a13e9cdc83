"""A host's administration: who has a space, and invitations. No page of it shows energy."""

from datetime import timedelta

from aiohttp import web
from yarl import URL

from consometers_node.host.accounts import invitations, spaces
from consometers_node.i18n.text import Text, text
from consometers_node.web.core.admin_context import AdminContext

from .page_base import OperatorPages

PER_PAGE = 50
MOST_DAYS = 90
_USUAL_DAYS = 14

_BAD_DAYS = text("Write a whole number from 1 to {most}.")
_LONG_NOTE = text("Write at most {most} characters.")


async def show(pages: OperatorPages, context: AdminContext) -> web.StreamResponse:
    """Show the spaces, and the invitations."""
    return await _show(pages, context)


async def invite(pages: OperatorPages, context: AdminContext) -> web.StreamResponse:
    """Create an invitation, and show its code once."""
    days, note = context.whole_number("days"), context.typed("note")
    errors: dict[str, Text] = {}
    if days is None or not 1 <= days <= MOST_DAYS:
        errors["days"] = _BAD_DAYS.fill(most=MOST_DAYS)
    if len(note) > invitations.MAX_NOTE:
        errors["note"] = _LONG_NOTE.fill(most=invitations.MAX_NOTE)
    if errors or days is None:
        return await _show(pages, context, errors=errors, status=422)
    async with pages.store.writing() as connection:
        ends = context.now + timedelta(days=days)
        _, token = await invitations.make(connection, at=context.now, expires_at=ends, note=note)
        await pages.note(connection, context, "space invitation")
    page = URL(pages.settings.page.url)
    return await _show(pages, context, link=page / "create" % {"code": token})


async def revoke(pages: OperatorPages, context: AdminContext) -> web.StreamResponse:
    """Revoke an invitation."""
    async with pages.store.writing() as connection:
        await invitations.revoke(connection, context.named("invitation"), context.now)
        await pages.note(connection, context, "space invitation revoked")
    return context.go("?done=revoked")


async def _show(
    pages: OperatorPages,
    context: AdminContext,
    *,
    errors: dict[str, Text] | None = None,
    link: URL | None = None,
    status: int = 200,
) -> web.Response:
    async with pages.store.reading() as connection:
        total = await spaces.count(connection)
        last = max(1, -(-total // PER_PAGE))
        asked = context.asked("page")
        number = int(asked) if asked.isdecimal() and asked.isascii() and len(asked) < 7 else 1
        number = min(max(number, 1), last)
        listed = await spaces.listed(connection, (number - 1) * PER_PAGE, PER_PAGE)
        invited = await invitations.all_invitations(connection)
    sizes = {space.name: await pages.host.homes.size_bytes(space.address) for space in listed}
    return pages.page(
        context,
        "operator.html",
        status=status,
        errors=errors or {},
        days=context.typed("days") or str(_USUAL_DAYS),
        note=context.typed("note") if errors else "",
        most_days=MOST_DAYS,
        most_note=invitations.MAX_NOTE,
        made=link,
        spaces=listed,
        sizes=sizes,
        total=total,
        most_spaces=pages.settings.most_spaces,
        is_open=pages.settings.is_open,
        invitations=[each for each in invited if each.stands(context.now)],
        page=number,
        last_page=last,
    )
