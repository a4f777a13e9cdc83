"""The add-on's image under its own init, with a Supervisor or without one.

`CONSOMETERS_IMAGE` names a built image that docker runs, as in the workflow. Otherwise its contents
run under Debian's s6: `testing/addon/containers.py`.
"""

from collections.abc import AsyncIterator
from contextlib import nullcontext
from http import HTTPStatus
import os
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from demo.servers.supervisor import LOOPBACK, Supervisor
from testing.addon.containers import Container, Debian, Docker, lacking
from testing.addon.installed import Installed, installed, wheel
from testing.deploy.network import own_network
from testing.programs.metered_home import DOMAIN
from testing.run import lack
from testing.waiting import eventually

__all__ = ["installed", "wheel"]

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.full,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(900),
]

IMAGE = os.environ.get("CONSOMETERS_IMAGE")
PORT = 8099
TOKEN = {"SUPERVISOR_TOKEN": "token"}
KILLED = 128 + 9


@pytest_asyncio.fixture(loop_scope="session")
async def container(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Container]:
    container: Container
    if IMAGE:
        container = Docker(IMAGE, tmp_path / "data")
    else:
        if missing := lacking():
            lack(f"{', '.join(missing)}, which script/setup installs")
        program: Installed = request.getfixturevalue("installed")
        container = Debian(program, tmp_path / "data")
    container.choose(log_level="info")
    with nullcontext() if IMAGE else own_network():
        yield container
        container.remove()


async def until_healthy(container: Container) -> None:
    async def healthy() -> tuple[bool, str]:
        assert container.status() is None, container.log()
        return container.is_healthy(), container.log()

    await eventually(healthy, lambda answer: answer[0])


async def until_ended(container: Container) -> int:
    async def status() -> int | None:
        return container.status()

    ended = await eventually(status, lambda answer: answer is not None)
    assert ended is not None
    return ended


async def until_discovered(container: Container, supervisor: Supervisor) -> str:
    """Wait until the node has announced itself, and return the token of its API."""

    async def discovered() -> bool:
        assert container.status() is None, container.log()
        return DOMAIN in supervisor.discovered

    await eventually(discovered, bool)
    return str(supervisor.discovered[DOMAIN].config["token"])


async def test_the_image_announces_itself_answers_and_ends(container: Container) -> None:
    async with Supervisor(PORT) as supervisor, aiohttp.ClientSession() as session:
        container.start(supervisor.environment)
        token = await until_discovered(container, supervisor)
        await until_healthy(container)
        headers = {"Authorization": f"Bearer {token}"}
        url = f"http://{LOOPBACK}:{PORT}/api/v1/node"
        async with session.get(url, headers=headers) as answer:
            assert answer.status == HTTPStatus.OK
        assert container.execute("consometers-node", "checkpoint").returncode == 0
        assert container.stop() == 0
        # The node itself ended, and closed what it had open.
        assert not list(container.data.glob("node.db-*"))
        assert not (container.data / "node.sock").exists()
        log = container.log()
        assert "The page listens on port 8099" in log
        assert "user bundles" not in log  # s6-overlay warns where they are in an old place
        assert "The node ended with" not in log


async def test_the_image_starts_while_no_supervisor_answers(container: Container) -> None:
    supervisor = Supervisor(PORT)
    container.start(supervisor.environment)
    await until_healthy(container)
    assert "The Supervisor cannot be reached" in container.log()
    async with supervisor:
        await until_discovered(container, supervisor)
        assert container.stop() == 0


@pytest.mark.parametrize("options", ['{"log_level": ""}', None])
async def test_the_image_starts_with_options_that_say_nothing(
    container: Container, options: str | None
) -> None:
    file = container.data / "options.json"
    file.unlink()
    if options is not None:
        file.write_text(options)
    container.start(TOKEN)
    await until_healthy(container)
    assert container.stop() == 0


@pytest.mark.parametrize(("level", "is_heard"), [("info", True), ("error", False)])
async def test_the_log_has_the_chosen_level(
    container: Container, level: str, *, is_heard: bool
) -> None:
    container.choose(log_level=level)
    container.start(TOKEN)
    await until_healthy(container)
    assert ("The page listens on port 8099" in container.log()) is is_heard
    assert container.stop() == 0


async def test_a_node_that_hangs_is_not_healthy(container: Container) -> None:
    container.start(TOKEN)
    await until_healthy(container)
    container.signal_node("-p")
    assert not container.is_healthy()
    container.signal_node("-c")
    await until_healthy(container)
    assert container.stop() == 0


async def test_the_container_ends_with_a_node_that_was_killed(container: Container) -> None:
    container.start(TOKEN)
    await until_healthy(container)
    container.signal_node("-k")
    assert await until_ended(container) == KILLED
    assert "The node ended with status 256, signal 9." in container.log()


async def test_the_container_ends_with_the_status_of_a_node_that_failed(
    container: Container,
) -> None:
    (container.data / "node.db").write_bytes(b"no database" * 1000)
    container.start(TOKEN)
    status = await until_ended(container)
    assert status not in {0, KILLED}
    assert f"The node ended with status {status}, signal 0." in container.log()
