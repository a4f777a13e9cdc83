"""Fifty homes, two cooperatives and a municipality: everything is killed, and every sum is right.

All homes tell one cooperative what they consume, and the other what they inject. The one keeps it
in SQLite, on a disk that gets full, the other in PostgreSQL; the municipality is told by both. The
tests follow one another; what was done and what it cost is printed at the end (`pytest -s`).
"""

from array import array
import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
import json
import os
from pathlib import Path
import random
import subprocess
import sys
import tempfile
import time
from typing import Final

import pytest
import pytest_asyncio
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from consometers_node.cli import bell
from consometers_node.collective.calendar import instants
from consometers_node.collective.own import own_series
from consometers_node.permission import Choice
from consometers_node.quoalise import Direction as Said, QuoaliseError
from consometers_node.quoalise.identifier import organisation, series as name_of
from consometers_node.series import Device, Direction, Interval, Range
from consometers_node.sharing import consent
from consometers_node.sharing.names import load_naming
from consometers_node.store import PermissionId, Store
from consometers_node.store.collective_tables import GivenRow, MemberGroupRow, SumBlockRow
from consometers_node.store.series import add_series, all_series, blocks
from consometers_node.wire import read_need_file
from consometers_node.xmpp import Account, Asking, Backoff, Connection, NetworkError
from demo.hass import free_port
from demo.hass.folder import ROOT
from demo.prosody import LOOPBACK, Authority, Prosody
from tests.e2e import homes as program
from tests.e2e.homes import SERIES, Meter, Plan
from tests.e2e.node import Node
from tests.e2e.waiting import eventually
from tests.node import postgresql
from tests.node.permission.samples import YES
from tests.node.xmpp.conftest import reach

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

SEED: Final = 20261125
HOMES: Final = 50
PROCESSES: Final = 2
PASSWORD: Final = "correct horse battery staple"
ZONE: Final = "Europe/Paris"
STEP: Final = timedelta(minutes=30)
NOW: Final = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
LIVE: Final = NOW - timedelta(hours=22)
"""Homes have two hours from then on when they join, and then half an hour more at each tick."""
OLD: Final = LIVE.replace(hour=0)
START: Final = OLD - timedelta(days=3)
"""They also have the days before. What is old is published once it has not changed for a while."""
TICK_S: Final = 4.0
LATE: Final = 2
"""Homes that tell a record after all others, and after what was corrected of its time."""
DISK_MB: Final = 48
ROOFS, FIELDS, TOWN = "roofs", "fields", "town"
GIVES: Final = {ROOFS: Direction.CONSUMPTION, FIELDS: Direction.INJECTION}
"""What each cooperative is told, and tells."""
OBSERVER: Final = "observer"

_NEED: Final = """\
id = "{id}"
version = 1
controller = "Nobody"
contact = "data@example.org"
policy = "https://example.org/data"
interval = "PT30M"
history = "P30D"
duration = "P1Y"
retention = "P6M"
series = [{series}]
[title]
en = "A street"
[purpose]
en = "To see what a street needs."
"""
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
wait_minutes = 1
"""

type Values = dict[datetime, int]
type Counted = dict[datetime, tuple[int, int]]
"""W of half an hour, and of how many members."""


@dataclass
class Collective:
    """A collective's node, and its database as whoever owns it may look at it."""

    name: str
    jid: str
    server: Prosody
    node: Node
    place: Path | str
    store: Store | None = None

    @property
    def opened(self) -> Store:
        assert self.store is not None
        return self.store

    async def summed(
        self, direction: Direction, interval: Interval = Interval.PT30M
    ) -> dict[tuple[datetime, int], tuple[int, int]]:
        """Give what it has summed inside: watt-minutes and members, by the row's day and place."""
        found: dict[tuple[datetime, int], tuple[int, int]] = {}
        of_all = select(SumBlockRow.__table__).join(
            MemberGroupRow, MemberGroupRow.id == SumBlockRow.group_id
        )
        of_all = of_all.where(
            MemberGroupRow.kind == "all",
            SumBlockRow.direction == direction,
            SumBlockRow.interval == interval,
        )
        async with self.opened.reading() as connection:
            for row in await connection.execute(of_all):
                day = datetime.combine(row.day, datetime.min.time(), UTC)
                counts = array("I", row.counts)
                for place, (energy, count) in enumerate(
                    zip(array("Q", row.sums), counts, strict=True)
                ):
                    if count:
                        assert (day, place) not in found
                        found[day, place] = energy, count
        return found

    async def counted(self, direction: Direction) -> Counted:
        """Give what it has summed of each half an hour."""
        found = await self.summed(direction)
        return {day + n * STEP: (sum_ // 30, count) for (day, n), (sum_, count) in found.items()}

    async def published(self, direction: Direction) -> Values:
        """Give what its own series says of all its members."""
        own = str(organisation(self.name))
        values: Values = {}
        async with self.opened.reading() as connection:
            for number, one in (await all_series(connection)).items():
                if (one.device, one.direction, one.interval) == (own, direction, Interval.PT30M):
                    for block in await blocks(connection, number, one, Range(START, NOW)):
                        values |= {record.start: record.value for record in block.records()}
        return values

    async def given(self) -> int:
        """Count the permissions that it was given."""
        async with self.opened.reading() as connection:
            return (
                await connection.execute(select(func.count()).select_from(GivenRow))
            ).scalar_one()


@dataclass
class Houses:
    """The process of some of the homes."""

    plan: Path
    process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "addon"))),
            program.PASSWORD: PASSWORD,
        }
        with self.plan.with_suffix(".log").open("a") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.e2e.homes", str(self.plan)),
                stderr=log,
                env=environment,
            )

    async def kill(self) -> None:
        if self.process is not None:
            with suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()


