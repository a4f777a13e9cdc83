"""Backups as the node knows them: backup scripts call `backups note`."""

from datetime import datetime
from typing import Annotated

import typer

from consometers_node.cli.core.errors import misused
from consometers_node.cli.core.locale import say
from consometers_node.cli.core.options import Ours
from consometers_node.cli.core.times import moment, shown
from consometers_node.cli.core.usage import Commands
from consometers_node.collective.monitoring.backups import BackupStep, note as store_note
from consometers_node.i18n.text import text

from .command import CollectiveSession, now, run

_FUTURE = text("this is in the future")
_NOTED = text("Noted.")

commands = Commands(run, Ours)


@commands.add(
    "note",
    text(
        "deploy/backup does this by itself. The overview, “status” and “/metrics” show the last"
        " one of each, and a problem when it is too long ago: 3 days for a backup and for an"
        " off-site copy, 30 days for a test restore."
    ),
)
async def note(
    session: CollectiveSession,
    step: Annotated[
        BackupStep,
        typer.Argument(
            metavar="made|tested|copied",
            help=say("A backup was made, restored as a test, or copied off the site."),
        ),
    ],
    at: Annotated[
        str | None,
        typer.Argument(metavar=say("TIME"), help=say("When; by default now.")),
    ] = None,
) -> None:
    """Note that a backup succeeded."""
    done_at: datetime = moment(at, "TIME") if at else now()
    if done_at > now():
        raise misused("TIME", _FUTURE)
    async with session.store.writing() as connection:
        await store_note(connection, step, done_at)
    session.output.result({"step": step, "at": shown(done_at)}, _NOTED)
