"""A home whose page is served to loopback, and a collective on another server."""

from collections.abc import AsyncIterator

import pytest

from consometers_node.store import PermissionId, Store
from testing.homes.served import ServedHome, ask, running, toy


@pytest.fixture
async def home(file: Store, socket_enabled: None) -> AsyncIterator[ServedHome]:
    async with running(file, toy()) as opened:
        yield opened


@pytest.fixture
async def asked(home: ServedHome) -> PermissionId:
    return await ask(home)
