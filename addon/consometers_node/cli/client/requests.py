"""Asks other nodes from one's own account: the plain client of Quoalise."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from consometers_node.i18n.protocol import SENTENCES, OurWords
from consometers_node.i18n.text import around, text
from consometers_quoalise import Identifier, Listed, identifier
from consometers_quoalise.errors import Malformed
from consometers_quoalise_xmpp import Discovery, NetworkError
from consometers_quoalise_xmpp.asking import full
from consometers_quoalise_xmpp.trial import aside, online

from ..core import times
from ..core.access import identity_of
from ..core.errors import CliError, cli_error_of, misused, refusals_of
from ..core.locale import say
from ..core.options import AccountAccess, Common, Peer, Urn
from ..core.output import Columns, Json, Output, deliver
from ..core.usage import Commands
from . import formats
from .formats import Format
from .history import History, PatientAsking

_ASKING = text("Asking {peer}")
_INCOMPLETE = text(
    "{said}\nThe range is not complete, so nothing was written: records had come up to {time}."
)
_WRITTEN = text("{count} records are in {file}.")
_FORMATS: dict[str, Format] = {".json": "json", ".csv": "csv", ".xml": "xml"}
_TWO_FORMATS = text("is another format than --json: choose one.")
_NO_FORMAT = text("does not end with .json, .csv or .xml: add --format.")
_A_FOLDER = text("is a folder: name a file.")
_COLUMNS: Columns[Listed] = {
    text("Identifier"): lambda listed: str(listed.series),
    text("Resolution"): lambda listed: str(listed.interval or ""),
    text("Unit"): lambda listed: listed.unit,
    text("First record"): lambda listed: listed.first,
    text("Last record"): lambda listed: listed.last,
    text("Device"): lambda listed: listed.device,
}
_NO_SERIES = text("{peer} shares no series with you.")
_SUBSCRIBED = text(
    "{peer} sends new records of {series} to {jid} from now on: listen, or the node of that"
    " account, receives them."
)
_UNSUBSCRIBED = text("{peer} no longer sends {series} to {jid}.")

commands = Commands()


@commands.add("list-series")
def list_series(peer: Peer, access: AccountAccess, common: Common) -> None:
    """Ask which series this account may read."""
    output = common.output

    async def ask() -> tuple[Listed, ...]:
        async with asking(peer, access, common) as asker:
            return await asker.patiently(peer, lambda: asker.list_series(peer))

    listed = asyncio.run(ask())
    if output.as_json:
        output.document({"from": peer, "series": [_listed(series) for series in listed]})
    elif listed:
        output.table(_COLUMNS, listed)
    else:
        output.say(_NO_SERIES, peer=peer)


@commands.add(
    "get-history",
    text(
        "Without --start and --end: the last 24 hours. Without --format: a table. Long periods"
        " are requested page by page; the file is written only once complete."
    ),
)
def get_history(
    peer: Peer,
    series: Urn,
    access: AccountAccess,
    common: Common,
    *,
    start: Annotated[
        str | None,
        typer.Option(
            metavar=say("TIME"),
            help=say("Start: a date or a time in ISO 8601, local without an offset."),
        ),
    ] = None,
    end: Annotated[
        str | None,
        typer.Option(
            metavar=say("TIME"),
            help=say("End; records at that exact time are excluded."),
        ),
    ] = None,
    wanted: Annotated[
        Format | None,
        typer.Option(
            "--format",
            metavar="json|csv|xml",
            help=say("The output format: one JSON object; time,value,unit,identifier; <quoalise>."),
        ),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--output",
            metavar=say("FILE"),
            help=say("Write to this file, readable only by you."),
        ),
    ] = None,
) -> None:
    """Get the records of a range."""
    output = common.output
    asked = read_identifier(series)
    chosen = _format(wanted, file, output)
    since, until = times.span(start, end, datetime.now(UTC))
    history = History(peer, asked, since, until)

    async def ask() -> None:
        async with asking(peer, access, common) as asker:
            seconds = (until - since).total_seconds()
            bar = output.progress(_ASKING.fill(peer=peer), seconds)
            with bar as reached:
                asker.reached = lambda done: reached(done - since.timestamp())
                async for page in asker.history(peer, asked, since, until):
                    history.add(page)

    try:
        asyncio.run(ask())
    except (CliError, NetworkError) as error:
        raise _incomplete(error, history) from error
    if chosen is None:
        formats.show(history, output)
    elif deliver(formats.document(history, chosen), file):
        if output.as_json:
            output.document({"file": str(file), "records": len(history)})
        else:
            output.note(_WRITTEN, count=len(history), file=file)


@commands.add(
    "subscribe",
    text(
        "They are sent to the account's bare address until you unsubscribe; records that nobody"
        " receives are sent again later."
    ),
)
def subscribe(peer: Peer, series: Urn, access: AccountAccess, common: Common) -> None:
    """Subscribe to new records."""
    _request(peer, series, access, common, subscribed=True)


@commands.add("unsubscribe")
def unsubscribe(peer: Peer, series: Urn, access: AccountAccess, common: Common) -> None:
    """Unsubscribe from a series."""
    _request(peer, series, access, common, subscribed=False)


def _request(
    peer: str, series: str, access: AccountAccess, common: Common, *, subscribed: bool
) -> None:
    named = read_identifier(series)

    async def ask() -> str:
        async with asking(peer, access, common) as asker:
            request = asker.subscribe if subscribed else asker.unsubscribe
            await asker.patiently(peer, lambda: request(peer, named))
            return asker.account

    jid = asyncio.run(ask())
    document: Json = {"from": peer, "identifier": str(named), "to": jid, "subscribed": subscribed}
    words = _SUBSCRIBED if subscribed else _UNSUBSCRIBED
    common.output.result(document, words, peer=peer, jid=jid, series=named)


@asynccontextmanager
async def asking(peer: str, access: AccountAccess, common: Common) -> AsyncIterator[PatientAsking]:
    """Connect, and give what asks this peer. What it refuses becomes a `CliError`."""
    full(peer)
    who = await identity_of(access, common)
    connection = aside(who, common.output.language, OurWords)
    # The receiver of a subscription's records, listen or the node, acknowledges them.
    Discovery(connection, None, receives=True)
    async with online(connection):
        with refusals_of(peer):
            yield PatientAsking(connection, common.output)


def read_identifier(typed: str) -> Identifier:
    """Read an argument that names a series."""
    try:
        return identifier.identifier(typed, "URN")
    except Malformed as error:
        raise misused("URN", SENTENCES[error.code].fill(found=typed)) from None


def _format(wanted: Format | None, file: Path | None, output: Output) -> Format | None:
    if output.as_json and file is None:
        if wanted not in {None, "json"}:
            raise misused(f"--format {wanted}", _TWO_FORMATS)
        return "json"
    if file is not None and file.is_dir():
        raise misused(f"--output {file}", _A_FOLDER)
    if wanted is None and file is not None:
        if file.suffix not in _FORMATS:
            raise misused(f"--output {file}", _NO_FORMAT)
        return _FORMATS[file.suffix]
    return wanted


def _incomplete(error: CliError | NetworkError, history: History) -> CliError:
    cli_error = cli_error_of(error)
    assert cli_error is not None
    if not len(history):
        return cli_error
    last = max(max(series.values) for series in history.records)
    words = around(_INCOMPLETE, cli_error.words, time=times.utc(last))
    return CliError(cli_error.condition, words, more=cli_error.more)


def _listed(series: Listed) -> Json:
    return {
        "identifier": str(series.series),
        "interval": None if series.interval is None else str(series.interval),
        "unit": series.unit,
        "first": times.shown(series.first),
        "last": times.shown(series.last),
        "device": series.device,
    }
