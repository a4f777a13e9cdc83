"""Real programs, started once and shared where they can be."""

from collections.abc import AsyncIterator
from pathlib import Path

from playwright.async_api import expect
import pytest
import pytest_asyncio

from demo.hass import Hass
from demo.hass.folder import ROOT

PATIENCE_MS = 60_000
"""A page shows what is expected whenever its machine may run."""


def pytest_configure() -> None:
    expect.set_options(timeout=PATIENCE_MS)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--pictures",
        type=Path,
        default=ROOT / ".artifacts",
        help="folder for the pictures of what the browser saw (docs/images for the documentation)",
    )
    parser.addoption(
        "--whole-demo", action="store_true", help="look at all homes of the demo, not at a few"
    )


@pytest.fixture(scope="session")
def pictures(pytestconfig: pytest.Config) -> Path:
    """Where pictures are left, to be looked at."""
    folder = pytestconfig.getoption("pictures")
    assert isinstance(folder, Path)
    return folder.absolute()


@pytest_asyncio.fixture(scope="module")
async def hass(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hass]:
    """A Home Assistant that just came out of its box."""
    async with Hass(tmp_path_factory.mktemp("hass"), level="debug") as hass:
        yield hass
