"""After a backup was put back: `reapply`."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from consometers_node.cli.core.errors import CliError, misused
from consometers_node.cli.core.locale import say
from consometers_node.cli.core.options import Ours
from consometers_node.cli.core.usage import Commands
from consometers_node.collective.privacy.erasure import wipe
from consometers_node.collective.privacy.erasure_log import (
    FILE,
    last_end,
    read_strictly,
    reapply as apply_again,
)
from consometers_node.collective.witness.heads import Evidence, mark
from consometers_node.i18n.text import text

from .command import CollectiveSession, now, run

_NO_FILE = text("there is no such file")
_NONE = text(
    "There is no {file}: restore the copy stored apart from the database, or give its path."
)
_LATE = timedelta(hours=1)
_NOT_WHOLE = text(
    "Part of ended.jsonl is lost: this database contains a permission that ended on {day}, and"
    " the file stops before that. Data erased after the backup would reappear. Find a later"
    " copy; if there is none, --anyway applies this one."
)
_DONE = text("Permissions ended again, with their erasures: {count}.")

commands = Commands()


@commands.add(
    "reapply",
    text(
        "A backup does not contain later withdrawals and erasures. The node records them in"
        " ended.jsonl, in its folder: store that file apart from the database. Restore the"
        " backup, run this command, then start the node. Running it twice is harmless."
    ),
)
def reapply(
    common: Ours,
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar=say("FILE …"),
            help=say("Copies of ended.jsonl; by default the one in the node's folder."),
        ),
    ] = None,
    anyway: Annotated[
        bool,
        typer.Option(
            "--anyway",
            help=say("Apply it even if it ends before the backup."),
        ),
    ] = False,
) -> None:
    """Repeat the withdrawals and erasures that the backup lacks."""
    for file in files or ():
        if not file.is_file():
            raise misused(str(file), _NO_FILE)

    async def work(session: CollectiveSession) -> int:
        store, settings = session.store, session.settings
        usual = settings.folder / FILE
        if not files and not usual.is_file():
            raise CliError("no-file", _NONE.fill(file=usual))
        ends = [end for file in files or [usual] for end in read_strictly(file)]
        ends.sort(key=lambda end: end.at)
        async with store.reading() as connection:
            last = await last_end(connection, ends)
        if last is not None and not anyway and (not ends or ends[-1].at < last - _LATE):
            raise CliError("not-whole", _NOT_WHOLE.fill(day=last.date()))
        count = await apply_again(store, settings.time_zone, ends, now())
        async with store.writing() as connection:
            # As a witness, this node may have opened sums that the backup lacks.
            if settings.witness_for:
                await mark(connection, Evidence.RESTORED)
        await wipe(store)
        return count

    count = run(common, work)
    common.output.result({"permissions": count}, _DONE, count=count)
