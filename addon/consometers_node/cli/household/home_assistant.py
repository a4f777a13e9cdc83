"""The Home Assistant of this node: where it is, and how commands and the running node reach it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
import os

import aiohttp

from consometers_node.cli.core.errors import CliError
from consometers_node.household.errors import SourceFault
from consometers_node.household.recorder.client import Recorder
from consometers_node.household.recorder.home_assistant import (
    SUPERVISOR,
    HomeAssistant,
    HomeAssistantAccess,
)
from consometers_node.household.recorder.source import HomeAssistantSource
from consometers_node.i18n.text import around, text
from consometers_node.store import Store, settings
from consometers_node.store.household.coverage import absences

URL = "home.url"
TOKEN = "home.token"  # noqa: S105  # its name
TOKEN_VARIABLE = "CONSOMETERS_HOME_TOKEN"  # noqa: S105  # the name of a variable

_URL_VARIABLE = "CONSOMETERS_HOME_URL"
_SUPERVISOR_TOKEN = "SUPERVISOR_TOKEN"  # noqa: S105  # the name of a variable
_SUPERVISOR_URL = "CONSOMETERS_SUPERVISOR"

_NO_HOME = text(
    "No Home Assistant is configured: set one with “consometers-node home"
    " http://homeassistant:8123”; without one, “consometers-node home files”."
)
_NOT_A_URL = text(
    "{url} is not the address of a Home Assistant: it starts with http:// or https://."
)
_FAULT = text("{said}.")


def fault(error: SourceFault) -> CliError:
    """Return the message for a failure of Home Assistant."""
    return CliError("home-assistant", around(_FAULT, error.text))


def supervisor() -> tuple[str, str] | None:
    """Return where the Supervisor is and the token that it knows; None outside of an add-on.

    Tests have another one than the add-on's, with CONSOMETERS_SUPERVISOR.
    """
    token = os.environ.get(_SUPERVISOR_TOKEN)
    return (os.environ.get(_SUPERVISOR_URL, SUPERVISOR), token) if token else None


async def load(store: Store) -> HomeAssistantAccess:
    """Return how to reach Home Assistant: by the Supervisor, the environment, or the stored URL.

    Raises `CliError` where there is none.
    """
    if there := supervisor():
        place, key = there
        return HomeAssistantAccess.through_supervisor(key, place)
    url, token = os.environ.get(_URL_VARIABLE), os.environ.get(TOKEN_VARIABLE)
    if not (url and token):
        async with store.reading() as connection:
            url = await settings.setting(connection, URL)
            stored = await settings.secret(connection, TOKEN)
        token = stored.decode() if stored else None
    if url is None or token is None:
        raise CliError("no-home", _NO_HOME)
    return access_at(url, token)


@asynccontextmanager
async def reached(access: HomeAssistantAccess) -> AsyncIterator[HomeAssistant]:
    """Reach a home once, for as long as it is needed. Raises `CliError`."""
    async with aiohttp.ClientSession() as session:
        home = HomeAssistant(access, session)
        running = asyncio.create_task(home.run())
        try:
            yield home
        except SourceFault as error:
            raise fault(error) from error
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError, SourceFault):
                await running


@asynccontextmanager
async def source_of(store: Store) -> AsyncIterator[HomeAssistantSource]:
    """Reach the home of this node as the source of its data. Raises `CliError`."""
    async with store.reading() as connection:
        off = await absences(connection)
    async with reached(await load(store)) as home:
        yield HomeAssistantSource(home, Recorder(home), off)


def access_at(url: str, token: str) -> HomeAssistantAccess:
    """Return how to reach the home at a URL. Raises `CliError`."""
    try:
        return HomeAssistantAccess.at(url, token)
    except ValueError:
        raise CliError("not-a-url", _NOT_A_URL.fill(url=url)) from None
