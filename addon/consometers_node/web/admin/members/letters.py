"""Messages to members: written, shown before they leave, and sent."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from aiohttp import web
from sqlalchemy.exc import IntegrityError

from consometers_node.collective.calendar import Span
from consometers_node.collective.letters import register
from consometers_node.collective.letters.writing import (
    EMPTY,
    GROUPS,
    LONG,
    MAX_BODY,
    as_body,
    in_group,
    too_long,
)
from consometers_node.collective.members.members import Member
from consometers_node.collective.services import LetterOrder
from consometers_node.i18n.text import Text, text
from consometers_node.store.collective.tables import MemberId
from consometers_node.web.admin.page_base import AdminPages
from consometers_node.web.core.admin_context import AdminContext
from consometers_node.web.core.language import LANGUAGES
from consometers_node.web.core.page_base import RequestRefused
from consometers_node.web.core.speech import numbered

from .list import DAYS
from .made_once import form_key

_TWICE = text("This message was sent already.")
_NO_GROUP = text("There is no such group of members.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Addressed:
    """Whom a form writes to: one member, or a group."""

    member: Member | None
    group: str
    ids: Collection[MemberId]


async def show(
    pages: AdminPages,
    context: AdminContext,
    errors: Mapping[str, Text] | None = None,
    body: Mapping[str, str] | None = None,
    *,
    preview: bool = False,
) -> web.StreamResponse:
    """Show the form, or what it would send and to how many. Raises NobodyToWriteTo."""
    addressed = await _addressed(pages, context)
    async with pages.store.reading() as connection:
        count = len(await register.recipients(connection, addressed.ids))
    return pages.page(
        context,
        "letter-preview.html" if preview else "letter.html",
        status=422 if errors else 200,
        member=addressed.member,
        group=addressed.group,
        count=count,
        body=body or {},
        errors=errors or {},
        key=context.typed("form") or form_key(),
        tongues=LANGUAGES,
        most=MAX_BODY,
    )


async def send(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Show a message before it leaves; send it once that is confirmed."""
    body = as_body({tag: context.typed(f"body_{tag}") for tag in LANGUAGES})
    errors = {f"body_{tag}": numbered(LONG, most=MAX_BODY) for tag in too_long(body)}
    if not body:
        errors["body_fr"] = EMPTY
    if errors or context.typed("sure") != "yes":
        is_changed = context.typed("change") == "yes"
        return await show(pages, context, errors, body, preview=not errors and not is_changed)
    addressed = await _addressed(pages, context)
    order = LetterOrder(
        members=addressed.ids, group=addressed.group, body=body, form=context.typed("form")
    )
    try:
        await pages.actions(context).write_letter(order)
    except IntegrityError as fault:
        raise RequestRefused(409, _TWICE) from fault
    if addressed.member is not None:
        return pages.done(context, addressed.member, "letter")
    return context.go("members?done=letter")


async def _addressed(pages: AdminPages, context: AdminContext) -> _Addressed:
    async with pages.store.reading() as connection:
        if context.named("member"):
            member = await pages.member_of(context, connection)
            return _Addressed(member=member, group="", ids=[member.id])
        group = context.typed("to") or context.asked("to")
        if group not in GROUPS:
            raise RequestRefused(404, _NO_GROUP)
        window = Span.before(context.today, DAYS)
        entries = (await pages.roster(connection, window, context.now)).entries
    return _Addressed(member=None, group=group, ids=in_group(entries, group))
