"""The files that a home's data come from: `add-file`, `files`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from consometers_enedis_files import MOST_BYTES, Kind, Refused
from consometers_node.cli.core.errors import CliError, misused
from consometers_node.cli.core.locale import say
from consometers_node.cli.core.options import Yes
from consometers_node.cli.core.output import Columns, Json
from consometers_node.cli.core.times import shown
from consometers_node.cli.core.usage import Commands
from consometers_node.household.errors import TooManyFiles
from consometers_node.household.files.brought import Brought, BroughtPart, bring
from consometers_node.household.files.source import FileSource
from consometers_node.household.files.words import KINDS, PROBLEMS, REFUSALS
from consometers_node.i18n.text import text
from consometers_node.sharing.consent_text import DIRECTIONS as DIRECTION_WORDS
from consometers_node.store.household.files import FilePart

from .command import HouseholdSession, run
from .source import files_of

_NO_FILES = text(
    "The data of this home come from Home Assistant: the meter’s options there take a file of the"
    " years before. For a home without Home Assistant, begin with “consometers-node home files”."
)
_UNREADABLE = text("{file} cannot be read: {why}.")
_LINE = text("Line {line}: {problem}.")
_MORE = text("Lines left out beyond those listed: {count}.")
_KEEP = text("Do you want to keep these readings? [y/N] ")
_KEPT = text("The file is kept, with number {number}. “files --remove {number}” undoes that.")
_NONE = text("No file was brought yet: “add-file FILE” adds one.")
_REMOVED = text("File {number} is removed.")
_UNKNOWN = text("There is no file {number}: “files” lists them.")

type _Row = tuple[int, FilePart]

_READ: Columns[BroughtPart] = {
    text("Energy"): lambda part: DIRECTION_WORDS[part.direction],
    text("Kind", context="of a file"): lambda part: KINDS[part.kind],
    text("From"): lambda part: part.begins,
    text("To"): lambda part: part.ends,
    text("Readings"): lambda part: part.count,
    text("Missing", context="readings"): lambda part: part.missing,
    text("Unit"): lambda part: part.unit,
    text("Total (kWh)"): lambda part: round(part.energy_wh / 1000, 1),
}
_KEPT_FILES: Columns[_Row] = {
    text("File"): lambda row: row[0],
    text("Energy"): lambda row: DIRECTION_WORDS[row[1].direction],
    text("Kind", context="of a file"): lambda row: KINDS[Kind(row[1].kind)],
    text("From"): lambda row: row[1].begins,
    text("To"): lambda row: row[1].ends,
    text("Readings"): lambda row: row[1].count,
    text("Missing", context="readings"): lambda row: row[1].missing,
}

commands = Commands(run)


@commands.add(
    "add-file",
    text(
        "A load curve, energies of days or registers of Enedis or EDF, as CSV, xlsx or zip. It"
        " prints what the file has and what is missing, and asks before it keeps anything."
    ),
)
async def add_file(
    session: HouseholdSession,
    file: Annotated[
        Path,
        typer.Argument(metavar=say("FILE"), help=say("The file, as you got it.")),
    ],
    yes: Yes = False,
) -> None:
    """Show a file of energy, and keep its readings."""
    output = session.output
    files = await _files(session)
    brought = _read(file)
    if not output.as_json:
        output.table(_READ, brought.parts)
        for fault in brought.faults:
            output.say(_LINE, line=fault.line, problem=PROBLEMS[fault.problem])
        if brought.more_faults:
            output.say(_MORE, count=brought.more_faults)
    output.agree(_KEEP, yes=yes)
    try:
        number = await files.keep(brought.months, datetime.now(UTC))
    except TooManyFiles as fault:
        raise CliError("too-many-files", fault.text) from fault
    await session.look_again()
    document: dict[str, Json] = {
        "file": number,
        "parts": [_part(part) for part in brought.parts],
        "left_out": len(brought.faults) + brought.more_faults,
    }
    output.result(document, _KEPT, number=number)


@commands.add(
    "files",
    text("Without --remove: what each file has, and what is missing of it."),
)
async def files(
    session: HouseholdSession,
    remove: Annotated[
        int | None,
        typer.Option(
            metavar=say("NUMBER"), help=say("Remove this file: its readings are no longer shared.")
        ),
    ] = None,
) -> None:
    """List the files of this home, or remove one."""
    home_files, output = await _files(session), session.output
    if remove is not None:
        if not await home_files.remove(remove):
            raise misused("--remove", _UNKNOWN.fill(number=remove))
        await session.look_again()
        output.result({"removed": remove}, _REMOVED, number=remove)
        return
    rows = [(each.id, part) for each in await home_files.all() for part in each.parts]
    output.listing(rows, _document, _KEPT_FILES, _NONE)


async def _files(session: HouseholdSession) -> FileSource:
    files = await files_of(session.store)
    if files is None:
        raise CliError("no-files", _NO_FILES)
    return files


def _read(file: Path) -> Brought:
    try:
        with file.open("rb") as opened:
            # One byte more than may be says that it is too large.
            return bring(opened.read(MOST_BYTES + 1))
    except OSError as fault:
        raise misused("FILE", _UNREADABLE.fill(file=file, why=fault.strerror or fault)) from None
    except Refused as refused:
        raise CliError(refused.refusal.replace("_", "-"), REFUSALS[refused.refusal]) from None


def _part(part: BroughtPart) -> Json:
    return {
        "direction": part.direction,
        "kind": part.kind,
        "begins": shown(part.begins),
        "ends": shown(part.ends),
        "readings": part.count,
        "missing": part.missing,
        "unit": part.unit,
        "energy_wh": round(part.energy_wh),
    }


def _document(row: _Row) -> Json:
    number, part = row
    return {
        "file": number,
        "direction": part.direction,
        "kind": part.kind,
        "begins": shown(part.begins),
        "ends": shown(part.ends),
        "readings": part.count,
        "missing": part.missing,
    }
