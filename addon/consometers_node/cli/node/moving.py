"""The database as a whole: `migrate-store` between SQLite and PostgreSQL, `checkpoint`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from consometers_node.cli.core.errors import CliError, misused
from consometers_node.cli.core.locale import say
from consometers_node.cli.core.options import Common
from consometers_node.cli.core.output import Output
from consometers_node.cli.core.paths import is_there
from consometers_node.cli.core.usage import Commands
from consometers_node.cli.household.command import run
from consometers_node.i18n.text import text
from consometers_node.store import Store
from consometers_node.store.moving import CannotMove, count, move

_PLACE = say("FILE|URL")
_MOVING = text("Rows moved")
_DONE = text(
    "{rows} rows were moved and verified. Use the new database for the node from now "
    "on; the old one is unchanged: delete it once you are sure."
)
_NO_FILE = text("there is no such file")
_SAME = text("the same database twice")
_WHY = {
    "not-empty": text("The new database is not empty: use an empty one."),
    "changed": text(
        "A node wrote to the old database after the first part was moved. Stop that node, empty"
        " the new database, and move again."
    ),
}

_CHECKPOINT_DONE = text("Everything is in the one file.")
_READS_ON = text(
    "Another program is still reading an earlier state of the database, so later changes remain"
    " in its journal. Try again when that program has ended, or copy node.db-wal too."
)

commands = Commands()


@commands.add(
    "migrate-store",
    text(
        "Stop the node first. A database is a file, or a URL such as"
        " postgresql://user@host/name; put the password in ~/.pgpass rather than typing it here."
        " If the move is interrupted, run the command again to continue. The old database stays"
        " as it is."
    ),
)
def migrate_store(
    source: Annotated[
        str,
        typer.Argument(
            metavar=_PLACE,
            help=say("The database to move."),
        ),
    ],
    target: Annotated[
        str,
        typer.Argument(
            metavar=_PLACE,
            help=say("The new database, empty."),
        ),
    ],
    common: Common,
) -> None:
    """Move everything, with progress; report the number of rows."""
    old, new = _place(source), _place(target)
    if isinstance(old, Path) and not old.is_file():
        raise misused(source, _NO_FILE)
    if old == new:
        raise misused(target, _SAME)
    try:
        moved = asyncio.run(_move(old, new, common.output))
    except CannotMove as fault:
        raise CliError(fault.why, _WHY[fault.why]) from fault
    common.output.result(
        {"rows": sum(moved.values()), "tables": moved}, _DONE, rows=sum(moved.values())
    )


async def _move(old: Path | str, new: Path | str, output: Output) -> dict[str, int]:
    source = await Store.open(old)
    try:
        target = await Store.open(new, half_moved=True)
        try:
            total = await count(source)
            with output.progress(_MOVING, total) as reached:
                return await move(source, target, reached)
        finally:
            await target.close()
    finally:
        await source.close()


def _place(typed: str) -> Path | str:
    return typed if "://" in typed else Path(typed).absolute()


@commands.add(
    "checkpoint",
    text(
        "A copy of node.db then contains everything but the keys of protected sums: they are in"
        " keys.db, which belongs in no backup. After a restore, homes enrol again by themselves."
        " The node can stay running. With PostgreSQL, this command is not needed."
    ),
)
def checkpoint(common: Common) -> None:
    """Put all that was written into the one file. Where there is no database, none is made."""
    if is_there(common.data) and not run(common, lambda session: session.store.checkpoint()):
        raise CliError("in-use", _READS_ON)
    common.output.result({"done": True}, _CHECKPOINT_DONE)
