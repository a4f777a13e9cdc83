"""A cooperative on Prosody and a region on two clustered ejabberd; each is killed.

The region's node is a program that finds both machines by one name. The cooperative and its homes
run in this process.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
import json
from pathlib import Path
import ssl
import sys
from typing import Any, Final

from aiohttp import ClientSession
import pytest
import pytest_asyncio
from slixmpp import JID
from slixmpp.stanza import Message

from consometers_node.collective.settings import Settings
from consometers_node.permission import Choice
from consometers_node.series import Device, Direction, Interval, Quantity, Range
from consometers_node.sharing.names import load_naming
from consometers_node.sharing.permissions import consent
from consometers_node.store import Store
from consometers_node.store.collective.published_series import own_series, published_records
from consometers_quoalise.records.identifier import organisation
from consometers_quoalise_network import Account, Join, Register, Security, Server, links
from consometers_quoalise_network.errors import AccountTaken, InvitationRefused, WrongPassword
from consometers_quoalise_xmpp import Connection, features, register
from demo.hass import free_port
from demo.servers.prosody import Authority, Prosody
from testing.collectives.running import Coop
from testing.commands.collective import need_toml
from testing.homes.data_needs import YES, now
from testing.networks import PASSWORD, QUICK
from testing.programs.holding import Member, Values, held, run_collective, settle, summed
from testing.programs.node import NodeProgram
from testing.run import DEADLINE_S
from testing.waiting import becomes, eventually
from testing.xmpp.ejabberd import SETTINGS, Cluster, Machine

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(600),
]

HOUR: Final = timedelta(hours=1)
HOMES: Final = 3
"""The least homes of a published sum: each sum needs every one of them."""
COOP: Final = "kersabiec"
REGION: Final = "bretagne"
NODE: Final = f"collective@{REGION}.test"
THIS_HOUR: Final = now().replace(minute=0, second=0)
LIVE: Final = THIS_HOUR - timedelta(hours=20)
"""Until then homes have a past when they join."""
SINCE: Final = (LIVE - timedelta(hours=6)).replace(hour=0)
"""Intervals close one after the other, from midnight on."""
FLOW: Final = 8
"""The number of hours that homes send around each kill."""
ALL: Final = Range(SINCE, THIS_HOUR)
WITHIN_S: Final = 180
TICK_S: Final = 0.5
ZONE: Final = "Europe/Paris"
_SETTINGS: Final = """\
name = "Bretagne"
identifier = "{region}"
needs = ["need.toml"]
[xmpp]
account = "{account}"
host = "{host}"
port = {port}
security = "starttls"
ca_file = "{ca_file}"
password_file = "password"
account_command = {invite}
account_removal_command = {remove}
[page]
port = {page}
[publication]
minimum = {minimum}
wait_minutes = 1440
longest_wait_minutes = 2880
"""
"""Nobody is left out, however long it takes."""


@dataclass
class World:
    """Who is there."""

    cluster: Cluster
    coop: Coop
    region: NodeProgram
    region_store: Store
    homes: list[Member] = field(default_factory=list)
    reached: int = 0

    async def held(self) -> dict[Any, tuple[int, int]]:
        """Return what the region has, hour by hour, and from how many homes."""
        return await held(self.region_store, Direction.CONSUMPTION, ALL)

    async def hours(self) -> int:
        """Return how many hours homes have delivered since they joined."""
        return self.reached

    async def published(self) -> Values:
        """Return what the region publishes of all homes."""
        device = Device(str(organisation(REGION)))
        series = own_series(device, Direction.CONSUMPTION, Interval.PT1H, ZONE)
        async with self.region_store.reading() as connection:
            records, _ = await published_records(connection, REGION, series, ALL)
        return {record.start: record.value for record in records}

    async def flow(self) -> None:
        """Have homes deliver one hour after the other."""
        for _ in range(FLOW):
            start = LIVE + self.reached * HOUR
            for n, home in enumerate(self.homes):
                await home.write({start: 1_000 + 10 * n + self.reached})
            self.reached += 1
            await asyncio.sleep(TICK_S)

    async def agrees(self) -> None:
        """Wait until the region has, and publishes, what the homes' own records add up to."""
        wanted = summed(self.homes)
        sums = {at: (value, HOMES) for at, value in wanted.items()}
        await becomes(self.held, sums, within_s=WITHIN_S)
        await becomes(self.published, wanted, within_s=WITHIN_S)

    def server(self, machine: Machine) -> Server:
        """Return where the server of a machine is for a home."""
        return Server(
            host=machine.address,
            port=self.cluster.client_port,
            security=Security.STARTTLS,
            ca_file=self.cluster.ca_file,
        )

    async def invite(self) -> Register:
        """Have the region invite to an account of its own server."""
        (made,) = json.loads(await self.region.do("invitations", "make", "--account", "--json"))
        link = links.read(made["account_link"])
        assert isinstance(link, Register)
        return link


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("ejabberd")
    authority = Authority(folder)
    async with AsyncExitStack() as stack:
        prosody = Prosody("two.test", authority, folder / "prosody")
        cluster = Cluster(f"{REGION}.test", authority, prosody, folder / "cluster")
        prosody.knows_at(cluster.host, *cluster.places)
        stack.enter_context(prosody)
        await asyncio.to_thread(stack.enter_context, cluster)
        coop = await run_collective(stack, folder, prosody, waiting)
        region = await _region(stack, folder / "region", cluster)
        store = await Store.open(region.data / "node.db")
        stack.push_async_callback(store.close)
        world = World(cluster, coop, region, store)
        for n in range(HOMES):
            world.homes.append(await _home(stack, folder, prosody, coop, n))
        yield world


