"""A collective's accountability: `register` of processing, and `reads`, the access log."""

from datetime import timedelta
from typing import Annotated

import typer

from consometers_node.cli.core.locale import say
from consometers_node.cli.core.options import Ours, OutputFile
from consometers_node.cli.core.output import Columns, Json, Output, deliver
from consometers_node.cli.core.times import day, shown
from consometers_node.cli.core.usage import Commands
from consometers_node.collective.members.members import Members
from consometers_node.collective.monitoring.backups import BackupStep, backups
from consometers_node.collective.permissions import member_permissions, needs
from consometers_node.collective.privacy.export import values
from consometers_node.collective.privacy.policy import draft, read_facts
from consometers_node.collective.privacy.processing_records import (
    BASIS,
    SECURITY,
    Processing,
    processing,
)
from consometers_node.i18n.text import text
from consometers_node.sharing import consent_text as shared_words
from consometers_node.store.collective.access_log import Read, reads
from consometers_node.store.collective.tables import MemberId

from .command import CollectiveSession, now, run
from .needs import unreadable

_DRAFTED = text("{file}: the draft of your data policy. Complete what stands in [brackets].")
_NOTHING = text("No data was ever requested, and none is stored.")
_NOBODY_READ = text("No access yet.")
_NOTHING_CHANGED = text("No permission yet.")
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
_WITNESS_ENTRY = text("""{title}
Controller: {controller}, contact {contact}
Purpose: {purpose}
Persons: {persons}
Data: {data}
Legal basis: {basis}
Recipients: {recipients}
Since: {since}
Kept: {retention} days after a home left; its key is erased at once
Homes enrolled: {homes}; left, of which the pseudonym is still kept: {departed}
Security: {security}
""")
_NO_END = text("on")
_TO = text("to {day}")
_NOBODY = text("nobody")
_ACTORS = {
    "member": text("member"),
    "collective": text("collective"),
    "clock": text("clock"),
}
_CHANGES: Columns[member_permissions.PermissionChange] = {
    text("When"): lambda change: change.at,
    text("Permission"): lambda change: change.permission,
    text("State"): lambda change: shared_words.STATES[change.state],
    text("Who"): lambda change: _ACTORS[change.actor],
    text("Erased", context="records"): lambda change: change.erased,
}

commands = Commands(run, Ours)


@commands.add(
    "register",
    text(
        "The record of processing that article 30 of the GDPR requires; with --changes, every"
        " change of every permission."
    ),
)
async def register(
    session: CollectiveSession,
    changes: Annotated[
        bool,
        typer.Option(
            "--changes",
            help=say("Every change of every permission."),
        ),
    ] = False,
) -> None:
    """Print the record of processing."""
    output = session.output
    async with session.store.reading() as connection:
        if changes:
            entries = await member_permissions.register(connection)
            output.listing(entries, _change_document, _CHANGES, _NOTHING_CHANGED)
        else:
            _show_processing(await processing(connection, session.settings, now()), output)
        for left in await needs.unreadable(connection):
            output.note(unreadable(left))


@commands.add(
    "policy",
    text(
        "In Markdown, of what is asked for and of the settings, in your language. What only you"
        " know stands in [brackets]: complete it, then publish it at the address that your data"
        " requests name."
    ),
)
async def policy(
    session: CollectiveSession,
    file: OutputFile = None,
) -> None:
    """Draft the data policy."""
    async with session.store.reading() as connection:
        off_site = BackupStep.COPIED in (await backups(connection)).last
        facts = await read_facts(connection, session.settings, off_site=off_site)
    document = draft(facts, session.output.catalogue_language)
    if deliver(document.encode(), file):
        session.output.result({"file": str(file)}, _DRAFTED, file=file)


@commands.add(
    "reads",
    text("Exports, pages and commands that showed members’ records, over one year."),
)
async def read_log(
    session: CollectiveSession,
    member: Annotated[
        str | None,
        typer.Option(
            metavar=say("MEMBER"),
            help=say("Only this one."),
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
    async with session.store.reading() as connection:
        members = Members(connection, session.settings.time_zone)
        member_id = (await members.named(member)).id if member else None
        named = {listed.id: listed.pseudonym for listed in await members.all()}
        entries = await reads(connection, member_id, now() - timedelta(days=days))
    _show_reads(entries, named, session.output)


def _show_reads(entries: list[Read], named: dict[MemberId, str], output: Output) -> None:
    def whose(entry: Read) -> str | None:
        return None if entry.member is None else named[entry.member]

    def document(entry: Read) -> Json:
        return {
            **values(entry, "at", "who", "what"),
            "member": whose(entry),
            "from": shown(entry.range.start) if entry.range else None,
            "to": shown(entry.range.end) if entry.range else None,
            "records": entry.records,
        }

    columns: Columns[Read] = {
        text("When"): lambda entry: entry.at,
        text("Who"): lambda entry: entry.who,
        text("What"): lambda entry: entry.what,
        text("Member"): whose,
        text("From", context="start of a period"): lambda entry: (
            day(entry.range.start) if entry.range else None
        ),
        text("Until", context="end of a period"): lambda entry: (
            day(entry.range.end) if entry.range else None
        ),
        text("Records"): lambda entry: entry.records,
    }
    output.listing(entries, document, columns, _NOBODY_READ)


def _change_document(change: member_permissions.PermissionChange) -> Json:
    return {
        **values(change, "permission", "state", "at", "actor"),
        "sha256": change.text_hash,
        "erased": change.erased,
    }


def _show_processing(records: list[Processing], output: Output) -> None:
    if output.as_json:
        output.document([record.document() for record in records])
        return
    for record in records:
        output.say(_entry_text(record, output))
    if not records:
        output.say(_NOTHING)


def _entry_text(record: Processing, output: Output) -> str:
    translated = output.translated
    until = _TO.fill(day=day(record.until)) if record.until else _NO_END
    return translated(
        _ENTRY if record.need else _WITNESS_ENTRY,
        title=translated(record.title),
        need=record.need,
        version=record.version,
        controller=record.controller,
        contact=record.contact or "–",
        purpose=translated(record.purpose),
        persons=translated(record.persons),
        data=translated(record.data),
        basis=translated(BASIS),
        recipients=translated(record.recipients) or translated(_NOBODY),
        since=day(record.since),
        until=translated(until),
        retention=record.retention_days,
        members=record.granted,
        kept=record.ended,
        homes=record.granted,
        departed=record.ended,
        security=translated(SECURITY),
        policy=record.policy,
    )
