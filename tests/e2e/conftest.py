"""Real programs, started once and shared where they can be."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, suppress
from functools import cache
from pathlib import Path
import socket
import sys

from playwright.async_api import Browser, expect
import pytest
import pytest_asyncio

from demo.browser import launched
from demo.hass import Hass
from demo.processes.warm import Warm
from demo.servers import program
from demo.servers.prosody import RECORDED, Authority, Prosody, federate
from testing.checkout import ROOT
from testing.programs.node import NodeProgram
from testing.run import FULL
from testing.xmpp.fixtures import with_component
from testing.xmpp.stanzas import check

LONGEST = (
    *("test_demo_collective", "test_levels", "test_kills", "test_demo_ends"),
    *("test_together", "test_federation", "test_demo"),
)
"""They begin first, so that no lane is left alone with one of them."""
USUAL_PORTS = (8123, 5222, 1502)
"""Of script/demo. Two demos that start at once would both take them."""
LOADED = (
    *("homeassistant.__main__", "homeassistant.bootstrap", "homeassistant.runner"),
    *(
        f"homeassistant.components.{domain}"
        for domain in (
            *("application_credentials", "backup", "diagnostics", "energy", "frontend", "history"),
            *("logbook", "recorder", "repairs", "sensor", "system_health", "trace", "usb"),
        )
    ),
)
"""What takes most of the time in which a Home Assistant starts."""
PATIENCE_MS = 180_000
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
        item.add_marker(pytest.mark.xdist_group(item.path.stem))
    order = {group: place for place, group in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))
    if FULL or any(".py" in place for place in config.args):
        return
    left = [item for item in items if item.get_closest_marker("full")]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if not item.get_closest_marker("full")]


@pytest.fixture(autouse=True, scope="session")
def usual_ports_are_taken() -> Iterator[None]:
    """Have each demo choose its own ports. All lanes hold the usual ones together."""
    with ExitStack() as held:
        for port in USUAL_PORTS:
            holder = held.enter_context(socket.socket())
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            with suppress(OSError):
                holder.bind(("127.0.0.1", port))
        yield


@pytest.fixture(autouse=True, scope="session")
def valid_stanzas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Have servers record what nodes send, and validate it in the end."""
    folder = tmp_path_factory.mktemp("stanzas")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(RECORDED, str(folder))
        yield
    check(folder)


@pytest.fixture(scope="session")
def pictures(pytestconfig: pytest.Config) -> Path:
    """Return the folder for screenshots."""
    folder = pytestconfig.getoption("pictures")
    assert isinstance(folder, Path)
    return folder.absolute()


@pytest_asyncio.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """A browser that starts once. Tests close the pages that they open."""
    async with launched() as browser:
        yield browser


@pytest_asyncio.fixture
async def browser(chromium: Browser) -> AsyncIterator[Browser]:
    """The browser, whose pages of this test are closed when it ends."""
    before = set(chromium.contexts)
    yield chromium
    for context in set(chromium.contexts) - before:
        await context.close()


@pytest.fixture(scope="session")
def warm() -> Iterator[None]:
    """Have commands of nodes be forks of a program that is loaded once, but for the full run."""
    if FULL:
        yield
        return
    with program.warm() as warm, pytest.MonkeyPatch.context() as patch:
        patch.setattr(NodeProgram, "command", warm.command)
        yield


@pytest.fixture(autouse=True, scope="session")
def warm_home_assistant() -> Iterator[None]:
    """Have each Home Assistant of this environment be a fork of one, but for the full run."""
    if FULL:
        yield
        return
    in_environment = Hass.runner
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:

        @cache
        def warm() -> Warm:
            return stack.enter_context(Warm("demo.processes.child", LOADED))

        def runner(python: str) -> Sequence[str]:
            return warm().command() if python == sys.executable else in_environment(python)

        patch.setattr(Hass, "runner", staticmethod(runner))
        yield


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Prosody, Prosody]]:
    """Run a server of homes and a server of others, which federate."""
    authority = Authority(tmp_path_factory.mktemp("servers"))
    first, second = Prosody("one.test", authority), Prosody("two.test", authority)
    federate(first, second)
    with_component(first, second)
    with first, second:
        yield first, second


@pytest_asyncio.fixture(scope="module")
async def hass(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hass]:
    """A Home Assistant that just came out of its box."""
    async with Hass(tmp_path_factory.mktemp("hass"), level="debug") as hass:
        yield hass
