"""script/bench opening: how long it takes until the past of a collective that opens is published.

In one process, without a network: homes have sent a year, hour by hour, some of them what they
inject and make too. Then an administrator opens the collective, and all of it is closed, as the
node does it: some days at a time.
"""

import argparse
import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
import time

from consometers_node.collective.ingestion.arrivals import Arrivals
from consometers_node.collective.publication.closing.worker import Publishing
from consometers_node.collective.publication.policy import AT_ONCE, InForce, open_from
from consometers_node.collective.settings_file import read
from consometers_node.series import Direction
from consometers_node.sharing.changes import Changes
from consometers_node.sharing.names import keep_collective
from consometers_node.store import Store
from consometers_node.store.clock import Clock

from .databases import choose, database, size, url
from .homes import COLLECTIVE, join, keep_days

MOST_S = 120.0
EVERY = {Direction.CONSUMPTION: 1, Direction.INJECTION: 4, Direction.PRODUCTION: 5}
"""One in this many homes reports a direction."""

SETTINGS = """\
name = "Bench"
identifier = "{name}"
database = "{database}"
[xmpp]
account = "{name}@one.test"
"""
_DAY = timedelta(days=1)


def main(arguments: list[str]) -> int:
    """Print the figures; 1 if it takes too long."""
    parser = argparse.ArgumentParser(prog="script/bench opening", description=__doc__)
    parser.add_argument("--homes", type=int, default=300)
    parser.add_argument("--days", type=int, default=365)
    choose(parser)
    options = parser.parse_args(arguments)
    longest = 0.0
    for kind in options.database:
        with database(kind) as place:
            took = asyncio.run(_measure(kind, place, options.homes, options.days))
            longest = max(longest, took)
    return 0 if longest <= MOST_S else 1


def publishing(store: Store, place: Path | str, name: str, folder: Path) -> Publishing:
    """Return what closes hours of a collective of this name."""
    file = folder / f"{name}.toml"
    file.write_text(SETTINGS.format(name=name, database=url(place)))
    settings = read(file)
    return Publishing(
        store,
        settings,
        InForce(settings.publication),
        Changes(),
        arrivals=Arrivals(),
        clock=Clock(),
        is_online=lambda: True,
    )


async def _measure(kind: str, place: Path | str, homes: int, days: int) -> float:
    store = await Store.open(place)
    await keep_collective(store, COLLECTIVE)
    await join(store, homes, days + 2, ways=tuple(EVERY))
    now = datetime.now(UTC)
    past = [(now - n * _DAY).date() for n in range(days, 0, -1)]
    for way, every in EVERY.items():
        await keep_days(store, range(0, homes, every), past, way)
    before = await size(store)
    async with store.writing() as connection:
        await open_from(connection, AT_ONCE, "bench", now)
    longest, looks = 0.0, 0
    with TemporaryDirectory() as name:
        closing = publishing(store, place, COLLECTIVE, Path(name))
        began = time.perf_counter()
        is_new = True
        while is_new:
            looked = time.perf_counter()
            is_new = await closing.look(now, now)
            longest, looks = max(longest, time.perf_counter() - looked), looks + 1
        took = time.perf_counter() - began
    grown = await size(store) - before
    await store.close()
    print(
        f"{kind}, {homes} homes, {days} days: closed in {took:.1f} s, {looks} looks of"
        f" {longest:.2f} s at most, {1000 * took / days:.1f} ms a day; {grown / 1e6:.1f} MB more",
        flush=True,
    )
    return took
