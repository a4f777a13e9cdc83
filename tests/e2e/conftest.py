"""Real programs, started once and shared where they can be."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from demo.hass import Hass


@pytest.fixture(scope="session")
def artifacts() -> Path:
    """Where the tests leave what a person looks at afterwards."""
    folder = Path(__file__).parents[2] / ".artifacts"
    folder.mkdir(exist_ok=True)
    return folder


@pytest_asyncio.fixture(scope="module")
async def hass(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hass]:
    """A Home Assistant that just came out of its box."""
    async with Hass(tmp_path_factory.mktemp("hass")) as hass:
        yield hass
