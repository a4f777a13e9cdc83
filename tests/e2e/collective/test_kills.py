"""Everything is killed in turn while records flow, and a peer ends up with what the recorder says.

The tests follow one another on one home.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
import os
from pathlib import Path
import random
import shutil
import signal
import sqlite3
import time
from typing import Final, NoReturn

import aiohttp
import pytest
import pytest_asyncio

from demo.hass import Hass, HassError
from demo.servers.prosody import Prosody
from testing.programs import keeper
from testing.programs.metered_home import import_energy
from testing.programs.node import NodeProgram, Program
from testing.run import DEADLINE_S, FULL
from testing.waiting import eventually, while_it_flows

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.usefixtures("warm"),
]

SEED: Final = 20261125
ROUNDS: Final = 2 if FULL else 1
HOUR: Final = timedelta(hours=1)
FIVE_MINUTES: Final = timedelta(minutes=5)
NOW: Final = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
START: Final = NOW - 90 * HOUR
PASSWORD: Final = "correct horse battery staple"
TICK_S: Final = 1.0
_COMMITS_WITHIN_S: Final = 1.2

HOURLY: Final = {
    "sensor.house": "consumption",
    "sensor.car": "consumption",
    "sensor.fed": "injection",
    "portal:panels": "production",
}
FINE: Final = {"sensor.oven": "consumption", "sensor.roof": "production"}


@dataclass
class Curve:
    """A register that moves on, and what it showed at the end of each interval."""

    statistic: str
    step: timedelta
    shown: dict[datetime, int] = field(default_factory=dict)
    register: int = 0

    def move_on(self, until: datetime, chance: random.Random) -> None:
        start = max(self.shown, default=START - 2 * self.step) + self.step
        while start < until:
            self.register += chance.randrange(1, 9_000 * self.step // HOUR)
            self.shown[start] = self.register
            start += self.step

    def correct(self, chance: random.Random) -> None:
        """Have it show another value at the end of one of the last intervals."""
        starts = list(self.shown)
        place = chance.randrange(max(1, len(starts) - 12), len(starts) - 1)
        before, after = (self.shown[starts[place + offset]] for offset in (-1, 1))
        self.shown[starts[place]] = chance.randrange(before, after + 1)

    def records(self) -> dict[int, int]:
        """The records as they leave: mean power in W."""
        return {
            round(start.timestamp()): (self.shown[start] - self.shown[before]) * (HOUR // self.step)
            for before, start in pairwise(self.shown)
        }


class Peer(Program):
    """A process that stores what it receives."""

    def __init__(self, jid: str, file: Path, server: Prosody, node: str) -> None:
        self.file = file
        place = (str(server.port), str(server.ca_file))
        super().__init__(
            *("testing.programs.keeper", str(file), jid, *place, node),
            log=file.with_suffix(".log"),
            **{keeper.PASSWORD: PASSWORD},
        )

    def ask(self, query: str) -> Sequence[tuple[int | str | float, ...]]:
        with closing(sqlite3.connect(self.file, timeout=DEADLINE_S)) as database:
            return database.execute(query).fetchall()

    def last_news(self) -> float:
        """When it last heard of a record, or a value, that it had not heard of before."""
        ((at,),) = self.ask("SELECT coalesce(max(at), 0) FROM came")
        return float(at)

    def stored(self) -> dict[str, dict[int, int]]:
        records: dict[str, dict[int, int]] = {}
        for name, at, value in self.ask("SELECT name, time, value FROM record"):
            records.setdefault(str(name), {})[int(at)] = int(value)
        return records


@dataclass
class World:
    """A home, its peer, and the servers between them."""

    hass: Hass
    home_server: Prosody
    peer_server: Prosody
    node: NodeProgram
    peer: Peer
    chance: random.Random
    curves: Sequence[Curve]
    reached: datetime = START + HOUR

    async def flow(self) -> NoReturn:
        """Advance registers, record them in Home Assistant and say so, whatever runs."""
        written = True
        while True:
            if written:
                self.move_on()
            written = await self.write()
            await asyncio.sleep(TICK_S)

    def move_on(self) -> None:
        self.reached = min(self.reached + HOUR, NOW - 3 * HOUR)
        for curve in self.curves:
            curve.move_on(self.reached, self.chance)
            if len(curve.shown) > 3 and self.chance.random() < 0.5:
                curve.correct(self.chance)

    async def write(self) -> bool:
        """Write all that the registers showed; return whether Home Assistant accepted it."""
        try:
            for curve in self.curves:
                if curve.step == HOUR:
                    await self.record(curve.statistic, curve.shown)
            await asyncio.to_thread(self._insert)
            for kind in ("hourly", "5min"):
                event = f"events/recorder_{kind}_statistics_generated"
                await self.hass.api.request("POST", event)
        except (
            aiohttp.ClientError,
            HassError,
            LookupError,
            OSError,
            RuntimeError,
            TypeError,
            sqlite3.Error,
        ):
            return False
        return True

    async def record(self, name: str, shown: Mapping[datetime, int]) -> None:
        await import_energy(self.hass.api, name, dict(list(shown.items())[-48:]))

    def _insert(self) -> None:
        """Write 5-minute rows, which nobody can import."""
        with (
            closing(
                sqlite3.connect(self.hass.folder / "home-assistant_v2.db", timeout=DEADLINE_S)
            ) as base,
            base,
        ):
            numbers = dict(base.execute("SELECT statistic_id, id FROM statistics_meta").fetchall())
            for curve in self.curves:
                if curve.step == FIVE_MINUTES:
                    base.executemany(
                        "INSERT OR REPLACE INTO statistics_short_term"
                        " (metadata_id, start_ts, created_ts, sum) VALUES (?, ?, ?, ?)",
                        [
                            (numbers[curve.statistic], start.timestamp(), 0, wh / 1000)
                            for start, wh in list(curve.shown.items())[-240:]
                        ],
                    )

    async def hit(self, kind: str, off_s: float) -> None:
        """Kill one of them, and have it back after a while."""
        match kind:
            case "server of the home" | "server of the peers":
                server = self.home_server if kind.endswith("home") else self.peer_server
                await asyncio.to_thread(server.kill)
                await asyncio.sleep(off_s)
                await asyncio.to_thread(server.start)
            case "node":
                await self.node.kill()
                await asyncio.sleep(off_s)
                await self.node.start()
            case "peer":
                await self.peer.kill()
                await asyncio.sleep(off_s)
                await self.peer.start()
            case "Home Assistant":
                os.kill(self.hass.pid, signal.SIGKILL)
                await self.hass.wait()
                await self.hass.stop()
                await asyncio.sleep(off_s)
                await self.hass.start()

    async def recovers(self) -> None:
        """Wait until the peer hears of something new."""
        since = time.time()

        async def has_news() -> bool:
            return self.peer.last_news() > since

        await eventually(has_news, bool)

    async def is_recorded(self) -> None:
        """Wait until Home Assistant says what the registers showed."""

        async def wrong() -> list[str]:
            await self.write()
            await asyncio.sleep(_COMMITS_WITHIN_S)
            return [curve.statistic for curve in self.curves if not await self._says(curve)]

        await eventually(wrong, lambda names: not names)

    async def _says(self, curve: Curve) -> bool:
        rows = await self.hass.api.statistics(
            curve.statistic, "hour" if curve.step == HOUR else "5minute", min(curve.shown)
        )
        recorded = {
            datetime.fromtimestamp(row["start"] / 1000, UTC): round(row.get("sum") or 0)
            for row in rows
        }
        return recorded == curve.shown

    async def difference(self) -> Mapping[str, int]:
        """How many records the peer lacks, and how many it has with another value."""
        counts: Counter[str] = Counter()
        stored = list(self.peer.stored().values())
        for curve in self.curves:
            expected = curve.records()
            # Names are pseudonyms: a series is known by what is in it.
            best = max(
                stored, key=lambda values: len(values.items() & expected.items()), default={}
            )
            counts["missing"] += len(expected.keys() - best.keys())
            counts["other"] += sum(expected.get(at) != value for at, value in best.items())
        return +counts

    async def is_equal(self, within_s: float = DEADLINE_S) -> None:
        """Wait until the peer has, record for record, what Home Assistant has."""
        await self.is_recorded()
        await eventually(self.difference, lambda counts: not counts, within_s=within_s)
        assert len(self.peer.stored()) == len(self.curves)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(
    servers: tuple[Prosody, Prosody], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    folder = tmp_path_factory.mktemp("kills")
    home_server, peer_server = servers
    async with AsyncExitStack() as stack:
        hass = Hass(folder / "hass")
        starting = asyncio.create_task(stack.enter_async_context(hass))
        home = home_server.register("home", PASSWORD)
        user = peer_server.register("peer", PASSWORD)
        peer = Peer(user, folder / "peer.db", peer_server, home)
        curves = [Curve(name, HOUR) for name in HOURLY]
        curves += [Curve(name, FIVE_MINUTES) for name in FINE]
        node = NodeProgram(folder / "node")
        world = World(hass, home_server, peer_server, node, peer, random.Random(SEED), curves)
        await node.log_in(home_server, home, PASSWORD)
        await starting
        await _begin(world)
        token = await hass.api.long_lived_token()
        await node.do("home", hass.url, answer=token)
        async with asyncio.TaskGroup() as group:
            for interval, series in (("PT1H", HOURLY), ("PT5M", FINE)):
                group.create_task(_grant(node, user, interval, series))
        stack.push_async_callback(peer.kill)
        stack.push_async_callback(node.stop)
        await node.start()
        await node.has_read_all()
        await peer.start()
        await _subscribed(world)
        yield world


async def _begin(world: World) -> None:
    """Have Home Assistant know all statistics by one row each, and what is before the flow."""
    for curve in world.curves:
        curve.shown[START - curve.step] = 0
        await world.record(curve.statistic, {START - HOUR: 0})
    await eventually(world.write, bool)


async def _grant(node: NodeProgram, user: str, interval: str, series: Mapping[str, str]) -> None:
    need = f"{interval.lower()}-{user.partition('@')[0]}"
    directions = dict.fromkeys(series.values())
    permission_id = await node.be_asked(user, need, *directions, interval=interval, history_days=9)
    await node.grant(permission_id, *(f"{name}={flow}" for name, flow in series.items()))


async def _subscribed(world: World) -> None:
    async def count() -> int:
        peers = (await world.node.status())["peers"]
        return sum(series["subscribed"] for peer in peers for series in peer["series"])

    await eventually(count, lambda number: number == len(world.curves))


KINDS: Final = ("server of the home", "server of the peers", "node", "peer", "Home Assistant")


async def test_kills_in_turn_lose_no_record(world: World) -> None:
    async def strike() -> None:
        for _ in range(ROUNDS):
            for kind in world.chance.sample(KINDS, len(KINDS)):
                await asyncio.sleep(world.chance.uniform(0, 1.5))
                await world.hit(kind, world.chance.uniform(0, 1.5))
                await world.recovers()

    await while_it_flows(world.flow(), strike)
    await world.is_equal()


async def test_simultaneous_kills_lose_no_record(world: World) -> None:
    async def strike() -> None:
        for several in (KINDS[:3], KINDS[1:]):
            async with asyncio.TaskGroup() as group:
                for kind in several:
                    group.create_task(world.hit(kind, world.chance.uniform(0, 3)))
            await world.recovers()

    await while_it_flows(world.flow(), strike)
    await world.is_equal()


async def test_hours_written_while_the_node_was_away_are_delivered(world: World) -> None:
    await world.node.kill()
    for _ in range(6):
        world.move_on()
    await world.is_recorded()
    await world.node.start()
    await world.recovers()
    await world.is_equal()


async def test_a_node_restored_from_a_backup_delivers_everything(world: World) -> None:
    database = world.node.data / "node.db"
    backup = world.node.folder / "backup.db"
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(backup)) as target:
        source.backup(target)
    for _ in range(4):
        world.move_on()
    await world.is_equal()
    await world.node.kill()
    for rest in ("-wal", "-shm"):
        database.with_name(f"node.db{rest}").unlink(missing_ok=True)
    shutil.copyfile(backup, database)
    for _ in range(4):
        world.move_on()
    await world.is_recorded()
    await world.node.start()
    await world.recovers()
    await world.is_equal()


async def test_the_node_logs_no_error(world: World) -> None:
    log = world.node.log
    assert "Traceback" not in log
    assert " ERROR " not in log
