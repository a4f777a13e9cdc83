"""Homes, cooperatives and a municipality on three servers: what each level sums is what homes have.

All nodes run in this process, each with a database and an account of its own; the servers are real.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from consometers_node.collective.members.members import MemberKind
from consometers_node.permission import Choice, DataNeedSeries
from consometers_node.quoalise import Direction as Said
from consometers_node.quoalise.identifier import organisation, series as name_of
from consometers_node.series import Direction, Quantity, Range
from consometers_node.sharing import consent
from consometers_node.sharing.names import load_naming
from consometers_node.store import Store
from consometers_node.store.published_series import published_records
from consometers_node.store.series import all_series
from consometers_node.xmpp import Account, Join, links
from demo.prosody import Authority, Prosody
from tests.e2e.holding import Member, Values, held, settle, summed
from tests.e2e.waiting import becomes, eventually
from tests.node.collective.coops import Coop, settings
from tests.node.permission.samples import NEED, YES, now
from tests.node.web.admin.office import NAME, Clock, serving
from tests.node.xmpp.conftest import PASSWORD

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

HOUR: Final = timedelta(hours=1)
HOMES: Final = 3
"""Of each cooperative: so many are the least of which sums are published."""
COOPS: Final = ("kersabiec", "elorn")
TOWN: Final = "lorient"
THIS_HOUR: Final = now().replace(minute=0, second=0)
SINCE: Final = THIS_HOUR.replace(hour=0) - timedelta(days=3)
KNOWN_UNTIL: Final = THIS_HOUR - 4 * HOUR
TOWN_NEED: Final = replace(
    NEED,
    id="town",
    series=frozenset(
        {
            DataNeedSeries(Direction.CONSUMPTION, Quantity.POWER),
            DataNeedSeries(Direction.INJECTION, Quantity.POWER),
        }
    ),
)


@dataclass
class World:
    """Who is there."""

    home_server: Prosody
    coop_server: Prosody
    town_server: Prosody
    stack: AsyncExitStack
    folder: Path
    coops: dict[str, Coop] = field(default_factory=dict)
    homes: dict[str, list[Member]] = field(default_factory=dict)

    @property
    def everybody(self) -> list[Member]:
        return [home for homes in self.homes.values() for home in homes]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("collective")
    authority = Authority(folder)
    async with AsyncExitStack() as stack:
        servers = [
            stack.enter_context(Prosody(f"{name}.test", authority))
            for name in ("one", "two", "three")
        ]
        home_server, coop_server, town_server = servers
        for first, second in ((home_server, coop_server), (coop_server, town_server)):
            first.knows(second)
            second.knows(first)
        for server in servers:
            server.stop()
            server.start()
        world = World(home_server, coop_server, town_server, stack, folder)
        for name, server in (*((name, coop_server) for name in COOPS), (TOWN, town_server)):
            world.coops[name] = await set_up(world, name, server)
        for name in COOPS:
            world.homes[name] = [await join(world, name, n) for n in range(HOMES)]
        yield world


async def set_up(world: World, name: str, server: Prosody) -> Coop:
    """Run a collective."""
    store = await Store.open(world.folder / f"{name}.db")
    world.stack.push_async_callback(store.close)
    jid = server.register(name, PASSWORD)
    defaults = settings(world.folder, jid, name)
    # Nobody is left out, however long it takes.
    publication = replace(
        defaults.publication, wait=timedelta(hours=24), longest_wait=timedelta(hours=48)
    )
    coop = Coop(store, server, jid, replace(defaults, publication=publication))
    await coop.start()
    world.stack.push_async_callback(coop.stop)
    return coop


async def join(world: World, coop: str, n: int) -> Member:
    """Run a home that has some past, and joins."""
    name = f"{coop}{n}"
    collective = world.coops[coop]
    hours = round((KNOWN_UNTIL - SINCE) / HOUR)
    shift = 100 * (COOPS.index(coop) * HOMES + n + 1)
    return await settle(
        world.stack,
        world.folder / f"{name}.db",
        world.home_server,
        Account(world.home_server.register(name, PASSWORD), PASSWORD),
        Join(collective.jid, await collective.invite()),
        covered=Range(SINCE, THIS_HOUR + timedelta(days=2)),
        past={SINCE + n * HOUR: shift + n for n in range(hours)},
    )


async def published(coop: Coop) -> Values:
    """What a collective's own series says of all its members, hour by hour."""
    return await _own(coop, of_members=False)


async def members(coop: Coop) -> Values:
    """How many members each of its values sums."""
    return await _own(coop, of_members=True)


async def _own(coop: Coop, *, of_members: bool) -> Values:
    collective = coop.settings.identifier
    values: Values = {}
    async with coop.store.reading() as connection:
        for series in (await all_series(connection)).values():
            if series.device == str(organisation(collective)) and series.quantity is Quantity.POWER:
                both = await published_records(
                    connection, collective, series, Range(SINCE, THIS_HOUR)
                )
                values |= {record.start: record.value for record in both[of_members]}
    return values


async def comes(coop: Coop, wanted: Values) -> None:
    """Wait until a collective has published exactly that."""
    await becomes(partial(published, coop), wanted)


