"""A cooperative of Lorient: homes, and a school with panels."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from consometers_node.store import Store
from testing.pages.cooperative import filled, town
from testing.pages.town import ReleasedTown, serving, settings


@pytest.fixture
async def empty(file: Store, tmp_path: Path, socket_enabled: None) -> AsyncIterator[ReleasedTown]:
    async with serving(ReleasedTown(file, settings(tmp_path))) as town:
        yield town
