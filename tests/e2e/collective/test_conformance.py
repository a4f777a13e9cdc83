"""The conformance kit tries a home, a collective and a client of ours over real servers.

The kit is a program of its own, as a stranger runs it.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import json
import os
from pathlib import Path
import signal
import sys
from typing import Any, Final

from playwright.async_api import Browser
import pytest
import pytest_asyncio

from consometers_node.collective.permissions import needs
from consometers_node.collective.settings import Xmpp
from consometers_node.i18n.protocol import OurWords
from consometers_node.permission import Choice
from consometers_node.series import Device, Direction, Interval
from consometers_node.sharing.names import load_naming
from consometers_node.sharing.permissions import consent
from consometers_node.store import Store
from consometers_node.store.collective.published_series import own_series
from consometers_node.store.series import add_series
from consometers_node.wire import read_need_file
from consometers_quoalise.records.identifier import organisation
from consometers_quoalise_network import Answering
from consometers_quoalise_network.address import account_of
from consometers_quoalise_xmpp import Component, Proof
from demo.browser import CHROMIUM
from demo.hass import Hass
from demo.hass.folder import PATHS
from demo.school.reader import serve
from demo.servers.prosody import LOOPBACK, Authority, Prosody
from testing.checkout import ROOT
from testing.collectives.running import Coop
from testing.commands.collective import need_toml
from testing.homes.data_needs import NEED, YES
from testing.networks import PASSWORD, reach, transport
from testing.pages.town import ZONE, ReleasedTown, day_of, settings
from testing.programs.looks import LOOKS
from testing.programs.metered_home import import_energy
from testing.programs.node import NodeProgram
from testing.programs.reader import reading
from testing.run import DEADLINE_S
from testing.waiting import eventually
from testing.xmpp.answerers import SERIES, MemoryHome
from testing.xmpp.fixtures import HOMES, SECRET
from testing.xmpp.plain_peer import EMPTY, FIELD, PlainPeer

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("warm"),
]

HOUR: Final = timedelta(hours=1)
NOW: Final = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
DAYS: Final = 5
METER: Final = "sensor.drawn"
YESTERDAY: Final = datetime.now(ZONE).date() - timedelta(days=1)
IDENTIFIER: Final = "lorient"
SUMS: Final = f"urn:dev:org:60060-{IDENTIFIER}_consumption/power/active/raw"
NOT_TRIED_OF_ALL: Final = {"Q-60", "Q-63", "Q-71", "Q-72", "Q-74"}
"""No source fails, and nothing is pushed in so short a time."""


@dataclass
class Kit:
    """The kit's command, with an account on a server."""

    server: Prosody
    folder: Path

    def command(self, *arguments: str, account: str) -> list[str]:
        password = self.folder / "password"
        password.write_text(PASSWORD)
        place = ("--host", LOOPBACK, "--port", str(self.server.port))
        trusted = ("--ca-file", str(self.server.ca_file))
        login = ("--account", account, "--password-file", str(password), *place, *trusted)
        return [sys.executable, "-m", "quoalise_conformance", *arguments, *login]

    async def start(self, *arguments: str, account: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *self.command(*arguments, "--format", "json", account=account),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"PYTHONPATH": str(ROOT / "packages/conformance/src"), "LC_ALL": "C.UTF-8"},
        )

    async def serve(self, account: str) -> tuple[asyncio.subprocess.Process, str]:
        """Play the server; return the running kit, and the series that it answers."""
        process = await self.start("client", account=account)
        assert process.stderr is not None
        async with asyncio.timeout(DEADLINE_S):
            line = (await process.stderr.readline()).decode()
        return process, line.partition("subscriptions of ")[2].partition(". ")[0]

    async def results(self, *arguments: str, account: str) -> Mapping[str, Any]:
        return await results_of(await self.start(*arguments, account=account))


async def results_of(process: asyncio.subprocess.Process) -> Mapping[str, Any]:
    """Return the results of a run by number, once it has ended."""
    printed, complained = await process.communicate()
    assert process.returncode in {0, 1}, complained.decode()
    listed = json.loads(printed)["requirements"]
    return {each["number"]: each for each in listed}


def by_outcome(results: Mapping[str, Any], outcome: str) -> dict[str, Any]:
    return {number: each for number, each in results.items() if each["outcome"] == outcome}


