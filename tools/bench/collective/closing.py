"""script/bench closing: what it takes to close an hour, of how many homes, after how many years.

In one process, without a network, by the code that closes: homes in 30 communes have sent a day,
and its hours close one after the other; then the civil day. Beside it the bare read of the same
rows, in the same moments: the blocks of the day, and where each home counts. At last an hour of a
few homes closes that have reported for a year, then for five.
"""

import argparse
import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time as daytime, timedelta
import os
from pathlib import Path
from statistics import median
import time

from sqlalchemy import text

from consometers_node.collective.disclosure.sdc_rules import Publication
from consometers_node.collective.ingestion.arrivals import Arrivals
from consometers_node.collective.members.members import Members
from consometers_node.collective.publication.closing.closer import Closer, WaitRule
from consometers_node.collective.publication.closing.monthly_groups import Together
from consometers_node.sharing.names import keep_collective
from consometers_node.store import Store
from tools.bench.harness.databases import choose, database
from tools.bench.harness.homes import COLLECTIVE, ZONE, join, keep_days, today
from tools.bench.harness.process import Memory

MOST = 3.0
"""Times the bare read that an hour may take."""
MOST_GROWN = 1.5
"""Times as long as after the first year that an hour may take after five: the same, with room."""
COMMUNES = 30
HOURS_AT_ONCE = 12
YEARS, GROWN_HOMES = (1, 5), 200

_PUBLICATION = Publication(minimum=10)
_BLOCKS = text(
    # In this order, as closing does: SQLite would look through the blocks of all days.
    "SELECT block.series_id, block.packed FROM series CROSS JOIN block"
    " WHERE block.series_id = series.id AND series.direction = 'consumption' AND block.day = :day"
)
_WHERE_HOMES_COUNT = text(
    "SELECT member_id, group_id FROM group_membership WHERE from_month <= :day"
)
_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
_YEAR_DAYS = 365
_ROUNDS = 9
_AREAS = tuple(f"Commune {n}" for n in range(COMMUNES))
_FORGET_PEAK = Path("/proc/self/clear_refs")


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds, and MiB beyond what was in use before."""

    seconds: float
    mib: float


class Town:
    """A collective whose hours are closed by hand."""

    def __init__(self, store: Store, opened_at: datetime) -> None:
        self.arrivals = Arrivals()
        self._store = store
        self._opened_at = opened_at
        self._together: Together = {}

    async def close(self, at: datetime) -> bool:
        """Close what is due then, up to ten days. Return whether anything was."""
        async with self._store.writing() as connection:
            waiting = WaitRule(
                online_since=self._opened_at, opened_at=self._opened_at, arrivals=self.arrivals
            )
            members = Members(connection, ZONE)
            closer = Closer(members, COLLECTIVE, _PUBLICATION, waiting, at, together=self._together)
            is_new = await closer.close()
        self._together = closer.groups.together
        return is_new

    async def read(self, day: date) -> int:
        """Read what closing reads of each home, and nothing else. Return how many rows it is."""
        at = {"day": day.isoformat() if self._store.is_sqlite else day}
        async with self._store.reading() as connection:
            groups = (await connection.execute(_WHERE_HOMES_COUNT, at)).all()
            return len(groups) + len((await connection.execute(_BLOCKS, at)).all())


def main(arguments: list[str]) -> int:
    """Print the figures; 1 if an hour takes too long beside the bare read, or after years."""
    parser = argparse.ArgumentParser(prog="script/bench closing", description=__doc__)
    parser.add_argument(
        "--homes", type=int, nargs="*", default=[1_000, 10_000, 100_000], help="none: growth alone"
    )
    parser.add_argument("--no-growth", action="store_true", help="leave out what years change")
    choose(parser)
    options = parser.parse_args(arguments)
    is_good = True
    for kind in options.database:
        for homes in options.homes:
            with database(kind) as place:
                is_good &= asyncio.run(_measure(kind, place, homes))
        if not options.no_growth:
            with database(kind) as place:
                is_good &= asyncio.run(_grow(kind, place))
    return 0 if is_good else 1


async def _measure(kind: str, place: Path | str, homes: int) -> bool:
    """Print what the hours of a day take, and the civil day."""
    store = await Store.open(place)
    await keep_collective(store, COLLECTIVE)
    midnight = today() - _DAY
    day = midnight.date()
    await join(store, homes, 31, areas=_AREAS)
    await keep_days(store, range(homes), [day - _DAY, day])
    town = Town(store, midnight - _DAY)
    while await town.close(midnight):
        pass
    before = midnight + HOURS_AT_ONCE * _HOUR
    at_once = await _cost(town.close(before))
    hours, bare = [], []
    for n in range(1, _ROUNDS + 1):
        bare.append(await _cost(town.read(day)))
        hours.append(await _cost(town.close(before + n * _HOUR)))
    end = datetime.combine(day + _DAY, daytime(), ZONE).astimezone(UTC)
    await town.close(end - _HOUR)
    last = await _cost(town.close(end))
    await store.close()
    floor, hour = (median(cost.seconds for cost in some) for some in (bare, hours))
    print(
        f"{kind}, {homes:,} homes: an hour {hour:.3f} s and {max(h.mib for h in hours):.0f} MiB,"
        f" the bare read {floor:.3f} s and {max(cost.mib for cost in bare):.0f} MiB,"
        f" ratio {hour / floor:.2f}; {HOURS_AT_ONCE} hours at once {at_once.seconds:.3f} s;"
        f" the last hour with the civil day {last.seconds:.3f} s",
        flush=True,
    )
    return hour <= MOST * floor


async def _grow(kind: str, place: Path | str) -> bool:
    """Print what an hour takes after some years, all of whose hours were closed."""
    store = await Store.open(place)
    await keep_collective(store, COLLECTIVE)
    await join(store, GROWN_HOMES, YEARS[-1] * _YEAR_DAYS + 3, areas=_AREAS)
    first = today() - YEARS[-1] * _YEAR_DAYS * _DAY
    took: dict[int, float] = {}
    closed_days = 0
    for years in YEARS:
        days = [(first + n * _DAY).date() for n in range(closed_days, years * _YEAR_DAYS)]
        closed_days = years * _YEAR_DAYS
        await keep_days(store, range(GROWN_HOMES), days)
        midnight = first + (closed_days - 1) * _DAY
        past = Town(store, today() + _DAY)
        while await past.close(midnight):
            pass
        town = Town(store, first)
        hours = [await _cost(town.close(midnight + n * _HOUR)) for n in range(1, 2 * _ROUNDS + 1)]
        took[years] = median(cost.seconds for cost in hours)
    await store.close()
    figures = ", ".join(f"after {years} years {1000 * s:.1f} ms" for years, s in took.items())
    before, after = took.values()
    print(
        f"{kind}, {GROWN_HOMES} homes: an hour {figures}, {after / before:.2f} times as long",
        flush=True,
    )
    return after <= MOST_GROWN * before


async def _cost(work: Awaitable[object]) -> Cost:
    with suppress(OSError):
        _FORGET_PEAK.write_text("5")
    resident = Memory.of(os.getpid()).resident
    began = time.perf_counter()
    assert await work
    seconds = time.perf_counter() - began
    return Cost(seconds, max(0.0, Memory.of(os.getpid()).peak - resident))
