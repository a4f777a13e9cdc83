"""A collective's node that runs, and a home that meets it by its invitation."""

import asyncio
from contextlib import AbstractAsyncContextManager
import json
from pathlib import Path
import signal
import socket
from tempfile import TemporaryDirectory
from typing import Any

from aiohttp import ClientSession
import pytest

from demo.hass import free_port
from demo.servers.prosody import Prosody
from testing.commands.collective import need_toml
from testing.commands.fixtures import Run, Start, at, ended, running
from testing.databases import postgresql
from testing.networks import PASSWORD
from testing.run import DEADLINE_S
from testing.xmpp.fixtures import NewAccount


async def set_up(run: Run, folder: Path, name: str, server: Prosody, jid: str) -> Path:
    """Set a collective up, whose password is in a file."""
    folder.mkdir()
    (folder / "password").write_text(f"{PASSWORD}\n")
    options = ("--password-file", folder / "password", "--data", folder)
    names = ("--name", name, "--identifier", name.lower(), "--account", jid)
    await run.ok("init", *names, *at(server), *options)
    return folder


@pytest.fixture
async def folder(run: Run, tmp_path: Path, server: Prosody, new_account: NewAccount) -> Path:
    """The folder of a collective that was set up, with a data need in a file."""
    coop = await set_up(run, tmp_path / "coop", "Kersabiec", server, new_account(server))
    (coop / "roof.toml").write_text(need_toml())
    settings = (coop / "collective.toml").read_text()
    settings = settings.replace("# needs =", 'needs = ["roof.toml"]')
    (coop / "collective.toml").write_text(settings)
    return coop


@pytest.fixture
def coop_running(run: Run, start: Start, folder: Path) -> AbstractAsyncContextManager[Any]:
    """Run the collective's node, on the network."""
    options = ("--data", folder)
    return running(start, run, *options, until="online", CONSOMETERS_ROLE="collective")


async def test_an_invited_home_sees_the_data_requests(
    run: Run,
    coop_running: AbstractAsyncContextManager[Any],
    folder: Path,
    server: Prosody,
    new_account: NewAccount,
) -> None:
    home = folder.parent / "home"
    async with coop_running as status:
        jid = status["account"].partition("/")[0]
        assert (
            await run.condition("run", "--role", "collective", "--data", folder) == "already-runs"
        )
        await run.ok(
            *("login", new_account(server), *at(server), "--data", home),
            CONSOMETERS_PASSWORD=PASSWORD,
        )
        guessed = f"xmpp:{jid}?consometers-join;token=guessed"
        assert await run.condition("join", guessed, "--data", home) == "not-authorized"
        assert await run.json("members", "list", "--data", folder) == []
        (invitation,) = await run.json("invitations", "make", "--data", folder)
        joined = await run.ok("join", invitation["link"], "--data", home, language="fr")
        assert "Dimensionner le toit." in joined.out
        assert jid in joined.out
        (guest,) = await run.json("members", "list", "--data", folder)
        assert guest["state"] == "guest"
        newer = folder / "newer.toml"
        newer.write_text(need_toml(version=2, purpose="Dimensionner deux toits."))
        await run.ok("needs", "offer", newer, "--data", folder)
        asked = await run("join", invitation["link"], "--data", home, language="fr")
        assert "Dimensionner deux toits." in asked.out
        listed = await run.json("invitations", "list", "--data", folder)
        assert [invitation["uses"] for invitation in listed] == [1]


async def test_a_collective_joins_by_the_account_of_its_settings(
    run: Run,
    coop_running: AbstractAsyncContextManager[Any],
    folder: Path,
    server: Prosody,
    new_account: NewAccount,
) -> None:
    below = await set_up(run, folder.parent / "below", "Kermelo", server, new_account(server))
    async with coop_running as status:
        jid = status["account"].partition("/")[0]
        options = ("--kind", "collective", "--data", folder, "--json")
        (invitation,) = json.loads((await run("invitations", "make", *options)).out)
        joined = await run.ok("join", invitation["link"], "--data", below, "--json")
        assert joined.document["peer"] == jid
        (guest,) = await run.json("members", "list", "--data", folder)
        assert guest["kind"] == "collective"


