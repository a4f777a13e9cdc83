"""What a collective answers for: `register` of what it does with data, `reads` of who read what."""

from datetime import timedelta
from typing import Annotated

import typer

from consometers_node.collective.access_log import Read, reads
from consometers_node.collective.members.members import Members
from consometers_node.collective.permissions import member_permissions, needs
from consometers_node.collective.privacy.processing_records import (
    BASIS,
    PERSONS,
    SECURITY,
    Processing,
    processing,
)
from consometers_node.collective.settings import Settings
from consometers_node.quoalise.text import Text, text
from consometers_node.sharing import consent_text as shared_words
from consometers_node.store import Store
from consometers_node.store.collective_tables import MemberId

from .collective import Ours, day, now, run, shown
from .locale import say
from .needs import unreadable
from .output import Json, Output
from .times import local
from .usage import Commands

_NOTHING = text("Nothing was ever asked for, and nothing is held.")
_NOBODY_READ = text("Nobody read anything.")
_NOTHING_CHANGED = text("No permission was ever given.")
_ENTRY = text("""{title} ({need}, version {version})
Controller: {controller}, contact {contact}
Purpose: {purpose}
Persons: {persons}
Data: {data}
Legal basis: {basis}
Recipients: {recipients}
Asked: from {since} {until}
Kept: {retention} days after the end of the permission
Permissions that stand: {members}; ended, of which records are still kept: {kept}
Security: {security}
Policy: {policy}
""")
_NO_END = text("on")
_TO = text("to {day}")
_NOBODY = text("nobody")
_AT = text("When")
_WHO = text("Who")
_WHAT = text("What")
_MEMBER = text("Member")
_RECORDS = text("Records")
_FROM = text("From", context="start of a period")
_UNTIL = text("Until", context="end of a period")
_PERMISSION = text("Permission")
_STATE = text("State")
_ERASED = text("Erased", context="records")
_ACTORS = {
    "member": text("member"),
    "collective": text("collective"),
    "clock": text("clock"),
}

commands = Commands()


@commands.add(
    "register",
    text(
        "What is done with what members tell, as article 30 of the GDPR wants it; with --changes,"
        " every change of every permission."
    ),
)
def register(
    common: Ours,
    changes: Annotated[
        bool,
        typer.Option(
            "--changes",
            help=say("Every change of every permission."),
        ),
    ] = False,
) -> None:
    """Print the record of processing."""
    output = common.output

    async def work(store: Store, _: Settings) -> None:
        async with store.reading() as connection:
            if changes:
                _show_changes(await member_permissions.register(connection), output)
            else:
                _show_processing(await processing(connection), output)
            for one in await needs.unreadable(connection):
                output.note(unreadable(one))

    run(common, work)


@commands.add(
    "reads",
    text("Exports, pages and commands that showed what members told, for a year."),
)
def read_log(
    common: Ours,
    member: Annotated[
        str | None,
        typer.Option(
            metavar=say("MEMBER"),
            help=say("Of this one alone."),
        ),
    ] = None,
    days: Annotated[
        int,
        typer.Option(
            min=1,
            max=36_600,
            metavar=say("DAYS"),
            help=say("In the last days."),
        ),
    ] = 365,
) -> None:
    """Print the access log."""
    output = common.output

    async def work(store: Store, settings: Settings) -> None:
        async with store.reading() as connection:
            members = Members(connection, settings.time_zone)
            one = (await members.named(member)).id if member else None
            named = {each.id: each.pseudonym for each in await members.all()}
            found = await reads(connection, one, now() - timedelta(days=days))
        _show_reads(found, named, output)

    run(common, work)


def _show_reads(found: list[Read], named: dict[MemberId, str], output: Output) -> None:
    def whose(one: Read) -> str | None:
        return None if one.member is None else named[one.member]

    if output.as_json:
        told: list[Json] = [
            {
                "at": shown(one.at),
                "who": one.who,
                "what": one.what,
                "member": whose(one),
                "from": shown(one.range.start) if one.range else None,
                "to": shown(one.range.end) if one.range else None,
                "records": one.records,
            }
            for one in found
        ]
        output.document(told)
    elif found:
        rows = [
            [
                local(one.at.timestamp()),
                one.who,
                one.what,
                whose(one) or "",
                day(one.range.start) if one.range else "",
                day(one.range.end) if one.range else "",
                str(one.records),
            ]
            for one in found
        ]
        output.table((_AT, _WHO, _WHAT, _MEMBER, _FROM, _UNTIL, _RECORDS), rows)
    else:
        output.say(_NOBODY_READ)


def _show_changes(entries: list[member_permissions.Entry], output: Output) -> None:
    if output.as_json:
        output.document(
            [
                {
                    "permission": one.given,
                    "state": one.state,
                    "at": shown(one.at),
                    "actor": one.actor,
                    "sha256": one.text_hash,
                    "erased": one.erased,
                }
                for one in entries
            ]
        )
    elif entries:
        rows = [
            [
                local(one.at.timestamp()),
                one.given,
                output.said(shared_words.STATES[one.state]),
                output.said(_ACTORS[one.actor]),
                "" if one.erased is None else str(one.erased),
            ]
            for one in entries
        ]
        output.table((_AT, _PERMISSION, _STATE, _WHO, _ERASED), rows)
    else:
        output.say(_NOTHING_CHANGED)


def _show_processing(done: list[Processing], output: Output) -> None:
    if output.as_json:
        output.document([one.told() for one in done])
        return
    for one in done:
        output.say(_said(one, output))
    if not done:
        output.say(_NOTHING)


def _said(one: Processing, output: Output) -> str:
    need, said = one.need, output.said
    until = _TO.fill(day=day(one.until)) if one.until else _NO_END
    return said(
        _ENTRY,
        title=said(Text(need.title)),
        need=need.id,
        version=need.version,
        controller=need.controller,
        contact=need.contact,
        purpose=said(Text(need.purpose)),
        persons=said(PERSONS),
        data=said(one.data),
        basis=said(BASIS),
        recipients=said(one.recipients) or said(_NOBODY),
        since=day(one.since),
        until=said(until),
        retention=need.retention_days,
        members=one.members,
        kept=one.kept,
        security=said(SECURITY),
        policy=need.policy,
    )
