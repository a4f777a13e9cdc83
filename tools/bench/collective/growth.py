"""What a day costs a collective that has kept years: the same on the first one and after five.

In one process, without a network: homes send years, which are kept and closed; then new days, and
old ones again, corrected. At last one home is erased; another one sends a day meanwhile, again and
again.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from itertools import batched
from pathlib import Path
from random import Random
import time

from consometers_node.collective.disclosure.sdc_rules import Publication
from consometers_node.collective.ingestion.arrivals import Arrivals
from consometers_node.collective.ingestion.validation import MemberMessage, take
from consometers_node.collective.members.members import Members
from consometers_node.collective.privacy import erasure
from consometers_node.collective.publication.closing.closer import Closer, WaitRule
from consometers_node.sharing.names import keep_collective
from consometers_node.store import Store
from consometers_node.store.engine.exclusive import alone
from consometers_quoalise import Data
from tools.bench.harness.databases import size
from tools.bench.harness.homes import COLLECTIVE, HOURS, MOST_W, ZONE, day_of, join, today
from tools.bench.harness.members import jid

HOMES, YEARS = 100, 5
DAYS = 14
"""Sent one after the other, each time that it is measured."""
MOST_GROWN = 1.5
"""Times as long as in the first year that a day may take in the last: the same, with room."""

_LARGEST, _OTHER = 0, 1
_YEAR_DAYS = 365
_MONTH_DAYS = 30
_AT_ONCE = 200
_REST_S = 0.2
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one day of one home, in milliseconds: to keep it, of that CPU; to close it."""

    stored: float
    cpu: float
    closed: float


@dataclass(frozen=True, slots=True)
class Erasure:
    """How many seconds the erasure of a member takes, others wait at most, and a wipe takes."""

    erased: float
    waited: float
    wiped: float


class _Homes:
    """Homes that send their days to a collective."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._random = Random(1)

    async def send(self, days: Sequence[datetime]) -> None:
        """Send these days as each of them, as of its past: a month in a message."""
        messages = [
            MemberMessage(jid(home), self._days(home, month))
            for month in batched(days, _MONTH_DAYS, strict=False)
            for home in range(HOMES)
        ]
        for some in batched(messages, _AT_ONCE, strict=False):
            await self._take(some)
        await self._close_all()

    async def cost(self, days: Sequence[datetime]) -> Cost:
        """Send day after day as each of them, and measure."""
        rounds = [
            [MemberMessage(jid(home), self._days(home, [day])) for home in range(HOMES)]
            for day in days
        ]
        began, cpu = time.perf_counter(), time.process_time()
        for messages in rounds:
            await self._take(messages)
        stored, cpu = time.perf_counter() - began, time.process_time() - cpu
        began = time.perf_counter()
        await self._close_all()
        closed = time.perf_counter() - began
        each = 1000 / (HOMES * len(days))
        return Cost(each * stored, each * cpu, each * closed)

    async def erase(self, days: Sequence[datetime]) -> Erasure:
        """Erase the largest, which has sent these days."""
        clock = time.perf_counter
        at = datetime.now(UTC)
        async with self._store.reading() as connection:
            member = await Members(connection, ZONE).by_jid(jid(_LARGEST))
        assert member is not None
        waited = []
        began = clock()
        erasing = asyncio.create_task(erasure.erase_member(self._store, ZONE, member.id, at))
        while not erasing.done():
            sent_at = clock()
            await self._take([MemberMessage(jid(_OTHER), self._days(_OTHER, days[-1:]))])
            waited.append(clock() - sent_at)
            await asyncio.wait({erasing}, timeout=_REST_S)
        (erased,) = await erasing
        assert erased.records == HOURS * len(days), erased
        ended = clock()
        assert await erasure.wipe(self._store)
        return Erasure(ended - began, max(waited), clock() - ended)

    def _days(self, home: int, days: Sequence[datetime]) -> Data:
        least_w = MOST_W if home == _LARGEST else 0
        return day_of(home, days, self._random, least_w=least_w)

    async def _close_all(self) -> None:
        at = datetime.now(UTC)
        publication = Publication(minimum=10)
        waiting = WaitRule(online_since=at, opened_at=at + _DAY, arrivals=Arrivals())
        is_new = True
        while is_new:
            async with self._store.writing() as connection:
                members = Members(connection, ZONE)
                is_new = await Closer(members, COLLECTIVE, publication, waiting, at).close()

    async def _take(self, messages: Sequence[MemberMessage]) -> None:
        async with self._store.writing() as connection:
            await alone(connection)
            refusals = await take(connection, messages, ZONE.key, datetime.now(UTC))
            assert not any(refusals), refusals


async def measure(place: Path | str) -> bool:
    """Print what a day costs after the first year and the last; return whether that is the same."""
    first = today() - YEARS * _YEAR_DAYS * _DAY
    store = await Store.open(place)
    await keep_collective(store, COLLECTIVE)
    await join(store, HOMES, YEARS * _YEAR_DAYS + 1)
    homes = _Homes(store)
    empty = await size(store)
    costs: dict[int, tuple[Cost, Cost]] = {}
    for year in range(YEARS):
        begins = first + year * _YEAR_DAYS * _DAY
        await homes.send(_days(begins, _YEAR_DAYS - DAYS))
        new = await homes.cost(_days(begins + (_YEAR_DAYS - DAYS) * _DAY, DAYS))
        if year in (0, YEARS - 1):
            costs[year + 1] = new, await homes.cost(_days(first + _MONTH_DAYS * _DAY, DAYS))
    each = (await size(store) - empty) / (HOMES * YEARS)
    _print(costs)
    print(f"  {each:,.0f} bytes a member-year, what was published included", flush=True)
    largest = await homes.erase(_days(first, YEARS * _YEAR_DAYS))
    await store.close()
    print(
        f"  the largest home erased in {largest.erased:.1f} s, while others wait"
        f" {largest.waited:.2f} s at most; then wiped in {largest.wiped:.1f} s",
        flush=True,
    )
    return all(
        last <= MOST_GROWN * first
        for of_it in zip(*costs.values(), strict=True)
        for first, last in zip(*map(astuple, of_it), strict=True)
    )


def _days(first: datetime, count: int) -> list[datetime]:
    return [first + n * _DAY for n in range(count)]


def _print(costs: Mapping[int, tuple[Cost, Cost]]) -> None:
    heads = ("kept, ms", "of CPU", "closed")
    print(f"  {'one day of one home':44}" + "".join(f"{head:>10}" for head in heads))
    for at, what in enumerate(("a new day", "a day of the first year, corrected")):
        for year, of_it in costs.items():
            cost = of_it[at]
            label = f"{what}, after {year} year{'s' if year > 1 else ''}"
            print(f"  {label:44}" + "".join(f"{value:10.2f}" for value in astuple(cost)))
        before, after = (astuple(of_it[at]) for of_it in costs.values())
        times = (new / old for old, new in zip(before, after, strict=True))
        print(f"  {'':44}" + "".join(f"{value:9.2f}x" for value in times))
