"""The pages of a household and of a collective: how long each takes, and a household's memory."""

import argparse
import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
import os
from pathlib import Path
import random
import tempfile
import time

from aiohttp import ClientSession
from sqlalchemy import insert

from consometers_node.household.node import HomeNode
from consometers_node.household.recorder.home_assistant import HomeAssistant, HomeAssistantAccess
from consometers_node.household.recorder.source import HomeAssistantSource
from consometers_node.permission import Choice, Permissions, ShownText, Signature
from consometers_node.series import Block, Device, Direction, Interval, Quantity, Range, Series
from consometers_node.store import PeerId, PermissionId, Store
from consometers_node.store.answers import Answer, log_answer
from consometers_node.store.clock import Clock
from consometers_node.store.household.coverage import set_coverage
from consometers_node.store.peers import add_peer, subscribe
from consometers_node.store.series import add_series, put_blocks
from consometers_node.store.tables import BlockRow
from consometers_node.web.site import Keys, Site
from consometers_node.wire import Naming
from consometers_quoalise_network import Identity
from consometers_quoalise_xmpp import XmppTransport
from tools.bench.collective import public
from tools.bench.harness.homes import need_of
from tools.bench.harness.process import Memory
from tools.bench.harness.timing import p95, summary

COLLECTIVES, SERIES_OF_EACH, YEARS = 4, 5, 5
ROUNDS = 200
MOST_S = 0.1
"""The 95th percentile that a page may take, of a household or of a collective."""
CHANGE_EVERY = 10
"""After so many requests a block changes, and all caches are filled again."""
_HOUR = timedelta(hours=1)


def main(arguments: Sequence[str]) -> int:
    """Print the figures; 1 if a page takes too long."""
    measures = {"home": _measure, "collective": public.measure}
    parser = argparse.ArgumentParser(prog="script/bench pages")
    parser.add_argument("of", nargs="*", choices=measures, default=[*measures])
    longest = max(asyncio.run(measures[name]()) for name in parser.parse_args(arguments).of)
    return 0 if longest <= MOST_S else 1


async def _measure() -> float:
    """Print what each page takes; return the 95th percentile of the slowest."""
    longest = 0.0
    with tempfile.TemporaryDirectory() as folder:
        store = await Store.open(Path(folder) / "node.db")
        permission, changing = await _fill(store)
        print(f"{COLLECTIVES * SERIES_OF_EACH} series, {YEARS} years of hours")
        before = Memory.of(os.getpid())
        async with _served(store) as (node, url, session):
            for path in ("", "permissions", f"permissions/{permission}", "series/1", "mine"):
                seconds = []
                async with session.get(url + path) as response:
                    await response.read()
                for n in range(ROUNDS):
                    if n % CHANGE_EVERY == 0:
                        await _change(store, changing, n)
                        node.changes.notify()
                    began = time.perf_counter()
                    async with session.get(url + path) as response:
                        size = len(await response.read())
                    seconds.append(time.perf_counter() - began)
                    assert response.status == 200, response.status
                name = "/" + path.partition("/")[0]
                print(f"{name:13} {summary(seconds)}, {size / 1024:.0f} KiB")
                longest = max(longest, p95(seconds))
            after = Memory.of(os.getpid())
        print(f"memory: {after.anonymous - before.anonymous:.1f} MiB more, files not counted")
        await store.close()
    return longest


async def _fill(store: Store) -> tuple[PermissionId, Series]:
    """Put collectives, what they may read, and five years of it into a database."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    dice = random.Random(1)
    permission, changing = PermissionId(""), None
    for number in range(COLLECTIVES):
        named = [
            Series(
                Device(f"sensor.register_{number}_{n}"),
                list(Direction)[n % 3],
                Quantity.ENERGY,
                Interval.PT1H,
                "Europe/Paris",
            )
            for n in range(SERIES_OF_EACH)
        ]
        async with store.writing() as connection:
            peer = await add_peer(connection, f"coop{number}@example.org", "Coop", now)
            permission = await _grant(Permissions(connection), peer.id, named)
            for series in named:
                key = await add_series(connection, series)
                start = now - timedelta(days=365 * YEARS)
                days = list(Range(start, now).days())
                rows = [
                    {
                        "series_id": key,
                        "day": day,
                        "packed": _block(series, day, dice).pack(),
                        "changed_at": now,
                    }
                    for day in days
                ]
                await connection.execute(insert(BlockRow), rows)
                covered = Range(Range.of_day(days[0]).start, Range.of_day(days[-1]).end)
                await set_coverage(connection, key, covered)
                await subscribe(connection, peer.id, key, now, now - timedelta(days=3))
                for hours in range(50):
                    await log_answer(
                        connection,
                        Answer(
                            peer=peer.id,
                            permission=permission,
                            series_id=key,
                            command="get_history",
                            records=Range(now - (hours + 1) * _HOUR, now - hours * _HOUR),
                            count=1,
                            at=datetime.now(UTC),
                        ),
                    )
        changing = named[0]
    assert changing is not None
    return permission, changing


async def _grant(register: Permissions, peer: PeerId, named: Sequence[Series]) -> PermissionId:
    now = datetime.now(UTC)
    need = need_of(365 * YEARS, Direction, Quantity.ENERGY)
    permission = await register.propose(peer, need, now)
    signature = Signature("bench", ShownText("en", "Yes."))
    await register.grant(permission, Choice(series=frozenset(named)), signature, now)
    return permission


def _block(series: Series, day: date, dice: random.Random) -> Block:
    values: list[int | None] = [dice.randrange(3000) for _ in range(24)]
    if dice.random() < 0.02:
        values[dice.randrange(24)] = None
    return Block(series, day, tuple(values))


async def _change(store: Store, series: Series, value: int) -> None:
    now = datetime.now(UTC)
    day = (now - timedelta(days=2)).date()
    async with store.writing() as connection:
        key = await add_series(connection, series)
        await put_blocks(connection, {key: [Block(series, day, (value,) * 24)]}, now)


@asynccontextmanager
async def _served(store: Store) -> AsyncIterator[tuple[HomeNode, str, ClientSession]]:
    """Serve the pages of a node that is not on any network."""

    def connect(_who: Identity) -> XmppTransport:
        raise AssertionError

    async with ClientSession() as session:
        clock = Clock()
        home = HomeAssistant(HomeAssistantAccess.at("http://127.0.0.1:9", "token"), session)
        node = HomeNode(
            store,
            Naming(bytes(32)),
            HomeAssistantSource.watched(home, store, clock),
            connect,
            clock=clock,
        )
        site = Site(node, Keys("id", "token", "0"), ingress={"127.0.0.1"})
        async with site.listening("127.0.0.1", 0) as port:
            yield node, f"http://127.0.0.1:{port}/", session
