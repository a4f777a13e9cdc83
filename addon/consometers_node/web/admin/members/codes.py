"""Codes that this witness gives to households: made, shown once, printed, revoked.

A code stands in the answer to the form that made it, and in forms that print it: in no address, no
log, and not in the database.
"""

from collections.abc import Mapping

from aiohttp import web
from sqlalchemy.exc import IntegrityError

from consometers_node.collective.errors import NotFound
from consometers_node.collective.services import CodeOrder
from consometers_node.collective.witness import codes
from consometers_node.collective.witness.codes import (
    MOST_AT_ONCE,
    MOST_DAYS,
    USUAL_DAYS,
    BadCode,
    CodeState,
)
from consometers_node.i18n.text import Text, text
from consometers_node.web.admin.page_base import AdminPages
from consometers_node.web.admin.pager import Pager
from consometers_node.web.core.admin_context import AdminContext
from consometers_node.web.core.language import LANGUAGES
from consometers_node.web.core.page_base import RequestRefused
from consometers_node.web.core.request_context import FilledForm
from consometers_node.web.core.sheets import CodeSheet, printable
from consometers_protected_sums.codes import read
from consometers_protected_sums.errors import NoCode

from .made_once import TWICE, form_key, numbers_of, whole_number

_LISTED = 50
_ENDED = frozenset({CodeState.EXPIRED, CodeState.REVOKED})
_SHOWN: Mapping[str, frozenset[CodeState]] = {
    "unused": frozenset({CodeState.UNUSED}),
    "used": frozenset({CodeState.USED}),
    "ended": _ENDED,
}
_CHOOSE = text("Choose one of these.")
_NOT_OURS = text("These codes are not from this witness.")
_NO_SUCH = text("There is no such code.")


async def show(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """List codes: unused, used, or ended."""
    _expect_witness(pages)
    shown = asked if (asked := context.asked("show")) in _SHOWN else "unused"
    async with pages.store.reading() as connection:
        all_made = await codes.all_codes(connection)
    by_state = {
        name: [code for code in all_made if code.state(context.now) in states]
        for name, states in _SHOWN.items()
    }
    listed = by_state[shown]
    pager = Pager.asked(context, len(listed), _LISTED)
    return pages.page(
        context,
        "codes.html",
        show=shown,
        counts={name: len(those) for name, those in by_state.items()},
        listed=listed[pager.first : pager.end],
        pager=pager,
    )


async def show_form(
    pages: AdminPages,
    context: AdminContext,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, Text] | None = None,
) -> web.Response:
    """Show the form for new codes."""
    collectives = _expect_witness(pages)
    usual = {"collective": collectives[0], "count": "10", "days": str(USUAL_DAYS)}
    return pages.page(
        context,
        "codes-form.html",
        status=422 if errors else 200,
        errors=errors or {},
        filled=typed or usual,
        form=form_key(),
        collectives=collectives,
        most=MOST_AT_ONCE,
    )


async def make(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Make codes, and show them."""
    filled = FilledForm[CodeOrder]()
    count = whole_number(context, "count", MOST_AT_ONCE, filled)
    days = whole_number(context, "days", MOST_DAYS, filled)
    collective = context.typed("collective")
    if collective not in _expect_witness(pages):
        filled.errors["collective"] = _CHOOSE
    if filled.errors:
        typed = {name: values[0] for name, values in context.form.items()}
        return await show_form(pages, context, typed, filled.errors)
    async with pages.store.reading() as connection:
        ids = numbers_of(context, count, {code.id for code in await codes.all_codes(connection)})
    order = CodeOrder(collective=collective, count=count, days=days)
    try:
        issued = await pages.actions(context).make_codes(order, ids=ids)
    except IntegrityError as fault:
        raise RequestRefused(409, TWICE) from fault
    return pages.page(context, "codes-made.html", made=issued, order=order, tongues=LANGUAGES)


async def print_sheets(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Return sheets to print, of codes that were made a moment ago."""
    tag = context.typed("in")
    if tag not in LANGUAGES:
        raise RequestRefused(400, _CHOOSE)
    sheets = []
    async with pages.store.reading() as connection:
        for typed in context.chosen("sheet"):
            try:
                printed = read(typed)
                code = await codes.by_code(connection, printed)
            except (NoCode, BadCode) as fault:
                raise RequestRefused(400, _NOT_OURS) from fault
            sheets.append(
                CodeSheet(
                    name=pages.settings.name,
                    collective=code.collective,
                    code=printed,
                    number=code.id,
                    until=code.expires_at,
                )
            )
    if not sheets:
        raise RequestRefused(400, _NOT_OURS)
    return printable(sheets, tag)


async def confirm_revocation(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Ask whether to revoke a code, and say what becomes of its home."""
    async with pages.store.reading() as connection:
        try:
            code = await codes.by_number(connection, context.named("code"))
        except NotFound as fault:
            raise RequestRefused(404, _NO_SUCH) from fault
    return pages.page(context, "codes-revoke.html", code=code)


async def revoke(pages: AdminPages, context: AdminContext) -> web.StreamResponse:
    """Revoke a code."""
    try:
        await pages.actions(context).revoke_code(context.named("code"))
    except NotFound as fault:
        raise RequestRefused(404, _NO_SUCH) from fault
    return context.go("codes?show=ended&done=revoked")


def _expect_witness(pages: AdminPages) -> tuple[str, ...]:
    """Return the collectives of this witness. Raises HTTPNotFound where it is none."""
    collectives = pages.settings.witness_for
    if not collectives:
        raise web.HTTPNotFound
    return tuple(collectives)
