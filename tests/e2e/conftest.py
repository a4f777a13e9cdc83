"""Real programs, started once and shared where they can be."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from playwright.async_api import expect
import pytest
import pytest_asyncio

from demo import program
from demo.hass import Hass
from demo.hass.folder import ROOT
from tests.e2e.node import Node
from tests.full import FULL

DEMOS = "test_demo"
"""What tests of script/demo are called: two that start at once would both take its usual ports."""
LONGEST = (DEMOS, "test_levels", "test_kills", "test_together", "test_federation")
"""They begin first, so that no lane is left alone with one of them."""
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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run tests of a file one after the other; leave those of the full run out of others."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(_group(item)))
    order = {group: place for place, group in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(_group(item), len(order)))
    if FULL or any(".py" in place for place in config.args):
        return
    left = [item for item in items if item.get_closest_marker("full")]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if not item.get_closest_marker("full")]


def _group(item: pytest.Item) -> str:
    return DEMOS if item.path.stem.startswith(DEMOS) else item.path.stem


@pytest.fixture(scope="session")
def pictures(pytestconfig: pytest.Config) -> Path:
    """Where pictures are left, to be looked at."""
    folder = pytestconfig.getoption("pictures")
    assert isinstance(folder, Path)
    return folder.absolute()


@pytest.fixture(scope="session")
def warm() -> Iterator[None]:
    """Have commands of nodes be forks of a program that is loaded once, but for the full run."""
    if FULL:
        yield
        return
    with program.warm() as warm, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Node, "command", warm.command)
        yield


@pytest_asyncio.fixture(scope="module")
async def hass(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hass]:
    """A Home Assistant that just came out of its box."""
    async with Hass(tmp_path_factory.mktemp("hass"), level="debug") as hass:
        yield hass
