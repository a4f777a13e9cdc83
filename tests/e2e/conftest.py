"""Real programs, started once and shared where they can be."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from demo.hass import Hass


@pytest_asyncio.fixture(scope="module")
async def hass(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hass]:
    """A Home Assistant that just came out of its box."""
    async with Hass(tmp_path_factory.mktemp("hass"), level="debug") as hass:
        yield hass
