"""The Home Assistant of this node: `home`, and how other commands reach it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
import getpass
import os
from pathlib import Path
import sys
from typing import Annotated

import aiohttp
import typer

from consometers_node.household.recorder.client import Recorder
from consometers_node.household.recorder.errors import HomeAssistantFault
from consometers_node.household.recorder.home_assistant import (
    SUPERVISOR,
    HomeAssistant,
    HomeAssistantAccess,
)
from consometers_node.quoalise.text import around, text
from consometers_node.store import Store, settings

from ..core.errors import CliError
from ..core.locale import say
from ..core.options import Common
from ..core.paths import opened
from ..core.usage import Commands

URL = "home.url"
TOKEN = "home.token"  # noqa: S105  # its name

_URL_VARIABLE = "CONSOMETERS_HOME_URL"
_TOKEN_VARIABLE = "CONSOMETERS_HOME_TOKEN"  # noqa: S105  # the name of a variable
_SUPERVISOR_TOKEN = "SUPERVISOR_TOKEN"  # noqa: S105  # the name of a variable
_SUPERVISOR_URL = "CONSOMETERS_SUPERVISOR"

_NO_HOME = text(
    "No Home Assistant is configured: set one with “consometers-node home http://homeassistant:8123”."
)
_NOT_A_URL = text(
    "{url} is not the address of a Home Assistant: it starts with http:// or https://."
)
_ASK_TOKEN = text("A long-lived access token (your profile in Home Assistant, Security): ")
_NO_TOKEN = text("No token was given.")
_KEPT = text("{url} accepts the node. Statistics of energy or power there: {count}.")
_FAULT = text("{said}.")

commands = Commands()


def fault(error: HomeAssistantFault) -> CliError:
    """Say what Home Assistant did not do."""
    return CliError("home-assistant", around(_FAULT, error.text))


def supervisor() -> tuple[str, str] | None:
    """Return where the Supervisor is and the token that it knows; None outside of an add-on.

    Tests have another one than the add-on's, with CONSOMETERS_SUPERVISOR.
    """
    token = os.environ.get(_SUPERVISOR_TOKEN)
    return (os.environ.get(_SUPERVISOR_URL, SUPERVISOR), token) if token else None


async def load(store: Store) -> HomeAssistantAccess:
    """Return how to reach the home: the Supervisor's, the environment's, or the one that is kept.

    Raises `CliError` where there is none.
    """
    if there := supervisor():
        place, key = there
        return HomeAssistantAccess.through_supervisor(key, place)
    url, token = os.environ.get(_URL_VARIABLE), os.environ.get(_TOKEN_VARIABLE)
    if not (url and token):
        async with store.reading() as connection:
            url = await settings.setting(connection, URL)
            stored = await settings.secret(connection, TOKEN)
        token = stored.decode() if stored else None
    if url is None or token is None:
        raise CliError("no-home", _NO_HOME)
    return _access(url, token)


@asynccontextmanager
async def reached(access: HomeAssistantAccess) -> AsyncIterator[Recorder]:
    """Reach a home once, for as long as it is needed. Raises `CliError`."""
    async with aiohttp.ClientSession() as session:
        home = HomeAssistant(access, session)
        running = asyncio.create_task(home.run())
        try:
            yield Recorder(home)
        except HomeAssistantFault as error:
            raise fault(error) from error
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError, HomeAssistantFault):
                await running


@commands.add(
    "home",
    text(
        "Type the token (it is not shown), or pass it in CONSOMETERS_HOME_TOKEN or on the"
        " standard input. It is saved only if Home Assistant accepts it. An add-on does not need"
        " this."
    ),
)
def home(
    url: Annotated[
        str,
        typer.Argument(
            metavar="URL",
            help=say("The address of Home Assistant, as in a browser."),
        ),
    ],
    common: Common,
) -> None:
    """Try a Home Assistant, and keep it."""
    output = common.output
    token = os.environ.get(_TOKEN_VARIABLE, "")
    if not token and sys.stdin.isatty():
        token = getpass.getpass(output.translated(_ASK_TOKEN))
    token = (token or sys.stdin.readline()).strip()
    if not token:
        raise CliError("no-token", _NO_TOKEN)
    count = asyncio.run(_try_and_keep(common.data, url, token))
    output.result({"url": url, "statistics": count, "kept": True}, _KEPT, url=url, count=count)


async def _try_and_keep(data: Path | None, url: str, token: str) -> int:
    async with reached(_access(url, token)) as recorder:
        count = len(await recorder.statistics())
    async with opened(data) as store, store.writing() as connection:
        await settings.set_setting(connection, URL, url)
        await settings.set_secret(connection, TOKEN, token.encode())
    return count


def _access(url: str, token: str) -> HomeAssistantAccess:
    try:
        return HomeAssistantAccess.at(url, token)
    except ValueError:
        raise CliError("not-a-url", _NOT_A_URL.fill(url=url)) from None