def waiting(settings: Settings) -> Settings:
    """Leave no home out, however late it is."""
    publication = replace(
        settings.publication, wait=timedelta(hours=24), longest_wait=timedelta(hours=48)
    )
    return replace(settings, publication=publication)


async def _region(stack: AsyncExitStack, folder: Path, cluster: Cluster) -> NodeProgram:
    """Run the region's node as docs/operators.md says."""
    # The API's certificate is of an authority that the system does not trust.
    variables = {**cluster.names, "SSL_CERT_FILE": str(cluster.ca_file)}
    region = NodeProgram(folder, role="collective", variables=variables)
    region.data.mkdir(mode=0o700)
    password = region.data / "password"
    password.write_text(PASSWORD)
    cluster.machines[0].control("register", NODE.partition("@")[0], cluster.host, PASSWORD)
    account = [sys.executable, str(SETTINGS / "account"), cluster.api, NODE, str(password)]
    written = _SETTINGS.format(
        region=REGION,
        account=NODE,
        host=cluster.host,
        port=cluster.client_port,
        ca_file=cluster.ca_file,
        invite=json.dumps([*account, "invite"]),
        remove=json.dumps([*account, "remove"]),
        page=free_port(),
        minimum=HOMES,
    )
    (region.data / "collective.toml").write_text(written)
    need = need_toml("region", interval="PT1H", history="P30D", directions=[Direction.CONSUMPTION])
    (region.data / "need.toml").write_text(need)
    await region.start()
    stack.push_async_callback(region.stop)

    async def online() -> object:
        return (await region.status()).get("online")

    await eventually(online, bool, within_s=WITHIN_S)
    return region


