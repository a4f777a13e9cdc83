"""Who may come in by what: invitations made, shown once, printed, revoked.

A token stands in the answer to the form that made it, and in forms that print it: in no address,
no log, and not in the database.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
import re
import secrets

from aiohttp import web
from markupsafe import Markup
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from ...collective.members import accounts, invitations
from ...collective.members.invitations import MAX_NOTE, Invitation
from ...collective.members.members import MAX_AREA, Kind, known_areas
from ...quoalise import Text
from ...quoalise.text import text
from ...xmpp import Join, Register, links
from ...xmpp.errors import NetworkError
from ..invitation_sheets import InvitationSheet, qr_inline, sheets_page, style
from ..language import LANGUAGES
from .handlers import AdminDesk, Refused
from .pager import Pager
from .visit import Visit
from .whose import misspelt
from .words import KINDS, numbered

MOST_AT_ONCE = 100
MOST_DAYS = 3660
MOST_USES = 100_000

_LISTED = 50
_DRAWN = 10
"""Codes on a page: who makes more prints them."""
_FORM = re.compile(r"[0-9a-f]{32}")
_MOST_DIGITS = 6
_USUAL = {"days": "30", "uses": "1", "count": "1", "kind": Kind.HOME.value}
_ONLY_PAPER = (
    "default-src 'none'; style-src 'sha256-{style}'; form-action 'none'; base-uri 'none';"
    " frame-ancestors 'none'"
)
_QR = text("QR code of the invitation")

_NO_NUMBER = text("Write a whole number, from 1 to {most}.")
_CHOOSE = text("Choose one of these.")
_TOO_LONG = text("Write at most {most} characters.")
_NO_COMMAND = text(
    "This server makes no accounts: xmpp.account_command in the settings file says how."
)
_TWICE = text(
    "These invitations were made already, and their links were shown once. If you lost them, revoke"
    " them and make others."
)
_NOT_OURS = text("These are no invitations of this collective.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What invitations are to be made."""

    days: int
    uses: int | None
    count: int
    kind: Kind
    area: str | None
    note: str
    account: bool


@dataclass(slots=True)
class Filled:
    """What was filled in, and what is wrong by field."""

    wanted: Wanted | None = None
    errors: dict[str, Text] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Made:
    """An invitation with its links, which are shown once."""

    invitation: Invitation
    link: str
    account: str | None

    @property
    def sheet(self) -> str:
        """Both links in a form: neither has a space."""
        return self.link if self.account is None else f"{self.link} {self.account}"


