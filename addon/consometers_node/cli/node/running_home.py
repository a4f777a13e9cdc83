"""Assembles and runs a household's node: a program of its own, without typer."""

from collections.abc import Collection
import json
from pathlib import Path
import sys

import aiohttp

from consometers_node.cli.core import control_socket, paths
from consometers_node.cli.core.errors import CliError
from consometers_node.cli.core.output import Output, exit_status, prepare_streams
from consometers_node.cli.household import home_assistant
from consometers_node.cli.household.command import run_in
from consometers_node.cli.household.source import files_of
from consometers_node.household.node import LANGUAGE, HomeNode, HouseholdPace
from consometers_node.household.recorder.home_assistant import HomeAssistant
from consometers_node.household.recorder.source import HomeAssistantSource
from consometers_node.household.source import Source
from consometers_node.household.waiting import BACKOFF
from consometers_node.i18n.text import text
from consometers_node.sharing.account import load
from consometers_node.sharing.names import load_naming
from consometers_node.store import Store
from consometers_node.store.clock import Clock
from consometers_node.store.settings import setting

from . import pages
from .running import connecting, log, status, until_stopped

_NO_ACCOUNT = text(
    "This node has no XMPP account: create one with “consometers-node join INVITATION”, or log"
    " in with “consometers-node login name@server”."
)


def main() -> None:
    """Run as the program that `run` becomes: its one argument has the options, in JSON."""
    prepare_streams()
    options = json.loads(sys.argv[1])
    output = Output(as_json=options.pop("as_json"))
    sys.exit(exit_status(lambda: run(output, **options), output))


def run(
    output: Output,
    *,
    data: str | None,
    log_level: str,
    page: str | None,
    ingress: Collection[str] | None,
    haste: float,
) -> None:
    """Run a household's node until SIGTERM or Ctrl-C."""
    formatter = log(log_level, output.language)
    folder = None if data is None else Path(data)

    def translate(language: str) -> None:
        formatter.language = output.language = language

    async def work(store: Store) -> None:
        if page is None and await load(store) is None:
            raise CliError("no-account", _NO_ACCOUNT)
        async with store.reading() as connection:
            if (language := await setting(connection, LANGUAGE)) is not None:
                translate(language)
        place = None if page is None else pages.place(page)
        connect = connecting(output, haste)
        async with aiohttp.ClientSession() as session:
            clock = Clock()
            source: Source | None = await files_of(store)
            if source is None:
                access = await home_assistant.load(store)
                home = HomeAssistant(access, session, backoff=BACKOFF.shortened(haste))
                source = HomeAssistantSource.watched(home, store, clock)
            naming = await load_naming(store)
            node = HomeNode(
                store,
                naming,
                source,
                connect,
                clock=clock,
                translate_log=translate,
                pace=HouseholdPace().shortened(haste),
            )
            # Leave a running node alone: a second login would end its own.
            async with control_socket.listening(
                paths.folder(folder),
                node.look_again,
                lambda language: status(node, node.home_problem, language),
            ):
                works = [node.run()]
                if place is not None:
                    works.append(pages.serve(node, session, *place, ingress))
                await until_stopped(works)

    run_in(folder, work)


if __name__ == "__main__":
    main()
