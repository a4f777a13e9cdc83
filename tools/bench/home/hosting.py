"""script/bench host: what homes take of a host, asleep and awake.

An awake home is a household's node with its database, whose source is its files, and whose network
is away. Of those that sleep, each is a row, and a folder that is opened by nobody.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import gc
import os
from pathlib import Path
import sqlite3
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from consometers_node.host.homes.due import DueHomes
from consometers_node.host.homes.register import HomeRegister, HostedHome
from consometers_node.host.homes.waking import Homes, OpenHome
from consometers_node.household.files.source import FileSource
from consometers_node.household.node import HomeNode
from consometers_node.sharing import account
from consometers_node.store import Store
from consometers_node.store.clock import Clock
from consometers_node.store.engine.file import Reserve
from consometers_node.store.settings import setting
from consometers_node.wire import Naming
from consometers_quoalise_network import Account, Identity, Server
from consometers_quoalise_xmpp import Component
from demo.hass import free_port
from demo.servers.prosody import LOOPBACK
from tools.bench.harness.process import Memory

DOMAIN = "homes.test"
AWAKE = 16
ROUNDS = 50
MOST_ASLEEP_KB = 100.0
MOST_START_S = 5.0
_PEERS = ("coop@example.org", "town@example.net")


def main(arguments: Sequence[str]) -> int:
    """Print the figures; 1 if a home that sleeps or the start takes too much."""
    parser = argparse.ArgumentParser(prog="script/bench host", description=__doc__)
    parser.add_argument("--homes", type=int, default=10_000)
    parser.add_argument("--awake", type=int, default=AWAKE)
    asked = parser.parse_args(arguments)
    with TemporaryDirectory() as place:
        figures = asyncio.run(_measure(Path(place), asked.homes, asked.awake))
    print(figures)
    return 0 if figures.asleep_kb <= MOST_ASLEEP_KB and figures.start_s <= MOST_START_S else 1


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What was measured in one run. kB are 1,000 bytes."""

    homes: int
    asleep_kb: float
    awake_kb: float
    start_s: float
    question_s: float
    waking_s: float
    bare_s: float

    def __str__(self) -> str:
        return (
            f"{self.homes:,} homes asleep: {self.asleep_kb:.2f} kB of memory each"
            f" (at most {MOST_ASLEEP_KB:.0f} wanted); one awake takes {self.awake_kb:,.0f} kB,"
            f" {self.awake_kb / max(self.asleep_kb, 0.01):,.0f} times as much\n"
            f"start: {self.start_s:.3f} s (at most {MOST_START_S:.0f} wanted)\n"
            f"whether a stanza wakes a home: {1e6 * self.question_s:.0f} µs\n"
            f"waking, a question and falling asleep: {1e3 * self.waking_s:.0f} ms,"
            f" {self.waking_s / self.bare_s:.0f} times opening and reading the bare file"
            f" ({1e3 * self.bare_s:.2f} ms)"
        )


class _IdleHome:
    """A household's node whose home is away."""

    is_busy = False

    def __init__(self, node: HomeNode) -> None:
        self.node = node

    def knows(self, peer: str) -> bool:
        return peer in _PEERS

    async def peers(self) -> Iterable[str]:
        return _PEERS

    async def next_due(self) -> datetime | None:
        return datetime.now(UTC) + timedelta(days=1)


async def _measure(folder: Path, homes: int, awake: int) -> Figures:
    await _fill(folder, homes, awake)
    component = Component(DOMAIN, "secret", LOOPBACK, free_port())
    async with component:

        @asynccontextmanager
        async def open_home(home: HostedHome) -> AsyncIterator[_IdleHome]:
            async with _running(home, component) as node:
                yield node

        before = _memory_kb()
        began = perf_counter()
        register = HomeRegister.open(folder)
        async with Homes(register, open_home, most_awake=awake, idle_s=3_600) as host:
            due = asyncio.create_task(DueHomes(host).run())
            await asyncio.sleep(0)
            start_s = perf_counter() - began
            question_s = _question(host, homes)
            asleep_kb = (_memory_kb() - before) / homes
            # The first one loads what all others share.
            async with host.awake(_address(0)):
                pass
            with_first = _memory_kb()
            for number in range(1, awake):
                async with host.awake(_address(number)):
                    pass
            await asyncio.sleep(1)
            awake_kb = (_memory_kb() - with_first) / (awake - 1)
            due.cancel()
            await asyncio.wait({due})
        waking_s, bare_s = await _durations(register, open_home)
        register.close()
    return Figures(
        homes=homes,
        asleep_kb=asleep_kb,
        awake_kb=awake_kb,
        start_s=start_s,
        question_s=question_s,
        waking_s=waking_s,
        bare_s=bare_s,
    )


async def _fill(folder: Path, homes: int, awake: int) -> None:
    """Register homes, due all over tomorrow; those that will be awake have a database."""
    now = datetime.now(UTC)
    with closing(HomeRegister.open(folder)) as register:
        for number in range(homes):
            home = register.add(_address(number), now)
            due = now + timedelta(days=1, seconds=86_400 * number / homes)
            register.rest(home.address, now, due, _PEERS)
        for number in range(awake):
            home = register.of(_address(number))
            await _make(home)


async def _make(home: HostedHome) -> None:
    store = await Store.open(home.folder / "node.db")
    await account.save(store, Identity(Account(home.address, "none"), Server()))
    await store.close()


@asynccontextmanager
async def _running(home: HostedHome, component: Component) -> AsyncIterator[_IdleHome]:
    reserve = Reserve(home.folder.parent / "homes.db")
    store = await Store.open(home.folder / "node.db", connections=1, reserve=reserve)
    node = HomeNode(
        store,
        Naming(bytes(32)),
        FileSource(store, "fr"),
        lambda who: component.transport(who.account.jid),
        clock=Clock(),
    )
    task: asyncio.Task[object] = asyncio.create_task(node.run())
    try:
        # A question that a page would ask.
        async with store.reading() as connection:
            await setting(connection, account.JID)
        yield _IdleHome(node)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await store.close()


def _question(host: Homes[_IdleHome], homes: int) -> float:
    """Return how long it takes to judge a stanza of a stranger, over many homes."""
    began = perf_counter()
    for number in range(homes):
        host.unclaimed(_address(number), "stranger@example.org")
    return (perf_counter() - began) / homes


async def _durations(register: HomeRegister, open_home: OpenHome[_IdleHome]) -> tuple[float, float]:
    """Return how long a home takes from asleep to asleep, and its bare file, by turns."""
    address = _address(0)
    file = register.of(address).folder / "node.db"
    waking, bare = [], []
    for _ in range(ROUNDS):
        began = perf_counter()
        async with Homes(register, open_home, idle_s=0) as host, host.awake(address):
            pass
        waking.append(perf_counter() - began)
        began = perf_counter()
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("SELECT * FROM setting").fetchall()
        bare.append(perf_counter() - began)
    return median(waking), median(bare)


def _address(number: int) -> str:
    return f"home{number}@{DOMAIN}"


def _memory_kb() -> float:
    gc.collect()
    return Memory.of(os.getpid()).anonymous * 1024 * 1024 / 1000