async def _home(stack: AsyncExitStack, folder: Path, server: Prosody, coop: Coop, n: int) -> Member:
    name = f"home{n}"
    return await settle(
        stack,
        folder / f"{name}.db",
        server,
        Account(server.register(name, PASSWORD), PASSWORD),
        Join(coop.jid, await coop.invite()),
        covered=Range(SINCE, THIS_HOUR + timedelta(days=2)),
        past={SINCE + hour * HOUR: 500 + 10 * n + hour for hour in range((LIVE - SINCE) // HOUR)},
    )


async def _join(world: World) -> None:
    """Grant the cooperative's sums to the region."""
    made = await world.region.do("invitations", "make", "--kind", "collective", "--json")
    link = links.read(json.loads(made)[0]["link"])
    assert isinstance(link, Join)
    coop = world.coop
    (permission_id,) = await consent.propose_needs(coop.store, coop.network.sharing.asking, link)
    naming = await load_naming(coop.store)
    async with coop.store.writing() as connection:
        question = await consent.data_request(connection, permission_id)
        matching = await consent.matching_series(connection, naming, question.need)
        device = str(organisation(COOP))
        own = [
            series
            for series in matching
            if series.quantity is Quantity.POWER and series.device == device
        ]
        await consent.grant(connection, naming, question, Choice(series=frozenset(own)), YES)
    coop.node.look_again()


async def test_sums_of_a_cooperative_on_prosody_reach_a_region_on_ejabberd(world: World) -> None:
    wanted: Mapping[Any, tuple[int, int]] = {
        at: (value, HOMES) for at, value in summed(world.homes).items()
    }
    await becomes(
        partial(held, world.coop.store, Direction.CONSUMPTION, ALL), wanted, within_s=WITHIN_S
    )
    await world.coop.open()
    await _join(world)
    await becomes(world.held, wanted, within_s=WITHIN_S)
    await world.region.do("publication", "open", "--yes")
    await world.agrees()


async def test_an_invited_account_exists_on_all_machines(world: World) -> None:
    first, second = world.cluster.machines
    invitation = await world.invite()
    account = await register(invitation, server=world.server(first))
    async with Connection(account, server=world.server(second), backoff=QUICK) as connection:
        await connection.online(DEADLINE_S)
        assert connection.stream.managed
    with pytest.raises(InvitationRefused):
        await register(invitation, server=world.server(second))
    with pytest.raises(InvitationRefused):
        await register(replace(invitation, token="guessed"), server=world.server(second))


async def test_each_machine_has_a_websocket_and_says_where(world: World) -> None:
    trusts = ssl.create_default_context(cafile=world.cluster.ca_file)
    for machine in world.cluster.machines:
        async with ClientSession() as visitor:
            site = world.cluster.site.replace(world.cluster.host, machine.address)
            asked: Any = {"ssl": trusts, "server_hostname": world.cluster.host}
            headers = {"Host": world.cluster.host}
            path = f"{site}/.well-known/host-meta.json"
            async with visitor.get(path, headers=headers, **asked) as answer:
                assert answer.headers["Access-Control-Allow-Origin"] == "*"
                (link,) = (await answer.json(content_type=None))["links"]
            assert link == {
                "rel": "urn:xmpp:alt-connections:websocket",
                "href": f"wss://{world.cluster.host}/xmpp-websocket",
            }
            async with visitor.ws_connect(
                f"{site}/xmpp-websocket", protocols=("xmpp",), headers=headers, **asked
            ) as stream:
                await stream.send_str(
                    '<open xmlns="urn:ietf:params:xml:ns:xmpp-framing"'
                    f' to="{world.cluster.host}" version="1.0"/>'
                )
                opened = await stream.receive_str(timeout=DEADLINE_S)
                assert f'from="{world.cluster.host}"' in opened.replace("'", '"')
                assert "SCRAM-SHA-256" in await stream.receive_str(timeout=DEADLINE_S)


@pytest.mark.parametrize("killed", [0, pytest.param(1, marks=pytest.mark.full)])
async def test_a_killed_machine_loses_and_doubles_nothing(world: World, killed: int) -> None:
    machine = world.cluster.machines[killed]
    other = world.cluster.machines[1 - killed]

    flowing = asyncio.create_task(world.flow())
    some = world.reached + FLOW // 2
    await eventually(world.hours, lambda hours: hours >= some, within_s=WITHIN_S)
    machine.kill()
    await flowing
    await world.agrees()
    account = await register(await world.invite(), server=world.server(other))
    await asyncio.to_thread(world.cluster.restart, machine)
    async with Connection(account, server=world.server(machine), backoff=QUICK) as connection:
        await connection.online(DEADLINE_S)


async def test_an_account_is_removed_from_all_machines_and_its_name_stays_taken(
    world: World,
) -> None:
    account = await register(await world.invite(), server=world.server(world.cluster.machines[0]))
    user = account.jid.partition("@")[0]
    for _ in range(2):
        await world.region.do("members", "remove-account", account.jid, "--yes")
    another = await world.invite()
    for machine in world.cluster.machines:
        server = world.server(machine)
        async with Connection(account, server=server, backoff=QUICK) as connection:
            with pytest.raises(WrongPassword):
                await connection.online(DEADLINE_S, patient=False)
        with pytest.raises(AccountTaken):
            await register(another, user=user, server=server)
    # Nobody used it up.
    await register(another, server=server)


async def test_the_node_removes_neither_its_own_account_nor_a_foreign_one(
    world: World,
) -> None:
    with pytest.raises(AssertionError, match="not the account of a member"):
        await world.region.do("members", "remove-account", NODE, "--yes")
    with pytest.raises(AssertionError, match="own server"):
        await world.region.do("members", "remove-account", "home0@two.test", "--yes")
    assert (await world.region.status())["online"]


async def test_the_servers_refuse_larger_stanzas_and_store_none(world: World) -> None:
    machine, _ = world.cluster.machines
    server = world.server(machine)
    away = await register(await world.invite(), server=server)
    account = await register(await world.invite(), server=server)
    async with Connection(account, server=server, backoff=QUICK) as connection:
        await connection.online(DEADLINE_S)
        bounced: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def note(message: Message) -> None:
            bounced.set_result(message["error"]["condition"])

        connection.on_message("{jabber:client}error", note)
        stream = connection.stream
        stream.send_message(JID(away.jid), "x" * 120_000)
        assert await asyncio.wait_for(bounced, DEADLINE_S) == "service-unavailable"
        stream.send_message(JID(account.jid), "x" * 150_000)
        await asyncio.wait_for(asyncio.shield(stream.lost), DEADLINE_S)


async def test_nested_elements_end_no_server(world: World) -> None:
    """With Erlang's own stack, 8,500 levels do."""
    machine, _ = world.cluster.machines
    server = world.server(machine)
    account = await register(await world.invite(), server=server)
    levels = (Cluster.stanza_size() - 1_000) // len("<a></a>")
    async with Connection(account, server=server, backoff=QUICK) as connection:
        await connection.online(DEADLINE_S)
        nested = "<a>" * levels + "</a>" * levels
        connection.stream.send_raw(f"<message to='{account.jid}'>{nested}</message>")
        assert await features(connection, world.cluster.host)
    assert machine.name in machine.control("list_cluster")
