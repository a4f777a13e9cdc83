"""Homes, cooperatives and a municipality above them: what they count, and what becomes of it."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
import random
from typing import Final, NoReturn

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from consometers_node.collective.calendar import instants
from consometers_node.series import Device, Direction, Interval, Range
from consometers_node.store import Store
from consometers_node.store.collective.published_series import own_series, published_records
from consometers_node.store.collective.tables import (
    MemberGroupRow,
    MemberPermissionRow,
    PublishedCellRow,
)
from consometers_node.store.series import all_series, blocks
from consometers_quoalise.records.identifier import organisation, series as name_of
from consometers_quoalise_network import Asking
from demo.servers.prosody import Prosody
from testing.databases import postgresql
from testing.programs import homes as program
from testing.programs.holding import held
from testing.programs.homes import SERIES, Meter
from testing.programs.node import NodeProgram, Program
from testing.run import FULL
from testing.waiting import differences, eventually

SEED: Final = 20261125
HOMES: Final = 50 if FULL else 16
PROCESSES: Final = 2
PASSWORD: Final = "correct horse battery staple"
ZONE: Final = "Europe/Paris"
STEP: Final = timedelta(minutes=30)
NOW: Final = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
LIVE: Final = NOW - timedelta(hours=21)
"""Homes have two hours from then on when they join, and then half an hour more at each tick."""
START: Final = LIVE.replace(hour=0) - timedelta(days=3)
"""They also have the days before."""
TICK_S: Final = 4.0
WITHIN_S: Final = 600
"""A request to a node that is killed while it answers takes a minute."""
LATE: Final = 2
"""Homes that deliver a record after all others, and after the corrections of its time."""
ROOFS, FIELDS, TOWN = "roofs", "fields", "town"
GIVES: Final = {ROOFS: Direction.CONSUMPTION, FIELDS: Direction.INJECTION}
"""What each cooperative receives and publishes."""

type Values = dict[datetime, int]
type Counted = dict[datetime, tuple[int, int]]
"""W of half an hour, or watt-minutes, and of how many members."""


@dataclass
class RegionCollective:
    """A collective's node, and its database as its operator may read it."""

    name: str
    jid: str
    server: Prosody
    node: NodeProgram
    place: Path | str
    store: Store | None = None

    @property
    def opened(self) -> Store:
        assert self.store is not None
        return self.store

    async def held(self, direction: Direction) -> Counted:
        """Return what it has of its members, of each half an hour."""
        return await held(self.opened, direction, Range(START, NOW))

    async def cells(self, direction: Direction, interval: Interval = Interval.PT30M) -> Counted:
        """Return what it has published of all: watt-minutes and members, by start."""
        cell = PublishedCellRow
        of_all = (
            select(cell.start, cell.watt_minutes, cell.members)
            .join(MemberGroupRow, MemberGroupRow.id == cell.group_id)
            .where(
                MemberGroupRow.kind == "all",
                cell.direction == direction,
                cell.interval == interval,
            )
        )
        async with self.opened.reading() as connection:
            rows = await connection.execute(of_all)
            return {start: (energy, members) for start, energy, members in rows}

    async def published(self, direction: Direction) -> Values:
        """Return what its own series says of all its members."""
        device = Device(str(organisation(self.name)))
        series = own_series(device, direction, Interval.PT30M, ZONE)
        async with self.opened.reading() as connection:
            records, _ = await published_records(connection, self.name, series, Range(START, NOW))
        return {record.start: record.value for record in records}

    async def permissions(self) -> int:
        """Count the permissions of its members."""
        async with self.opened.reading() as connection:
            return (
                await connection.execute(select(func.count()).select_from(MemberPermissionRow))
            ).scalar_one()