@dataclass
class World:
    """Who is there, what homes counted, and all that was done to them."""

    servers: Mapping[str, Prosody]
    postgresql: postgresql.Server
    collectives: Mapping[str, Collective]
    houses: list[Houses]
    folders: Mapping[str, Path]
    """Where each home keeps its own."""
    meter: Meter
    disk: Path | None
    """What is on it is of the first cooperative; None where nobody may make one that gets full."""
    asking: Asking
    chance: random.Random = field(default_factory=lambda: random.Random(SEED))
    truth: dict[tuple[str, Direction], Values] = field(default_factory=dict)
    late: dict[datetime, set[str]] = field(default_factory=dict)
    """Homes that have not told of a time yet."""
    stays: dict[tuple[Direction, datetime], int] = field(default_factory=dict)
    """What was published of a time, of which few homes were corrected since."""
    reached: datetime = LIVE + timedelta(hours=2)
    until: datetime = LIVE
    faults: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    recovered_s: dict[str, list[float]] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)
    marks: list[tuple[str, float]] = field(default_factory=list)

    @property
    def cooperatives(self) -> list[tuple[Collective, Direction]]:
        return [(self.collectives[name], way) for name, way in GIVES.items()]

    @property
    def town(self) -> Collective:
        return self.collectives[TOWN]

    def mark(self, what: str) -> None:
        self.marks.append((what, time.monotonic() - self.began))

    def count(self, at: datetime, homes: Iterable[str]) -> None:
        """Let homes count a time, or count it anew."""
        lines = []
        for home in homes:
            for direction in SERIES:
                watts = self.chance.randrange(4_000)
                self.truth.setdefault((home, direction), {})[at] = watts
                lines.append((home, direction, at, watts))
        self.meter.write(lines)
        self.done["records"] += len(lines)

    def move_on(self) -> None:
        """Let half an hour go by."""
        if self.reached < self.until:
            late = set(self.chance.sample(sorted(self.folders), LATE))
            self.late[self.reached] = late
            self.count(self.reached, [home for home in self.folders if home not in late])
            self.reached += STEP
        for at, late in self.late.items():
            if self.chance.random() < 0.3:
                there = [home for home in self.folders if home not in late]
                some = self.chance.sample(there, self.chance.randrange(1, 4))
                self.count(at, some)
                self.done["corrected"] += 2 * len(some)
        home = self.chance.choice(sorted(self.folders))
        at = self.reached - STEP
        self.meter.write([(home, Direction.CONSUMPTION, at, None)])
        self.done["days told again"] += 1

    async def catch_up(self) -> None:
        """Let those who are late tell of a time once both cooperatives know all else of it."""
        known = [(await one.counted(way), self.expected(way)) for one, way in self.cooperatives]
        for at, late in list(self.late.items()):
            if all(found.get(at) == expected[at] for found, expected in known):
                del self.late[at]
                self.count(at, sorted(late))
                self.done["late"] += 2 * len(late)

    async def flow(self) -> None:
        """Let homes count, whoever is there."""
        while True:
            self.move_on()
            with suppress(DBAPIError):
                await self.catch_up()
            await asyncio.sleep(TICK_S)

    def expected(self, direction: Direction) -> Counted:
        """Give what homes have counted in each half an hour."""
        found: dict[datetime, list[int]] = {}
        for (_, way), values in self.truth.items():
            if way is direction:
                for at, watts in values.items():
                    found.setdefault(at, []).append(watts)
        return {at: (sum(some), len(some)) for at, some in found.items()}

    def to_publish(self, direction: Direction) -> Values:
        """Give what is to be published: times of which all homes have told."""
        return {
            at: self.stays.get((direction, at), watts)
            for at, (watts, homes) in self.expected(direction).items()
            if homes == HOMES
        }

    async def hit(self, kind: str, off_s: float) -> None:
        """Kill one of them, and have it back after a while."""
        self.faults[kind] += 1
        if kind in self.servers:
            await asyncio.to_thread(self.servers[kind].kill)
            await asyncio.sleep(off_s)
            await asyncio.to_thread(self.servers[kind].start)
        elif kind in self.collectives:
            await self.collectives[kind].node.kill()
            await asyncio.sleep(off_s)
            await self.collectives[kind].node.start()
        elif kind == "PostgreSQL":
            await asyncio.to_thread(self.postgresql.kill)
            await asyncio.sleep(off_s)
            await asyncio.to_thread(self.postgresql.start)
        else:
            some = self.chance.choice(self.houses)
            await some.kill()
            await asyncio.sleep(off_s)
            await some.start()

    async def supervise(self) -> None:
        """Start each node that has ended by itself, as a machine does."""
        while True:
            for one in self.collectives.values():
                if one.node.ended:
                    self.done["restarts by the machine"] += 1
                    await one.node.start()
            await asyncio.sleep(0.5)

    async def recovers(self, kind: str) -> None:
        """Wait until both cooperatives have all records that there are by now."""
        since = time.monotonic()
        wanted = [
            (one, way, {at: count for at, (_, count) in self.expected(way).items()})
            for one, way in self.cooperatives
        ]

        async def missing() -> int:
            found = 0
            for one, way, counts in wanted:
                try:
                    known = await one.counted(way)
                except DBAPIError:
                    return -1
                found += sum(max(0, n - known.get(at, (0, 0))[1]) for at, n in counts.items())
            return found

        await eventually(missing, lambda number: number == 0, within_s=60)
        self.recovered_s.setdefault(kind, []).append(time.monotonic() - since)

    async def all_agree(self, within_s: float = 60) -> None:
        """Wait until every level says what homes' own records add up to, and no more."""

        async def differences() -> dict[str, int]:
            with suppress(DBAPIError):
                return +await self._differences()
            return {"a database is away": 1}

        await eventually(differences, lambda found: not found, within_s=within_s)

    async def _differences(self) -> Counter[str]:
        found: Counter[str] = Counter()
        for one, way in self.cooperatives:
            published = self.to_publish(way)
            live = {at: watts for at, watts in published.items() if at >= LIVE}
            days = await one.summed(way, Interval.P1D)
            found[f"{one.name} sums"] = _different(await one.counted(way), self.expected(way))
            found[f"{one.name} sums days"] = _different(days, self._days(way))
            found[f"{one.name} tells"] = _different(await one.published(way), published)
            levels = {at: (watts, HOMES) for at, watts in published.items()}
            found[f"the town sums {way}"] = _different(await self.town.counted(way), levels)
            told = await self.town.published(way)
            told = {at: watts for at, watts in told.items() if at >= LIVE}
            found[f"the town tells {way}"] = _different(told, live)
        return found

    def _days(self, direction: Direction) -> dict[tuple[datetime, int], tuple[int, int]]:
        """Give what homes have of each civil day, those that have all of it."""
        found: dict[tuple[datetime, int], tuple[int, int]] = {}
        for (_, way), values in self.truth.items():
            if way is not direction:
                continue
            day = START.date()
            while day <= NOW.date():
                civil = instants(ZONE, day)
                steps = [civil.start + n * STEP for n in range((civil.end - civil.start) // STEP)]
                if all(at in values for at in steps):
                    month = datetime(day.year, day.month, 1, tzinfo=UTC)
                    sum_, count = found.get((month, day.day - 1), (0, 0))
                    energy = 30 * sum(values[at] for at in steps)
                    found[month, day.day - 1] = sum_ + energy, count + 1
                day += timedelta(days=1)
        return found

    async def of_homes(self) -> dict[tuple[str, Direction], Values]:
        """Give what the homes' own databases hold."""
        found: dict[tuple[str, Direction], Values] = {}
        for home, folder in self.folders.items():
            store = await Store.open(program.database(folder, home))
            async with store.reading() as connection:
                for number, series in (await all_series(connection)).items():
                    values = found.setdefault((home, series.direction), {})
                    for block in await blocks(connection, number, series, Range(START, NOW)):
                        values |= {record.start: record.value for record in block.records()}
            await store.close()
        return found

    async def read(self, one: Collective, direction: Direction) -> tuple[Values, set[int]]:
        """Ask for a collective's own series as anybody would to whom they were granted."""
        name = name_of(organisation(one.name), Said(direction))
        values: Values = {}
        members: set[int] = set()
        pages = self.asking.history(f"{one.jid}/quoalise", name, START, NOW)
        async for page in pages:
            for told in page.records:
                if told.name == str(name.members):
                    members |= {int(value) for value in told.values.values()}
                else:
                    values |= {
                        datetime.fromtimestamp(float(at), UTC): int(value)
                        for at, value in told.values.items()
                    }
        return values, members

    def report(self) -> str:
        recovered = [
            f"recovered from {kind}: {', '.join(f'{one:.1f}' for one in seconds)} s"
            for kind, seconds in self.recovered_s.items()
        ]
        marks = [f"{seconds:.0f} s: {what}" for what, seconds in self.marks]
        return "\n".join([f"faults {dict(self.faults)}", f"{dict(self.done)}", *recovered, *marks])


def _different[K, V](found: Mapping[K, V], wanted: Mapping[K, V]) -> int:
    return sum(found.get(key) != wanted.get(key) for key in found.keys() | wanted.keys())


@contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """Let a folder be on a small disk of its own, where one may mount it."""
    folder.mkdir(parents=True)
    size = f"size={DISK_MB}m,mode=0700"
    mounts = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", size, "none", str(folder)], check=False, capture_output=True
    )
    if mounts.returncode:
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> None:
    """Leave no room on a disk."""
    with (disk / "filler").open("wb", buffering=0) as file:
        size = 1 << 20
        while size:
            try:
                file.write(bytes(size))
            except OSError:
                size //= 2


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world() -> AsyncIterator[World]:
    began = time.monotonic()
    async with AsyncExitStack() as stack:
        # A socket's path is short.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="levels")))
        authority = Authority(folder)
        servers = {
            f"server of the {whose}": Prosody(f"{name}.test", authority)
            for whose, name in (("homes", "one"), ("cooperatives", "two"), ("town", "three"))
        }
        one, two, three = servers.values()
        for first, second in ((one, two), (two, three)):
            first.knows(second)
            second.knows(first)
        for server in servers.values():
            stack.enter_context(server)
        database = stack.enter_context(postgresql.running())
        disk = stack.enter_context(small_disk(folder / ROOFS / "data"))
        urls = {FIELDS: database.url(database.create())}
        collectives = {
            one.name: one
            for one in await asyncio.gather(
                *(
                    _found(folder / name, name, server, urls.get(name))
                    for name, server in ((ROOFS, two), (FIELDS, two), (TOWN, three))
                )
            )
        }
        jids = await asyncio.to_thread(one.register_all, [f"h{n}" for n in range(HOMES)], PASSWORD)
        observer = Account(three.register(OBSERVER, PASSWORD), PASSWORD)
        connection = Connection(observer, server=reach(three), backoff=Backoff(0.2, 2))
        asking = Asking(connection)
        await stack.enter_async_context(connection)
        for each in collectives.values():
            each.store = await Store.open(each.place)
            stack.push_async_callback(each.store.close)
            stack.push_async_callback(each.node.stop)
            await each.node.start()
        for each in collectives.values():
            socket = bell.socket_in(each.node.data)
            await eventually(partial(bell.ring, socket), bool)
            await _let_observe(each, observer.jid)
        town = collectives[TOWN]
        joining = [asyncio.create_task(_join(collectives[name], town)) for name in GIVES]
        links = await asyncio.gather(*(_invite(collectives[name], "home") for name in GIVES))
        await asyncio.gather(*joining)
        await eventually(town.given, lambda count: count == len(GIVES))
        (folder / "meter").touch()
        houses: list[Houses] = []
        folders: dict[str, Path] = {}
        for n in range(PROCESSES):
            of = folder / f"homes{n}"
            of.mkdir()
            plan = Plan(
                folder=str(of),
                port=one.port,
                ca_file=str(one.ca_file),
                meter=str(folder / "meter"),
                since=START.timestamp(),
                homes=jids[n::PROCESSES],
                invitations=links,
            )
            plan.write(of.with_suffix(".json"))
            folders |= dict.fromkeys(plan.homes, of)
            houses.append(Houses(of.with_suffix(".json")))
            stack.push_async_callback(houses[-1].kill)
        meter = Meter(folder / "meter")
        world = World(
            servers, database, collectives, houses, folders, meter, disk, asking, began=began
        )
        for since, until in ((START, OLD), (LIVE, world.reached)):
            for n in range((until - since) // STEP):
                world.count(since + n * STEP, jids)
        world.mark("homes begin to join")
        for some in houses:
            await some.start()
        supervising = asyncio.create_task(world.supervise())
        try:
            yield world
        finally:
            supervising.cancel()
            print(f"\n{world.report()}")


async def _found(folder: Path, name: str, server: Prosody, url: str | None) -> Collective:
    """Set a collective up, with an account of its own."""
    node = Node(folder, role="collective")
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
    return Collective(name, jid, server, node, url or node.data / "node.db")


def _directions(name: str) -> list[Direction]:
    return [GIVES[name]] if name in GIVES else list(GIVES.values())


def _need(number: str, name: str) -> str:
    """Write down what a collective asks for, or what somebody asks of it."""
    series = (f'{{direction = "{one}", quantity = "power"}}' for one in _directions(name))
    return _NEED.format(id=number, series=", ".join(series))


async def _invite(one: Collective, kind: str) -> str:
    printed = await one.node.do("invitations", "make", "--unlimited", "--kind", kind, "--json")
    (made,) = json.loads(printed)
    assert isinstance(made["link"], str)
    return made["link"]


async def _join(one: Collective, town: Collective) -> None:
    """Let a cooperative grant its sums of one direction to the municipality."""
    link = await _invite(town, "collective")
    told = json.loads(await one.node.do("join", link, "--json"))
    (asked,) = told["asked"]
    await _grant(one, PermissionId(asked["permission"]), GIVES[one.name])


async def _let_observe(one: Collective, observer: str) -> None:
    """Let somebody read all that a collective publishes, who is told nothing by itself."""
    need = read_need_file(_need("all", one.name).encode())
    number = await consent.be_asked_by_file(one.opened, observer, need, "operator")
    await _grant(one, number, *_directions(one.name))


async def _grant(one: Collective, number: PermissionId, *directions: Direction) -> None:
    """Grant sums of which nothing is there yet."""
    device = Device(str(organisation(one.name)))
    naming = await load_naming(one.opened)
    async with one.opened.writing() as connection:
        own = [own_series(device, way, Interval.PT30M, ZONE) for way in directions]
        for series in own:
            await add_series(connection, series)
        question = await consent.asked(connection, number)
        await consent.grant(connection, naming, question, Choice(series=frozenset(own)), YES)
    assert await bell.ring(bell.socket_in(one.node.data))


async def while_it_flows(world: World, work: Callable[[], Awaitable[None]], hours: int) -> None:
    """Do something while homes count so many hours."""
    world.until = world.reached + timedelta(hours=hours)
    assert world.until < NOW - timedelta(hours=2)
    flow = asyncio.create_task(world.flow())
    try:
        await work()
    finally:
        flow.cancel()
        await asyncio.wait({flow})
    if not flow.cancelled():
        flow.result()


async def settle(world: World) -> None:
    """Let no home be late any more."""

    async def late() -> int:
        with suppress(DBAPIError):
            await world.catch_up()
        return len(world.late)

    await eventually(late, lambda number: number == 0, within_s=60)


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


async def test_all_homes_join_and_their_past_is_summed(world: World) -> None:
    for one, _ in world.cooperatives:
        await eventually(one.given, lambda count: count == HOMES, within_s=60)
    world.mark("all homes have joined")
    await world.all_agree()
    world.mark("their past is summed")


async def test_nothing_is_lost_while_each_of_them_is_killed(world: World) -> None:
    async def strike() -> None:
        for kind in world.chance.sample(KINDS, len(KINDS)):
            await asyncio.sleep(world.chance.uniform(0, 1))
            await world.hit(kind, world.chance.uniform(0, 1))
            await world.recovers(kind)

    await while_it_flows(world, strike, hours=8)
    await settle(world)
    await world.all_agree()
    world.mark("each was killed")


async def test_nor_while_several_are_killed_at_once(world: World) -> None:
    async def strike() -> None:
        for several in (KINDS[:4], KINDS[4:]):
            async with asyncio.TaskGroup() as group:
                for kind in several:
                    group.create_task(world.hit(kind, world.chance.uniform(0, 2)))
            await world.recovers(" + ".join(several))

    await while_it_flows(world, strike, hours=4)
    await settle(world)
    await world.all_agree()
    world.mark("several were killed at once")


async def test_what_few_correct_is_summed_and_not_published(world: World) -> None:
    for at in world.chance.sample(sorted(world.to_publish(Direction.CONSUMPTION)), 4):
        world.stays |= {(way, at): world.to_publish(way)[at] for way in SERIES}
        world.count(at, world.chance.sample(sorted(world.folders), 3))
        world.done["corrected after publication"] += 6
    await world.all_agree()


async def test_a_full_disk_loses_nothing_and_tells_nothing_wrong(world: World) -> None:
    if world.disk is None:
        pytest.skip("only root can mount a disk that gets full")
    roofs = world.collectives[ROOFS]
    way = GIVES[ROOFS]
    before = await roofs.published(way)
    world.faults["full disk"] += 1
    # What the journal has of room would do for a while.
    await roofs.opened.checkpoint()
    fill(world.disk)

    async def look() -> None:
        await eventually(_told_of_disk(roofs), bool, within_s=40)
        with pytest.raises(AssertionError, match="disk is full"):
            await roofs.node.do("needs", "list")
        with suppress(QuoaliseError, NetworkError):
            values, _ = await world.read(roofs, way)
            assert values == before
        assert await roofs.published(way) == before

    await while_it_flows(world, look, hours=4)
    (world.disk / "filler").unlink()
    await world.recovers("full disk")
    await settle(world)
    await world.all_agree()
    world.mark("the disk was full")


def _told_of_disk(one: Collective) -> Callable[[], Awaitable[bool]]:
    """Ask whether a node tells whoever runs it that its disk is full."""

    async def told() -> bool:
        status = await bell.ask(bell.socket_in(one.node.data), "status")
        said = str((status or {}).get("database"))
        return "disk is full" in said and "disk is full" in one.node.log

    return told


async def test_what_is_told_over_the_network_is_what_homes_have(world: World) -> None:
    assert await world.of_homes() == world.truth
    for one, way in world.cooperatives:
        assert await world.read(one, way) == (world.to_publish(way), {HOMES})
    for way in GIVES.values():
        wanted = world.to_publish(way)

        async def missing(way: Direction = way, wanted: Values = wanted) -> int:
            return _different(await world.town.published(way), wanted)

        await eventually(missing, lambda number: number == 0, within_s=70)
        assert await world.read(world.town, way) == (wanted, {HOMES})
    world.done["times published"] = len(world.to_publish(Direction.CONSUMPTION))
    world.mark("all was read")


async def test_nodes_have_complained_of_nothing_that_is_their_own_fault(world: World) -> None:
    for one in world.collectives.values():
        assert "Traceback" not in one.node.log
        assert " ERROR " not in one.node.log
    for some in world.houses:
        log = some.plan.with_suffix(".log").read_text()
        assert "Traceback" not in log
        assert " ERROR " not in log
