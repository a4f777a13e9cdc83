"""Invitations: made, shown once, printed, revoked.

A token stands in the answer to the form that made it, and in forms that print it: in no address,
no log, and not in the database.
"""

from collections.abc import Mapping

from aiohttp import web
from markupsafe import Markup
from sqlalchemy.exc import IntegrityError

from consometers_node.collective.members import invitations
from consometers_node.collective.members.invitations import MAX_NOTE
from consometers_node.collective.members.members import MAX_AREA, MemberKind, known_areas
from consometers_node.collective.members.shares import Plant, all_plants, promised
from consometers_node.collective.services import InvitationOrder, IssuedInvitation
from consometers_node.i18n.text import Text, text
from consometers_node.store.engine.connection import AsyncConnection
from consometers_node.web.admin.page_base import AdminPages
from consometers_node.web.admin.pager import Pager
from consometers_node.web.admin.words import ACCOUNTS_GUIDE, KINDS
from consometers_node.web.core.admin_context import AdminContext
from consometers_node.web.core.language import LANGUAGES
from consometers_node.web.core.page_base import RequestRefused
from consometers_node.web.core.request_context import FilledForm
from consometers_node.web.core.sheets import InvitationSheet, printable, qr_inline
from consometers_quoalise_network import Join, Register, links
from consometers_quoalise_network.errors import NetworkError

from .made_once import TWICE, form_key, numbers_of, whole_number
from .member import share_labels, shares_field

MOST_AT_ONCE = 100
MOST_DAYS = 3660
MOST_USES = 100_000

_LISTED = 50
_DRAWN = 10
"""Codes on a page: larger numbers are printed."""
_USUAL = {"days": "30", "uses": "1", "count": "1", "kind": MemberKind.HOME.value}
_QR = text("QR code of the invitation")

_CHOOSE = text("Choose one of these.")
_TOO_LONG = text("Write at most {most} characters.")
_NO_COMMAND = text(
    "This server creates no accounts: invite without one, or ask the person who runs it."
)
_NOT_OURS = text("These invitations are not from this collective.")