@dataclass
class Region:
    """The servers and nodes of all levels, and the energy that homes counted."""

    servers: Mapping[str, Prosody]
    postgresql: postgresql.Server
    collectives: Mapping[str, RegionCollective]
    houses: list[Program]
    """Processes of some of the homes each."""
    folders: Mapping[str, Path]
    """Where each home keeps its own."""
    meter: Meter
    disk: Path | None
    """What is on it is of the first cooperative; None where nobody may make one that gets full."""
    asking: Asking
    chance: random.Random = field(default_factory=lambda: random.Random(SEED))
    truth: dict[tuple[str, Direction], Values] = field(default_factory=dict)
    late: dict[datetime, set[str]] = field(default_factory=dict)
    """Homes whose record of a time is still missing."""
    stays: dict[tuple[Direction, datetime], int] = field(default_factory=dict)
    """Published values of times at which a few homes were corrected since."""
    reached: datetime = LIVE + timedelta(hours=2)
    until: datetime = LIVE

    @property
    def cooperatives(self) -> list[tuple[RegionCollective, Direction]]:
        return [(self.collectives[name], way) for name, way in GIVES.items()]

    @property
    def town(self) -> RegionCollective:
        return self.collectives[TOWN]

    def count(self, at: datetime, homes: Iterable[str]) -> None:
        """Add values of a time to homes, or replace them."""
        lines = []
        for home in homes:
            for direction in SERIES:
                watts = self.chance.randrange(4_000)
                self.truth.setdefault((home, direction), {})[at] = watts
                lines.append((home, direction, at, watts))
        self.meter.write(lines)

    def move_on(self) -> None:
        """Advance by half an hour."""
        if self.reached < self.until:
            late = set(self.chance.sample(sorted(self.folders), LATE))
            self.late[self.reached] = late
            self.count(self.reached, [home for home in self.folders if home not in late])
            self.reached += STEP
        for at, late in self.late.items():
            if self.chance.random() < 0.3:
                running = [home for home in self.folders if home not in late]
                some = self.chance.sample(running, self.chance.randrange(1, 4))
                self.count(at, some)
        home = self.chance.choice(sorted(self.folders))
        at = self.reached - STEP
        self.meter.write([(home, Direction.CONSUMPTION, at, None)])

    async def catch_up(self) -> None:
        """Add the values of late homes once both cooperatives have all others of that time."""
        states = [
            (await cooperative.held(way), self.expected(way))
            for cooperative, way in self.cooperatives
        ]
        for at, late in list(self.late.items()):
            if all(stored.get(at) == expected[at] for stored, expected in states):
                del self.late[at]
                self.count(at, sorted(late))

    async def flow(self) -> NoReturn:
        """Count in homes, whichever servers are there."""
        while True:
            self.move_on()
            with suppress(DBAPIError):
                await self.catch_up()
            await asyncio.sleep(TICK_S)

    def expected(self, direction: Direction) -> Counted:
        """Return what homes have counted in each half an hour."""
        values_by_start: dict[datetime, list[int]] = {}
        for (_, way), values in self.truth.items():
            if way is direction:
                for at, watts in values.items():
                    values_by_start.setdefault(at, []).append(watts)
        return {at: (sum(some), len(some)) for at, some in values_by_start.items()}

    def to_publish(self, direction: Direction) -> Values:
        """Return what is to be published: the times with records of all homes."""
        return {
            at: self.stays.get((direction, at), watts)
            for at, (watts, homes) in self.expected(direction).items()
            if homes == HOMES
        }

    async def hit(self, kind: str, off_s: float) -> None:
        """Kill one of them, and have it back after a while."""
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
            for collective in self.collectives.values():
                if collective.node.ended:
                    await collective.node.start()
            await asyncio.sleep(0.5)

    async def recovers(self) -> None:
        """Wait until both cooperatives have all records that there are by now."""
        wanted = [
            (collective, way, {at: count for at, (_, count) in self.expected(way).items()})
            for collective, way in self.cooperatives
        ]

        async def missing() -> int:
            lacking = 0
            for collective, way, counts in wanted:
                try:
                    stored = await collective.held(way)
                except DBAPIError:
                    return -1
                lacking += sum(max(0, n - stored.get(at, (0, 0))[1]) for at, n in counts.items())
            return lacking

        await eventually(missing, lambda number: number == 0, within_s=WITHIN_S)

    async def all_agree(self, within_s: float = WITHIN_S) -> None:
        """Wait until every level says what homes' own records add up to, and no more."""

        async def disagreements() -> dict[str, int]:
            with suppress(DBAPIError):
                return +await self._disagreements()
            return {"a database is away": 1}

        await eventually(disagreements, lambda left: not left, within_s=within_s)

    async def _disagreements(self) -> Counter[str]:
        counts: Counter[str] = Counter()

        def compare[V](subject: str, *versions: Mapping[datetime, V]) -> None:
            counts[subject] = len(differences(*versions))

        for cooperative, way in self.cooperatives:
            published = self.to_publish(way)
            levels = {at: (watts, HOMES) for at, watts in published.items()}
            cells = {at: (30 * watts, HOMES) for at, watts in published.items()}
            compare(f"{cooperative.name} holds", await cooperative.held(way), self.expected(way))
            compare(f"the town holds {way}", await self.town.held(way), levels)
            for level in (cooperative, self.town):
                name = level.name
                compare(f"{name} publishes {way}", await level.cells(way), cells)
                days = await level.cells(way, Interval.P1D)
                compare(f"{name} publishes days {way}", days, self._days(cells))
                compare(f"{name} delivers {way}", await level.published(way), published)
        return counts

    def _days(self, cells: Counted) -> Counted:
        """Return the sums of the civil days that are published in full."""
        sums: Counted = {}
        day, end = START.date(), max(cells, default=START) + STEP
        while (civil := instants(ZONE, day)).end <= end:
            some = [energy for at, (energy, _) in cells.items() if at in civil]
            sums[civil.start] = sum(some), HOMES
            day += timedelta(days=1)
        return sums

    async def of_homes(self) -> dict[tuple[str, Direction], Values]:
        """Return what the homes' own databases hold."""
        values_by_series: dict[tuple[str, Direction], Values] = {}
        for home, folder in self.folders.items():
            store = await Store.open(program.database(folder, home))
            async with store.reading() as connection:
                for number, series in (await all_series(connection)).items():
                    values = values_by_series.setdefault((home, series.direction), {})
                    for block in await blocks(connection, number, series, Range(START, NOW)):
                        values |= {record.start: record.value for record in block.records()}
            await store.close()
        return values_by_series

    async def read(
        self, collective: RegionCollective, direction: Direction
    ) -> tuple[Values, set[int]]:
        """Ask for a collective's own series as anybody would to whom they were granted."""
        name = name_of(organisation(collective.name), direction)
        values: Values = {}
        members: set[int] = set()
        pages = self.asking.history(f"{collective.jid}/quoalise", name, START, NOW)
        async for page in pages:
            for record in page.records:
                if record.name == str(name.members):
                    members |= {int(value) for value in record.values.values()}
                else:
                    values |= {
                        datetime.fromtimestamp(float(at), UTC): int(value)
                        for at, value in record.values.items()
                    }
        return values, members
