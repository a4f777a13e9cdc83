"""Fifty homes, two cooperatives and a municipality: everything is killed, and every sum is right.

All homes send one cooperative their consumption, and the other their injection. The one stores it
in SQLite, on a disk that gets full, the other in PostgreSQL; both deliver to the municipality. The
tests follow one another.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from functools import partial
import json
from pathlib import Path
import re
import tempfile
from typing import Final

import pytest
import pytest_asyncio
from sqlalchemy.exc import DBAPIError

from consometers_node.cli.core import control_socket
from consometers_node.permission import Choice
from consometers_node.series import Device, Direction, Interval
from consometers_node.sharing.names import load_naming
from consometers_node.sharing.permissions import consent
from consometers_node.store import PermissionId, Store
from consometers_node.store.collective.published_series import own_series
from consometers_node.store.series import add_series
from consometers_node.wire import read_need_file
from consometers_quoalise import QuoaliseError
from consometers_quoalise.records.identifier import organisation
from consometers_quoalise_network import Account, Asking, NetworkError
from consometers_quoalise_network.backoff import Backoff
from consometers_quoalise_xmpp import Connection
from demo.hass import free_port
from demo.servers.prosody import LOOPBACK, Authority, Prosody
from testing import waiting
from testing.commands.collective import need_toml
from testing.databases import postgresql
from testing.disks import fill, small_disk
from testing.homes.data_needs import YES
from testing.networks import reach
from testing.programs import homes
from testing.programs.homes import SERIES, Meter, Plan
from testing.programs.node import NodeProgram, Program
from testing.programs.region import (
    FIELDS,
    GIVES,
    HOMES,
    NOW,
    PASSWORD,
    PROCESSES,
    ROOFS,
    START,
    STEP,
    TOWN,
    WITHIN_S,
    ZONE,
    Region,
    RegionCollective,
)
from testing.waiting import becomes, eventually

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(2 * WITHIN_S),
    pytest.mark.usefixtures("warm"),
]

DISK_MB: Final = 48
OBSERVER: Final = "observer"

_FAULT: Final = re.compile(r"Traceback|^.* ERROR ", re.MULTILINE)
_SHOWN: Final = 20_000
_SETTINGS: Final = """\
name = "{name}"
identifier = "{name}"
needs = ["need.toml"]
{database}
[xmpp]
account = "{jid}"
host = "{host}"
port = {port}
security = "starttls"
ca_file = "{ca_file}"
[page]
port = {page}
[publication]
interval = "PT30M"
minimum = {minimum}
wait_minutes = 1440
longest_wait_minutes = 2880
"""
"""Nobody is left out, however long it takes."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world() -> AsyncIterator[Region]:
    async with AsyncExitStack() as stack:
        # A socket's path is short.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="levels")))
        authority = Authority(folder)
        servers = {
            f"server of the {whose}": Prosody(f"{name}.test", authority)
            for whose, name in (("homes", "one"), ("cooperatives", "two"), ("town", "three"))
        }
        home_server, coop_server, town_server = servers.values()
        for first, second in ((home_server, coop_server), (coop_server, town_server)):
            first.knows(second)
            second.knows(first)
        for server in servers.values():
            stack.enter_context(server)
        database = stack.enter_context(postgresql.running())
        disk = stack.enter_context(small_disk(folder / ROOFS / "data", DISK_MB))
        urls = {FIELDS: database.url(database.create())}
        collectives = {
            collective.name: collective
            for collective in await asyncio.gather(
                *(
                    _set_up(folder / name, name, server, urls.get(name))
                    for name, server in (
                        (ROOFS, coop_server),
                        (FIELDS, coop_server),
                        (TOWN, town_server),
                    )
                )
            )
        }
        jids = await asyncio.to_thread(
            home_server.register_all, [f"h{n}" for n in range(HOMES)], PASSWORD
        )
        observer = Account(town_server.register(OBSERVER, PASSWORD), PASSWORD)
        connection = Connection(observer, server=reach(town_server), backoff=Backoff(0.2, 2))
        asking = Asking(connection)
        await stack.enter_async_context(connection)
        for each in collectives.values():
            each.store = await Store.open(each.place)
            stack.push_async_callback(each.store.close)
            stack.push_async_callback(each.node.stop)
            await each.node.start()
        for each in collectives.values():
            await eventually(partial(control_socket.wake, each.node.data), bool)
            await _let_observe(each, observer.jid)
        town = collectives[TOWN]
        joining = [asyncio.create_task(_join(collectives[name], town)) for name in GIVES]
        links = await asyncio.gather(*(_invite(collectives[name], "home") for name in GIVES))
        await asyncio.gather(*joining)
        await eventually(town.permissions, lambda count: count == len(GIVES))
        (folder / "meter").touch()
        houses: list[Program] = []
        folders: dict[str, Path] = {}
        for n in range(PROCESSES):
            homes_folder = folder / f"homes{n}"
            homes_folder.mkdir()
            plan = Plan(
                folder=str(homes_folder),
                port=home_server.port,
                ca_file=str(home_server.ca_file),
                meter=str(folder / "meter"),
                since=START.timestamp(),
                homes=jids[n::PROCESSES],
                invitations=links,
            )
            file = homes_folder.with_suffix(".json")
            plan.write(file)
            folders |= dict.fromkeys(plan.homes, homes_folder)
            log, variables = file.with_suffix(".log"), {homes.PASSWORD: PASSWORD}
            houses.append(Program("testing.programs.homes", str(file), log=log, **variables))
            stack.push_async_callback(houses[-1].kill)
        meter = Meter(folder / "meter")
        world = Region(servers, database, collectives, houses, folders, meter, disk, asking)
        for n in range((world.reached - START) // STEP):
            world.count(START + n * STEP, jids)
        for some in houses:
            await some.start()
        supervising = asyncio.create_task(world.supervise())
        try:
            yield world
        finally:
            supervising.cancel()


async def _set_up(folder: Path, name: str, server: Prosody, url: str | None) -> RegionCollective:
    """Set a collective up, with an account of its own."""
    node = NodeProgram(folder, role="collective")
    node.data.mkdir(mode=0o700, exist_ok=True)
    jid = await asyncio.to_thread(server.register, name, PASSWORD)
    settings = _SETTINGS.format(
        name=name,
        database="" if url is None else f"database = {json.dumps(url)}",
        jid=jid,
        host=LOOPBACK,
        port=server.port,
        ca_file=server.ca_file,
        page=free_port(),
        minimum=HOMES,
    )
    (node.data / "collective.toml").write_text(settings)
    (node.data / "need.toml").write_text(_need(name, name))
    await node.log_in(server, jid, PASSWORD)
    return RegionCollective(name, jid, server, node, url or node.data / "node.db")


def _directions(name: str) -> list[Direction]:
    return [GIVES[name]] if name in GIVES else list(GIVES.values())


def _need(need: str, name: str) -> str:
    """Write down what a collective asks for, or what somebody asks of it."""
    return need_toml(need, interval="PT30M", history="P30D", directions=_directions(name))


async def _invite(collective: RegionCollective, kind: str) -> str:
    printed = await collective.node.do(
        "invitations", "make", "--unlimited", "--kind", kind, "--json"
    )
    (made,) = json.loads(printed)
    assert isinstance(made["link"], str)
    return made["link"]


async def _join(cooperative: RegionCollective, town: RegionCollective) -> None:
    """Grant sums of one direction from a cooperative to the municipality."""
    link = await _invite(town, "collective")
    answer = json.loads(await cooperative.node.do("join", link, "--json"))
    (asked,) = answer["asked"]
    await _grant(cooperative, PermissionId(asked["permission"]), GIVES[cooperative.name])


async def _let_observe(collective: RegionCollective, observer: str) -> None:
    """Grant a reader all that a collective publishes; nothing is pushed to it."""
    need = read_need_file(_need("all", collective.name).encode())
    permission_id = await consent.propose_need(collective.opened, observer, need, "operator")
    await _grant(collective, permission_id, *_directions(collective.name))


async def _grant(
    collective: RegionCollective, permission_id: PermissionId, *directions: Direction
) -> None:
    """Grant sums before any exist."""
    device = Device(str(organisation(collective.name)))
    naming = await load_naming(collective.opened)
    async with collective.opened.writing() as connection:
        own = [own_series(device, way, Interval.PT30M, ZONE) for way in directions]
        for series in own:
            await add_series(connection, series)
        question = await consent.data_request(connection, permission_id)
        await consent.grant(connection, naming, question, Choice(series=frozenset(own)), YES)
    await eventually(partial(control_socket.wake, collective.node.data), bool)


async def while_it_flows(world: Region, work: Callable[[], Awaitable[None]], hours: int) -> None:
    """Do something while homes count so many hours."""
    world.until = world.reached + timedelta(hours=hours)
    assert world.until < NOW - timedelta(hours=2)
    await waiting.while_it_flows(world.flow(), work)


async def settle(world: Region) -> None:
    """Wait until no home is late any more."""

    async def late() -> int:
        with suppress(DBAPIError):
            await world.catch_up()
        return len(world.late)

    await eventually(late, lambda number: number == 0, within_s=WITHIN_S)


KINDS: Final = (
    "server of the homes",
    "server of the cooperatives",
    "server of the town",
    ROOFS,
    FIELDS,
    TOWN,
    "PostgreSQL",
    "homes",
)


async def test_all_homes_join_and_their_past_is_published(world: Region) -> None:
    for cooperative, _ in world.cooperatives:
        await eventually(cooperative.permissions, lambda count: count == HOMES, within_s=WITHIN_S)
    for cooperative, way in world.cooperatives:
        await eventually(
            partial(cooperative.held, way), world.expected(way).__eq__, within_s=WITHIN_S
        )
        await cooperative.node.do("publication", "open", "--yes")
    for _, way in world.cooperatives:
        await eventually(
            partial(world.town.held, way), world.expected(way).__eq__, within_s=WITHIN_S
        )
    await world.town.node.do("publication", "open", "--yes")
    await world.all_agree()


async def test_kills_in_turn_lose_no_record(world: Region) -> None:
    async def strike() -> None:
        for kind in world.chance.sample(KINDS, len(KINDS)):
            await asyncio.sleep(world.chance.uniform(0, 1))
            await world.hit(kind, world.chance.uniform(0, 1))
            await world.recovers()

    await while_it_flows(world, strike, hours=8)
    await settle(world)
    await world.all_agree()


async def test_simultaneous_kills_lose_no_record(world: Region) -> None:
    async def strike() -> None:
        for several in (KINDS[:4], KINDS[4:]):
            async with asyncio.TaskGroup() as group:
                for kind in several:
                    group.create_task(world.hit(kind, world.chance.uniform(0, 2)))
            await world.recovers()

    await while_it_flows(world, strike, hours=4)
    await settle(world)
    await world.all_agree()


async def test_corrections_after_publication_change_no_published_sum(
    world: Region,
) -> None:
    for at in world.chance.sample(sorted(world.to_publish(Direction.CONSUMPTION)), 4):
        world.stays |= {(way, at): world.to_publish(way)[at] for way in SERIES}
        world.count(at, world.chance.sample(sorted(world.folders), 3))
    await world.all_agree()


async def test_a_full_disk_loses_nothing_and_publishes_nothing_wrong(world: Region) -> None:
    if world.disk is None:
        pytest.skip("only root can mount a disk that gets full")
    roofs = world.collectives[ROOFS]
    way = GIVES[ROOFS]
    before = await roofs.published(way)
    # What the journal has of room would do for a while.
    await roofs.opened.checkpoint()
    fill(world.disk)

    async def look() -> None:
        await eventually(_reports_disk(roofs), bool)
        with pytest.raises(AssertionError, match="disk is full"):
            await roofs.node.do("invitations", "make")
        with suppress(QuoaliseError, NetworkError):
            values, _ = await world.read(roofs, way)
            assert values == before
        assert await roofs.published(way) == before

    await while_it_flows(world, look, hours=4)
    (world.disk / "filler").unlink()
    await world.recovers()
    await settle(world)
    await world.all_agree()


def _reports_disk(collective: RegionCollective) -> Callable[[], Awaitable[bool]]:
    """Return a check that a node reports its full disk to its operator."""

    async def reported() -> bool:
        status = await control_socket.ask(collective.node.data, "status")
        problem = str((status or {}).get("database"))
        return "disk is full" in problem and "disk is full" in collective.node.log

    return reported


async def test_the_network_delivers_the_records_of_homes(world: Region) -> None:
    assert await world.of_homes() == world.truth
    for cooperative, way in world.cooperatives:
        assert await world.read(cooperative, way) == (world.to_publish(way), {HOMES})
    for way in GIVES.values():
        wanted = world.to_publish(way)
        await becomes(partial(world.town.published, way), wanted, within_s=WITHIN_S)
        assert await world.read(world.town, way) == (wanted, {HOMES})


async def test_nodes_log_no_error(world: Region) -> None:
    logs = [collective.node.log for collective in world.collectives.values()]
    logs += [some.log.read_text() for some in world.houses]
    # Of thousands of lines only those are shown.
    faults = [log[at.start() :][:_SHOWN] for log in logs if (at := _FAULT.search(log))]
    assert faults == []
