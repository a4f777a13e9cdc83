"""The part of `status` that both roles share: whether the node runs, what it shares with whom."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import cast

from consometers_node.i18n.text import text
from consometers_node.series import Series
from consometers_node.sharing import export as exported
from consometers_node.sharing.status import collectives
from consometers_node.store import Store

from .control_socket import Status
from .output import Columns, Json, Output
from .times import shown

_NOT_RUNNING = text("The node is not running.")
_RUNNING = text("The node runs as {jid}.")
_OFFLINE = text("It is not on the network: {why}")
_DATABASE = text("Database: {why}")
_CLOCK = text("Clock: {why}")
_NO_HOME = text("Home Assistant: {why}")
_COLUMNS: Columns[tuple[Json, Mapping[str, Json]]] = {
    text("Collective"): lambda row: str(row[0]),
    text("Series", context="one each"): lambda row: f"{row[1]['statistic']} {row[1]['interval']}",
    text("Read"): lambda row: f"{100 * cast(float, row[1]['read']):.0f} %",
    text("Received up to"): lambda row: cast(str | None, row[1]["acknowledged_until"]),
    text("Waiting to be sent"): lambda row: cast(int, row[1]["waiting"]),
}
_PROBLEM = text("{jid}: {why}")


async def shared_of(
    store: Store, running: Status | None, read: Mapping[Series, float]
) -> list[dict[str, Json]]:
    """Return what is shared with whom, and how far it got; `read` how much of a series is here."""
    problems = cast(Mapping[str, Json], (running or {}).get("peers") or {})
    async with store.reading() as connection:
        peers = await collectives(connection, datetime.now(UTC), read)
    return [
        {
            "jid": peer.peer.jid,
            "name": peer.peer.name,
            "problem": problems.get(peer.peer.jid),
            "paused": peer.paused,
            "waiting": peer.waiting,
            "waiting_since": shown(peer.waiting_since),
            "series": [
                {
                    **exported.series(shared.series),
                    "read": round(shared.progress, 3),
                    "subscribed": shared.subscription is not None,
                    "acknowledged_until": shown(
                        shared.subscription.cursor if shared.subscription else None
                    ),
                    "waiting": shared.waiting,
                    "valid_until": shown(shared.until),
                }
                for shared in peer.shared
            ],
        }
        for peer in peers
    ]


def say_running(running: Status | None, output: Output) -> None:
    """Print whether the node runs, and its problem."""
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
    """Show what is shared with whom, and what stands in the way. Returns whether anything is."""
    rows = [
        (peer["jid"], series)
        for peer in shared
        for series in cast(list[Mapping[str, Json]], peer["series"])
    ]
    if rows:
        output.table(_COLUMNS, rows)
    for peer in shared:
        if peer["problem"]:
            output.say(_PROBLEM, jid=peer["jid"], why=peer["problem"])
    return bool(rows)
