"""script/bench collective: what members push, until a collective has kept it.

Members are addresses of a component of a real Prosody, so that thousands fit on one machine; each
pushes a day of hourly records at a time, and the next once that was acknowledged. The floor is a
bare slixmpp client that acknowledges the same messages from the same Prosody over a stream that is
resumed, as the collective's is (XEP-0198), and looks into none.
The collective is its whole node: it has kept a day of each member. Sums are made when hours close,
which `closing` measures.
That they joined, and were asked for their past, is in its database beforehand: `growth` has years.
"""

import argparse
import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from sqlalchemy import select

from consometers_node.series import Block
from consometers_node.store import Store
from consometers_node.store.collective.tables import MemberPermissionSeriesRow
from consometers_node.store.tables import BlockRow
from consometers_quoalise.records.data import encode
from demo.servers.prosody import Authority
from tools.bench.harness.databases import choose, database, size, url
from tools.bench.harness.homes import HOURS, day_of, join
from tools.bench.harness.members import Members, Messages, admitting
from tools.bench.harness.process import Memory, cpu_s
from tools.bench.harness.programs import PASSWORD, program

from . import growth

MOST = {"sqlite": 1.3, "postgresql": 1.6}
"""Times as long as the bare client that a collective may take, by database."""
DAYS_A_YEAR = 365.25
MOST_DAYS, SPARE_DAYS = 100, 30
"""That a member pushes; and that it grants beside them."""

_WIDTH = 9
_HEADS = (
    *("members", "days", "sink/s", "kept/s", "ratio", "sink ms", "kept ms"),
    *("MiB", "at most", "B/m-year", "exact"),
)
"""Members and days of each; what a sink acknowledges a second, and what the collective does; what a
day of a member costs a core; memory before and at most; what a year of a member takes on the
disk."""
SETTINGS = """\
name = "Bench"
identifier = "bench"
database = "{database}"
[xmpp]
account = "{account}"
[publication]
members = false
"""
"""Members read no sums: each would be let, one after the other, while it is measured."""


@dataclass(frozen=True)
class Case:
    """So many members, each of whom pushes so many days."""

    members: int
    days: int

    @property
    def messages(self) -> int:
        return self.members * self.days


@dataclass(frozen=True)
class Taken:
    """How long it took until all was acknowledged, and what it cost the program that did."""

    seconds: float
    cpu_s: float


def main(arguments: list[str]) -> int:
    """Print the figures; 1 if it takes too long, does not keep all, or takes longer after years."""
    parser = argparse.ArgumentParser(prog="script/bench collective", description=__doc__)
    parser.add_argument(
        "--members",
        type=int,
        nargs="*",
        default=[100, 1000],
        help="10000 take 3 minutes; none: growth alone",
    )
    parser.add_argument("--messages", type=int, default=10_000, help="of all members together")
    choose(parser)
    parser.add_argument("--no-growth", action="store_true", help="leave out what years change")
    options = parser.parse_args(arguments)
    is_good = True
    for kind in options.database:
        if options.members:
            print(f"{kind}\n{''.join(f'{head:>{_WIDTH}}' for head in _HEADS)}", flush=True)
        for members in options.members:
            case = Case(members, max(1, min(options.messages // members, MOST_DAYS)))
            is_good &= asyncio.run(_measure(kind, case))
        if not options.no_growth:
            with database(kind) as place:
                print(f"{kind}, {growth.HOMES} homes, {growth.YEARS} years", flush=True)
                is_good &= asyncio.run(growth.measure(place))
    return 0 if is_good else 1


def pushed(case: Case, until: datetime) -> list[Messages]:
    """Return what each member pushes, the oldest day first; the first one is not measured."""
    random = Random(1)
    first = datetime.combine(until.date(), time(), UTC) - timedelta(days=case.days + 1)
    return [
        [
            encode(day_of(number, [first + day * timedelta(days=1)], random))
            for day in range(case.days + 1)
        ]
        for number in range(case.members)
    ]


async def _measure(kind: str, case: Case) -> bool:
    days = pushed(case, datetime.now(UTC))
    first, messages = [some[:1] for some in days], [some[1:] for some in days]
    with TemporaryDirectory() as name, database(kind) as place:
        folder = Path(name)
        with admitting(Authority(folder / "authority")) as (server, port):
            account, sink = server.register_all(["collective", "sink"], PASSWORD)
            where = (PASSWORD, str(server.port), str(server.ca_file))
            async with Members.connected(port) as members:
                async with program("sink", sink, *where) as pid:
                    floor = await _push(members, sink, messages, pid)
                store = await Store.open(place)
                await join(store, case.members, case.days + SPARE_DAYS)
                settings = folder / "collective.toml"
                settings.write_text(SETTINGS.format(database=url(place), account=account))
                async with program("gatherer", str(settings), *where) as pid:
                    await members.push(account, first)
                    before = await size(store)
                    idle = Memory.of(pid)
                    taken = await _push(members, account, messages, pid)
                    memory = Memory.of(pid)
                grown = await size(store) - before
                expected = (case.messages + case.members) * HOURS
                exact = await records(store) == expected and not members.refused
                await store.close()
    cells = (
        *(f"{case.members:,}", f"{case.days:,}"),
        *(f"{case.messages / cost.seconds:,.0f}" for cost in (floor, taken)),
        f"{taken.seconds / floor.seconds:.2f}",
        *(f"{1000 * cost.cpu_s / case.messages:.2f}" for cost in (floor, taken)),
        *(f"{idle.resident:.0f}", f"{memory.peak:.0f}"),
        f"{grown * DAYS_A_YEAR / case.messages:,.0f}",
        "yes" if exact else "NO",
    )
    print("".join(f"{cost:>{_WIDTH}}" for cost in cells), flush=True)
    return exact and taken.seconds <= MOST[kind] * floor.seconds


async def _push(members: Members, to: str, messages: list[Messages], pid: int) -> Taken:
    before_s = cpu_s(pid)
    seconds = await members.push(to, messages)
    return Taken(seconds, cpu_s(pid) - before_s)


async def records(store: Store) -> int:
    """Count the records of members that are kept."""
    query = select(BlockRow.packed).join(
        MemberPermissionSeriesRow, MemberPermissionSeriesRow.series_id == BlockRow.series_id
    )
    count = 0
    async with store.reading() as connection:
        for packed in (await connection.execute(query)).scalars():
            absent, total = Block.missing(packed)
            count += total - absent
    return count
