"""Inviting people to a collective: `invitations make`, `list`, `revoke`, `sheet`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
import sys
from typing import Annotated, Literal

import typer

from consometers_node.cli.core.errors import misused
from consometers_node.cli.core.locale import say
from consometers_node.cli.core.options import Ours
from consometers_node.cli.core.output import Columns, Json, Output, write_private
from consometers_node.cli.core.times import day, shown
from consometers_node.cli.core.usage import Commands
from consometers_node.collective.members import invitations
from consometers_node.collective.members.invitations import Invitation
from consometers_node.collective.members.members import MAX_AREA, MemberKind
from consometers_node.collective.members.shares import plant_named, promised
from consometers_node.collective.members.sites import MAX_SHARES
from consometers_node.collective.privacy.export import values
from consometers_node.collective.services import InvitationOrder, IssuedInvitation
from consometers_node.i18n.text import text
from consometers_node.web.core.sheets import (
    InvitationSheet,
    qr_image,
    qr_lines,
    sheets_page,
)
from consometers_quoalise_network import Join, links

from .command import CollectiveSession, now, run
from .membership import KINDS, known_commune, share

_FILE = say("FILE")

_MADE = text("Invitation {id}, until {until}, {uses}:\n{link}")
_ACCOUNT = text("First, for someone without an XMPP account:\n{link}")
_KEEP = text("This link is shown once: it is not stored here.")
_FOR_ONE = text("for one member")
_FOR_MANY = text("for {count} members")
_FOR_ANY = text("for any number of members")
_NONE = text("There is no invitation: “consometers-node invitations make” creates one.")
_STANDS = text("valid")
_REVOKED_STATE = text("revoked")
_OVER = text("ended")
_REVOKED = text("{id} can no longer be used. Members who joined with it stay.")
_COLUMNS: Columns[Invitation] = {
    text("Number"): lambda invitation: invitation.id,
    text("For"): lambda invitation: KINDS[invitation.kind],
    text("Commune"): lambda invitation: invitation.area,
    text("Note", context="list on the command line"): lambda invitation: invitation.note,
    text("Used"): lambda invitation: (
        invitation.uses
        if invitation.most_uses is None
        else f"{invitation.uses}/{invitation.most_uses}"
    ),
    text("Until"): lambda invitation: day(invitation.expires_at),
    text("State"): lambda invitation: (
        _STANDS if invitation.stands(now()) else _REVOKED_STATE if invitation.revoked_at else _OVER
    ),
}
WRITTEN = text("{file}: ready to print.")
_NO_COMMAND = text("set xmpp.account_command first: it creates accounts on your own server.")
_NOT_A_JOIN = text("this is not an invitation of a collective: xmpp:…?consometers-join;token=…")
_TOO_LONG = text("write at most {most} characters.")
_USES_AND_UNLIMITED = text("leave it out, or leave out --uses.")
_NOT_SHARES = text(
    "write the name of a public building and a number from 1 to {most}, such as “École=5”."
)
_ONE_IMAGE = text("name one .svg or .png file, for one invitation.")


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationOptions:
    """Options of new invitations."""

    days: Annotated[
        int,
        typer.Option(
            min=1,
            max=3660,
            metavar=say("DAYS"),
            help=say("Their period of validity."),
        ),
    ] = 30
    uses: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=1_000_000,
            metavar=say("MEMBERS"),
            help=say("Number of members that can join with one invitation; 1 by default."),
        ),
    ] = None
    unlimited: Annotated[
        bool,
        typer.Option(
            "--unlimited",
            help=say("Any number of members."),
        ),
    ] = False
    count: Annotated[
        int,
        typer.Option(
            min=1,
            max=500,
            metavar=say("NUMBER", context="how many"),
            help=say("Number of invitations."),
        ),
    ] = 1
    kind: Annotated[
        MemberKind,
        typer.Option(
            metavar="home|site|collective",
            help=say("The kind of members to invite."),
        ),
    ] = MemberKind.HOME
    area: Annotated[
        str | None,
        typer.Option(
            metavar=say("COMMUNE"),
            help=say("The commune of the new members."),
        ),
    ] = None
    note: Annotated[
        str,
        typer.Option(help=say("A note for yourself.")),
    ] = ""
    account: Annotated[
        bool,
        typer.Option(
            "--account",
            help=say("With an account on your own XMPP server, for people without one."),
        ),
    ] = False
    shares: Annotated[
        list[str] | None,
        typer.Option(
            metavar=say("SITE=NUMBER"),
            help=say("Shares of a public building’s panels that each new member holds."),
        ),
    ] = None


Sheet = Annotated[
    Path | None,
    typer.Option(
        metavar=_FILE,
        help=say("Write sheets to print (HTML), one page each."),
    ),
]
Language = Annotated[
    Literal["en", "fr"] | None,
    typer.Option(
        metavar="en|fr",
        help=say("The language of the sheets; yours by default."),
    ),
]

commands = Commands(run, Ours)


@commands.add(
    "make",
    text("Create invitations, and show their links and QR codes: they are not stored."),
)
def make(
    common: Ours,
    options: InvitationOptions,
    sheet: Sheet = None,
    language: Language = None,
    qr: Annotated[
        Path | None,
        typer.Option(
            metavar=_FILE,
            help=say("Write the QR code of one invitation, as .svg or .png."),
        ),
    ] = None,
) -> None:
    """Make invitations."""
    output = common.output
    if options.area is not None and not 0 < len(options.area.strip()) <= MAX_AREA:
        raise misused("--area", _TOO_LONG.fill(most=MAX_AREA))
    if len(options.note) > invitations.MAX_NOTE:
        raise misused("--note", _TOO_LONG.fill(most=invitations.MAX_NOTE))
    if options.unlimited and options.uses is not None:
        raise misused("--unlimited", _USES_AND_UNLIMITED)
    if qr is not None and (options.count > 1 or qr.suffix not in {".svg", ".png"}):
        raise misused("--qr", _ONE_IMAGE)

    async def work(session: CollectiveSession) -> list[IssuedInvitation]:
        settings = session.settings
        if options.account and not settings.xmpp.account_command:
            raise misused("--account", _NO_COMMAND)
        async with session.store.reading() as connection:
            area = options.area and await known_commune(connection, options.area.strip(), output)
            shares = {
                (await plant_named(connection, name)).id: count
                for name, count in map(_shares, options.shares or ())
            }
        order = InvitationOrder(
            days=options.days,
            uses=None if options.unlimited else options.uses or 1,
            count=options.count,
            kind=options.kind,
            area=area,
            note=options.note,
            account=options.account,
            shares=shares,
        )

        def deliver(issued: Sequence[IssuedInvitation]) -> None:
            if sheet is not None:
                pages = [
                    InvitationSheet(settings.name, new.link, new.account, new.invitation.expires_at)
                    for new in issued
                ]
                write_private(
                    sheet, sheets_page(pages, language or output.catalogue_language).encode()
                )
            if qr is not None:
                write_private(qr, qr_image(issued[0].link, qr.suffix.removeprefix(".")))

        return await session.actions.invite(order, deliver=deliver)

    issued = run(common, work)
    if output.as_json:
        output.document(
            [
                {**_document(new.invitation), "link": new.link, "account_link": new.account}
                for new in issued
            ]
        )
        return
    for new in issued:
        _show(new, output)
    output.note(_KEEP)
    if sheet is not None:
        output.say(WRITTEN, file=sheet)


@commands.add("list", text("List the invitations."))
async def list_invitations(session: CollectiveSession) -> None:
    """List all invitations."""
    async with session.store.reading() as connection:
        listed = await invitations.all_invitations(connection)
        shares = await promised(connection)

    def document(invitation: Invitation) -> Json:
        held = [share(holding) for holding in shares.get(invitation.id, ())]
        return {**_document(invitation), "shares": held}

    session.output.listing(listed, document, _COLUMNS, _NONE)


@commands.add(
    "revoke",
    text("Revoke an invitation. Members who joined with it stay."),
)
async def revoke(
    session: CollectiveSession,
    id: Annotated[
        str,
        typer.Argument(
            metavar=say("NUMBER"),
            help=say("Its number, from the list."),
        ),
    ],
) -> None:
    """End an invitation."""
    revoked = await session.actions.revoke(id)
    session.output.result(_document(revoked), _REVOKED, id=id)


@commands.add(
    "sheet",
    text("Write a sheet to print for an invitation, from its link."),
)
async def sheet(
    session: CollectiveSession,
    *,
    link: Annotated[
        str,
        typer.Argument(
            metavar=say("INVITATION"),
            help=say("Its link: xmpp:…"),
        ),
    ],
    file: Annotated[
        Path,
        typer.Option(
            "--output",
            metavar=_FILE,
            help=say("The file to write (HTML)."),
        ),
    ],
    account: Annotated[
        str | None,
        typer.Option(
            metavar=say("INVITATION"),
            help=say("The matching account: xmpp:…?register"),
        ),
    ] = None,
    language: Language = None,
) -> None:
    """Write a sheet to be printed."""
    match links.read(link):
        case Join() as join:
            async with session.store.reading() as connection:
                until = (await invitations.by_token(connection, join.token)).expires_at
        case _:
            raise misused("INVITATION", _NOT_A_JOIN)
    page = InvitationSheet(session.settings.name, link, account, until)
    write_private(file, sheets_page([page], language or session.output.catalogue_language).encode())
    session.output.result({"file": str(file)}, WRITTEN, file=file)


def _shares(typed: str) -> tuple[str, int]:
    """Read the shares of a plant. Raises `CliError`."""
    name, _, count = typed.rpartition("=")
    if not (name and count.isascii() and count.isdecimal() and 1 <= int(count) <= MAX_SHARES):
        raise misused("--shares", _NOT_SHARES.fill(most=MAX_SHARES))
    return name.strip(), int(count)


def _document(invitation: Invitation) -> dict[str, Json]:
    return {
        **values(invitation, "id", "kind", "area", "note"),
        "made_at": shown(invitation.created_at),
        **values(invitation, "expires_at", "most_uses", "uses", "revoked_at"),
        "stands": invitation.stands(now()),
    }


def _show(made: IssuedInvitation, output: Output) -> None:
    invitation = made.invitation
    uses = (
        _FOR_ANY
        if invitation.most_uses is None
        else _FOR_ONE
        if invitation.most_uses == 1
        else _FOR_MANY
    )
    how_many = uses.fill(count=invitation.most_uses)
    until = day(invitation.expires_at)
    if made.account is not None:
        output.say(_ACCOUNT, link=made.account)
        _draw(made.account)
    output.say(_MADE, id=invitation.id, until=until, uses=how_many, link=made.link)
    _draw(made.link)


def _draw(link: str) -> None:
    """Draw the code of a link, where a person can point a phone at it."""
    if sys.stdout.isatty():
        sys.stdout.write(qr_lines(link))
        sys.stdout.flush()
