"""`run`: a household's node, until it is told to stop."""

import asyncio
from datetime import timedelta
import logging
import signal
from typing import Annotated, Literal

import aiohttp
import typer

from consometers_node.household import (
    Access,
    HomeAssistant,
    LoopClock,
    Rounds,
    event_type,
)
from consometers_node.household.changes import Changes
from consometers_node.household.delivery import FIRST_DELAY_S
from consometers_node.household.home_assistant import backoff
from consometers_node.household.household import Household
from consometers_node.household.presence import Presence, WatchedRecorder
from consometers_node.household.pulling import Pulling
from consometers_node.household.rounds import SETTLES_WITHIN
from consometers_node.household.upkeep import Upkeep
from consometers_node.quoalise import Text
from consometers_node.quoalise.text import text
from consometers_node.series import Interval
from consometers_node.store import Store
from consometers_node.xmpp import PUSH_SECONDS, Backoff, Connection, Receiving

from . import bell, home, own
from .access import Identity
from .account import load
from .complaint import Complaint
from .options import Common
from .output import Output
from .usage import Commands
from .words import say

_ROUND_EVERY = timedelta(hours=1)
_NO_ACCOUNT = text(
    "This node has no XMPP account: take one with “consometers-node join INVITATION”, or keep one"
    " with “consometers-node login name@server”.",
    "Ce nœud n'a pas de compte XMPP : obtenez-en un avec « consometers-node join INVITATION », ou"
    " gardez-en un avec « consometers-node login nom@serveur ».",
)
_RUNS = text("The node {jid} runs. Ctrl-C ends it.", "Le nœud {jid} tourne. Ctrl-C l'arrête.")

_LOGGER = logging.getLogger("consometers_node")

commands = Commands()


@commands.add(
    "run",
    text(
        "It reads Home Assistant, answers its peers and tells them what they were granted, and"
        " nothing else. What it does is written to stderr.",
        "Il lit Home Assistant, répond à ses pairs et leur dit ce qui leur a été accordé, et rien"
        " d'autre. Ce qu'il fait est écrit sur stderr.",
    ),
)
def run(
    common: Common,
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        typer.Option(
            metavar="debug|info|warning|error",
            help=say("How much is told of what happens.", "Ce qui est dit de ce qui se passe."),
        ),
    ] = "info",
    haste: Annotated[float, typer.Option(envvar="CONSOMETERS_HASTE", hidden=True, min=1)] = 1,
) -> None:
    """Run until SIGTERM or Ctrl-C. With haste, all waits are that many times shorter: for tests."""
    logging.basicConfig(
        level=log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )

    async def work(store: Store) -> None:
        who = await load(store)
        if who is None:
            raise Complaint("no-account", _NO_ACCOUNT)
        await _run(common, store, who, await home.load(store), haste)

    own.run(common, work)


async def _run(common: Common, store: Store, who: Identity, access: Access, haste: float) -> None:
    """Put everything together, and run it."""
    output = common.output
    changes = Changes()
    usual = Backoff()
    connection = Connection(
        who.account,
        server=who.server,
        language=output.language,
        backoff=Backoff(usual.first_seconds / haste, usual.most_seconds / haste),
    )
    household = Household(
        store,
        await own.naming(store),
        connection,
        changes,
        first_delay_s=FIRST_DELAY_S / haste,
        receipt_within_s=PUSH_SECONDS / haste,
    )
    async with aiohttp.ClientSession() as session:
        source = HomeAssistant(
            access, session, delays=lambda: (seconds / haste for seconds in backoff())
        )
        shortest, longest = SETTLES_WITHIN
        rounds = Rounds(LoopClock(), _ROUND_EVERY, settles=(shortest / haste, longest / haste))
        for event in sorted({event_type(interval) for interval in Interval}):
            source.listen(event, rounds.heard)
        presence = Presence(store, source)
        recorder = WatchedRecorder(source, presence)
        upkeep = Upkeep(store, recorder, changes, rounds)
        pulling = Pulling(store, connection, household.asking, recorder, changes)

        async def hear() -> None:
            """Listen to what peers push once something is pulled: chat goes elsewhere till then."""
            await pulling.any()
            Receiving(connection, pulling.keep)
            household.discovery.receives = True

        def look_again() -> None:
            changes.tell()
            rounds.heard()

        def status() -> bell.Status:
            return {
                "account": connection.jid,
                "online": connection.is_online,
                "network": _said(connection.problem and connection.problem.text, output),
                "home_assistant": source.problem or _said(upkeep.problem, output),
                "peers": {
                    one.peer.jid: _said(one.problem, output)
                    for one in household.deliveries.values()
                },
            }

        async with connection, asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(work)
                for work in (
                    bell.serve(own.socket(common), look_again, status),
                    source.run(),
                    presence.run(),
                    upkeep.run(),
                    household.run(),
                    pulling.run(),
                    hear(),
                )
            ]

            def stop() -> None:
                for one in running:
                    one.cancel()

            for number in (signal.SIGINT, signal.SIGTERM):
                asyncio.get_running_loop().add_signal_handler(number, stop)
            _LOGGER.info("%s", output.said(_RUNS, jid=connection.jid))


def _said(problem: Text | Exception | None, output: Output) -> str | None:
    if isinstance(problem, Text):
        return problem.say(output.language)
    return None if problem is None else str(problem)
