"""A collective with an administrator."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from consometers_node.store import Store
from testing.pages.office import NAME, Office, serving
from testing.pages.town import settings


@pytest.fixture
async def office(file: Store, tmp_path: Path, socket_enabled: None) -> AsyncIterator[Office]:
    async with serving(file, settings(tmp_path)) as opened:
        await opened.appoint(NAME)
        yield opened
