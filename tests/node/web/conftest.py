"""A home whose page is served to loopback, and a collective on another server."""

from collections.abc import AsyncIterator

import pytest

from consometers_node.permission import DataNeed, Permissions
from consometers_node.store import PermissionId, Store
from consometers_node.store.peers import add_peer
from tests.node.household.witnesses import CODE
from tests.node.permission.samples import NEED, now

from .home import Home, running, toy


@pytest.fixture
async def home(file: Store, socket_enabled: None) -> AsyncIterator[Home]:
    async with running(file, toy()) as opened:
        yield opened


async def ask(home: Home, need: DataNeed = NEED, jid: str = "coop@example.org") -> PermissionId:
    """Ask for something as a collective."""
    async with home.store.writing() as connection:
        peer = await add_peer(connection, jid, "Coop of Kersabiec", now())
        number = await Permissions(connection).propose(peer.id, need, now())
    home.node.look_again()
    return number


async def allow(home: Home, number: PermissionId, *series: str) -> None:
    """Grant some of it as an administrator, on the page."""
    browser = home.browser()
    page = await browser.fill(
        f"permissions/{number}", "preview", *(("series", name) for name in series)
    )
    code = [("code", CODE)] if any(name == "code" for name, _ in page.form("allow").fields) else []
    page = await browser.send(page, "allow", *code)
    assert "Allowed" in page.text, page.text


@pytest.fixture
async def asked(home: Home) -> PermissionId:
    return await ask(home)
