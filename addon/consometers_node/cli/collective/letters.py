"""Messages to members on the command line: `messages write`, `list`."""

from pathlib import Path
import secrets
import sys
from typing import Annotated, Literal, NamedTuple

import typer

from consometers_node.cli.core.errors import misused
from consometers_node.cli.core.locale import say
from consometers_node.cli.core.options import Ours, Yes
from consometers_node.cli.core.output import Columns, Json
from consometers_node.cli.core.times import shown
from consometers_node.cli.core.usage import Commands
from consometers_node.collective.calendar import Span
from consometers_node.collective.letters import register
from consometers_node.collective.letters.register import DELIVERIES, Delivery, SentLetter
from consometers_node.collective.letters.writing import (
    EMPTY,
    LONG,
    MAX_BODY,
    as_body,
    in_group,
    too_long,
)
from consometers_node.collective.members.member_overview import member_overview
from consometers_node.collective.members.members import Members
from consometers_node.collective.services import LetterOrder
from consometers_node.i18n.text import text
from consometers_node.store.collective.tables import MemberId

from .command import CollectiveSession, now, run

_STDIN = Path("-")
_MOST_BYTES = 16 * MAX_BODY
"""A longer file is no message, whatever is cut from its ends."""
_FILE = say("FILE")
_Member = Annotated[
    str | None,
    typer.Argument(
        metavar=say("MEMBER"),
        help=say("Its pseudonym, its name or its XMPP address."),
    ),
]

_NOTHING = text("No message was written in the last 30 days.")
_NONE_TO_MEMBER = text("No message was written to this member.")
_WHO = text("write to one member, or to a group with --to.")
_ONE_STDIN = text("only one language can be read from the standard input.")
_NOT_TEXT = text("this is not text in UTF-8.")
_REALLY = (
    text("This message is sent to one member.\nDo you want that? [y/N] "),
    text("This message is sent to {count} members.\nDo you want that? [y/N] "),
)
_SENT = (
    text("The message is on its way to one member: “messages list” shows its state."),
    text("The message is on its way to {count} members: “messages list” shows its state."),
)

commands = Commands(run, Ours)


class _Listed(NamedTuple):
    """A letter, whose it is, and its state."""

    pseudonym: str
    letter: SentLetter
    state: Delivery

    @property
    def document(self) -> Json:
        return {
            "member": self.pseudonym,
            "written_at": shown(self.letter.written_at),
            "state": self.state,
            "delivered_at": shown(self.letter.delivered_at),
            "refusal": self.letter.refusal,
            "languages": list(self.letter.body),
        }


_COLUMNS: Columns[_Listed] = {
    text("Written"): lambda listed: listed.letter.written_at,
    text("Member"): lambda listed: listed.pseudonym,
    text("State"): lambda listed: DELIVERIES[listed.state],
    text("Languages"): lambda listed: ", ".join(listed.letter.body),
}


@commands.add(
    "write",
    text("Write to one member, or to several at once. Their nodes show the message."),
)
async def write(
    session: CollectiveSession,
    member: _Member = None,
    *,
    group: Annotated[
        Literal["silent", "all"] | None,
        typer.Option(
            "--to",
            metavar="silent|all",
            help=say("The members that have sent no data for three days, or all that send some."),
        ),
    ] = None,
    french: Annotated[
        Path | None,
        typer.Option(
            "--fr", metavar=_FILE, help=say("The message in French; - is the standard input.")
        ),
    ] = None,
    english: Annotated[
        Path | None,
        typer.Option(
            "--en", metavar=_FILE, help=say("The message in English; - is the standard input.")
        ),
    ] = None,
    yes: Yes = False,
) -> None:
    """Write a letter, show it, and send it."""
    ids = await _ids(session, member, group)
    if french == english == _STDIN:
        raise misused("--en", _ONE_STDIN)
    files = {"fr": french, "en": english}
    body = as_body({tag: _read(tag, file) for tag, file in files.items() if file is not None})
    if not body:
        raise misused("--fr", EMPTY)
    for tag in too_long(body):
        raise misused(f"--{tag}", LONG.fill(most=MAX_BODY))
    async with session.store.reading() as connection:
        count = len(await register.recipients(connection, ids))
    if not session.output.as_json:
        for words in body.values():
            session.output.note(words)
    session.output.agree(_REALLY[count > 1].fill(count=count), yes=yes)
    order = LetterOrder(members=ids, group=group or "", body=body, form=secrets.token_hex(16))
    count = await session.actions.write_letter(order)
    session.output.result({"sent": count, "languages": list(body)}, _SENT[count > 1], count=count)


@commands.add(
    "list",
    text("List the messages of the last 30 days with their state, or all to one member."),
)
async def list_letters(session: CollectiveSession, member: _Member = None) -> None:
    """List letters, without their words."""
    at = now()
    async with session.store.reading() as connection:
        members = Members(connection, session.settings.time_zone)
        if member is None:
            letters = await register.recent(connection, at)
            names = {each.id: each.pseudonym for each in await members.all()}
        else:
            named = await members.named(member)
            letters = await register.of_member(connection, named.id)
            names = {named.id: named.pseudonym}
    rows = [_Listed(names[each.member_id], each, each.delivery(at)) for each in letters]
    nothing = _NOTHING if member is None else _NONE_TO_MEMBER
    session.output.listing(rows, lambda row: row.document, _COLUMNS, nothing)


async def _ids(session: CollectiveSession, member: str | None, group: str | None) -> list[MemberId]:
    """Return the one member, or those of the group. Raises NotFound, and CliError."""
    if member is not None and group is None:
        return [(await session.member(member)).id]
    if group is None or member is not None:
        raise misused("--to", _WHO)
    zone, at = session.settings.time_zone, now()
    yesterday = Span.before(at.astimezone(zone).date(), 1)
    async with session.store.reading() as connection:
        entries = (await member_overview(connection, zone, yesterday, at)).entries
    return in_group(entries, group)


def _read(tag: str, file: Path) -> str:
    """Return the words of a file. Raises CliError, and OSError."""
    try:
        if file == _STDIN:
            return sys.stdin.read(_MOST_BYTES)
        with file.open(encoding="utf-8") as opened:
            return opened.read(_MOST_BYTES)
    except UnicodeDecodeError as fault:
        raise misused(f"--{tag}", _NOT_TEXT) from fault
