"""The node's page and API, as `run` serves them."""

import asyncio
from collections.abc import Collection
import logging
import os
from pathlib import Path
import secrets
import socket
from typing import NoReturn

import aiohttp

from consometers_node.cli.core.errors import misused
from consometers_node.cli.household import home_assistant
from consometers_node.household.node import HomeNode
from consometers_node.i18n.text import text
from consometers_node.store import Store, settings
from consometers_quoalise_network import Server
from consometers_quoalise_network.backoff import Backoff

from .running import version

NODE_ID = "node.id"
TOKEN = "api.token"  # noqa: S105  # its name

_SERVER_VARIABLE = "CONSOMETERS_SERVER"
_CA_VARIABLE = "CONSOMETERS_CA_FILE"
_DISCOVERY = Backoff(5, 300, least=1)
_NOT_A_PLACE = text("write an address and a port, such as 127.0.0.1:8099.")

_LISTENS = text("The page listens on port {port}.")
_DISCOVERY_REFUSED = text("The Supervisor refuses the discovery of this node ({status}).")
_NO_SUPERVISOR = text("The Supervisor cannot be reached for the discovery of this node.")
_LOGGER = logging.getLogger(__name__)


def place(typed: str, option: str = "--page") -> tuple[str, int]:
    """Read HOST:PORT. Raises `CliError`."""
    host, _, port = typed.rpartition(":")
    if not host or not port.isdecimal() or not 0 <= int(port) < 65_536:
        raise misused(option, _NOT_A_PLACE)
    return host.strip("[]"), int(port)


async def keys(store: Store) -> tuple[str, str]:
    """Return who the node is and the token of its API, made when they are first needed."""
    async with store.writing() as connection:
        token = await settings.secret_or_new(
            connection, TOKEN, lambda: secrets.token_urlsafe(32).encode()
        )
        node_id = await settings.setting(connection, NODE_ID)
        if node_id is None:
            node_id = secrets.token_hex(16)
            await settings.set_setting(connection, NODE_ID, node_id)
    return node_id, token.decode()


async def serve(
    node: HomeNode,
    session: aiohttp.ClientSession,
    host: str,
    port: int,
    ingress: Collection[str] | None,
) -> NoReturn:
    """Serve the page and the API until cancelled. `ingress` are Home Assistant's addresses."""
    # A node without pages never loads them.
    from consometers_node.web.site import Keys, Site  # noqa: PLC0415

    node_id, token = await keys(node.store)
    site = Site(node, Keys(node_id, token, version()), ingress=ingress, server=_server())
    async with site.listening(host, port) as open_port:
        _LOGGER.info(_LISTENS.fill(port=open_port))
        if there := home_assistant.supervisor():
            await _be_discovered(session, *there, open_port, token)
        await asyncio.Event().wait()
    raise AssertionError


def _server() -> Server:
    """Return where the server of an account taken on the page is: DNS knows, but in tests."""
    typed, ca_file = os.environ.get(_SERVER_VARIABLE), os.environ.get(_CA_VARIABLE)
    host, port = place(typed, _SERVER_VARIABLE) if typed else (None, None)
    return Server(host=host, port=port, ca_file=Path(ca_file) if ca_file else None)


async def _be_discovered(
    session: aiohttp.ClientSession, supervisor: str, key: str, port: int, token: str
) -> None:
    """Announce the node to Home Assistant until the Supervisor has accepted it."""
    announcement = {
        "service": "consometers",
        "config": {"host": socket.gethostname(), "port": port, "token": token},
    }
    headers = {"Authorization": f"Bearer {key}"}
    for wait in _DISCOVERY.delays():
        try:
            async with session.post(
                f"{supervisor}/discovery", json=announcement, headers=headers
            ) as response:
                if response.ok:
                    return
                _LOGGER.warning(_DISCOVERY_REFUSED.fill(status=response.status))
        except aiohttp.ClientError, TimeoutError:
            _LOGGER.warning(_NO_SUPERVISOR)
        await asyncio.sleep(wait)