async def show(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """List invitations: those that stand, or those that ended."""
    ended = visit.asked("show") == "ended"
    async with desk.store.reading() as connection:
        every = await invitations.all_invitations(connection)
    stand = [one for one in every if one.stands(visit.now)]
    listed = [one for one in every if not one.stands(visit.now)] if ended else stand
    pager = Pager.of(visit, len(listed), _LISTED)
    return desk.page(
        visit,
        "invitations.html",
        ended=ended,
        listed=listed[pager.first : pager.end],
        standing=len(stand),
        over=len(every) - len(stand),
        pager=pager,
        kinds=KINDS,
    )


async def show_form(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Show the form that makes some."""
    return await _form(desk, visit, _USUAL)


async def back(_desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Go to the list: what was shown once is not shown again."""
    return visit.go("invitations")


async def make(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Make invitations, and show their links."""
    filled = _filled(desk, visit)
    wanted = filled.wanted
    if wanted is not None and wanted.area is not None:
        async with desk.store.reading() as connection:
            wrong = await misspelt(connection, wanted.area)
        if wrong is not None:
            filled.errors["area"] = wrong
    if wanted is None or filled.errors:
        told = {name: values[0] for name, values in visit.form.items()}
        return await _form(desk, visit, told, filled.errors)
    form = visit.typed("form")
    if not _FORM.fullmatch(form):
        raise Refused(409, _TWICE)
    numbers = [sha256(f"{form}{n}".encode()).hexdigest()[:8] for n in range(wanted.count)]
    async with desk.store.reading() as connection:
        if any(one.id in numbers for one in await invitations.all_invitations(connection)):
            raise Refused(409, _TWICE)
    with_account = [
        await accounts.invite(desk.settings.xmpp.account_command) if wanted.account else None
        for _ in numbers
    ]
    try:
        async with desk.store.writing() as connection:
            made = []
            for number, account in zip(numbers, with_account, strict=True):
                invitation, token = await invitations.make(
                    connection,
                    at=visit.now,
                    expires_at=visit.now + timedelta(days=wanted.days),
                    most_uses=wanted.uses,
                    kind=wanted.kind,
                    area=wanted.area,
                    note=wanted.note,
                    id=number,
                )
                link = links.write(Join(desk.settings.xmpp.account, token))
                made.append(Made(invitation, link, account))
            said = f"{wanted.count} invitations made for {wanted.kind}"
            await desk.note(connection, visit, said)
    except IntegrityError as fault:
        raise Refused(409, _TWICE) from fault
    return desk.page(
        visit,
        "invitations-made.html",
        made=made,
        codes=[_codes(one, visit) for one in made] if len(made) <= _DRAWN else [],
        tongues=LANGUAGES,
        kinds=KINDS,
    )


async def print_sheets(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Return sheets to be printed, of links that were made a moment ago."""
    tag = visit.typed("in")
    if tag not in LANGUAGES:
        raise Refused(400, _CHOOSE)
    async with desk.store.reading() as connection:
        sheets = [await _sheet(desk, connection, one) for one in visit.chosen("sheet")]
    if not sheets:
        raise Refused(400, _NOT_OURS)
    hashed = b64encode(sha256(style().encode()).digest()).decode()
    policy = _ONLY_PAPER.format(style=hashed)
    return web.Response(
        text=sheets_page(sheets, tag),
        content_type="text/html",
        headers={"Content-Language": tag, "Content-Security-Policy": policy},
    )


async def revoke(desk: AdminDesk, visit: Visit) -> web.StreamResponse:
    """Revoke an invitation."""
    async with desk.store.writing() as connection:
        one = await invitations.revoke(connection, visit.named("invitation"), visit.now)
        await desk.note(connection, visit, f"invitation {one.id} revoked")
    return visit.go("invitations?done=revoked")


async def _form(
    desk: AdminDesk,
    visit: Visit,
    told: Mapping[str, str],
    errors: Mapping[str, Text] | None = None,
) -> web.Response:
    settings = desk.settings
    async with desk.store.reading() as connection:
        communes = await known_areas(connection)
    return desk.page(
        visit,
        "invitations-form.html",
        status=422 if errors else 200,
        errors=errors or {},
        told=told,
        form=secrets.token_hex(16),
        areas=communes,
        kinds=KINDS,
        makes_accounts=bool(settings.xmpp.account_command),
        most={"count": MOST_AT_ONCE, "days": MOST_DAYS, "note": MAX_NOTE, "area": MAX_AREA},
    )


def _codes(one: Made, visit: Visit) -> Mapping[str, Markup]:
    named = _QR.say(visit.language.tag)
    drawn = {"link": one.link} | ({} if one.account is None else {"account": one.account})
    return {name: qr_inline(link, named) for name, link in drawn.items()}


async def _sheet(desk: AdminDesk, connection: AsyncConnection, told: str) -> InvitationSheet:
    """Return the sheet of links that a form of ours had. Raises Refused, Unknown."""
    link, _, account = told.partition(" ")
    try:
        join, register = links.read(link), links.read(account) if account else None
    except NetworkError as fault:
        raise Refused(400, _NOT_OURS) from fault
    if not isinstance(join, Join) or join.collective != desk.settings.xmpp.account:
        raise Refused(400, _NOT_OURS)
    if not isinstance(register, Register | None):
        raise Refused(400, _NOT_OURS)
    until = (await invitations.by_token(connection, join.token)).expires_at
    return InvitationSheet(desk.settings.name, link, account or None, until)


def _filled(desk: AdminDesk, visit: Visit) -> Filled:
    """Read the form."""
    filled = Filled()
    days = _number(visit, "days", MOST_DAYS, filled)
    count = _number(visit, "count", MOST_AT_ONCE, filled)
    uses = None if visit.typed("any") else _number(visit, "uses", MOST_USES, filled)
    kind, area, note = visit.typed("kind"), visit.typed("area"), visit.typed("note")
    if kind not in Kind:
        filled.errors["kind"] = _CHOOSE
    for name, typed, most in (("area", area, MAX_AREA), ("note", note, MAX_NOTE)):
        if len(typed) > most:
            filled.errors[name] = _TOO_LONG.fill(most=most)
    account = bool(visit.typed("account"))
    if account and not desk.settings.xmpp.account_command:
        filled.errors["account"] = _NO_COMMAND
    if not filled.errors:
        filled.wanted = Wanted(
            days=days,
            uses=uses,
            count=count,
            kind=Kind(kind),
            area=" ".join(area.split()) or None,
            note=" ".join(note.split()),
            account=account,
        )
    return filled


def _number(visit: Visit, name: str, most: int, filled: Filled) -> int:
    typed = visit.typed(name)
    is_number = typed.isascii() and typed.isdecimal() and len(typed) <= _MOST_DIGITS
    if not is_number or not 1 <= int(typed) <= most:
        filled.errors[name] = numbered(_NO_NUMBER, most=most)
        return 1
    return int(typed)
