"""The command `home`: sets the Home Assistant of this node."""

import asyncio
import getpass
import os
from pathlib import Path
import sys
from typing import Annotated

import typer

from consometers_node.cli.core.errors import CliError
from consometers_node.cli.core.locale import say
from consometers_node.cli.core.options import Common
from consometers_node.cli.core.paths import opened
from consometers_node.cli.core.usage import Commands
from consometers_node.household.recorder.client import Recorder
from consometers_node.i18n.text import text
from consometers_node.store import settings

from .command import run_in
from .home_assistant import TOKEN, TOKEN_VARIABLE, URL, access_at, reached
from .source import FILES, choose_files, choose_home_assistant

_ASK_TOKEN = text("A long-lived access token (your profile in Home Assistant, Security): ")
_NO_TOKEN = text("No token was given.")
_FILES = text(
    "The data of this home come from files: add one with “consometers-node add-file FILE”. A node"
    " that runs knows it once it is started again."
)
_KEPT = text("{url} accepts the node. Statistics of energy or power there: {count}.")

commands = Commands()


@commands.add(
    "home",
    text(
        "Type the token (it is not shown), or pass it in CONSOMETERS_HOME_TOKEN or on the"
        " standard input. It is saved only if Home Assistant accepts it. An add-on does not need"
        " this. Without Home Assistant, write “files” in place of the address: the data then come"
        " from the files that “add-file” brings."
    ),
)
def home(
    url: Annotated[
        str,
        typer.Argument(
            metavar=say("URL|files"),
            help=say("The address of Home Assistant, as in a browser; or the word “files”."),
        ),
    ],
    common: Common,
) -> None:
    """Test the connection to a Home Assistant, and store it; or have the data come from files."""
    if url == FILES:
        run_in(common.data, choose_files)
        common.output.result({"source": FILES}, _FILES)
        return
    token = os.environ.get(TOKEN_VARIABLE, "")
    if not token and sys.stdin.isatty():
        token = getpass.getpass(common.output.translated(_ASK_TOKEN))
    token = (token or sys.stdin.readline()).strip()
    if not token:
        raise CliError("no-token", _NO_TOKEN)
    count = asyncio.run(_try_and_keep(common.data, url, token))
    common.output.result(
        {"url": url, "statistics": count, "kept": True}, _KEPT, url=url, count=count
    )


async def _try_and_keep(data: Path | None, url: str, token: str) -> int:
    async with reached(access_at(url, token)) as home:
        count = len(await Recorder(home).statistics())
    async with opened(data) as store:
        async with store.writing() as connection:
            await settings.set_setting(connection, URL, url)
            await settings.set_secret(connection, TOKEN, token.encode())
        await choose_home_assistant(store)
    return count
