"""How a household's node stands, and what it holds: `status`, `export`, `erase`."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from consometers_node.household.sharing.sync import progress
from consometers_node.quoalise import iso8601
from consometers_node.quoalise.text import text
from consometers_node.series import Series
from consometers_node.sharing import export as exported
from consometers_node.sharing.account import load
from consometers_node.sharing.export import Gone, erase_all
from consometers_node.sharing.status import collectives
from consometers_node.store import Store

from . import control_socket, own
from .client import deliver
from .errors import CliError
from .locale import say, who
from .options import Common, SettingsFile, Yes
from .output import Json, Output
from .paths import is_collective
from .usage import Commands

_NOT_RUNNING = text("The node does not run.")
_RUNNING = text("The node runs as {jid}.")
_OFFLINE = text("It is not on the network: {why}")
_DATABASE = text("Database: {why}")
_CLOCK = text("Clock: {why}")
_NO_HOME = text("Home Assistant: {why}")
_NOTHING = text("Nothing is shared.")
_PEER = text("Collective")
_SERIES = text("Series", context="one each")
_READ = text("Read")
_UNTIL = text("Received up to")
_WAITS = text("Waiting to be sent")
_PROBLEM = text("{jid}: {why}")
_EXPORTED = text("{file}: all that this node holds.")
_RECORDS_EXPORTED = text("{file}: all records that this node holds.")
_REALLY = text(
    "This withdraws every permission, asks the collectives to erase what they received, and erases"
    " all records that this node holds; Home Assistant keeps its own. What was granted, to whom and"
    " when, stays as your proof.\nDo you want that? [y/N] "
)
_ERASED = text("{permissions} permissions withdrawn, {blocks} days of records erased.")
_EXPORT_OF_ONE = text(
    "This node is a collective's: “members export” gives one member all that is held of it, and"
    " writes down that it was read. To copy everything, see “checkpoint”."
)
_ERASE_ONE = text(
    "This node is a collective's: “members erase” erases all that is held of one member. To end the"
    " collective, erase each of them, so that their nodes are told; then stop the node and remove"
    " its folder and its database."
)

commands = Commands()


@commands.add("status")
def status(common: Common, settings: SettingsFile = None) -> None:
    """Print the status of a home's node: what is shared, up to when, what waits and why."""
    if is_collective(common.data, settings):
        from . import status_collective  # noqa: PLC0415  # a home has nothing of it

        status_collective.status(common, settings)
        return
    output = common.output

    async def work(store: Store) -> None:
        running = await control_socket.ask(own.socket(common), "status")
        async with store.reading() as connection:
            read = await progress(connection, datetime.now(UTC))
        shared = await shared_of(store, running, read)
        if output.as_json:
            who = await load(store)
            document = {"account": who.account.jid if who else None, "running": running is not None}
            output.document(document | dict(running or {}) | {"peers": shared})
        else:
            say_running(running, output)
            if not show_shared(shared, output):
                output.say(_NOTHING)

    own.run(common, work)


@commands.add(
    "export",
    text(
        "JSON holds everything, but passwords, tokens and the secret of your pseudonyms; CSV the"
        " records alone."
    ),
)
def export(
    common: Common,
    wanted: Annotated[
        Literal["json", "csv"],
        typer.Option("--format", metavar="json|csv", help=say("How.")),
    ] = "json",
    file: Annotated[
        Path | None,
        typer.Option(
            "--output",
            metavar=say("FILE"),
            help=say("A file that only you can read, in place of the standard output."),
        ),
    ] = None,
) -> None:
    """Export all that this node holds."""
    if is_collective(common.data):
        raise CliError("collective", _EXPORT_OF_ONE)
    output = common.output
    parts = exported.as_csv if wanted == "csv" else exported.as_json

    async def work(store: Store) -> str:
        return "".join([part async for part in parts(store)])

    document = own.run(common, work)
    if not deliver(document.encode(), file):
        return
    if output.as_json:
        output.document({"file": str(file)})
    else:
        output.say(_EXPORTED if wanted == "json" else _RECORDS_EXPORTED, file=file)


@commands.add("erase")
def erase(common: Common, yes: Yes = False) -> None:
    """Withdraw everything, and erase what this node holds."""
    if is_collective(common.data):
        raise CliError("collective", _ERASE_ONE)
    output = common.output
    output.agree(output.translated(_REALLY), yes=yes)

    async def work(store: Store) -> Gone:
        gone = await erase_all(store, who(), output.catalogue_language)
        await own.look_again(common)
        return gone

    gone = own.run(common, work)
    if output.as_json:
        output.document({"withdrawn": gone.permissions, "days": gone.days})
    else:
        output.say(_ERASED, permissions=gone.permissions, blocks=gone.days)


async def shared_of(
    store: Store, running: control_socket.Status | None, read: Mapping[Series, float]
) -> list[dict[str, Json]]:
    """Return what is shared with whom, and how far it got; `read` how much of a series is here."""
    problems = (running or {}).get("peers") or {}
    assert isinstance(problems, dict)
    async with store.reading() as connection:
        peers = await collectives(connection, datetime.now(UTC), read)
    return [
        {
            "jid": peer.peer.jid,
            "name": peer.peer.name,
            "problem": problems.get(peer.peer.jid),
            "paused": peer.paused,
            "waiting": peer.waiting,
            "waiting_since": _shown(peer.waiting_since),
            "series": [
                {
                    **exported.series(shared.series),
                    "read": round(shared.progress, 3),
                    "subscribed": shared.subscription is not None,
                    "acknowledged_until": _shown(
                        shared.subscription.cursor if shared.subscription else None
                    ),
                    "waiting": shared.waiting,
                    "valid_until": _shown(shared.grant.records.end),
                }
                for shared in peer.shared
            ],
        }
        for peer in peers
    ]


def _shown(at: datetime | None) -> str | None:
    return None if at is None else iso8601.shown(at)


def say_running(running: control_socket.Status | None, output: Output) -> None:
    """Say whether the node runs, and what stands in its way."""
    if running is None:
        output.say(_NOT_RUNNING)
    else:
        output.say(_RUNNING, jid=running["account"])
        if not running["online"]:
            output.say(_OFFLINE, why=running["network"])
        if running.get("database"):
            output.say(_DATABASE, why=running["database"])
        if running.get("clock"):
            output.say(_CLOCK, why=running["clock"])
        if running["home_assistant"]:
            output.say(_NO_HOME, why=running["home_assistant"])


def show_shared(shared: list[dict[str, Json]], output: Output) -> bool:
    """Show what is shared with whom, and what stands in the way. Tells whether anything is."""
    rows = []
    for peer in shared:
        series = peer["series"]
        assert isinstance(series, list)
        for shared_series in series:
            assert isinstance(shared_series, dict)
            read, until = shared_series["read"], shared_series["acknowledged_until"]
            assert isinstance(read, float | int)
            rows.append(
                [
                    str(peer["jid"]),
                    f"{shared_series['statistic']} {shared_series['interval']}",
                    f"{100 * read:.0f} %",
                    str(until or ""),
                    str(shared_series["waiting"]),
                ]
            )
    if rows:
        output.table((_PEER, _SERIES, _READ, _UNTIL, _WAITS), rows)
    for peer in shared:
        if peer["problem"]:
            output.say(_PROBLEM, jid=peer["jid"], why=peer["problem"])
    return bool(rows)