async def test_a_node_does_not_start_with_a_changed_need(run: Run, folder: Path) -> None:
    file = folder / "roof.toml"
    options = ("--role", "collective", "--data", folder, "--json")
    await run.ok("needs", "offer", file, "--data", folder)
    file.write_text(need_toml(purpose="Vendre vos données."))
    result = await run("run", *options)
    assert result.condition == "data-need"
    assert f"{file}: The data request changed without a new version" in result.out
    file.write_text("id = 3")
    assert (await run("run", *options)).condition == "data-need"


async def test_a_node_without_a_password_says_what_to_do(run: Run, folder: Path) -> None:
    settings = (folder / "collective.toml").read_text()
    lines = [line for line in settings.splitlines() if not line.startswith("password_file")]
    (folder / "collective.toml").write_text("\n".join(lines))
    assert await run.condition("run", "--role", "collective", "--data", folder) == "no-account"
    assert await run.condition("run", "--role", "collective", "--page", "127.0.0.1:8099") == "usage"


async def test_pages_and_metrics_are_served(
    run: Run, coop_running: AbstractAsyncContextManager[Any], folder: Path
) -> None:
    metrics, pages = free_port(), free_port()
    settings = (folder / "collective.toml").read_text()
    settings = settings.replace("[page]", f"[page]\nport = {pages}")
    settings = settings.replace("[metrics]", f"[metrics]\nport = {metrics}")
    (folder / "collective.toml").write_text(settings)
    async with coop_running, ClientSession() as session:
        for path, status in (("/", 200), ("/nowhere", 404), ("/administration/login", 200)):
            async with session.get(f"http://127.0.0.1:{pages}{path}") as response:
                assert response.status == status
        text = ""
        async with asyncio.timeout(DEADLINE_S):
            while 'consometers_pages_total{outcome="answered"} 2.0' not in text:
                await asyncio.sleep(0.1)
                async with session.get(f"http://127.0.0.1:{metrics}/metrics") as response:
                    text = await response.text()
        assert 'consometers_pages_total{outcome="refused"} 1.0' in text
        assert 'consometers_problem{kind="network"} 0.0' in text
        assert 'consometers_members{kind="home"} 0.0' in text


async def test_a_busy_metrics_port_does_not_stop_the_node(
    run: Run, coop_running: AbstractAsyncContextManager[Any], folder: Path
) -> None:
    settings = (folder / "collective.toml").read_text()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = f"[metrics]\nport = {taken.getsockname()[1]}"
        (folder / "collective.toml").write_text(settings.replace("[metrics]", port))
        async with coop_running:
            status = await run.json("status", "--data", folder)
            assert status["online"]


@pytest.mark.cold
async def test_a_collective_that_starts_before_its_database_waits_for_it(
    start: Start, folder: Path
) -> None:
    with TemporaryDirectory(prefix="pg") as place:
        server = postgresql.Server(Path(place))
        variables = {
            "CONSOMETERS_DATABASE": server.url("postgres"),
            "CONSOMETERS_PAGE_PORT": str(free_port()),
        }
        process = await start("run", "--role", "collective", "--data", folder, **variables)
        assert process.stderr is not None
        async with asyncio.timeout(DEADLINE_S):
            lines = [await process.stderr.readline()]
            assert b"The database cannot be used (nothing answers there)" in lines[0]
            server.start()
            while b"The pages listen" not in lines[-1]:
                lines.append(await process.stderr.readline())
                assert lines[-1], lines
        process.send_signal(signal.SIGTERM)
        result = await ended(process)
        server.stop()
    assert result.status == 0, result.err
    log = b"".join(lines).decode() + result.err
    # It says that once, and nothing of how the tables are made.
    assert log.count("cannot be used") == 1
    assert "alembic" not in log