async def show(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """List invitations: those that stand, or those that ended."""
    ended = context.asked("show") == "ended"
    async with pages.store.reading() as connection:
        all_made = await invitations.all_invitations(connection)
        shares = await promised(connection)
    stand = [invitation for invitation in all_made if invitation.stands(context.now)]
    listed = (
        [invitation for invitation in all_made if not invitation.stands(context.now)]
        if ended
        else stand
    )
    pager = Pager.asked(context, len(listed), _LISTED)
    return pages.page(
        context,
        "invitations.html",
        ended=ended,
        listed=listed[pager.first : pager.end],
        standing=len(stand),
        over=len(all_made) - len(stand),
        pager=pager,
        kinds=KINDS,
        shares=shares,
    )


async def show_form(
    pages: AdminPages,
    context: AdminContext,
    typed: Mapping[str, str] = _USUAL,
    errors: Mapping[str, Text] | None = None,
) -> web.Response:
    """Show the form for new invitations."""
    settings = pages.settings
    async with pages.store.reading() as connection:
        communes = await known_areas(connection)
        plants = await all_plants(connection)
    return pages.page(
        context,
        "invitations-form.html",
        status=422 if errors else 200,
        errors=errors or {},
        filled=typed,
        form=form_key(),
        areas=communes,
        share_labels=share_labels(context, plants),
        kinds=KINDS,
        makes_accounts=bool(settings.xmpp.account_command),
        guide=ACCOUNTS_GUIDE,
        most={"count": MOST_AT_ONCE, "days": MOST_DAYS, "note": MAX_NOTE, "area": MAX_AREA},
    )


async def make(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Make invitations, and show their links."""
    async with pages.store.reading() as connection:
        plants = await all_plants(connection)
    filled = _filled(pages, context, plants)
    order = filled.value
    area = None if order is None else order.area
    if area is not None and (wrong := await pages.misspelt(area)) is not None:
        filled.errors["area"] = wrong
    if order is None or filled.errors:
        typed = {name: values[0] for name, values in context.form.items()}
        return await show_form(pages, context, typed, filled.errors)
    async with pages.store.reading() as connection:
        made = await invitations.all_invitations(connection)
    ids = numbers_of(context, order.count, {invitation.id for invitation in made})
    try:
        issued = await pages.actions(context).invite(order, ids=ids)
    except IntegrityError as fault:
        raise RequestRefused(409, TWICE) from fault
    return pages.page(
        context,
        "invitations-made.html",
        made=issued,
        codes=[_codes(invited, context) for invited in issued] if len(issued) <= _DRAWN else [],
        tongues=LANGUAGES,
        kinds=KINDS,
    )


async def print_sheets(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Return sheets to print, of links that were made a moment ago."""
    tag = context.typed("in")
    if tag not in LANGUAGES:
        raise RequestRefused(400, _CHOOSE)
    async with pages.store.reading() as connection:
        sheets = [
            await _sheet(pages, connection, links_typed) for links_typed in context.chosen("sheet")
        ]
    if not sheets:
        raise RequestRefused(400, _NOT_OURS)
    return printable(sheets, tag)


async def revoke(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Revoke an invitation."""
    await pages.actions(context).revoke(context.named("invitation"))
    return context.go("invitations?done=revoked")


def _codes(invited: IssuedInvitation, context: AdminContext) -> Mapping[str, Markup]:
    named = _QR.say(context.language.tag)
    drawn = {"link": invited.link} | (
        {} if invited.account is None else {"account": invited.account}
    )
    return {name: qr_inline(link, named) for name, link in drawn.items()}


async def _sheet(
    pages: AdminPages, connection: AsyncConnection, links_typed: str
) -> InvitationSheet:
    """Return the sheet of the links in a form of ours. Raises RequestRefused, NotFound."""
    link, _, account = links_typed.partition(" ")
    try:
        join, register = links.read(link), links.read(account) if account else None
    except NetworkError as fault:
        raise RequestRefused(400, _NOT_OURS) from fault
    if not isinstance(join, Join) or join.collective != pages.settings.xmpp.account:
        raise RequestRefused(400, _NOT_OURS)
    if not isinstance(register, Register | None):
        raise RequestRefused(400, _NOT_OURS)
    until = (await invitations.by_token(connection, join.token)).expires_at
    return InvitationSheet(pages.settings.name, link, account or None, until)


def _filled(
    pages: AdminPages, context: AdminContext, plants: list[Plant]
) -> FilledForm[InvitationOrder]:
    filled = FilledForm[InvitationOrder]()
    days = whole_number(context, "days", MOST_DAYS, filled)
    count = whole_number(context, "count", MOST_AT_ONCE, filled)
    uses = None if context.typed("any") else whole_number(context, "uses", MOST_USES, filled)
    kind, area, note = context.typed("kind"), context.typed("area"), context.typed("note")
    if kind not in MemberKind:
        filled.errors["kind"] = _CHOOSE
    for name, typed, most in (("area", area, MAX_AREA), ("note", note, MAX_NOTE)):
        if len(typed) > most:
            filled.errors[name] = _TOO_LONG.fill(most=most)
    shares = {
        plant.id: whole_number(context, field, plant.total, filled)
        for plant in plants
        if context.typed(field := shares_field(plant))
    }
    account = bool(context.typed("account"))
    if account and not pages.settings.xmpp.account_command:
        filled.errors["account"] = _NO_COMMAND
    if not filled.errors:
        filled.value = InvitationOrder(
            days=days,
            uses=uses,
            count=count,
            kind=MemberKind(kind),
            area=" ".join(area.split()) or None,
            note=" ".join(note.split()),
            account=account,
            shares=shares,
        )
    return filled
