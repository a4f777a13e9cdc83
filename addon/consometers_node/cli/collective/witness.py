"""This node as a witness: `witness codes make`, `list`, `revoke`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from consometers_node.cli.core.locale import read, say
from consometers_node.cli.core.options import Ours, Yes
from consometers_node.cli.core.output import Columns, Json, write_private
from consometers_node.cli.core.times import day, shown
from consometers_node.cli.core.usage import Commands
from consometers_node.collective.services import CodeOrder, IssuedCode
from consometers_node.collective.witness import codes
from consometers_node.collective.witness.codes import (
    MOST_AT_ONCE,
    MOST_DAYS,
    USUAL_DAYS,
    Code,
    CodeState,
)
from consometers_node.i18n.text import text
from consometers_node.web.core.sheets import CodeSheet, sheets_page

from .command import CollectiveSession, now, run
from .invitations import WRITTEN, Language, Sheet

_MADE = text("Code {id}, until {until}: {code}")
_KEEP = text("Codes are shown once: they are not stored here.")
_NONE = text("There is no code: “consometers-node witness codes make” creates some.")
_STATES = {
    CodeState.UNUSED: text("unused"),
    CodeState.USED: text("used"),
    CodeState.EXPIRED: text("expired"),
    CodeState.REVOKED: text("revoked", context="a code"),
}
_REVOKE_USED = text("A home has enrolled by code {id}: it will be in no further sum. [y/N] ")
_REVOKED = text("Code {id} is revoked. A home that had enrolled by it is in no further sum.")
_COLUMNS: Columns[Code] = {
    text("Number"): lambda code: code.id,
    text("For homes of"): lambda code: code.collective,
    text("Until"): lambda code: day(code.expires_at),
    text("State"): lambda code: _STATES[code.state(now())],
    text("Home enrolled on"): lambda code: day(code.enrolled_at),
}

_codes = Commands(run, Ours)
commands = Commands()
commands.all.add_typer(
    _codes.all, name="codes", help=read(text("Codes for households, by which their homes enrol."))
)


@_codes.add("make", text("Create codes, and show them: they are not stored."))
async def make(
    session: CollectiveSession,
    count: Annotated[
        int,
        typer.Argument(
            min=1,
            max=MOST_AT_ONCE,
            metavar=say("NUMBER", context="how many"),
            help=say("How many."),
        ),
    ],
    *,
    collective: Annotated[
        str,
        typer.Option(
            "--for",
            metavar="JID",
            help=say("The collective whose homes enrol: one of witness.for."),
        ),
    ],
    days: Annotated[
        int,
        typer.Option(
            min=1, max=MOST_DAYS, metavar=say("DAYS"), help=say("Their period of validity.")
        ),
    ] = USUAL_DAYS,
    sheet: Sheet = None,
    language: Language = None,
) -> None:
    """Make codes."""
    output, name = session.output, session.settings.name

    def deliver(issued: Sequence[IssuedCode]) -> None:
        if sheet is not None:
            _write(sheet, name, issued, language or output.catalogue_language)

    order = CodeOrder(collective=collective, count=count, days=days)
    issued = await session.actions.make_codes(order, deliver=deliver)
    if output.as_json:
        output.document([{**_document(each.code), "code": each.printed} for each in issued])
        return
    for each in issued:
        output.say(_MADE, id=each.code.id, until=day(each.code.expires_at), code=each.printed)
    output.note(_KEEP)
    if sheet is not None:
        output.say(WRITTEN, file=sheet)


@_codes.add("list", text("List the codes: unused, used, expired, revoked."))
async def list_codes(session: CollectiveSession) -> None:
    """List all codes."""
    async with session.store.reading() as connection:
        listed = await codes.all_codes(connection)
    session.output.listing(listed, _document, _COLUMNS, _NONE)


@_codes.add("revoke", text("Revoke a code. A home that enrolled by it leaves, and is in no sum."))
async def revoke(
    session: CollectiveSession,
    id: Annotated[
        str, typer.Argument(metavar=say("NUMBER"), help=say("Its number, from the list."))
    ],
    yes: Yes = False,
) -> None:
    """Revoke a code."""
    async with session.store.reading() as connection:
        code = await codes.by_number(connection, id)
    if code.state(now()) is CodeState.USED:
        session.output.agree(_REVOKE_USED.fill(id=id), yes=yes)
    revoked = await session.actions.revoke_code(id)
    session.output.result(_document(revoked), _REVOKED, id=id)


def _write(file: Path, name: str, issued: Sequence[IssuedCode], language: str) -> None:
    sheets = [
        CodeSheet(
            name=name,
            collective=each.code.collective,
            code=each.printed,
            number=each.code.id,
            until=each.code.expires_at,
        )
        for each in issued
    ]
    write_private(file, sheets_page(sheets, language).encode())


def _document(code: Code) -> dict[str, Json]:
    return {
        "id": code.id,
        "collective": code.collective,
        "state": code.state(now()),
        "made_at": shown(code.created_at),
        "expires_at": shown(code.expires_at),
        "enrolled_at": shown(code.enrolled_at),
        "left_at": shown(code.left_at),
        "revoked_at": shown(code.revoked_at),
    }