async def opens(coop: Coop, wanted: Values) -> None:
    """Open a collective once the past of its members is there."""

    async def missing() -> int:
        sums = await held(coop.store, Direction.CONSUMPTION, Range(SINCE, THIS_HOUR))
        return sum(sums.get(start, (0, 0))[0] != value for start, value in wanted.items())

    await eventually(missing, lambda number: number == 0, within_s=60)
    await coop.open()


async def all_agree(world: World) -> None:
    """Wait until each level says what the homes' own records add up to."""
    for name in COOPS:
        await comes(world.coops[name], summed(world.homes[name]))
    await comes(world.coops[TOWN], summed(world.everybody))


async def test_what_a_cooperative_sums_is_what_its_homes_have(world: World) -> None:
    for name in COOPS:
        await opens(world.coops[name], summed(world.homes[name]))
        await comes(world.coops[name], summed(world.homes[name]))
        assert set((await members(world.coops[name])).values()) == {HOMES}


async def test_a_municipality_sums_what_cooperatives_sum(world: World) -> None:
    town = world.coops[TOWN]
    first, second = (world.coops[name] for name in COOPS)
    for coop, join_town in ((first, on_pages), (second, on_command)):
        token = await town.invite(TOWN_NEED, MemberKind.COLLECTIVE)
        await join_town(coop, Join(town.jid, token))
        coop.node.look_again()
    await opens(town, summed(world.everybody))
    await comes(town, summed(world.everybody))
    assert set((await members(town)).values()) == {len(COOPS) * HOMES}


async def on_pages(coop: Coop, invitation: Join) -> None:
    """Take up an invitation on the pages of administration, and grant the sums of all members."""
    device = str(organisation(coop.settings.identifier))
    async with serving(coop.store, coop.settings, coop.node, Clock(now())) as office:
        await office.appoint(NAME)
        browser = await office.enter()
        page = await browser.fill("municipalities", "join", ("invitation", links.write(invitation)))
        assert page.status == 200, page.text
        ticked = [
            ("series", value)
            for _, value in page.form("preview").offered
            if value.startswith(f"{device}=")
        ]
        page = await browser.send(page, "preview", *ticked)
        assert f"{device}_consumption/power/active/raw" in page.text
        page = await browser.send(page, "allow")
        assert "The node sends the sums as soon as they are asked for." in page.text


async def on_command(coop: Coop, invitation: Join) -> None:
    """Take up an invitation as a command does, and grant the sums of all members."""
    asking = coop.network.sharing.asking
    (permission_id,) = await consent.propose_needs(coop.store, asking, invitation)
    naming = await load_naming(coop.store)
    async with coop.store.writing() as connection:
        question = await consent.data_request(connection, permission_id)
        matching = await consent.matching_series(connection, naming, question.need)
        device = str(organisation(coop.settings.identifier))
        own = [
            series
            for series in matching
            if series.quantity is Quantity.POWER and series.device == device
        ]
        await consent.grant(connection, naming, question, Choice(series=frozenset(own)), YES)


async def test_new_records_rise_through_the_levels(world: World) -> None:
    for n, home in enumerate(world.everybody):
        await home.write({KNOWN_UNTIL: 1_000 + n, KNOWN_UNTIL + HOUR: 2_000 + n})
    await all_agree(world)


async def test_an_hour_that_a_home_did_not_tell_waits_for_it(world: World) -> None:
    late, *others = world.everybody
    for home in others:
        await home.write({KNOWN_UNTIL + 2 * HOUR: 3_000})
    second = world.coops[COOPS[1]]
    await comes(second, summed(world.homes[COOPS[1]]))
    assert KNOWN_UNTIL + 2 * HOUR not in await published(world.coops[COOPS[0]])
    await late.write({KNOWN_UNTIL + 2 * HOUR: 3_000})
    await comes(world.coops[COOPS[0]], summed(world.homes[COOPS[0]]))


async def test_whoever_was_granted_a_sum_reads_it_with_its_members(world: World) -> None:
    coop, town = world.coops[COOPS[0]], world.coops[TOWN]
    name = name_of(organisation(COOPS[0]), Said.CONSUMPTION)
    answer = await town.network.sharing.asking.get_history(
        f"{coop.jid}/quoalise", name, SINCE, SINCE + 2 * HOUR
    )
    values, counted = answer.records
    expected = summed(world.homes[COOPS[0]])
    begin = int(SINCE.timestamp())
    assert values.values == {begin + n * 3600: expected[SINCE + n * HOUR] for n in range(2)}
    assert counted.name == str(name.members)
    assert set(counted.values.values()) == {HOMES}


async def test_servers_that_are_killed_cost_no_record(world: World) -> None:
    for server in (world.home_server, world.coop_server, world.town_server):
        server.kill()
    await asyncio.sleep(0.5)
    for server in (world.town_server, world.coop_server, world.home_server):
        server.start()
    await all_agree(world)


async def test_nodes_that_are_stopped_go_on_where_they_were(world: World) -> None:
    for name in (COOPS[0], TOWN):
        await world.coops[name].stop()
    for n, home in enumerate(world.everybody):
        await home.write({KNOWN_UNTIL + 3 * HOUR: 4_000 + n})
    for name in (TOWN, COOPS[0]):
        await world.coops[name].start()
    await all_agree(world)