def are_fine(results: Mapping[str, Any]) -> None:

    faulted = by_outcome(results, "failed") | by_outcome(results, "deviates")
    assert {number: (each["why"], each["stanza"]) for number, each in faulted.items()} == {}


@pytest.fixture(scope="module")
def kit(servers: tuple[Prosody, Prosody], tmp_path_factory: pytest.TempPathFactory) -> Kit:
    return Kit(servers[1], tmp_path_factory.mktemp("kit"))


@dataclass
class Home:
    """A home's node, and the series that two readers may read there, each its own."""

    jid: str
    reader: str
    series: str
    foreign: str


async def listed(server: Prosody, account: str, peer: str) -> list[str]:
    """Return the series that a peer lists."""
    async with PlainPeer(server, account, PASSWORD) as plain:
        answer = await plain.ask(f"{peer}/quoalise", EMPTY.format(node="list_series"))
    fields = [field for field in answer.iter(FIELD) if field.get("var") == "identifier"]
    return [name for field in fields if (name := field.findtext("*"))]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def home(
    hass: Hass, servers: tuple[Prosody, Prosody], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Home]:
    home_server, peer_server = servers
    node = NodeProgram(tmp_path_factory.mktemp("node"))
    jid = home_server.register("home", PASSWORD)
    reader, other = peer_server.register_all(["reader", "other"], PASSWORD)
    hours = range(-24 * DAYS, 0)
    await import_energy(hass.api, METER, {NOW + n * HOUR: (n + 1000) * 300 for n in hours})
    await node.log_in(home_server, jid, PASSWORD)
    await node.do("home", hass.url, answer=await hass.api.long_lived_token())
    for peer, days in ((reader, 370), (other, 30)):
        permission = await node.be_asked(peer, f"need{days}", "consumption", history_days=days)
        await node.grant(permission, f"{METER}=consumption")
    await node.start()
    try:
        await node.has_read_all()
        (series,) = await listed(peer_server, reader, jid)
        (foreign,) = await listed(peer_server, other, jid)
        yield Home(jid, reader, series, foreign)
    finally:
        await node.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def collective(
    servers: tuple[Prosody, Prosody], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[str, str]]:
    """Run a collective that has published a day; yield its address and that of a reader."""
    folder = tmp_path_factory.mktemp("collective")
    async with AsyncExitStack() as stack:
        store = await Store.open(folder / "node.db")
        stack.push_async_callback(store.close)
        jid = servers[0].register("collective", PASSWORD)
        reader = servers[1].register("municipality", PASSWORD)
        town = ReleasedTown(
            store, settings(folder, xmpp=Xmpp(account=jid), location="Lorient"), datetime.now(ZONE)
        )
        published = day_of(YESTERDAY, consumption=lambda hour: 10_000 + hour)
        await town.release(await town.group(), published)
        naming = await load_naming(store)
        toml = need_toml("all", interval="PT1H", history="P30D", directions=[Direction.CONSUMPTION])
        permission = await consent.propose_need(
            store, reader, read_need_file(toml.encode()), "operator"
        )
        device = Device(str(organisation(IDENTIFIER)))
        async with store.writing() as connection:
            await needs.offer(connection, NEED, datetime.now(UTC))
            own = own_series(device, Direction.CONSUMPTION, Interval.PT1H, str(ZONE))
            await add_series(connection, own)
            question = await consent.data_request(connection, permission)
            choice = Choice(series=frozenset({own}))
            await consent.grant(connection, naming, question, choice, YES)
        coop = Coop(store, servers[0], jid, town.settings)
        await coop.start()
        stack.push_async_callback(coop.stop)

        async def lists() -> list[str]:
            return await listed(servers[1], reader, jid)

        await eventually(lists, bool)
        yield jid, reader


async def test_a_home_passes(kit: Kit, home: Home) -> None:
    series = ("--series", home.series, "--foreign-series", home.foreign)
    results = await kit.results("server", home.jid, *series, account=home.reader)
    are_fine(results)
    assert len(by_outcome(results, "passed")) > 40
    assert NOT_TRIED_OF_ALL.isdisjoint(by_outcome(results, "passed"))


async def test_a_collective_passes(kit: Kit, collective: tuple[str, str]) -> None:
    jid, reader = collective
    results = await kit.results("server", jid, "--series", SUMS, account=reader)
    are_fine(results)
    assert {"F-5", "F-53", "F-55", "F-56"} <= by_outcome(results, "passed").keys()


async def test_a_component_passes_as_an_account_does(
    kit: Kit, servers: tuple[Prosody, Prosody]
) -> None:
    """The same small home, which pushes nothing and lacks what others have, at both addresses."""
    server = servers[0]
    reader = kit.server.register("reader-of-both", PASSWORD)
    series = ("--series", str(SERIES), "--start", "2026-01-10", "--end", "2026-01-12")
    proof = Proof(server.host, reach(server))
    outcomes = []
    account = transport(server, server.register("small", PASSWORD))
    place = HOMES, SECRET, LOOPBACK, server.component_port
    component = Component(*place, proof=proof, speak=OurWords)
    async with component, account:
        for small in (account, component.transport(f"small@{HOMES}")):
            home = MemoryHome(reader)
            small.announce(home.role)
            Answering(small, home)
            async with AsyncExitStack() as stack:
                if small is not account:
                    await stack.enter_async_context(small)
                await small.online(DEADLINE_S)
                jid = account_of(small.jid)
                results = await kit.results("server", jid, *series, account=reader)
            outcomes.append({number: each["outcome"] for number, each in results.items()})
    assert outcomes[1] == outcomes[0]
    assert [*outcomes[1].values()].count("passed") > 40


async def test_our_command_passes(kit: Kit) -> None:
    server = kit.server
    asker = server.register("asker", PASSWORD)
    account = f"{server.register('served', PASSWORD)}/served"
    process, urn = await kit.serve(account)
    start, end = (NOW - n * 24 * HOUR for n in (4, 1))

    async def quoalise(*arguments: str) -> str:
        place = ("--host", LOOPBACK, "--port", str(server.port), "--ca-file", str(server.ca_file))
        command = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "consometers_quoalise_command", *arguments, "--json"),
            *("--account", asker, *place),
            env=os.environ | {"PYTHONPATH": PATHS, "PASSWORD": PASSWORD},
            stdout=asyncio.subprocess.PIPE,
        )
        printed, _ = await command.communicate()
        assert command.returncode == 0
        return printed.decode()

    span = ("--start", start.isoformat(), "--end", end.isoformat())
    printed = await quoalise("history", account, urn, *span)
    assert len(json.loads(printed)["records"]) == 72
    listening = asyncio.create_task(quoalise("listen", "--count", "6"))
    await quoalise("subscribe", account, urn)
    await listening
    process.send_signal(signal.SIGINT)
    are_fine(results := await results_of(process))
    assert {"Q-31", "Q-46", "Q-51", "Q-56"} <= by_outcome(results, "passed").keys()


@pytest.mark.skipif(not CHROMIUM.exists(), reason="script/setup gets Chromium")
async def test_the_reader_passes(kit: Kit, browser: Browser, tmp_path: Path) -> None:
    """It says what to do where it is refused; a person asks for another week."""
    server = Prosody("page.test", Authority(tmp_path))
    url = serve(server, tmp_path / "site", node="served@page.test/served")
    if url is None:
        pytest.skip("The reader is not built: script/setup does it where npm is there.")
    with server:
        account = f"{server.register('served', PASSWORD)}/served"
        asker = server.register("asker", PASSWORD)
        process, urn = await Kit(server, tmp_path).serve(account)
        day = NOW.date() - timedelta(days=14)
        async with reading(browser, url, LOOKS[0]) as reader:
            await reader.log_in(asker, PASSWORD)
            refused: list[str] = []
            while not (records := await reader.records()):
                # Another week: the same at once would be a client that takes no refusal.
                await reader.show(urn, day - timedelta(weeks=len(refused)))
                refused.append(await reader.notice())
        assert all(refused[:-1])
        assert refused[-1] == ""
        assert len(records) in {167, 168, 169}
        process.send_signal(signal.SIGINT)
        results = await results_of(process)
    assert by_outcome(results, "failed") == {}
    assert {"Q-31", "Q-36", "Q-37", "Q-51", "Q-56"} <= by_outcome(results, "passed").keys()
